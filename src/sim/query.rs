//! awsQuery: forms in, XML out. One reader of flattened lists and one writer for all services that speak it.
//!
//! Must not know operations; what a request may say is its service's business.

use std::fmt::{Display, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::sim::reply::{ApiError, escape};
use crate::sim::route::form;
use crate::stdx::clock::Wall;

/// `InvalidParameterValue`, HTTP 400.
#[must_use]
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "InvalidParameterValue", message)
}

/// `InvalidParameterCombination`, HTTP 400.
#[must_use]
pub fn combination(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "InvalidParameterCombination", message)
}

/// An operation that the service does not have, or that the simulator does not play.
#[must_use]
pub fn unknown_action(operation: &str, version: &str) -> ApiError {
    ApiError::new(400, "InvalidAction", format!("Could not find operation {operation} for version {version}"))
}

/// The fields of a request.
#[derive(Debug)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a form body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        Self(form(body))
    }

    /// A field; an empty one counts as absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// `MissingParameter`.
    pub fn need(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).ok_or_else(|| {
            ApiError::new(400, "MissingParameter", format!("The request must contain the parameter {name}"))
        })
    }

    /// A whole number.
    ///
    /// # Errors
    /// `InvalidParameterValue` for anything else.
    pub fn number(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let read =
            |text: &str| text.parse().map_err(|_| invalid(format!("{name} must be an integer: {text}")));
        self.text(name).map(read).transpose()
    }

    /// A boolean.
    ///
    /// # Errors
    /// `InvalidParameterValue` for anything else.
    pub fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(invalid(format!("{name} must be true or false: {other}"))),
        }
    }

    /// An instant, in ISO 8601.
    ///
    /// # Errors
    /// `InvalidParameterValue` for anything else.
    pub fn time(&self, name: &str) -> Result<Option<Wall>, ApiError> {
        let read = |text: &str| {
            text.parse::<jiff::Timestamp>()
                .map(|time| Wall(time.as_millisecond()))
                .map_err(|_| invalid(format!("{name} is no ISO 8601 time: {text}")))
        };
        self.text(name).map(read).transpose()
    }

    /// A list, written `NAME.ITEM.1` by services that name their items, `NAME.member.1` by the others.
    #[must_use]
    pub fn list(&self, name: &str, item: &str) -> Vec<&str> {
        let one = |number: usize| {
            [item, "member"].iter().find_map(|item| self.text(&format!("{name}.{item}.{number}")))
        };
        (1..).map_while(one).collect()
    }

    /// `Filters`: names with the values that each allows.
    #[must_use]
    pub fn filters(&self) -> Vec<(&str, Vec<&str>)> {
        let one = |number: usize| {
            ["Filters.Filter", "Filters.member"].iter().find_map(|list| {
                let name = self.text(&format!("{list}.{number}.Name"))?;
                Some((name, self.list(&format!("{list}.{number}.Values"), "Value")))
            })
        };
        (1..).map_while(one).collect()
    }

    /// One page of a list and the marker of the next. A marker remembers the last item given, so that a list
    /// that changes between two pages neither repeats nor skips what stays.
    ///
    /// # Errors
    /// When the size is out of bounds or the marker is none of ours.
    pub fn page<T>(
        &self,
        items: Vec<T>,
        key: impl Fn(&T) -> String,
        size: (&str, std::ops::RangeInclusive<i64>),
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let (name, bounds) = size;
        let usual = (*bounds.end()).min(100);
        let size = self.number(name)?.unwrap_or(usual);
        if !bounds.contains(&size) {
            return Err(invalid(format!(
                "Invalid value {size} for {name}. Must be between {} and {}",
                bounds.start(),
                bounds.end()
            )));
        }
        let start = match self.text("Marker") {
            None => 0,
            Some(marker) => {
                let bad = || invalid(format!("Invalid or expired marker: {marker}"));
                let (offset, last) = read_marker(marker).ok_or_else(bad)?;
                let place = items.iter().position(|item| key(item) == last);
                place.map_or(offset.min(items.len()), |place| place + 1)
            }
        };
        let total = items.len();
        let page: Vec<T> = items.into_iter().skip(start).take(usize::try_from(size).unwrap_or(1)).collect();
        let end = start + page.len();
        let marker = page
            .last()
            .filter(|_| end < total)
            .map(|last| URL_SAFE_NO_PAD.encode(format!("{end}|{}", key(last))));
        Ok((page, marker))
    }
}

