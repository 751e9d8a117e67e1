//! From an HTTP request to an operation of a service: AWS routes by headers and body, hardly by path.
//!
//! Must not act: it names the operation and leaves whether it exists to the service.

use bytes::Bytes;
use hyper::http::request::Parts;

use crate::sim::reply::ApiError;
use crate::sim::sigv4::Authorization;

/// The region of requests that name none (unsigned ones).
pub const DEFAULT_REGION: &str = "us-east-1";

/// How the request is written, and so how its answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `X-Amz-Target` and a JSON body.
    Json,
    /// A form with `Action=`, answered in XML.
    Query,
    /// rpc-v2-cbor: the operation stands in the path, the body is CBOR.
    Cbor,
}

/// A request on its way to a service.
#[derive(Clone, Debug)]
pub struct Call {
    /// How it is written.
    pub protocol: Protocol,
    /// The service, by signing name.
    pub service: String,
    /// The region it is for.
    pub region: String,
    /// The operation.
    pub operation: String,
    /// The XML namespace's version date, for awsQuery.
    pub version: Option<String>,
    /// The request's own body.
    pub body: Bytes,
}

/// Names the operation.
///
/// # Errors
/// When the request carries neither a target nor an action.
pub fn route(head: &Parts, authorization: Option<&Authorization>, body: Bytes) -> Result<Call, ApiError> {
    let region = authorization.map_or(DEFAULT_REGION, |found| found.region.as_str()).to_owned();
    let signed = authorization.map(|found| found.service.clone());
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();

    if text("smithy-protocol") == "rpc-v2-cbor"
        && let Some((target, operation)) =
            head.uri.path().strip_prefix("/service/").and_then(|path| path.split_once("/operation/"))
    {
        let service = signed.unwrap_or_else(|| by_target(target).to_owned());
        let operation = operation.to_owned();
        return Ok(Call { protocol: Protocol::Cbor, service, region, operation, version: None, body });
    }
    let target = text("x-amz-target");
    if !target.is_empty() {
        // Older clients of some services write a longer prefix, so only what follows the last dot counts.
        let (prefix, operation) = target.rsplit_once('.').unwrap_or(("", target));
        let service = signed.unwrap_or_else(|| by_target(prefix).to_owned());
        return Ok(Call {
            protocol: Protocol::Json,
            service,
            region,
            operation: operation.to_owned(),
            version: None,
            body,
        });
    }
    if text("content-type").starts_with("application/x-www-form-urlencoded") {
        let fields = form(&body);
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        if let Some(operation) = field("Action") {
            let version = field("Version");
            let service = signed.unwrap_or_else(|| by_version(version.as_deref()).to_owned());
            return Ok(Call { protocol: Protocol::Query, service, region, operation, version, body });
        }
    }
    Err(ApiError::new(
        404,
        "UnknownOperationException",
        format!(
            "{} {} is no AWS request: it has neither an X-Amz-Target header nor an Action field",
            head.method,
            head.uri.path()
        ),
    ))
}

fn by_target(prefix: &str) -> &'static str {
    if prefix.starts_with("AmazonEC2ContainerService") {
        "ecs"
    } else if prefix.starts_with("Logs_") {
        "logs"
    } else if prefix.ends_with("CloudTrail_20131101") {
        "cloudtrail"
    } else if prefix == "secretsmanager" {
        "secretsmanager"
    } else if prefix == "AmazonSSM" {
        "ssm"
    } else if prefix.starts_with("GraniteServiceVersion") {
        "monitoring"
    } else if prefix.starts_with("AmazonEC2ContainerRegistry") {
        "ecr"
    } else if prefix.starts_with("AnyScaleFrontendService") {
        "application-autoscaling"
    } else {
        ""
    }
}

fn by_version(version: Option<&str>) -> &'static str {
    match version {
        Some("2011-06-15") => "sts",
        Some("2010-08-01") => "monitoring",
        Some("2014-10-31") => "rds",
        Some("2015-02-02") => "elasticache",
        Some("2015-12-01") => "elasticloadbalancing",
        Some("2010-05-08") => "iam",
        _ => "",
    }
}

