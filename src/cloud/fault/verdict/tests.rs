//! Texts that AWS, its SDK, proxies and emulators are known to give, and what they mean.

use super::*;

fn call() -> Call<'static> {
    Call {
        action: "ecs:DescribeServices",
        service: "ECS",
        region: "eu-west-2",
        endpoint: None,
        profile: Some("prod"),
        keys_in_environment: false,
    }
}

fn said(status: u16, code: &str, message: &str) -> Fault {
    let evidence = Evidence {
        stage: Stage::Answered,
        status: Some(status),
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
        request_id: Some("8f1a".to_owned()),
        ..Evidence::default()
    };
    judge(&call(), evidence)
}

fn body(status: u16, body: &str) -> Fault {
    let evidence = Evidence {
        stage: Stage::Answered,
        status: Some(status),
        body: body.to_owned(),
        chain: vec!["unhandled error".to_owned()],
        ..Evidence::default()
    };
    judge(&call(), evidence)
}

fn lost(stage: Stage, chain: &[&str]) -> Fault {
    let chain = chain.iter().map(|&t| t.to_owned()).collect();
    judge(&call(), Evidence { stage, chain, ..Evidence::default() })
}

#[test]
fn codes_have_kinds() {
    for (status, code, message, kind) in [
        (
            400,
            "ExpiredTokenException",
            "The security token included in the request is expired",
            FaultKind::Expired,
        ),
        (403, "ExpiredToken", "The security token included in the request is expired", FaultKind::Expired),
        (400, "RequestExpired", "Request has expired.", FaultKind::Expired),
        (
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            FaultKind::Expired,
        ),
        (
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            FaultKind::Expired,
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "Signature expired: 20261120T000000Z is now earlier",
            FaultKind::Expired,
        ),
        (400, "AccessDeniedException", "User: x is not authorized", FaultKind::Denied),
        (400, "ThrottlingException", "Rate exceeded", FaultKind::Throttled),
        (503, "RequestLimitExceeded", "Request limit exceeded.", FaultKind::Throttled),
        // awsQuery services, whose codes follow no rule.
        (400, "Throttling", "Rate exceeded", FaultKind::Throttled),
        (404, "DBInstanceNotFound", "DBInstance x not found.", FaultKind::NotFound),
        (404, "DBClusterNotFoundFault", "DBCluster x not found.", FaultKind::NotFound),
        (404, "ReplicationGroupNotFoundFault", "ReplicationGroup x not found.", FaultKind::NotFound),
        (400, "TargetGroupNotFound", "One or more target groups not found", FaultKind::NotFound),
        (404, "NoSuchEntity", "The role with name x cannot be found.", FaultKind::NotFound),
        (400, "InvalidAction", "Could not find operation X for version Y", FaultKind::Unsupported),
        (400, "InvalidParameterCombination", "Cannot specify both.", FaultKind::Invalid),
        (400, "ImageNotFoundException", "The image requested does not exist", FaultKind::NotFound),
        (400, "ClusterNotFoundException", "Cluster not found.", FaultKind::NotFound),
        (400, "ServiceNotFoundException", "Service not found.", FaultKind::NotFound),
        (400, "ResourceNotFoundException", "The specified log group does not exist.", FaultKind::NotFound),
        (400, "ClientException", "Unable to describe task definition.", FaultKind::NotFound),
        (400, "InvalidParameterException", "The referenced task was not found.", FaultKind::NotFound),
        (400, "ClientException", "Too many attributes", FaultKind::Invalid),
        (
            400,
            "InvalidParameterException",
            "Identifier is for cluster a. Your cluster is b",
            FaultKind::Invalid,
        ),
        (400, "ValidationException", "1 validation error", FaultKind::Invalid),
        (400, "UnknownOperationException", "", FaultKind::Unsupported),
        (500, "ServerException", "Service Unavailable. Please try again later.", FaultKind::Server),
        (503, "ServiceUnavailableException", "The service cannot complete the request.", FaultKind::Server),
    ] {
        let fault = said(status, code, message);
        assert_eq!(fault.kind, kind, "{code}: {message}");
        assert_eq!(fault.code.as_deref(), Some(code));
        assert_eq!(fault.action.as_deref(), Some("ecs:DescribeServices"));
        assert_eq!(fault.request_id.as_deref(), Some("8f1a"));
    }
}