fn read_marker(marker: &str) -> Option<(usize, String)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(marker).ok()?).ok()?;
    let (offset, last) = text.split_once('|')?;
    Some((offset.parse().ok()?, last.to_owned()))
}

/// Writes the inside of an answer.
#[derive(Debug, Default)]
pub struct Xml(String);

impl Xml {
    /// The text so far.
    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }

    /// `<name>value</name>`.
    pub fn text(&mut self, name: &str, value: impl Display) {
        let _ = write!(self.0, "<{name}>{}</{name}>", escape(&value.to_string()));
    }

    /// The same, when there is a value: absent members are not written.
    pub fn maybe(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// An instant in ISO 8601 with milliseconds.
    pub fn time(&mut self, name: &str, at: Wall) {
        self.text(name, at.rfc3339());
    }

    /// A structure.
    pub fn inside(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        let _ = write!(self.0, "<{name}>");
        write(self);
        let _ = write!(self.0, "</{name}>");
    }

    /// A list of structures, each in an element called `item`.
    pub fn list<T>(
        &mut self,
        name: &str,
        item: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.inside(name, |list| {
            for one in items {
                list.inside(item, |inner| write(inner, one));
            }
        });
    }

    /// A list of texts.
    pub fn texts<T: Display>(&mut self, name: &str, item: &str, items: impl IntoIterator<Item = T>) {
        self.inside(name, |list| {
            for one in items {
                list.text(item, one);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_lists_are_read() {
        let fields = Fields::of(
            b"Names.member.1=a&Names.member.2=b&Filters.Filter.1.Name=engine&Filters.Filter.1.Values.Value.1=postgres\
              &Filters.Filter.1.Values.Value.2=mysql&EventCategories.EventCategory.1=backup&Empty=",
        );
        assert_eq!(fields.list("Names", "member"), ["a", "b"]);
        assert_eq!(fields.list("EventCategories", "EventCategory"), ["backup"]);
        assert_eq!(fields.filters(), [("engine", vec!["postgres", "mysql"])]);
        assert_eq!(fields.text("Empty"), None);
        assert_eq!(fields.need("Nothing").unwrap_err().code, "MissingParameter");
    }

    #[test]
    fn a_page_remembers_its_last_item_not_its_number() {
        let size = || ("MaxRecords", 1..=100);
        let first = Fields::of(b"MaxRecords=2");
        let (page, marker) = first.page(vec!["a", "b", "d"], |item| (*item).to_owned(), size()).unwrap();
        assert_eq!(page, ["a", "b"]);
        let second = Fields::of(format!("MaxRecords=2&Marker={}", marker.unwrap()).as_bytes());
        // `c` has come to be in between, `a` is gone.
        let (page, marker) = second.page(vec!["b", "c", "d"], |item| (*item).to_owned(), size()).unwrap();
        assert_eq!((page, marker), (vec!["c", "d"], None));
        let bad = Fields::of(b"Marker=!!");
        assert_eq!(
            bad.page(vec!["a"], |item| (*item).to_owned(), size()).unwrap_err().code,
            "InvalidParameterValue"
        );
        assert!(Fields::of(b"MaxRecords=0").page(vec!["a"], |item| (*item).to_owned(), size()).is_err());
    }

    #[test]
    fn answers_are_escaped_and_leave_out_what_is_absent() {
        let mut xml = Xml::default();
        xml.text("A", "1 < 2 & 3");
        xml.maybe("B", None::<u32>);
        xml.list("Items", "Item", [1, 2], |one, number| one.text("N", number));
        xml.texts("Names", "member", ["x"]);
        xml.time("At", Wall(0));
        assert_eq!(
            xml.finish(),
            "<A>1 &lt; 2 &amp; 3</A><Items><Item><N>1</N></Item><Item><N>2</N></Item></Items>\
             <Names><member>x</member></Names><At>1970-01-01T00:00:00.000Z</At>"
        );
    }
}
