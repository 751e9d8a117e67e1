//! What a lost call means to the person who waits: kind, sentence, hint.
//!
//! Pure, over plain text, so that every message that AWS and its SDK are known to give can be a test case.

use super::parse;
use super::{Call, Evidence, Stage};
use crate::domain::fault::{Fault, FaultKind};

/// Judges a lost call.
pub(super) fn judge(call: &Call<'_>, evidence: Evidence) -> Fault {
    let mut fault = match evidence.stage {
        Stage::Answered => answered(call, &evidence),
        Stage::TimedOut => credentials(call, &evidence).unwrap_or_else(|| timed_out(call, &evidence)),
        Stage::Construction | Stage::Dispatch => {
            credentials(call, &evidence).unwrap_or_else(|| unsent(call, &evidence))
        }
    };
    fault.action.get_or_insert_with(|| call.action.to_owned());
    fault.code = fault.code.or(evidence.code);
    fault.request_id = evidence.request_id;
    fault
}

fn answered(call: &Call<'_>, evidence: &Evidence) -> Fault {
    let status = evidence.status.unwrap_or(0);
    if status < 400 {
        let why = evidence.chain.last().map_or("", String::as_str);
        let message = format!("the answer to {} cannot be read: {why}", call.action);
        return Fault::new(FaultKind::Garbled, message).hint("it was cut off or changed on the way");
    }
    let xml_code = parse::element(&evidence.body, "Code");
    let html = parse::is_html(&evidence.body);
    let Some(code) = evidence.code.as_deref().filter(|c| !c.is_empty() && !html).or(xml_code) else {
        return without_code(call, evidence, status, html);
    };
    let said = evidence.message.as_deref().or_else(|| parse::element(&evidence.body, "Message"));
    let message = said.filter(|m| !m.is_empty()).map_or_else(
        || format!("{} answered {code} (HTTP {status}) and no message", call.service),
        ToOwned::to_owned,
    );
    let kind = kind_of(code, &message, status);
    let mut fault = Fault::new(kind, message);
    fault.code = Some(code.to_owned());
    explain(call, fault, code)
}

/// An answer that is an error by its status alone.
fn without_code(call: &Call<'_>, evidence: &Evidence, status: u16, html: bool) -> Fault {
    let endpoint = call.endpoint_name();
    match status {
        404 | 405 | 500 | 501 => {
            let page = if html { " with a web page" } else { ", without an error code" };
            let message =
                format!("{endpoint} does not know {}: it answered HTTP {status}{page}", call.action);
            Fault::new(FaultKind::Unsupported, message)
        }
        401 | 403 if html => {
            let message = format!("HTTP {status} with a web page: something before {endpoint} refused");
            Fault::new(FaultKind::Denied, message).hint("a proxy or a firewall, not IAM")
        }
        401 | 403 => {
            let message = format!("{endpoint} refused {} with HTTP {status}", call.action);
            Fault::new(FaultKind::Denied, message).hint(format!("it needs the permission {}", call.action))
        }
        429 => Fault::new(FaultKind::Throttled, format!("{endpoint} answered HTTP 429: too many requests")),
        500.. => {
            Fault::new(FaultKind::Server, format!("{endpoint} answered HTTP {status}, without an error code"))
        }
        _ => {
            let why = evidence.message.as_deref().or(evidence.chain.last().map(String::as_str));
            let message = format!("{endpoint} answered HTTP {status}: {}", why.unwrap_or("no reason given"));
            Fault::new(FaultKind::Unknown, message)
        }
    }
}

/// What AWS's code says, helped by its message where one code stands for many things.
fn kind_of(code: &str, message: &str, status: u16) -> FaultKind {
    match code {
        "ExpiredTokenException"
        | "ExpiredToken"
        | "RequestExpired"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "RequestTimeTooSkewed"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => FaultKind::Expired,
        "AccessDeniedException"
        | "AccessDenied"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "OptInRequired"
        | "UnauthorizedException"
        | "ForbiddenException" => FaultKind::Denied,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "BandwidthLimitExceeded" => FaultKind::Throttled,
        "UnknownOperationException"
        | "UnknownOperation"
        | "InvalidAction"
        | "NotImplemented"
        | "NotImplementedException"
        | "UnsupportedOperation" => FaultKind::Unsupported,
        // IAM's word for a role that is not there.
        "NoSuchEntity" | "NoSuchEntityException" => FaultKind::NotFound,
        _ if code.contains("NotFound") => FaultKind::NotFound,
        "ClientException" | "InvalidParameterException" if says_missing(message) => FaultKind::NotFound,
        _ if status == 429 || message == "Rate exceeded" => FaultKind::Throttled,
        _ if status >= 500 => FaultKind::Server,
        _ => FaultKind::Invalid,
    }
}

fn says_missing(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["unable to describe task definition", "not found", "does not exist"].iter().any(|p| message.contains(p))
}

