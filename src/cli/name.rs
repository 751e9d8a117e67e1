//! NAME on the command line: SERVICE, CLUSTER/SERVICE, a service's ARN, and for task definitions
//! FAMILY:REVISION or an ARN.
//!
//! Must not look anything up; `resolve` does.

use crate::cli::exit::Problem;
use crate::domain::scope::Arn;

/// A service as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// By its name alone, in whichever cluster it is.
    Service(String),
    /// In a cluster.
    InCluster { cluster: String, service: String },
    /// By ARN. Where it is was read from it before.
    Arn { cluster: Option<String>, service: String },
}

impl Name {
    /// Reads a service's name.
    ///
    /// # Errors
    /// When it has a form that no service's name has.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if let Some(arn) = Arn::parse(text) {
            return Self::of_arn(text, arn);
        }
        if text.starts_with("arn:") {
            return Err(Problem::usage(format!("`{text}` begins like an ARN, but is not a whole one"))
                .hint("copy it whole: arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/SERVICE"));
        }
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [service] if !service.is_empty() => Ok(Self::Service((*service).to_owned())),
            [cluster, service] if !cluster.is_empty() && !service.is_empty() => {
                Ok(Self::InCluster { cluster: (*cluster).to_owned(), service: (*service).to_owned() })
            }
            _ => Err(Problem::usage(format!("`{text}` is not a service's name"))
                .hint("write SERVICE, CLUSTER/SERVICE or a service's ARN")),
        }
    }

    fn of_arn(text: &str, arn: Arn<'_>) -> Result<Self, Problem> {
        let mut parts = arn.resource.split('/');
        let kind = parts.next().unwrap_or_default();
        if arn.service != "ecs" || kind != "service" {
            let what = if arn.service == "ecs" { kind } else { arn.service };
            return Err(Problem::usage(format!("`{text}` is not the ARN of a service (it names: {what})"))
                .hint("a service's ARN is arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/SERVICE"));
        }
        match parts.collect::<Vec<_>>().as_slice() {
            // The old form of the ARN does not tell the cluster.
            [service] if !service.is_empty() => {
                Ok(Self::Arn { cluster: None, service: (*service).to_owned() })
            }
            [cluster, service] if !cluster.is_empty() && !service.is_empty() => {
                Ok(Self::Arn { cluster: Some((*cluster).to_owned()), service: (*service).to_owned() })
            }
            _ => Err(Problem::usage(format!("`{text}` is not the ARN of a service"))),
        }
    }

    /// The service's own name.
    #[must_use]
    pub fn service(&self) -> &str {
        match self {
            Self::Service(service) | Self::InCluster { service, .. } | Self::Arn { service, .. } => service,
        }
    }

    /// The cluster, when it was named.
    #[must_use]
    pub fn cluster(&self) -> Option<&str> {
        match self {
            Self::Service(_) => None,
            Self::InCluster { cluster, .. } => Some(cluster),
            Self::Arn { cluster, .. } => cluster.as_deref(),
        }
    }
}

/// Whether the text names a task definition rather than a service: `family:7`, or a task definition's ARN.
#[must_use]
pub fn names_a_task_definition(text: &str) -> bool {
    match Arn::parse(text) {
        Some(arn) => arn.service == "ecs" && arn.resource.starts_with("task-definition/"),
        None => text.rsplit_once(':').is_some_and(|(family, number)| {
            !family.is_empty() && !family.contains(['/', ':']) && number.parse::<u32>().is_ok()
        }),
    }
}

/// The names most like the one that was not found, best first, at most five.
#[must_use]
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let last = |name: &str| name.rsplit_once('/').map_or(name.to_owned(), |(_, last)| last.to_owned());
    let meant = last(&wanted);
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|name| {
            let lower = name.to_lowercase();
            let own = last(&lower);
            let contained = if own.contains(&meant) || meant.contains(&own) { 1.0 } else { 0.0 };
            (strsim::jaro_winkler(&wanted, &own).max(strsim::jaro_winkler(&wanted, &lower)) + contained, name)
        })
        .filter(|(likeness, _)| *likeness > 0.75)
        .collect();
    scored.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    scored.into_iter().map(|(_, name)| name).take(5).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read() {
        assert_eq!(Name::parse("web").unwrap(), Name::Service("web".into()));
        assert_eq!(
            Name::parse("prod/web").unwrap(),
            Name::InCluster { cluster: "prod".into(), service: "web".into() }
        );
        let arn = Name::parse("arn:aws:ecs:eu-west-2:123456789012:service/prod/web").unwrap();
        assert_eq!((arn.cluster(), arn.service()), (Some("prod"), "web"));
        let old = Name::parse("arn:aws:ecs:eu-west-2:123456789012:service/web").unwrap();
        assert_eq!((old.cluster(), old.service()), (None, "web"));
    }

    #[test]
    fn other_forms_are_refused_with_what_they_are() {
        let explained = |text: &str| Name::parse(text).unwrap_err().what;
        assert_eq!(explained("a/b/c"), "`a/b/c` is not a service's name");
        assert_eq!(explained("/"), "`/` is not a service's name");
        assert_eq!(explained("arn:aws:ecs"), "`arn:aws:ecs` begins like an ARN, but is not a whole one");
        assert_eq!(
            explained("arn:aws:ecs:r:1:task/prod/0123"),
            "`arn:aws:ecs:r:1:task/prod/0123` is not the ARN of a service (it names: task)"
        );
        assert_eq!(
            explained("arn:aws:rds:r:1:db:x"),
            "`arn:aws:rds:r:1:db:x` is not the ARN of a service (it names: rds)"
        );
    }

    #[test]
    fn a_task_definition_is_told_from_a_service() {
        assert!(names_a_task_definition("web:7"));
        assert!(names_a_task_definition("arn:aws:ecs:r:1:task-definition/web:7"));
        for text in ["web", "prod/web", "web:latest", ":7", "arn:aws:ecs:r:1:service/prod/web"] {
            assert!(!names_a_task_definition(text), "{text}");
        }
    }

    #[test]
    fn near_names_come_best_first() {
        let known = ["prod/gateway-service", "prod/gov-backend", "gov/gov-ai-service"];
        assert_eq!(nearest("gatway-service", known), ["prod/gateway-service"]);
        assert_eq!(nearest("backend", known), ["prod/gov-backend"]);
        assert!(nearest("zzz", known).is_empty());
        let tree = ["gateway/production", "gateway/production/redis", "gateway/production/database"];
        assert_eq!(nearest("gateway/production/databse", tree)[0], "gateway/production/database");
    }
}
