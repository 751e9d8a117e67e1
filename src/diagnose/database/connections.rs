//! How many connections a database takes, and how many its services may open.
//!
//! Must not present an estimate as a fact: a limit says whether it was estimated.

use serde::Serialize;

use super::Declared;
use super::formula::evaluate;
use crate::diagnose::number::GIB;
use crate::diagnose::scaling::bounds_of;
use crate::domain::database::{DbInstance, Parameter};
use crate::domain::ecs::{Service, ServiceId};
use crate::domain::scaling::ScalableTarget;

/// The most connections that a database takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// The number.
    pub value: u32,
    /// Whether it was computed from the class's nominal memory: write `≈` before it.
    pub estimated: bool,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.estimated { "≈" } else { "" }, self.value)
    }
}

/// What the pools of a database's services may ask for at full scale-out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Demand {
    /// All pools together.
    pub connections: u32,
    /// Each pool.
    pub pools: Vec<PoolDemand>,
    /// Declared services that were not found.
    pub missing: Vec<String>,
}

/// What one service may ask for at full scale-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolDemand {
    /// The service.
    pub service: ServiceId,
    /// The most tasks.
    pub tasks: u32,
    /// Connections of one task.
    pub per_task: u32,
    /// What bounds the tasks: `autoscaling`, `declared`, `desired count`.
    pub bound: &'static str,
}

/// The limit of an instance: from the parameter `max_connections` when it is readable, its formula evaluated over
/// the class's memory, else from the engine's default formula. `None` for an engine or class that is not known.
#[must_use]
pub fn max_connections(instance: &DbInstance, parameters: &[Parameter]) -> Option<Limit> {
    let said = parameters
        .iter()
        .find(|parameter| parameter.name == "max_connections" || parameter.name == "processes")
        .and_then(|parameter| parameter.value.as_deref())
        .map(str::trim)
        .filter(|value| !value.is_empty());
    if let Some(value) = said.and_then(|value| value.parse().ok()) {
        return Some(Limit { value, estimated: false });
    }
    let formula = said.or_else(|| default_formula(&instance.engine))?;
    let nominal = class_memory_gib(&instance.class);
    // Where neither the whole nor much less memory changes the outcome, a cap decides, and nothing is estimated.
    let memories: [fn(f64) -> f64; 3] = [usable_gib, |gib| gib, |gib| gib * 0.6];
    let limits = memories.map(|of| evaluate(formula, nominal.map(|gib| of(gib) * GIB)).and_then(whole));
    let [value, most, least] = limits;
    let value = value?;
    Some(Limit { value, estimated: most != Some(value) || least != Some(value) })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded just before")]
fn whole(value: f64) -> Option<u32> {
    (1.0..=f64::from(u32::MAX)).contains(&value).then_some(value as u32)
}

/// The engines' own defaults (RDS User Guide, quotas; Aurora's from its default parameter groups).
fn default_formula(engine: &str) -> Option<&'static str> {
    Some(match engine {
        "postgres" | "aurora-postgresql" => "LEAST({DBInstanceClassMemory/9531392},5000)",
        "mysql" => "{DBInstanceClassMemory/12582880}",
        "mariadb" => "LEAST({DBInstanceClassMemory/25165760},12000)",
        "aurora-mysql" => {
            "GREATEST({log(DBInstanceClassMemory/805306368)*45},{log(DBInstanceClassMemory/8187281408)*1000})"
        }
        engine if engine.starts_with("oracle") => "LEAST({DBInstanceClassMemory/9868951},20000)",
        _ => return None,
    })
}

/// What RDS leaves of a class's memory to the engine: `DBInstanceClassMemory` is less than nominal. The line goes
/// through the two measured points of the facts, 630 connections of MySQL on 8 GiB and 60 on 1 GiB.
fn usable_gib(nominal: f64) -> f64 {
    nominal - (0.251 + 0.046 * nominal)
}

