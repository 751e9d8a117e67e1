//! From the SDK's errors to ours: collects what is known about a lost call (status, code, message, body, the
//! chain of causes) and lets `verdict` judge it.
//!
//! The SDK's structures end here: nothing below their `Display` texts reaches a person, and never their
//! `Debug`.

mod parse;
mod verdict;

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::domain::fault::{Fault, FaultKind};

/// What a call was about, for the words of its fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    /// `ecs:DescribeServices`.
    pub action: &'a str,
    /// `ECS`, `CloudWatch Logs`, `STS`.
    pub service: &'a str,
    /// The region.
    pub region: &'a str,
    /// The endpoint, when it is not AWS's own.
    pub endpoint: Option<&'a str>,
    /// The profile, when one is named.
    pub profile: Option<&'a str>,
    /// Whether the credentials come from `AWS_ACCESS_KEY_ID`.
    pub keys_in_environment: bool,
}

/// A call without an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lost {
    /// Why.
    pub fault: Fault,
    /// How long AWS asks us to wait.
    pub retry_after: Option<Duration>,
    /// Whether AWS may have seen the request.
    pub sent: bool,
    /// An answer of the 500s without AWS's error code: something on the way gave it, and what became of the request is
    /// not known.
    pub vague: bool,
}

impl From<Fault> for Lost {
    fn from(fault: Fault) -> Self {
        Self { fault, retry_after: None, sent: true, vague: false }
    }
}

/// What is known about a lost call, free of SDK types.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Evidence {
    /// Where it was lost.
    pub stage: Stage,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// AWS's error code.
    pub code: Option<String>,
    /// AWS's message.
    pub message: Option<String>,
    /// The beginning of the body.
    pub body: String,
    /// The texts of the error and its causes, outermost first.
    pub chain: Vec<String>,
    /// AWS's request id.
    pub request_id: Option<String>,
}

/// Where a call was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Before anything was sent: configuration, credentials, endpoint.
    #[default]
    Construction,
    /// On the way: connection, TLS, name, or credentials that had to be fetched.
    Dispatch,
    /// One of our timeouts.
    TimedOut,
    /// An answer came.
    Answered,
}

/// As much of a body as can name an error.
const BODY_BYTES: usize = 2048;

impl Call<'_> {
    /// What an SDK error means.
    pub fn lost<E>(&self, error: SdkError<E, HttpResponse>) -> Lost
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let stage = match &error {
            SdkError::TimeoutError(_) => Stage::TimedOut,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Stage::TimedOut,
            SdkError::DispatchFailure(_) => Stage::Dispatch,
            SdkError::ResponseError(_) | SdkError::ServiceError(_) => Stage::Answered,
            _ => Stage::Construction,
        };
        let mut evidence = Evidence { stage, ..Evidence::default() };
        let mut retry_after = None;
        if let Some(raw) = error.raw_response() {
            evidence.status = Some(raw.status().as_u16());
            let header = |name| raw.headers().get(name);
            evidence.request_id =
                header("x-amzn-requestid").or_else(|| header("x-amz-request-id")).map(ToOwned::to_owned);
            retry_after =
                header("x-amz-retry-after").and_then(|ms| ms.parse().ok()).map(Duration::from_millis);
            if let Some(bytes) = raw.body().bytes() {
                let head = bytes.get(..BODY_BYTES).unwrap_or(bytes);
                evidence.body = String::from_utf8_lossy(head).into_owned();
            }
        }
        if let Some(service) = error.as_service_error() {
            evidence.code = service.code().map(ToOwned::to_owned);
            evidence.message = service.message().map(ToOwned::to_owned);
        }
        evidence.chain = chain(&error);
        let sent = was_sent(&evidence);
        let coded = evidence.code.as_deref().is_some_and(|code| !code.is_empty());
        let vague = evidence.status.is_some_and(|status| status >= 500) && !coded;
        let fault = verdict::judge(self, evidence);
        // Credentials are fetched before a request is signed.
        let sent = sent && !(stage != Stage::Answered && fault.is_about_credentials());
        Lost { fault, retry_after, sent, vague }
    }

    /// A call that we could not make: AWS has not seen it.
    pub fn unsent(&self, why: &str) -> Lost {
        let fault = Fault::new(FaultKind::Invalid, why).action(self.action);
        Lost { sent: false, ..fault.into() }
    }

    /// An answer that says no in another way than by an error.
    pub fn refused(&self, why: &str) -> Lost {
        Fault::new(FaultKind::Invalid, why).action(self.action).into()
    }

    /// An answer that lacks what it must have.
    pub fn hollow(&self, what: &str) -> Lost {
        let message = format!("the answer to {} holds {what}", self.action);
        Fault::new(FaultKind::Garbled, message).action(self.action).into()
    }

    /// The endpoint in words.
    pub fn endpoint_name(&self) -> String {
        self.endpoint.map_or_else(
            || format!("the {} endpoint of {}", self.service, self.region),
            |url| format!("the {} endpoint {url}", self.service),
        )
    }
}

/// Whether AWS may have seen the request. Only what ended before a connection stood was certainly never sent.
fn was_sent(evidence: &Evidence) -> bool {
    let connecting = || {
        // hyper's words for everything up to and with the TLS handshake, and the SDK's for its own timeout.
        evidence.chain.iter().any(|text| text.contains("(Connect)") || text.contains("HTTP connect timeout"))
    };
    match evidence.stage {
        Stage::Construction => false,
        Stage::Dispatch | Stage::TimedOut => !connecting(),
        Stage::Answered => true,
    }
}

/// The texts of an error and all its causes, without repetitions.
fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        // `io::Error::source` skips the error that it wraps.
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    texts
}
