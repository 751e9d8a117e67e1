//! The catalogue of service events: ECS's sentences, known by their stable parts.
//!
//! Must not parse more of a sentence than it quotes: AWS changes wording.

use super::Severity::{self, Critical, Ok, Progress, Unknown, Warning};

/// A stable part of a sentence in lower case, how bad it is, and what it means. The first that fits counts, so the more
/// particular stand before the more general.
const CATALOGUE: &[(&str, Severity, &str)] = &[
    ("has reached a steady state", Ok, "Steady state"),
    ("deployment completed", Ok, "Deployment completed"),
    ("deployment failed", Critical, "The deployment failed"),
    ("rolling back to", Critical, "ECS rolls the deployment back"),
    (
        "unable to consistently start tasks",
        Critical,
        "Tasks fail to start again and again; ECS waits up to 27 min between attempts",
    ),
    ("target group is not found", Critical, "The target group does not exist any more"),
    ("target is not found", Critical, "A task is not registered in its target group"),
    ("is unhealthy in", Warning, "A task fails its target group's health check"),
    ("failed container health checks", Warning, "A task fails its container's health check"),
    ("failed elb health checks", Warning, "A task fails its target group's health check"),
    ("unable to assume the role", Critical, "ECS cannot assume a role that the task needs"),
    ("failed to launch a task", Critical, "ECS cannot launch tasks"),
    ("reached the limit on the number of", Critical, "The account's Fargate quota is used up"),
    ("capacity is unavailable", Critical, "Fargate has no capacity in the service's zones"),
    ("resource:fargate", Critical, "Fargate has no capacity in the service's zones"),
    ("no container instance met all of its requirements", Critical, "No container instance can take a task"),
    ("unable to place a task", Critical, "ECS cannot place tasks"),
    (
        "because of the service deployment configuration",
        Critical,
        "Minimum and maximum percent leave the deployment no room",
    ),
    ("provisioning capacity limit was exceeded", Warning, "Too many tasks are provisioning in the cluster"),
    ("could not launch", Warning, "ECS could not launch all tasks"),
    ("operations are being throttled", Warning, "ECS's calls for this service are throttled; it tries again"),
    ("protected tasks", Warning, "Protected tasks hold the deployment up"),
    ("unable to reach steady state", Warning, "The service does not reach a steady state"),
    (
        "misconfigured",
        Critical,
        "IAM permissions or a trust relationship keep ECS from maintaining the service",
    ),
    ("has started", Progress, "Tasks started"),
    ("has stopped", Progress, "Tasks stopped"),
    ("has begun draining", Progress, "Connections are draining"),
    ("deregistered", Progress, "Targets deregistered"),
    ("registered", Progress, "Targets registered"),
];

/// How bad a service event is; `Unknown` for a sentence that is not in the catalogue.
#[must_use]
pub fn event_severity(message: &str) -> Severity {
    find(message).map_or(Unknown, |(_, severity, _)| *severity)
}

/// What a service event means, with the cause that ECS gives, if it is in the catalogue.
#[must_use]
pub fn event_meaning(message: &str) -> Option<String> {
    let (_, _, meaning) = find(message)?;
    Some(match cause(message) {
        Some(cause) => format!("{meaning}: {cause}"),
        None => (*meaning).to_owned(),
    })
}

/// The event without the service's own name, which whoever shows it has said already.
#[must_use]
pub fn event_text<'m>(message: &'m str, service: &str) -> &'m str {
    let rest = message.strip_prefix("(service ").and_then(|m| m.strip_prefix(service));
    rest.and_then(|m| m.strip_prefix(')')).map_or(message, |m| m.trim_start_matches([' ', ',']))
}

fn find(message: &str) -> Option<&'static (&'static str, Severity, &'static str)> {
    let message = message.to_ascii_lowercase();
    CATALOGUE.iter().find(|(part, _, _)| message.contains(part))
}

/// What stands in `(reason …)`, `(error …)` or behind `Reason:`.
fn cause(message: &str) -> Option<&str> {
    for opening in ["(reason ", "(error "] {
        if let Some((_, rest)) = message.split_once(opening) {
            return Some(rest[..closing(rest)].trim_end_matches('.'));
        }
    }
    let (_, rest) = message.split_once("Reason: ")?;
    let sentence = rest.split(". ").next().unwrap_or(rest);
    Some(sentence.trim_end_matches('.'))
}

/// Where the parenthesis closes that was open before `text`.
fn closing(text: &str) -> usize {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Whether the event says that all is as it should be, and so contradicts what is older.
pub(super) fn is_settled(message: &str) -> bool {
    event_severity(message) == Ok
}

/// The last deployment id that the event names.
pub(super) fn deployment_id(message: &str) -> Option<&str> {
    let (_, from) = message.rsplit_once("ecs-svc/")?;
    let digits = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
    let start = message.len() - from.len() - "ecs-svc/".len();
    message.get(start..start + "ecs-svc/".len() + digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_written_as_it_is_compared() {
        for (part, ..) in CATALOGUE {
            assert_eq!(*part, part.to_ascii_lowercase());
        }
    }
}