/// Adds what to do.
fn explain(call: &Call<'_>, mut fault: Fault, code: &str) -> Fault {
    match fault.kind {
        FaultKind::Expired => {
            let hint = match code {
                "UnrecognizedClientException"
                | "InvalidClientTokenId"
                | "InvalidAccessKeyId"
                | "AuthFailure" => {
                    format!(
                        "the access key is not known in {}: a wrong key, or a region that this account has not enabled",
                        call.region
                    )
                }
                "SignatureDoesNotMatch" | "InvalidSignatureException" | "RequestTimeTooSkewed" => {
                    "a wrong secret key, or this machine's clock is off".to_owned()
                }
                _ => log_in_again(call),
            };
            fault.hint(hint)
        }
        FaultKind::Denied => deny(call, fault),
        FaultKind::Throttled => {
            fault.hint("the account's request quota is shared with everything else that asks AWS here")
        }
        FaultKind::Unsupported => {
            fault.message =
                format!("{} does not know {}: {}", call.endpoint_name(), call.action, fault.message);
            fault
        }
        _ => fault,
    }
}

fn deny(call: &Call<'_>, mut fault: Fault) -> Fault {
    let hint = match parse::refusal(&fault.message) {
        Some(refusal) => {
            let place = refusal.resource.map(|r| format!(" on {r}")).unwrap_or_default();
            let because = refusal.because.map(|b| format!("; {b}")).unwrap_or_default();
            let hint = format!("missing permission: {}{place}{because}", refusal.action);
            fault.action = Some(refusal.action.to_owned());
            hint
        }
        None => format!("missing permission: {}", call.action),
    };
    fault.hint(hint)
}

fn log_in_again(call: &Call<'_>) -> String {
    match (call.keys_in_environment, call.profile) {
        (true, _) => {
            "the keys in AWS_ACCESS_KEY_ID have expired: export new ones and start opsdeck again".to_owned()
        }
        (false, Some(profile)) => {
            format!(
                "log in again (`aws sso login --profile {profile}`, or renew its keys); opsdeck picks it up"
            )
        }
        (false, None) => "log in again (`aws sso login`, or renew the keys); opsdeck picks it up".to_owned(),
    }
}

fn timed_out(call: &Call<'_>, evidence: &Evidence) -> Fault {
    let endpoint = call.endpoint_name();
    let connecting = evidence.chain.iter().any(|t| t.contains("HTTP connect"));
    let took =
        evidence.chain.iter().find_map(|t| t.split_once("occurred after ")).map(|(_, span)| span.trim());
    let within = took.map(|t| format!(" within {t}")).unwrap_or_default();
    let message = if connecting {
        format!("could not connect to {endpoint}{within}")
    } else {
        format!("{endpoint} did not answer{within}")
    };
    Fault::new(FaultKind::Network, message).hint("the network, a VPN or a firewall may swallow the packets")
}

/// Failures of the credential chain, which come dressed as failures to send.
fn credentials(call: &Call<'_>, evidence: &Evidence) -> Option<Fault> {
    let all = evidence.chain.join(": ");
    let text = all.to_ascii_lowercase();
    let has = |phrase: &str| text.contains(phrase);
    let said = || evidence.chain.last().cloned().unwrap_or_default();
    let login = |command: &str| match call.profile {
        Some(profile) => format!("log in: `aws {command} --profile {profile}`"),
        None => format!("log in: `aws {command}`"),
    };
    if has("no credentials found in chain") || has("no providers in chain") || has("resolver timed out") {
        return Some(no_credentials(call, evidence));
    }
    let fault = if has("token has expired")
        || has("session token not found or invalid")
        || has("expiredtoken")
    {
        Fault::new(FaultKind::Expired, said()).hint(login("sso login"))
    } else if has("cached sso token") {
        let message = "nobody has logged in to this SSO session on this machine";
        Fault::new(FaultKind::NoCredentials, message).hint(login("sso login"))
    } else if has("token is expired") || has("reauthenticate") {
        Fault::new(FaultKind::Expired, said()).hint(login("login"))
    } else if has("login/cache") || has("login token") {
        let message = "nobody has logged in to this console session on this machine";
        Fault::new(FaultKind::NoCredentials, message).hint(login("login"))
    } else if has("not properly configured")
        || has("was not defined")
        || has("sso-session named")
        || has("cargo feature")
    {
        Fault::new(FaultKind::Config, said()).hint("check ~/.aws/config and the profile's name")
    } else if let Some(refusal) = parse::refusal(&all) {
        let message = evidence.chain.iter().find(|t| t.contains("not authorized")).cloned();
        Fault::new(FaultKind::Denied, message.unwrap_or_else(said))
            .hint(format!(
                "missing permission: {}; a role that asks for MFA needs `credential_process`, since the SDK \
                 has no MFA prompt",
                refusal.action
            ))
            .action(refusal.action)
    } else if has("imds is disabled") {
        let message = "no credentials found, and the instance's metadata service refuses";
        Fault::new(FaultKind::NoCredentials, message).hint(FIND_CREDENTIALS)
    } else if has("imds session token") {
        Fault::new(FaultKind::NoCredentials, "the instance's metadata service gave no token")
            .hint("inside a container the hop limit of IMDSv2 must be 2")
    } else if has("external process") {
        Fault::new(FaultKind::NoCredentials, format!("`credential_process` failed: {}", said()))
            .hint("run the command of the profile's `credential_process` by hand")
    } else if has("credential provider was not enabled") {
        no_credentials(call, evidence)
    } else if has("failed to load credentials") || has("loading credentials") || has("credentials provider") {
        Fault::new(FaultKind::NoCredentials, format!("the credentials could not be loaded: {}", said()))
            .hint(FIND_CREDENTIALS)
    } else {
        return None;
    };
    Some(fault)
}