#[test]
fn a_denial_names_what_is_missing() {
    let fault = said(
        400,
        "AccessDeniedException",
        "User: arn:aws:sts::123456789012:assumed-role/ops/ann is not authorized to perform: \
         ecs:ListServices on resource: arn:aws:ecs:eu-west-2:123456789012:service/cma/api because no \
         identity-based policy allows the ecs:ListServices action",
    );
    assert_eq!(fault.action.as_deref(), Some("ecs:ListServices"), "the action that AWS names wins");
    assert_eq!(
        fault.hint.as_deref(),
        Some(
            "missing permission: ecs:ListServices on arn:aws:ecs:eu-west-2:123456789012:service/cma/api; \
             no policy of this identity allows it"
        )
    );
    let fault = said(400, "AccessDeniedException", "");
    assert_eq!(fault.hint.as_deref(), Some("missing permission: ecs:DescribeServices"));
    assert!(fault.message.contains("AccessDeniedException"), "no message is said to be none");
}

#[test]
fn expired_credentials_say_how_to_renew_them() {
    let hint = |call: &Call<'_>| log_in_again(call);
    assert!(hint(&call()).contains("aws sso login --profile prod"));
    assert!(hint(&Call { profile: None, ..call() }).contains("`aws sso login`"));
    assert!(hint(&Call { keys_in_environment: true, ..call() }).contains("AWS_ACCESS_KEY_ID"));
    let skewed = said(403, "InvalidSignatureException", "Signature expired: x is now earlier than y");
    assert!(skewed.hint.unwrap().contains("clock"));
}

#[test]
fn emulators_without_an_operation_are_unsupported_at_once() {
    for (status, text) in [
        (500, "<!doctype html>\n<html lang=en><title>500 Internal Server Error</title>"),
        (404, "<html><title>404 Not Found</title></html>"),
        (501, ""),
        (404, ""),
    ] {
        let fault = body(status, text);
        assert_eq!(fault.kind, FaultKind::Unsupported, "{status} {text}");
        assert!(!fault.is_transient());
        assert!(fault.message.contains("does not know ecs:DescribeServices"), "{}", fault.message);
    }
    assert_eq!(body(502, "<html>Bad Gateway</html>").kind, FaultKind::Server);
    assert_eq!(body(503, "").kind, FaultKind::Server);
    assert_eq!(body(429, "").kind, FaultKind::Throttled);
}

#[test]
fn a_denial_in_xml_is_read() {
    let fault = body(
        403,
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: u is not authorized to perform: \
         ecs:DescribeServices</Message></Error></ErrorResponse>",
    );
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Denied, Some("AccessDenied")));
    assert!(fault.message.starts_with("User: u"));
    let bare = body(403, "<Error/>");
    assert_eq!(bare.kind, FaultKind::Denied);
    assert!(bare.hint.unwrap().contains("ecs:DescribeServices"));
}

#[test]
fn the_network_is_told_apart() {
    let prefix = ["dispatch failure", "io error", "client error (Connect)"];
    for (last, part) in [
        ("tcp connect error: Connection refused (os error 111)", "refused the connection"),
        ("dns error: failed to lookup address information: Name or service not known", "does not resolve"),
        ("invalid peer certificate: UnknownIssuer", "no trusted TLS connection"),
        ("Network is unreachable (os error 101)", "no route"),
        ("connection reset by peer", "closed the connection"),
        ("something new", "could not be reached: something new"),
    ] {
        let chain: Vec<&str> = prefix.iter().copied().chain([last]).collect();
        let fault = lost(Stage::Dispatch, &chain);
        assert_eq!(fault.kind, FaultKind::Network, "{last}");
        assert!(fault.message.contains(part), "{}", fault.message);
        assert!(fault.message.contains("the ECS endpoint of eu-west-2"), "{}", fault.message);
    }
    let other = Call { endpoint: Some("http://10.0.0.1:4566"), ..call() };
    let chain = vec!["Connection refused".to_owned()];
    let fault = judge(&other, Evidence { stage: Stage::Dispatch, chain, ..Evidence::default() });
    assert_eq!(fault.message, "the ECS endpoint http://10.0.0.1:4566 refused the connection");
}

