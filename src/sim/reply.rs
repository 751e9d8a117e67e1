//! What a handler may answer, and how each wire protocol writes an error.
//!
//! Must not know any operation: the texts of errors stand where the rule that raises them stands.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use serde_json::{Value, json};

/// A response body that goes on for as long as the handler likes (event streams).
pub type ByteStream = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// What a handler hands back when it succeeds.
pub enum Reply {
    /// An awsJson body.
    Json(Value),
    /// The inside of `<OpResult>` of an awsQuery response.
    Xml(String),
    /// An rpc-v2-cbor body.
    Cbor(Vec<u8>),
    /// An open-ended body.
    Stream {
        /// Its content type.
        content_type: &'static str,
        /// Its chunks; the response ends when the stream does.
        body: ByteStream,
    },
}

/// An error that AWS itself would answer, before it is put into a wire protocol's shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The error's shape name, such as `ClusterNotFoundException`.
    pub code: String,
    /// The text for people.
    pub message: String,
}

impl ApiError {
    /// Any error.
    #[must_use]
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// `InvalidParameterException`, HTTP 400.
    #[must_use]
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterException", message)
    }

    /// `ClientException`, HTTP 400: what ECS says when the state of the world forbids the request.
    #[must_use]
    pub fn client(message: impl Into<String>) -> Self {
        Self::new(400, "ClientException", message)
    }

    /// Something that does not exist. The JSON services of AWS answer HTTP 400 here, not 404.
    #[must_use]
    pub fn not_found(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// The body is not what the protocol allows.
    #[must_use]
    pub fn serialization(message: impl Into<String>) -> Self {
        Self::new(400, "SerializationException", message)
    }

    /// An operation that this service does not have, or that the simulator does not play.
    #[must_use]
    pub fn unknown_operation(message: impl Into<String>) -> Self {
        Self::new(400, "UnknownOperationException", message)
    }

    /// One request too many for its throttle bucket.
    #[must_use]
    pub fn throttled() -> Self {
        Self::new(400, "ThrottlingException", "Rate exceeded")
    }

    /// The awsJson body of this error.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "__type": self.code, "message": self.message })
    }

    /// The awsQuery body of this error.
    #[must_use]
    pub fn xml(&self, request_id: &str) -> String {
        let kind = if self.status < 500 { "Sender" } else { "Receiver" };
        format!(
            "<ErrorResponse><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
            escape(&self.code),
            escape(&self.message)
        )
    }
}

/// Text as XML character data.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_written_in_each_protocols_shape() {
        let error = ApiError::not_found("ClusterNotFoundException", "Cluster not found.");
        assert_eq!(
            error.json(),
            json!({"__type": "ClusterNotFoundException", "message": "Cluster not found."})
        );
        let xml = ApiError::new(403, "ExpiredToken", "a < b").xml("r-1");
        assert!(xml.contains("<Code>ExpiredToken</Code><Message>a &lt; b</Message>"), "{xml}");
        assert!(
            xml.contains("<Type>Sender</Type>")
                && xml.ends_with("<RequestId>r-1</RequestId></ErrorResponse>")
        );
    }
}