const FIND_CREDENTIALS: &str =
    "name a profile (`--profile`, AWS_PROFILE), log in with `aws sso login`, or set AWS_ACCESS_KEY_ID";

/// Every source was tried in vain. A profile that refers to what does not exist is the likeliest reason, and
/// the SDK hides it among sources that were never meant to be used.
fn no_credentials(call: &Call<'_>, evidence: &Evidence) -> Fault {
    let attempt = evidence.chain.iter().flat_map(|text| text.lines()).find_map(|line| {
        let why = line.trim_start().strip_prefix("Profile: ")?;
        Some(
            why.strip_prefix("the credential provider was not enabled")
                .unwrap_or(why)
                .trim_start_matches(": "),
        )
    });
    let own = format!("profile `{}` was not defined", call.profile.unwrap_or("default"));
    if let Some(why) = attempt.filter(|why| why.contains("was not defined") && !why.starts_with(&own)) {
        return Fault::new(FaultKind::Config, why).hint("check ~/.aws/config and the profile's name");
    }
    match call.profile {
        Some(profile) => {
            let message = format!("no credentials found for the profile {profile}");
            let hint =
                format!("`aws configure --profile {profile}` gives it keys, `aws configure sso` a login");
            Fault::new(FaultKind::NoCredentials, message).hint(hint)
        }
        None => Fault::new(FaultKind::NoCredentials, "no credentials found").hint(FIND_CREDENTIALS),
    }
}

/// Nothing was answered, and it is not about credentials.
fn unsent(call: &Call<'_>, evidence: &Evidence) -> Fault {
    let endpoint = call.endpoint_name();
    let text = evidence.chain.join(": ").to_ascii_lowercase();
    let has = |phrase: &str| text.contains(phrase);
    let said = evidence.chain.last().map_or("", String::as_str);
    let network = |message: String, hint: &str| Fault::new(FaultKind::Network, message).hint(hint);
    if has("region must be set") || has("missing region") || has("a region was not") {
        return Fault::new(FaultKind::Config, "no region is known")
            .hint("name one: `--region`, AWS_REGION, or `region` in the profile");
    }
    let bad =
        ["not a valid uri", "invalid uri", "must contain scheme", "unsupported scheme", "valid host label"];
    if bad.into_iter().any(has) {
        let (message, hint) = match call.endpoint {
            Some(url) if !has("host label") => (
                format!("{url:?} is not the URL of an endpoint"),
                "AWS_ENDPOINT_URL looks like http://127.0.0.1:4566",
            ),
            _ => (format!("{:?} is not the name of a region", call.region), "a name such as eu-west-2"),
        };
        return Fault::new(FaultKind::Config, message).hint(hint);
    }
    if has("dns error") || has("failed to lookup address") || has("resolver") {
        let hint = if call.endpoint.is_some() {
            "check the endpoint's name"
        } else {
            "check the region's name, the network and the VPN"
        };
        return network(format!("the name of {endpoint} does not resolve"), hint);
    }
    if has("certificate") || has("tls") || has("handshake") {
        let hint = if has("corrupt message") {
            "does it speak https at all? an emulator mostly wants http"
        } else {
            "a proxy that opens TLS needs its root certificate among the machine's roots"
        };
        return network(format!("no trusted TLS connection to {endpoint}: {said}"), hint);
    }
    if has("connection refused") {
        let hint = if call.endpoint.is_some() {
            "is it running, and is the port right?"
        } else {
            "AWS itself does not refuse: a proxy (HTTPS_PROXY) or a firewall on the way does"
        };
        return network(format!("{endpoint} refused the connection"), hint);
    }
    if has("unreachable") || has("no route to host") {
        return network(format!("no route to {endpoint}"), "check the network and the VPN");
    }
    if evidence.stage == Stage::Construction {
        let kind = if has("endpoint") || has("uri") { FaultKind::Config } else { FaultKind::Invalid };
        return Fault::new(kind, format!("{} could not be sent: {said}", call.action));
    }
    if has("reset") || has("closed") || has("broken pipe") || has("incomplete") || has("eof") {
        return network(
            format!("{endpoint} closed the connection before it answered"),
            "asking again may help",
        );
    }
    Fault::new(FaultKind::Network, format!("{endpoint} could not be reached: {said}"))
}

#[cfg(test)]
mod tests;