#[test]
fn timeouts_say_what_took_how_long() {
    let fault =
        lost(Stage::TimedOut, &["dispatch failure", "timeout", "HTTP connect timeout occurred after 3.1s"]);
    assert_eq!(fault.message, "could not connect to the ECS endpoint of eu-west-2 within 3.1s");
    let fault = lost(
        Stage::TimedOut,
        &["request has timed out", "operation attempt timeout (single attempt) occurred after 8s"],
    );
    assert_eq!(fault.message, "the ECS endpoint of eu-west-2 did not answer within 8s");
    assert_eq!(fault.kind, FaultKind::Network);
}

#[test]
fn the_credential_chain_is_translated() {
    let outer = ["dispatch failure", "other", "an error occurred while loading credentials"];
    for (inner, kind, hint) in [
        (
            "the SSO token has expired and cannot be refreshed",
            FaultKind::Expired,
            "aws sso login --profile prod",
        ),
        ("failed to load the cached SSO token", FaultKind::NoCredentials, "aws sso login --profile prod"),
        ("Session token not found or invalid", FaultKind::Expired, "aws sso login --profile prod"),
        ("cached Login token is expired", FaultKind::Expired, "aws login --profile prod"),
        ("profile `base` was not defined", FaultKind::Config, "~/.aws/config"),
        ("sso-session named `corp` was not found", FaultKind::Config, "~/.aws/config"),
        (
            "no providers in chain provided credentials",
            FaultKind::NoCredentials,
            "aws configure --profile prod",
        ),
        (
            "request forbidden: IMDS is disabled or the caller has insufficient permissions",
            FaultKind::NoCredentials,
            "profile",
        ),
        ("failed to load IMDS session token", FaultKind::NoCredentials, "hop limit"),
        ("identity resolver timed out after 5s", FaultKind::NoCredentials, "aws configure --profile prod"),
        (
            "User: u is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/ops",
            FaultKind::Denied,
            "sts:AssumeRole",
        ),
    ] {
        let chain: Vec<&str> = outer.iter().copied().chain([inner]).collect();
        let fault = lost(Stage::Dispatch, &chain);
        assert_eq!(fault.kind, kind, "{inner}");
        assert!(fault.hint.as_deref().unwrap().contains(hint), "{inner}: {:?}", fault.hint);
    }
    let region =
        lost(Stage::Construction, &["failed to construct request", "A region must be set when sending"]);
    assert_eq!(region.kind, FaultKind::Config);
}

#[test]
fn an_answer_cut_off_is_garbled() {
    let evidence = Evidence {
        stage: Stage::Answered,
        status: Some(200),
        chain: vec!["response error".into(), "error parsing JSON: Unexpected end of stream".into()],
        ..Evidence::default()
    };
    let fault = judge(&call(), evidence);
    assert_eq!(fault.kind, FaultKind::Garbled);
    assert!(fault.is_transient() && fault.message.contains("Unexpected end of stream"));
}

#[test]
fn a_bad_endpoint_or_region_is_configuration() {
    let judge_at = |endpoint, text: &str| {
        let call = Call { endpoint, region: "../x", ..call() };
        let chain = vec!["dispatch failure".to_owned(), text.to_owned()];
        judge(&call, Evidence { stage: Stage::Dispatch, chain, ..Evidence::default() })
    };
    for text in [
        "failed to apply endpoint `nowhere`: endpoint must contain scheme",
        "failed to apply endpoint `nowhere`: endpoint is not a valid URI",
        "unsupported scheme ftp",
    ] {
        let fault = judge_at(Some("nowhere"), text);
        assert_eq!(fault.kind, FaultKind::Config, "{text}");
        assert_eq!(fault.message, "\"nowhere\" is not the URL of an endpoint");
    }
    let fault = judge_at(None, "invalid value for field: `region` - must be a valid host label");
    assert_eq!(
        (fault.kind, fault.message.as_str()),
        (FaultKind::Config, "\"../x\" is not the name of a region")
    );
}
