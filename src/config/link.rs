//! Link templates: a service's dashboard, the commit of its image, its API documentation.
//!
//! Must not open anything. A link that lacks a value is not shown, rather than shown wrong.

use super::value::glob;
use crate::stdx::document::{Mistake, Table, unknown};

/// What a template may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    /// The service's region.
    Region,
    /// The cluster's name.
    Cluster,
    /// The service's name.
    Service,
    /// The twelve-digit account id.
    AccountId,
    /// The tag of the first container's image.
    ImageTag,
    /// The commit that this tag names.
    ImageSha,
    /// `family:revision`.
    TaskDefinition,
}

impl Variable {
    /// All of them with their names.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("region", Self::Region),
        ("cluster", Self::Cluster),
        ("service", Self::Service),
        ("account_id", Self::AccountId),
        ("image_tag", Self::ImageTag),
        ("image_sha", Self::ImageSha),
        ("task_definition", Self::TaskDefinition),
    ];
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Variable),
}

/// A link template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it is called.
    pub label: String,
    /// CLUSTER/SERVICE with wildcards.
    pattern: String,
    parts: Vec<Part>,
}

impl Link {
    pub(super) fn read(table: &Table<'_>) -> Result<Self, Mistake> {
        table.only(&["match", "label", "url"])?;
        let url = table.need("url")?;
        let text = url.text()?;
        if !text.starts_with("https://") && !text.starts_with("http://") {
            return Err(url.mistake("a link begins with https:// or http://"));
        }
        let parts = parse(text).map_err(|what| url.mistake(what))?;
        // A host from a value would send whoever follows the link to wherever a tag says.
        let host_is_fixed = matches!(parts.first(), Some(Part::Text(first))
            if first.split_once("://").is_some_and(|(_, rest)| parts.len() == 1 || rest.contains('/')));
        if !host_is_fixed {
            return Err(url.mistake("a variable may stand only behind the first `/` after the host"));
        }
        let pattern = table.get("match").map(|item| item.text().map(str::to_owned)).transpose()?;
        Ok(Self {
            label: table.need("label")?.text()?.to_owned(),
            pattern: pattern.unwrap_or_else(|| "*".to_owned()),
            parts,
        })
    }

    /// Whether it is a link of this service.
    #[must_use]
    pub fn applies_to(&self, cluster: &str, service: &str) -> bool {
        glob(&self.pattern, &format!("{cluster}/{service}"))
    }

    /// The address, its values percent-encoded; `None` when a value is not known.
    pub fn render(&self, value: impl Fn(Variable) -> Option<String>) -> Option<String> {
        let mut url = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => url.push_str(text),
                Part::Value(variable) => encode(&value(*variable).filter(|v| !v.is_empty())?, &mut url),
            }
        }
        Some(url)
    }
}

fn parse(template: &str) -> Result<Vec<Part>, String> {
    if let Some(c) = template.chars().find(|c| c.is_control() || c.is_whitespace()) {
        return Err(format!("a link holds no blanks and no control characters, but {c:?}"));
    }
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or("a `{` is not closed by `}`")?;
        let variable = Variable::ALL.iter().find(|(n, _)| *n == name).ok_or_else(|| {
            let names: Vec<&str> = Variable::ALL.iter().map(|(name, _)| *name).collect();
            unknown("variable", name, &names)
        })?;
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        parts.push(Part::Value(variable.1));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

fn encode(value: &str, url: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// The tag of an image: `repository:tag`, with or without a digest behind it.
#[must_use]
pub fn image_tag(image: &str) -> Option<&str> {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    // A colon before the last slash belongs to the registry's port.
    let last = name.rsplit_once('/').map_or(name, |(_, last)| last);
    last.split_once(':').map(|(_, tag)| tag).filter(|tag| !tag.is_empty())
}

/// The commit that a tag names: the tag, or its last part behind a `-`, when it is 7 to 40 hexadecimal digits.
#[must_use]
pub fn image_sha(image: &str) -> Option<&str> {
    let tag = image_tag(image)?;
    let last = tag.rsplit_once('-').map_or(tag, |(_, last)| last);
    let hex =
        (7..=40).contains(&last.len()) && last.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    hex.then_some(last)
}
