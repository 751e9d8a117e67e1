//! What machine-readable output is made of: each type of item is declared once, with the sentence that
//! documents every field, so that `docs/json.md` cannot drift from what is printed.
//!
//! Must not change a field's name or meaning: scripts depend on them. New fields may be added.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::stdx::clock::Wall;

/// A documented field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What its value is, in words.
    pub kind: &'static str,
    /// One sentence.
    pub doc: &'static str,
}

/// A documented type of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its name in the documentation.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Its fields, in the order in which they are printed.
    pub fields: &'static [Field],
}

/// Something that is printed as a JSON object.
pub trait Shaped: Serialize {
    /// Its documentation.
    const SHAPE: Shape;
}

/// Declares a serializable struct and its `Shape` in one go.
macro_rules! shape {
    ($(
        $(#[doc = $about:literal])+
        $name:ident { $($(#[doc = $doc:literal])+ $(#[serde($flatten:ident)])? $field:ident: $kind:ty = $words:literal,)+ }
    )+) => {$(
        $(#[doc = $about])+
        #[derive(Clone, Debug, serde::Serialize)]
        pub struct $name { $($(#[doc = $doc])+ $(#[serde($flatten)])? pub $field: $kind,)+ }

        impl $crate::cli::item::Shaped for $name {
            const SHAPE: $crate::cli::item::Shape = $crate::cli::item::Shape {
                name: stringify!($name),
                doc: concat!($($about),+),
                fields: &[$($crate::cli::item::Field {
                    name: stringify!($field),
                    kind: $words,
                    doc: concat!($($doc),+),
                },)+],
            };
        }
    )+};
}
pub(crate) use shape;

/// A time, printed as RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Wall);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339())
    }
}

/// Names with values, printed as an object.
pub type Map = BTreeMap<String, String>;

/// Pairs as a map.
#[must_use]
pub fn map(pairs: &[(String, String)]) -> Map {
    pairs.iter().cloned().collect()
}

/// A point in time if there is one.
#[must_use]
pub fn time(wall: Option<Wall>) -> Option<Time> {
    wall.map(Time)
}
