//! One value for three protocols: rpc-v2-cbor, awsJson and awsQuery carry the same members, each in its own dress.
//!
//! Must not know any operation: handlers read and write a `Datum`, never bytes.

use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value as Json};

use crate::sim::reply::{ApiError, Reply, escape};
use crate::sim::route::{Call, Protocol, form};
use crate::stdx::clock::Wall;

/// A value of CloudWatch's model.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// A boolean.
    Flag(bool),
    /// An integer.
    Whole(i64),
    /// A double: never written as an integer, which strict CBOR readers refuse.
    Double(f64),
    /// A string.
    Text(String),
    /// A timestamp.
    Time(Wall),
    /// A list.
    List(Vec<Datum>),
    /// A structure or map, in order.
    Map(Vec<(String, Datum)>),
}

impl From<&str> for Datum {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Datum {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Datum {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<u32> for Datum {
    fn from(number: u32) -> Self {
        Self::Whole(i64::from(number))
    }
}

impl From<bool> for Datum {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Wall> for Datum {
    fn from(at: Wall) -> Self {
        Self::Time(at)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Datum {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

/// Puts a structure together, member by member.
#[derive(Debug, Default)]
pub struct Build(Vec<(String, Datum)>);

impl Build {
    /// With this member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Datum>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// With this member when there is one: AWS leaves absent members out.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<impl Into<Datum>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The structure.
    #[must_use]
    pub fn done(self) -> Datum {
        Datum::Map(self.0)
    }
}

/// A structure from its members.
#[must_use]
pub fn build() -> Build {
    Build::default()
}

fn wrong(name: &str, kind: &str) -> ApiError {
    ApiError::new(400, "ValidationError", format!("{name} can not be converted to {kind}"))
}

impl Datum {
    /// A member of a structure.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// A string member.
    ///
    /// # Errors
    /// When it is none.
    pub fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Self::Text(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "a String")),
        }
    }

    /// A string member that must be there.
    ///
    /// # Errors
    /// When it is not, or is no string.
    pub fn must(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| missing(name))
    }

    /// An integer member; awsQuery writes it as text.
    ///
    /// # Errors
    /// When it is none.
    pub fn whole(&self, name: &str) -> Result<Option<i64>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Self::Whole(number)) => Ok(Some(*number)),
            Some(Self::Text(text)) => text.parse().map(Some).map_err(|_| wrong(name, "an Integer")),
            Some(_) => Err(wrong(name, "an Integer")),
        }
    }

    /// A double member.
    ///
    /// # Errors
    /// When it is none.
    pub fn double(&self, name: &str) -> Result<Option<f64>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Self::Double(number)) => Ok(Some(*number)),
            #[expect(clippy::cast_precision_loss, reason = "a client wrote a double without its fraction")]
            Some(Self::Whole(number)) => Ok(Some(*number as f64)),
            Some(Self::Text(text)) => text.parse().map(Some).map_err(|_| wrong(name, "a Double")),
            Some(_) => Err(wrong(name, "a Double")),
        }
    }

    /// A boolean member.
    ///
    /// # Errors
    /// When it is none.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Self::Flag(flag)) => Ok(Some(*flag)),
            Some(Self::Text(text)) => text.parse().map(Some).map_err(|_| wrong(name, "a Boolean")),
            Some(_) => Err(wrong(name, "a Boolean")),
        }
    }

    /// A timestamp member: tagged in CBOR, seconds in JSON, ISO 8601 in awsQuery.
    ///
    /// # Errors
    /// When it is none.
    pub fn time(&self, name: &str) -> Result<Option<Wall>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Self::Time(at)) => Ok(Some(*at)),
            Some(Self::Double(seconds)) => Ok(Some(Wall::from_secs_f64(*seconds))),
            Some(Self::Whole(seconds)) => Ok(Some(Wall(seconds.saturating_mul(1_000)))),
            Some(Self::Text(text)) => text
                .parse::<jiff::Timestamp>()
                .map(|at| Some(Wall(at.as_millisecond())))
                .map_err(|_| wrong(name, "a Timestamp")),
            Some(_) => Err(wrong(name, "a Timestamp")),
        }
    }

    /// A list member; empty when absent.
    ///
    /// # Errors
    /// When it is none.
    pub fn items(&self, name: &str) -> Result<&[Self], ApiError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Self::List(items)) => Ok(items),
            // awsQuery writes an empty list as an empty field.
            Some(Self::Text(text)) if text.is_empty() => Ok(&[]),
            Some(_) => Err(wrong(name, "a List")),
        }
    }

    /// A list of strings; empty when absent.
    ///
    /// # Errors
    /// When it is none.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, ApiError> {
        let own = |item: &Self| match item {
            Self::Text(text) => Ok(text.clone()),
            _ => Err(wrong(name, "a list of Strings")),
        };
        self.items(name)?.iter().map(own).collect()
    }
}