/// What the declared pools may ask for: the upper bound of autoscaling, else the declared maximum, else the
/// desired count, times the pool. `None` when no pool is declared.
#[must_use]
pub fn pool_demand<'a>(
    declared: &Declared,
    services: impl IntoIterator<Item = &'a Service>,
    targets: &[ScalableTarget],
) -> Option<Demand> {
    if declared.pools.is_empty() {
        return None;
    }
    let services: Vec<&Service> = services.into_iter().collect();
    let mut demand = Demand::default();
    for pool in &declared.pools {
        let (cluster, name) =
            pool.service.split_once('/').map_or((None, pool.service.as_str()), |(c, n)| (Some(c), n));
        let found = services
            .iter()
            .find(|s| s.id.name == name && cluster.is_none_or(|cluster| s.id.cluster == cluster));
        let Some(service) = found else {
            demand.missing.push(pool.service.clone());
            continue;
        };
        let bound = bounds_of(&service.id, targets).map(|target| target.max);
        let (tasks, bound) = match (bound, pool.max_tasks) {
            (Some(max), _) => (max, "autoscaling"),
            (None, Some(max)) => (max, "declared"),
            (None, None) => (service.desired, "desired count"),
        };
        demand.connections = demand.connections.saturating_add(tasks.saturating_mul(pool.connections));
        demand.pools.push(PoolDemand {
            service: service.id.clone(),
            tasks,
            per_task: pool.connections,
            bound,
        });
    }
    Some(demand)
}

/// GiB per vCPU by the family of a class, generation left out where all generations agree.
const GIB_PER_VCPU: &[(&str, f64)] = &[
    ("c", 2.0),
    ("m", 4.0),
    ("r3", 7.625),
    ("r4", 7.625),
    ("r", 8.0),
    ("z", 8.0),
    ("x2iedn", 32.0),
    ("x1e", 30.5),
    ("x1", 15.25),
    ("x", 16.0),
];

/// Burstable classes by size: vCPUs (of t3 and t4g) and GiB.
const BURSTABLE: &[(&str, u32, f64)] = &[
    ("nano", 2, 0.5),
    ("micro", 2, 1.0),
    ("small", 2, 2.0),
    ("medium", 2, 4.0),
    ("large", 2, 8.0),
    ("xlarge", 4, 16.0),
    ("2xlarge", 8, 32.0),
];

/// Family and size of `db.r6g.large`, `cache.t4g.micro` or `db.r5.large.tpc1.mem2x`, and the last's extras.
fn class_parts(class: &str) -> Option<(&str, &str, Option<&str>)> {
    let class = class.strip_prefix("db.").or_else(|| class.strip_prefix("cache.")).unwrap_or(class);
    let (family, size) = class.split_once('.')?;
    Some(match size.split_once('.') {
        Some((size, extra)) => (family, size, Some(extra)),
        None => (family, size, None),
    })
}

/// The nominal memory of an instance class in GiB, such as 16 for `db.r6g.large`.
#[must_use]
pub fn class_memory_gib(class: &str) -> Option<f64> {
    let (family, size, extra) = class_parts(class)?;
    if family.starts_with('t') {
        return BURSTABLE.iter().find(|(name, ..)| *name == size).map(|(.., gib)| *gib);
    }
    let (_, per_vcpu) = GIB_PER_VCPU.iter().find(|(name, _)| {
        family.strip_prefix(name).is_some_and(|rest| {
            // A family's letter, then its generation.
            !name.bytes().all(|b| b.is_ascii_lowercase()) || rest.starts_with(|c: char| c.is_ascii_digit())
        })
    })?;
    let times = extra
        .and_then(|extra| extra.split('.').find_map(|part| part.strip_prefix("mem")?.strip_suffix('x')))
        .and_then(|times| times.parse::<f64>().ok())
        .unwrap_or(1.0);
    Some(f64::from(vcpus_of_size(size)?) * per_vcpu * times)
}

fn vcpus_of_size(size: &str) -> Option<u32> {
    Some(match size {
        "medium" => 1,
        "large" => 2,
        "xlarge" => 4,
        _ => size.strip_suffix("xlarge")?.parse::<u32>().ok()?.checked_mul(4)?,
    })
}

/// The vCPUs of an instance class, such as 2 for `db.r6g.large`.
#[must_use]
pub fn class_vcpus(class: &str) -> Option<u32> {
    let (family, size, extra) = class_parts(class)?;
    if family == "t2" && matches!(size, "micro" | "small") {
        return Some(1);
    }
    if family.starts_with('t') {
        return BURSTABLE.iter().find(|(name, ..)| *name == size).map(|(_, vcpus, _)| *vcpus);
    }
    let threads = extra.is_some_and(|extra| extra.split('.').any(|part| part == "tpc1"));
    vcpus_of_size(size).map(|vcpus| if threads { vcpus / 2 } else { vcpus })
}

#[cfg(test)]
mod tests {
    use super::super::Pool;
    use super::super::fixtures::{instance, parameter};
    use super::*;