/// The fields of a form body, in order.
#[must_use]
pub fn form(body: &[u8]) -> Vec<(String, String)> {
    body.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            (decode(halves.next().unwrap_or_default()), decode(halves.next().unwrap_or_default()))
        })
        .collect()
}

fn decode(text: &[u8]) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => plain.push(b' '),
            (b'%', [high, low, after @ ..]) => match (nibble(*high), nibble(*low)) {
                (Some(high), Some(low)) => {
                    plain.push(high << 4 | low);
                    rest = after;
                }
                _ => plain.push(b'%'),
            },
            (byte, _) => plain.push(*byte),
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::http::Request;

    fn head(headers: &[(&str, &str)]) -> Parts {
        let request =
            headers.iter().fold(Request::builder().method("POST").uri("/"), |b, (k, v)| b.header(*k, *v));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn json_calls_are_routed_by_what_stands_behind_the_last_dot() {
        let head =
            head(&[("x-amz-target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents")]);
        let call = route(&head, None, Bytes::new()).unwrap();
        assert_eq!((call.operation.as_str(), call.region.as_str()), ("LookupEvents", DEFAULT_REGION));
    }

    #[test]
    fn the_credential_scope_gives_service_and_region() {
        let head = head(&[
            ("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListClusters"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AK/20261120/eu-west-2/ecs/aws4_request, SignedHeaders=host, Signature=00",
            ),
        ]);
        let authorization = Authorization::of(&head);
        let call = route(&head, authorization.as_ref(), Bytes::new()).unwrap();
        assert_eq!((call.service.as_str(), call.region.as_str()), ("ecs", "eu-west-2"));
    }

    #[test]
    fn query_calls_are_routed_by_their_action() {
        let head = head(&[("content-type", "application/x-www-form-urlencoded; charset=utf-8")]);
        let call =
            route(&head, None, Bytes::from_static(b"Version=2011-06-15&Action=GetCaller%49dentity")).unwrap();
        assert_eq!((call.service.as_str(), call.operation.as_str()), ("sts", "GetCallerIdentity"));
        assert_eq!(call.protocol, Protocol::Query);
    }

    #[test]
    fn cbor_calls_are_routed_by_their_path() {
        let request = Request::builder()
            .method("POST")
            .uri("/service/GraniteServiceVersion20100801/operation/DescribeAlarms")
            .header("smithy-protocol", "rpc-v2-cbor");
        let head = request.body(()).unwrap().into_parts().0;
        let call = route(&head, None, Bytes::new()).unwrap();
        assert_eq!((call.service.as_str(), call.operation.as_str()), ("monitoring", "DescribeAlarms"));
        assert_eq!(call.protocol, Protocol::Cbor);
    }

    #[test]
    fn unsigned_calls_are_routed_by_version_and_target() {
        let form = head(&[("content-type", "application/x-www-form-urlencoded")]);
        for (version, service) in [
            ("2014-10-31", "rds"),
            ("2015-02-02", "elasticache"),
            ("2015-12-01", "elasticloadbalancing"),
            ("2010-05-08", "iam"),
        ] {
            let body = Bytes::from(format!("Action=Any&Version={version}"));
            assert_eq!(route(&form, None, body).unwrap().service, service);
        }
        for (target, service) in [
            ("AmazonEC2ContainerRegistry_V20150921.DescribeImages", "ecr"),
            ("AnyScaleFrontendService.DescribeScalableTargets", "application-autoscaling"),
        ] {
            let head = head(&[("x-amz-target", target)]);
            assert_eq!(route(&head, None, Bytes::new()).unwrap().service, service);
        }
    }

    #[test]
    fn a_request_of_no_protocol_is_refused() {
        assert_eq!(route(&head(&[]), None, Bytes::new()).unwrap_err().status, 404);
    }

    #[test]
    fn odd_escapes_in_forms_stay_as_they_are() {
        assert_eq!(
            form(b"a=1%2&b=%zz+x&&c"),
            [("a", "1%2"), ("b", "%zz x"), ("c", "")].map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
    }
}
