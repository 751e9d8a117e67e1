//! From a stack's alarms to the world's, with those that autoscaling makes.
//!
//! Must not evaluate anything.

use super::rule::Rule;
use super::{Alarm, Comparison, Kind, Missing, Watch, tracking};
use crate::sim::stack::{self, Stack};
use crate::sim::world::World;
use crate::sim::world::metric::Key;
use crate::sim::world::metric::catalog::{balancer_dimensions, service_dimensions};
use crate::sim::world::metric::series::{Ask, Query, Statistic};

/// Whose metric it is.
#[derive(Clone, Copy, Default)]
struct Owner<'a> {
    service: Option<&'a str>,
    database: Option<&'a str>,
    cache: Option<&'a str>,
}

impl World {
    /// Puts up a stack's alarms. Its services are there already.
    pub(crate) fn add_alarms(&mut self, stack: &Stack) {
        let opened = self.opened;
        let mut made: Vec<Alarm> = Vec::new();
        for service in self.services.iter().filter(|service| std::ptr::eq(&*service.stack, stack)) {
            made.extend(tracking::alarms(service, service.created_at));
        }
        for spec in &stack.alarms {
            let Some(kind) = self.kind_of(stack, spec) else { continue };
            let mut alarm = Alarm::new(spec.name.clone(), kind, opened.minus(spec.age.0));
            alarm.description.clone_from(&spec.description);
            alarm.actions_enabled = spec.actions_enabled;
            alarm.alarm_actions.clone_from(&spec.actions);
            alarm.ok_actions.clone_from(&spec.ok_actions);
            made.push(alarm);
        }
        if made.is_empty() {
            return;
        }
        let alarms = self.alarms.entry(stack.region.clone()).or_default();
        alarms.by_name.extend(made.into_iter().map(|alarm| (alarm.name.clone(), alarm)));
        self.watch_alarms();
    }

    fn kind_of(&self, stack: &Stack, spec: &stack::Alarm) -> Option<Kind> {
        if let Some(text) = &spec.rule {
            return Some(Kind::Composite(text.clone(), Rule::parse(text).ok()?));
        }
        let period = i64::try_from(spec.period.0.as_millis()).ok()?;
        let owner = Owner {
            service: spec.service.as_deref(),
            database: spec.database.as_deref(),
            cache: spec.cache.as_deref(),
        };
        let ask = |owner: Owner<'_>, name: &str, word: &str| {
            let (key, stat) = (self.key_of(stack, owner, name)?, Statistic::of(word)?);
            Some(Ask::Stat { key, period, word: word.to_owned(), stat })
        };
        let queries = match (&spec.metric, &spec.math) {
            (Some(name), None) => {
                let ask = ask(owner, name, &spec.stat)?;
                vec![Query { id: "m1".to_owned(), ask, label: None, returns: true }]
            }
            (_, Some(math)) => {
                let mut queries = vec![Query {
                    id: "e1".to_owned(),
                    ask: Ask::Math(math.clone()),
                    label: spec.label.clone(),
                    returns: true,
                }];
                for part in &spec.metrics {
                    let own = part.service.is_some() || part.database.is_some() || part.cache.is_some();
                    let named = Owner {
                        service: part.service.as_deref(),
                        database: part.database.as_deref(),
                        cache: part.cache.as_deref(),
                    };
                    let ask = ask(if own { named } else { owner }, &part.metric, &part.stat)?;
                    queries.push(Query { id: part.id.clone(), ask, label: None, returns: false });
                }
                queries
            }
            (None, None) => return None,
        };
        Some(Kind::Metric(Watch {
            queries,
            period,
            periods: spec.evaluation_periods,
            datapoints: spec.datapoints.unwrap_or(spec.evaluation_periods),
            threshold: spec.threshold,
            comparison: Comparison::of(&spec.comparison)?,
            missing: Missing::of(&spec.treat_missing)?,
        }))
    }

    /// The metric of this name that an owner sends.
    fn key_of(&self, stack: &Stack, owner: Owner<'_>, name: &str) -> Option<Key> {
        let own = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
        if let Some(database) = owner.database {
            return Some(Key::new("AWS/RDS", name, own("DBInstanceIdentifier", database)));
        }
        if let Some(cache) = owner.cache {
            return Some(Key::new("AWS/ElastiCache", name, own("CacheClusterId", cache)));
        }
        let spec = stack.service(owner.service?)?;
        let service = self.services.get(self.find(&stack.region, &spec.cluster, &spec.name)?)?;
        Some(match name {
            "CPUUtilization" | "MemoryUtilization" => Key::new("AWS/ECS", name, service_dimensions(service)),
            "HTTPCode_ELB_5XX_Count" => {
                let balancer = spec.load_balancers.first()?;
                Key::new("AWS/ApplicationELB", name, balancer_dimensions(&balancer.name, None))
            }
            _ if name.ends_with("TaskCount") || name.ends_with("Utilized") || name.ends_with("Reserved") => {
                Key::new("ECS/ContainerInsights", name, service_dimensions(service))
            }
            _ => {
                let balancer = spec.load_balancers.first()?;
                let dimensions = balancer_dimensions(&balancer.name, Some(&balancer.target_group));
                Key::new("AWS/ApplicationELB", name, dimensions)
            }
        })
    }
}