    fn limit(class: &str, engine: &str, value: Option<&str>) -> Option<Limit> {
        let instance = DbInstance { class: class.into(), engine: engine.into(), ..instance() };
        let parameters: Vec<Parameter> =
            value.into_iter().map(|value| parameter("max_connections", value)).collect();
        max_connections(&instance, &parameters)
    }

    #[test]
    fn classes_have_memory_and_vcpus() {
        for (class, gib, vcpus) in [
            ("db.t4g.micro", 1.0, 2),
            ("db.t4g.medium", 4.0, 2),
            ("db.t2.small", 2.0, 1),
            ("db.m5.large", 8.0, 2),
            ("db.r6g.large", 16.0, 2),
            ("db.r6g.16xlarge", 512.0, 64),
            ("db.r4.large", 15.25, 2),
            ("db.x2g.xlarge", 64.0, 4),
            ("db.x2iedn.xlarge", 128.0, 4),
            ("db.c6gd.medium", 2.0, 1),
            ("db.r5.large.tpc1.mem2x", 32.0, 1),
            ("cache.t4g.micro", 1.0, 2),
        ] {
            assert_eq!(class_memory_gib(class), Some(gib), "{class}");
            assert_eq!(class_vcpus(class), Some(vcpus), "{class}");
        }
        for class in ["db.serverless", "db.q9.large", "db.r6g.huge", "", "db."] {
            assert_eq!(class_memory_gib(class), None, "{class}");
        }
    }

    #[test]
    fn a_readable_parameter_is_the_limit() {
        assert_eq!(
            limit("db.r6g.large", "postgres", Some("200")),
            Some(Limit { value: 200, estimated: false })
        );
        // A cap that decides at any memory is no estimate.
        let capped =
            limit("db.r6g.16xlarge", "postgres", Some("LEAST({DBInstanceClassMemory/9531392},5000)"));
        assert_eq!(capped, Some(Limit { value: 5_000, estimated: false }));
        // A number needs no class.
        assert_eq!(limit("db.serverless", "postgres", Some("90")).map(|l| l.value), Some(90));
    }

    #[test]
    fn a_formula_is_evaluated_over_the_memory_that_rds_leaves() {
        let formula = Some("{DBInstanceClassMemory/12582880}");
        for (class, measured) in [("db.m5.large", 630_u32), ("db.t3.micro", 60)] {
            let limit = limit(class, "mysql", formula).unwrap();
            assert!(limit.estimated && limit.value.abs_diff(measured) <= 2, "{class}: {limit}");
        }
        assert_eq!(limit("db.serverless", "mysql", formula), None);
    }

    #[test]
    fn without_a_parameter_the_engine_s_default_is_estimated() {
        let postgres = limit("db.t4g.medium", "postgres", None).unwrap();
        assert!(postgres.estimated && (380..=420).contains(&postgres.value), "{postgres}");
        assert!(postgres.to_string().starts_with('≈'));
        assert!(limit("db.r5.large", "aurora-mysql", None).is_some_and(|l| (900..=1_070).contains(&l.value)));
        assert!(limit("db.m5.large", "mariadb", None).is_some_and(|l| l.estimated));
        assert!(limit("db.m5.large", "oracle-ee", None).is_some());
        assert_eq!(limit("db.m5.large", "sqlserver-ex", None), None);
    }

    #[test]
    fn pools_are_counted_at_full_scale_out() {
        use super::super::fixtures::service;
        let pool = |service: &str, max_tasks| Pool { service: service.into(), connections: 15, max_tasks };
        let declared = Declared {
            rpo: None,
            pools: vec![
                pool("cma-production/api", Some(3)),
                pool("worker", Some(4)),
                pool("web", None),
                pool("other/api", None),
            ],
        };
        let services = [service("api", 2), service("worker", 1), service("web", 2)];
        let target = ScalableTarget {
            resource: "service/cma-production/api".into(),
            dimension: "ecs:service:DesiredCount".into(),
            min: 2,
            max: 6,
            suspended: Vec::new(),
        };
        let demand = pool_demand(&declared, &services, &[target]).unwrap();
        assert_eq!(demand.connections, (6 + 4 + 2) * 15);
        let bounds: Vec<_> = demand.pools.iter().map(|pool| (pool.tasks, pool.bound)).collect();
        assert_eq!(bounds, [(6, "autoscaling"), (4, "declared"), (2, "desired count")]);
        assert_eq!(demand.missing, ["other/api"]);
        assert_eq!(pool_demand(&Declared::default(), &services, &[]), None);
    }
}