/// A required member is not there.
#[must_use]
pub fn missing(name: &str) -> ApiError {
    ApiError::new(400, "MissingParameter", format!("The parameter {name} is required."))
}

/// Reads a request.
///
/// # Errors
/// When the body is not what the protocol allows.
pub fn read(call: &Call) -> Result<Datum, ApiError> {
    let broken =
        |what: String| ApiError::serialization(format!("The request body is not {what} of a structure"));
    match call.protocol {
        Protocol::Query => Ok(from_form(&form(&call.body))),
        _ if call.body.is_empty() => Ok(Datum::Map(Vec::new())),
        Protocol::Json => match serde_json::from_slice::<Json>(&call.body) {
            Ok(json @ Json::Object(_)) => Ok(from_json(json).unwrap_or(Datum::Map(Vec::new()))),
            _ => Err(broken("JSON".to_owned())),
        },
        Protocol::Cbor => match ciborium::from_reader::<Cbor, _>(&*call.body) {
            Ok(cbor @ Cbor::Map(_)) => Ok(from_cbor(cbor).unwrap_or(Datum::Map(Vec::new()))),
            _ => Err(broken("CBOR".to_owned())),
        },
    }
}

fn from_cbor(value: Cbor) -> Option<Datum> {
    Some(match value {
        Cbor::Bool(flag) => Datum::Flag(flag),
        Cbor::Integer(number) => Datum::Whole(i64::try_from(i128::from(number)).unwrap_or(i64::MAX)),
        Cbor::Float(number) => Datum::Double(number),
        Cbor::Text(text) => Datum::Text(text),
        Cbor::Tag(1, inner) => match *inner {
            Cbor::Integer(seconds) => {
                Datum::Time(Wall(i64::try_from(i128::from(seconds)).unwrap_or(0).saturating_mul(1_000)))
            }
            Cbor::Float(seconds) => Datum::Time(Wall::from_secs_f64(seconds)),
            _ => return None,
        },
        Cbor::Array(items) => Datum::List(items.into_iter().filter_map(from_cbor).collect()),
        Cbor::Map(members) => Datum::Map(
            members
                .into_iter()
                .filter_map(|(key, value)| Some((key.into_text().ok()?, from_cbor(value)?)))
                .collect(),
        ),
        _ => return None,
    })
}

fn from_json(value: Json) -> Option<Datum> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(flag) => Datum::Flag(flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Datum::Whole(whole),
            None => Datum::Double(number.as_f64()?),
        },
        Json::String(text) => Datum::Text(text),
        Json::Array(items) => Datum::List(items.into_iter().filter_map(from_json).collect()),
        Json::Object(members) => Datum::Map(
            members.into_iter().filter_map(|(key, value)| Some((key, from_json(value)?))).collect(),
        ),
    })
}

/// `A.member.2.Name=x` is the member `Name` of the second item of the list `A`.
fn from_form(fields: &[(String, String)]) -> Datum {
    let mut root = Datum::Map(Vec::new());
    for (key, value) in fields.iter().filter(|(key, _)| key != "Action" && key != "Version") {
        let path: Vec<&str> = key.split('.').collect();
        place(&mut root, &path, value);
    }
    numbered(root)
}

