//! Reads the little that AWS says only in prose or in the wrong format.
//!
//! Must not fail: what cannot be read is `None`.

/// Who may not do what on which resource, from an access-denied message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal<'a> {
    /// `ecs:DescribeServices`.
    pub action: &'a str,
    /// An ARN or `*`.
    pub resource: Option<&'a str>,
    /// Which policy said so.
    pub because: Option<&'static str>,
}

/// Reads `User: … is not authorized to perform: ACTION on resource: ARN because …`.
pub(super) fn refusal(message: &str) -> Option<Refusal<'_>> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = word(rest)?;
    let resource = rest.split_once("on resource: ").and_then(|(_, r)| word(r));
    let because = [
        ("explicit deny in a service control policy", "a service control policy denies it"),
        ("explicit deny in a resource-based policy", "a resource policy denies it"),
        ("explicit deny in a permissions boundary", "a permissions boundary denies it"),
        ("explicit deny in a session policy", "a session policy denies it"),
        ("explicit deny", "a policy denies it explicitly"),
        ("no service control policy allows", "no service control policy allows it"),
        ("no permissions boundary allows", "the permissions boundary does not allow it"),
        ("no session policy allows", "the session policy does not allow it"),
        ("no resource-based policy allows", "no resource policy allows it"),
        ("no identity-based policy allows", "no policy of this identity allows it"),
    ]
    .into_iter()
    .find_map(|(phrase, words)| message.contains(phrase).then_some(words));
    Some(Refusal { action, resource, because })
}

fn word(text: &str) -> Option<&str> {
    text.split_whitespace().next().map(|w| w.trim_end_matches(['.', ',', '"'])).filter(|w| !w.is_empty())
}

/// The text between `<tag>` and `</tag>`, for XML where JSON was expected.
pub(super) fn element<'a>(body: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = body.split_once(&format!("<{tag}>"))?;
    let (text, _) = rest.split_once(&format!("</{tag}>"))?;
    Some(text.trim()).filter(|t| !t.is_empty())
}

/// Whether a body is a web page: a proxy's, a load balancer's, or an emulator's about an operation that it
/// does not have.
pub(super) fn is_html(body: &str) -> bool {
    let head: String = body.trim_start().chars().take(9).collect::<String>().to_ascii_lowercase();
    head.starts_with("<!doctype") || head.starts_with("<html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_action_resource_and_reason() {
        let text = "User: arn:aws:sts::123456789012:assumed-role/ops/ann is not authorized to perform: \
                    ecs:DescribeServices on resource: arn:aws:ecs:eu-west-2:123456789012:service/cma/api \
                    because no identity-based policy allows the ecs:DescribeServices action";
        assert_eq!(
            refusal(text),
            Some(Refusal {
                action: "ecs:DescribeServices",
                resource: Some("arn:aws:ecs:eu-west-2:123456789012:service/cma/api"),
                because: Some("no policy of this identity allows it"),
            })
        );
        let deny = "User: x is not authorized to perform: logs:FilterLogEvents with an explicit deny in a \
                    service control policy";
        let refusal_ = refusal(deny).unwrap();
        assert_eq!(refusal_.action, "logs:FilterLogEvents");
        assert_eq!(refusal_.resource, None);
        assert_eq!(refusal_.because, Some("a service control policy denies it"));
        assert_eq!(refusal("not authorized to perform: "), None);
        assert_eq!(refusal("Rate exceeded"), None);
    }

    #[test]
    fn xml_and_html_are_told_apart() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message> no </Message></Error>";
        assert_eq!(element(xml, "Code"), Some("AccessDenied"));
        assert_eq!(element(xml, "Message"), Some("no"));
        assert_eq!(element("<Code>cut", "Code"), None);
        assert!(!is_html(xml));
        assert!(is_html("\n<!DOCTYPE html><title>500</title>") && is_html("<HTML>"));
        assert!(!is_html("{\"__type\":\"x\"}") && !is_html(""));
    }
}
