//! Pages: how many items, and the token of where the next one begins.
//!
//! Must not hold any state between requests: a token says all.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::wire::Datum;
use crate::sim::reply::ApiError;

/// `MaxRecords` within bounds.
pub fn size(input: &Datum, name: &str, usual: usize, most: usize) -> Result<usize, ApiError> {
    match input.whole(name)? {
        None => Ok(usual),
        Some(number) => usize::try_from(number).ok().filter(|size| (1..=most).contains(size)).ok_or_else(|| {
            ApiError::new(
                400,
                "ValidationError",
                format!("Value '{number}' at '{name}' failed to satisfy constraint: Member must be between 1 and {most}"),
            )
        }),
    }
}

/// What a token carries; `None` on the first page.
pub fn token(input: &Datum) -> Result<Option<String>, ApiError> {
    let Some(token) = input.text("NextToken")?.filter(|token| !token.is_empty()) else { return Ok(None) };
    let plain = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    plain.map(Some).ok_or_else(invalid)
}

/// A number that a token carries.
pub fn offset(input: &Datum) -> Result<Option<usize>, ApiError> {
    token(input)?.map(|text| text.parse().map_err(|_| invalid())).transpose()
}

/// A token for what the next page must know.
pub fn make(what: &str) -> String {
    URL_SAFE_NO_PAD.encode(what)
}

/// The token is none of ours.
pub fn invalid() -> ApiError {
    ApiError::new(400, "InvalidNextToken", "The next token specified is invalid.")
}
