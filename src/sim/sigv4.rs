//! Signature version 4 from the other side: who signed a request, for which service and region, and, when
//! asked, whether the signature holds.
//!
//! Must not refuse anything by itself: the server decides what an unsigned or badly signed request gets.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};

/// What the `Authorization` header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The access key id.
    pub key_id: String,
    /// `YYYYMMDD` of the credential scope.
    pub date: String,
    /// The region of the credential scope.
    pub region: String,
    /// The signing name of the credential scope.
    pub service: String,
    signed_headers: Vec<String>,
    signature: String,
}

impl Authorization {
    /// Reads the header; `None` when it is absent or has another form.
    #[must_use]
    pub fn of(head: &Parts) -> Option<Self> {
        let text = head.headers.get("authorization")?.to_str().ok()?;
        let fields = text.strip_prefix("AWS4-HMAC-SHA256")?;
        let (mut scope, mut headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            match field.trim().split_once('=') {
                Some(("Credential", value)) => scope = Some(value),
                Some(("SignedHeaders", value)) => headers = Some(value),
                Some(("Signature", value)) => signature = Some(value),
                _ => {}
            }
        }
        let mut scope = scope?.rsplitn(5, '/');
        let (terminator, service, region, date, key_id) =
            (scope.next()?, scope.next()?, scope.next()?, scope.next()?, scope.next()?);
        (terminator == "aws4_request").then(|| Self {
            key_id: key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_headers: headers.unwrap_or_default().split(';').map(str::to_owned).collect(),
            signature: signature.unwrap_or_default().to_owned(),
        })
    }

    /// Whether the signature is the one that this secret makes over this request.
    #[must_use]
    pub fn holds(&self, head: &Parts, body: &[u8], secret: &str) -> bool {
        let header = |name: &str| {
            let values: Vec<_> =
                head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
            values.join(",").split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let mut canonical =
            format!("{}\n{}\n{}\n", head.method, head.uri.path(), canonical_query(head.uri.query()));
        for name in &self.signed_headers {
            let _ = writeln!(canonical, "{name}:{}", header(name));
        }
        let _ = write!(canonical, "\n{}\n{}", self.signed_headers.join(";"), hex(&Sha256::digest(body)));

        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            header("x-amz-date"),
            hex(&Sha256::digest(canonical.as_bytes()))
        );
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [self.date.as_str(), &self.region, &self.service, "aws4_request"] {
            key = hmac(&key, part.as_bytes());
        }
        hex(&hmac(&key, to_sign.as_bytes())) == self.signature
    }
}

fn canonical_query(query: Option<&str>) -> String {
    let mut pairs: Vec<String> = query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .collect();
    pairs.sort();
    pairs.join("&")
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    // HMAC takes a key of any length, so the error cannot happen; an empty key would only fail to verify.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::http::Request;

    /// The request of AWS's own signing tutorial (IAM ListUsers), with the signature printed there.
    fn tutorial(signature: &str) -> Parts {
        let request = Request::builder()
            .uri("/?Action=ListUsers&Version=2010-05-08")
            .header("host", "iam.amazonaws.com")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .header("x-amz-date", "20150830T123600Z")
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                     SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
                ),
            );
        request.body(()).unwrap().into_parts().0
    }

    const GOOD: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    #[test]
    fn the_scope_is_read() {
        let found = Authorization::of(&tutorial(GOOD)).unwrap();
        assert_eq!(
            (found.key_id.as_str(), found.region.as_str(), found.service.as_str()),
            ("AKIDEXAMPLE", "us-east-1", "iam")
        );
    }

    #[test]
    fn a_good_signature_holds_and_others_do_not() {
        let head = tutorial(GOOD);
        let found = Authorization::of(&head).unwrap();
        assert!(found.holds(&head, b"", SECRET));
        assert!(!found.holds(&head, b"", "another secret"));
        assert!(!found.holds(&head, b"another body", SECRET));
    }
}