fn place(into: &mut Datum, path: &[&str], value: &str) {
    let (Datum::Map(members), Some((first, rest))) = (into, path.split_first()) else { return };
    let at = members.iter().position(|(key, _)| key == first).unwrap_or_else(|| {
        let fresh = if rest.is_empty() { Datum::from(value) } else { Datum::Map(Vec::new()) };
        members.push(((*first).to_owned(), fresh));
        members.len() - 1
    });
    if let Some((_, found)) = members.get_mut(at) {
        place(found, rest, value);
    }
}

/// Turns `member` maps with numbers as keys into lists, in the order of their numbers.
fn numbered(value: Datum) -> Datum {
    let Datum::Map(mut members) = value else { return value };
    if let [(key, Datum::Map(_))] = members.as_slice()
        && key == "member"
        && let Some((_, Datum::Map(mut items))) = members.pop()
    {
        items.sort_by_key(|(number, _)| number.parse::<u64>().unwrap_or(u64::MAX));
        return Datum::List(items.into_iter().map(|(_, item)| numbered(item)).collect());
    }
    Datum::Map(members.into_iter().map(|(key, value)| (key, numbered(value))).collect())
}

/// Writes an answer.
#[must_use]
pub fn write(protocol: Protocol, value: &Datum) -> Reply {
    match protocol {
        Protocol::Json => Reply::Json(to_json(value)),
        Protocol::Query => {
            let mut text = String::new();
            to_xml(value, &mut text);
            Reply::Xml(text)
        }
        Protocol::Cbor => Reply::Cbor(bytes(&to_cbor(value))),
    }
}

/// The body of an error in CBOR.
#[must_use]
pub fn error(shape: &str, message: &str) -> Vec<u8> {
    bytes(&to_cbor(&build().with("__type", shape).with("message", message).done()))
}

fn bytes(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing into a vector cannot fail, and a value that was put together here has no unknown parts.
    let _ = ciborium::into_writer(value, &mut bytes);
    bytes
}

fn to_cbor(value: &Datum) -> Cbor {
    match value {
        Datum::Flag(flag) => Cbor::Bool(*flag),
        Datum::Whole(number) => Cbor::Integer((*number).into()),
        Datum::Double(number) => Cbor::Float(*number),
        Datum::Text(text) => Cbor::Text(text.clone()),
        Datum::Time(at) => Cbor::Tag(1, Box::new(Cbor::Float(at.as_secs_f64()))),
        Datum::List(items) => Cbor::Array(items.iter().map(to_cbor).collect()),
        Datum::Map(members) => {
            Cbor::Map(members.iter().map(|(key, value)| (Cbor::Text(key.clone()), to_cbor(value))).collect())
        }
    }
}

/// As JSON, which CloudTrail's records are.
#[must_use]
pub fn to_json(value: &Datum) -> Json {
    let float = |number: f64| Number::from_f64(number).map_or(Json::Null, Json::Number);
    match value {
        Datum::Flag(flag) => Json::Bool(*flag),
        Datum::Whole(number) => Json::from(*number),
        Datum::Double(number) => float(*number),
        Datum::Text(text) => Json::from(text.as_str()),
        Datum::Time(at) => float(at.as_secs_f64()),
        Datum::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Datum::Map(members) => {
            let mut object = Map::new();
            object.extend(members.iter().map(|(key, value)| (key.clone(), to_json(value))));
            Json::Object(object)
        }
    }
}

fn to_xml(value: &Datum, into: &mut String) {
    match value {
        Datum::Flag(flag) => into.push_str(if *flag { "true" } else { "false" }),
        Datum::Whole(number) => into.push_str(&number.to_string()),
        Datum::Double(number) => into.push_str(&format!("{number:?}")),
        Datum::Text(text) => into.push_str(&escape(text)),
        Datum::Time(at) => into.push_str(&at.rfc3339()),
        Datum::List(items) => {
            for item in items {
                into.push_str("<member>");
                to_xml(item, into);
                into.push_str("</member>");
            }
        }
        Datum::Map(members) => {
            for (key, value) in members {
                into.push_str(&format!("<{key}>"));
                to_xml(value, into);
                into.push_str(&format!("</{key}>"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
