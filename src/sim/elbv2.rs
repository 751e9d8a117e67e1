//! Elastic Load Balancing, version 2: the load balancers that services of the stacks name, and the health of
//! their tasks behind them.
//!
//! Must not change anything: health follows from the tasks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::sim::logs::chance;
use crate::sim::query::{Fields, Xml, unknown_action};
use crate::sim::reply::ApiError;
use crate::sim::stack::{ACCOUNT, LoadBalancer, Stack};
use crate::sim::world::World;
use crate::sim::world::image::Behaviour;
use crate::sim::world::service::{load_balancer_arn, target_group_arn};
use crate::sim::world::task::{Status, Task};

/// How many records a page has, and how many it may.
const PAGE: (&str, std::ops::RangeInclusive<i64>) = ("PageSize", 1..=400);

/// A new target needs one passed check, and checks run every 30 s.
const FIRST_CHECK: Duration = Duration::from_secs(20);

/// Two failed checks in a row make a target unhealthy.
const TWO_FAILURES: Duration = Duration::from_secs(60);

/// Carries out an operation. The world has been advanced to the present.
///
/// # Errors
/// What AWS answers to a request that it refuses.
pub fn handle(world: &World, region: &str, operation: &str, fields: &Fields) -> Result<String, ApiError> {
    match operation {
        "DescribeLoadBalancers" => balancers(world, region, fields),
        "DescribeTargetGroups" => groups(world, region, fields),
        "DescribeTargetHealth" => health(world, region, fields),
        "DescribeListeners" => listeners(world, region, fields),
        _ => Err(unknown_action(operation, "2015-12-01")),
    }
}

struct Group<'w> {
    service: usize,
    stack: &'w Arc<Stack>,
    spec: &'w LoadBalancer,
}

/// All target groups of a region, by name.
fn all<'w>(world: &'w World, region: &str) -> BTreeMap<&'w str, Group<'w>> {
    let mut found = BTreeMap::new();
    for (index, service) in world.services.iter().enumerate().filter(|(_, s)| *s.region == *region) {
        for spec in service.spec().into_iter().flat_map(|spec| &spec.load_balancers) {
            found.insert(spec.target_group.as_str(), Group { service: index, stack: &service.stack, spec });
        }
    }
    found
}

fn no_balancer() -> ApiError {
    ApiError::new(400, "LoadBalancerNotFound", "One or more load balancers not found")
}

fn no_group() -> ApiError {
    ApiError::new(400, "TargetGroupNotFound", "One or more target groups not found")
}

/// Keeps what `arns` or `names` ask for; all of them must be there.
fn chosen<T>(
    all: Vec<T>,
    arns: &[&str],
    names: &[&str],
    id: impl Fn(&T) -> (String, String),
    missing: fn() -> ApiError,
) -> Result<Vec<T>, ApiError> {
    if arns.is_empty() && names.is_empty() {
        return Ok(all);
    }
    if !arns.is_empty() && !names.is_empty() {
        let text = "Load balancer names and load balancer ARNs cannot be specified at the same time";
        return Err(ApiError::new(400, "ValidationError", text));
    }
    let kept: Vec<T> = all
        .into_iter()
        .filter(|item| {
            let (arn, name) = id(item);
            arns.contains(&arn.as_str()) || names.contains(&name.as_str())
        })
        .collect();
    if kept.len() < arns.len() + names.len() { Err(missing()) } else { Ok(kept) }
}

fn balancers(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let mut found: BTreeMap<&str, &Arc<Stack>> = BTreeMap::new();
    for group in all(world, region).values() {
        found.insert(group.spec.name.as_str(), group.stack);
    }
    let (arns, names) = (fields.list("LoadBalancerArns", "member"), fields.list("Names", "member"));
    let found = found.into_iter().collect();
    let id = |(name, _): &(&str, &Arc<Stack>)| (load_balancer_arn(region, name), (*name).to_owned());
    let found = chosen(found, &arns, &names, id, no_balancer)?;
    let (page, marker) = fields.page(found, |(name, _)| (*name).to_owned(), PAGE)?;
    let mut xml = Xml::default();
    xml.list("LoadBalancers", "member", page, |xml, (name, stack)| {
        xml.text("LoadBalancerArn", load_balancer_arn(region, name));
        let number = chance::text(name) % 2_000_000_000;
        xml.text("DNSName", format!("{name}-{number}.{region}.elb.amazonaws.com"));
        xml.text("CanonicalHostedZoneId", "Z35SXDOTRQ7X7K");
        xml.time("CreatedTime", world.opened.minus(Duration::from_secs(200 * 86_400)));
        xml.text("LoadBalancerName", name);
        xml.text("Scheme", "internet-facing");
        xml.text("VpcId", &stack.network.vpc);
        xml.inside("State", |xml| xml.text("Code", "active"));
        xml.text("Type", "application");
        xml.list("AvailabilityZones", "member", &stack.network.subnets, |xml, subnet| {
            xml.text("ZoneName", &subnet.zone);
            // Public subnets are not part of a stack; they follow from the private ones.
            xml.text("SubnetId", format!("subnet-{:017x}", chance::text(&subnet.id) >> 4));
        });
        xml.texts("SecurityGroups", "member", [format!("sg-{:017x}", chance::text(name) >> 4)]);
        xml.text("IpAddressType", "ipv4");
    });
    xml.maybe("NextMarker", marker);
    Ok(xml.finish())
}

fn groups(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let mut found: Vec<(&str, Group<'_>)> = all(world, region).into_iter().collect();
    if let Some(wanted) = fields.text("LoadBalancerArn") {
        found.retain(|(_, group)| load_balancer_arn(region, &group.spec.name) == wanted);
        if found.is_empty() {
            return Err(no_balancer());
        }
    }
    let (arns, names) = (fields.list("TargetGroupArns", "member"), fields.list("Names", "member"));
    let id = |(name, _): &(&str, Group<'_>)| (target_group_arn(region, name), (*name).to_owned());
    let found = chosen(found, &arns, &names, id, no_group)?;
    let (page, marker) = fields.page(found, |(name, _)| (*name).to_owned(), PAGE)?;
    let mut xml = Xml::default();
    xml.list("TargetGroups", "member", page, |xml, (name, group)| {
        xml.text("TargetGroupArn", target_group_arn(region, name));
        xml.text("TargetGroupName", name);
        xml.text("Protocol", "HTTP");
        xml.text("Port", group.spec.port);
        xml.text("VpcId", &group.stack.network.vpc);
        xml.text("HealthCheckProtocol", "HTTP");
        xml.text("HealthCheckPort", "traffic-port");
        xml.text("HealthCheckEnabled", true);
        xml.text("HealthCheckIntervalSeconds", 30);
        xml.text("HealthCheckTimeoutSeconds", 5);
        xml.text("HealthyThresholdCount", 5);
        xml.text("UnhealthyThresholdCount", 2);
        xml.text("HealthCheckPath", &group.spec.health_path);
        xml.inside("Matcher", |xml| xml.text("HttpCode", "200"));
        xml.texts("LoadBalancerArns", "member", [load_balancer_arn(region, &group.spec.name)]);
        xml.text("TargetType", "ip");
        xml.text("ProtocolVersion", "HTTP1");
        xml.text("IpAddressType", "ipv4");
    });
    xml.maybe("NextMarker", marker);
    Ok(xml.finish())
}

fn listeners(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let wanted = fields.text("LoadBalancerArn");
    let asked = fields.list("ListenerArns", "member");
    let mut found: Vec<(String, &str, Vec<&str>)> = Vec::new();
    for (name, group) in all(world, region) {
        let balancer = group.spec.name.as_str();
        let arn = load_balancer_arn(region, balancer);
        let listener = arn.replacen(":loadbalancer/", ":listener/", 1);
        let listener = format!("{listener}/{:016x}", chance::text(&listener));
        match found.iter_mut().find(|(known, ..)| *known == listener) {
            Some((.., targets)) => targets.push(name),
            None if wanted.is_none_or(|wanted| wanted == arn) => found.push((listener, balancer, vec![name])),
            None => {}
        }
    }
    if wanted.is_some() && found.is_empty() {
        return Err(no_balancer());
    }
    let id = |(arn, ..): &(String, &str, Vec<&str>)| (arn.clone(), String::new());
    let missing = || ApiError::new(400, "ListenerNotFound", "One or more listeners not found");
    let found = chosen(found, &asked, &[], id, missing)?;
    let (page, marker) = fields.page(found, |(arn, ..)| arn.clone(), PAGE)?;
    let mut xml = Xml::default();
    xml.list("Listeners", "member", page, |xml, (arn, balancer, targets)| {
        xml.text("ListenerArn", arn);
        xml.text("LoadBalancerArn", load_balancer_arn(region, balancer));
        xml.text("Port", 443);
        xml.text("Protocol", "HTTPS");
        xml.list("Certificates", "member", [()], |xml, ()| {
            let id = crate::sim::world::scaling::uuid(balancer);
            xml.text("CertificateArn", format!("arn:aws:acm:{region}:{ACCOUNT}:certificate/{id}"));
        });
        xml.text("SslPolicy", "ELBSecurityPolicy-TLS13-1-2-2021-06");
        // Rules that tell several groups apart are not played: the first one is the default.
        xml.list("DefaultActions", "member", targets.first(), |xml, name| {
            xml.text("Type", "forward");
            xml.text("TargetGroupArn", target_group_arn(region, name));
        });
    });
    xml.maybe("NextMarker", marker);
    Ok(xml.finish())
}

fn health(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let arn = fields.need("TargetGroupArn")?;
    let groups = all(world, region);
    let group = groups.iter().find(|(name, _)| target_group_arn(region, name) == arn);
    let (_, group) = group.ok_or_else(no_group)?;
    let mut asked: Vec<&str> = Vec::new();
    for number in 1.. {
        let Some(id) = fields.text(&format!("Targets.member.{number}.Id")) else { break };
        asked.push(id);
    }
    let Some(service) = world.services.get(group.service) else { return Err(no_group()) };
    let mut targets: Vec<(String, &Task)> = service
        .tasks
        .iter()
        .filter_map(|id| world.tasks.get(id))
        .filter(|task| state(world, task).is_some())
        .map(|task| (service.address(task), task))
        .collect();
    targets.sort_by(|a, b| a.0.cmp(&b.0));
    let mut xml = Xml::default();
    let port = group.spec.port;
    xml.inside("TargetHealthDescriptions", |xml| {
        for (address, task) in &targets {
            if asked.is_empty() || asked.contains(&address.as_str()) {
                let zone = service.subnet(task).map(|subnet| subnet.zone.as_str());
                let found = state(world, task).unwrap_or(UNUSED);
                xml.inside("member", |xml| description(xml, address, port, zone, found));
            }
        }
        for address in asked.iter().filter(|asked| !targets.iter().any(|(own, _)| own == *asked)) {
            xml.inside("member", |xml| description(xml, address, port, None, UNUSED));
        }
    });
    Ok(xml.finish())
}

/// State, reason, description.
type State = (&'static str, &'static str, Cow<'static, str>);

const UNUSED: State =
    ("unused", "Target.NotRegistered", Cow::Borrowed("Target is not registered to the target group"));

/// What the load balancer thinks of a task; `None` when it does not know it.
fn state(world: &World, task: &Task) -> Option<State> {
    if task.status == Status::Deactivating {
        let text = "Target deregistration is in progress";
        return Some(("draining", "Target.DeregistrationInProgress", text.into()));
    }
    if task.status != Status::Running || !task.wanted {
        return None;
    }
    let age = task.started_at?.age_at(world.now);
    let fails = match world.fate(task.id) {
        Some((_, Behaviour::FailsTargetCheck)) => Some(502),
        Some((_, Behaviour::AnswersCheck(code))) => Some(code),
        _ => None,
    };
    Some(match (task.registered, fails) {
        (false, _) => ("initial", "Elb.RegistrationInProgress", "Target registration is in progress".into()),
        (true, Some(code)) if age >= TWO_FAILURES => {
            let text = format!("Health checks failed with these codes: [{code}]");
            ("unhealthy", "Target.ResponseCodeMismatch", text.into())
        }
        (true, None) if age >= FIRST_CHECK => ("healthy", "", "".into()),
        (true, _) => ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress".into()),
    })
}

fn description(xml: &mut Xml, address: &str, port: u16, zone: Option<&str>, found: State) {
    let (state, reason, text) = found;
    xml.inside("Target", |xml| {
        xml.text("Id", address);
        xml.text("Port", port);
        xml.maybe("AvailabilityZone", zone);
    });
    xml.text("HealthCheckPort", port);
    xml.inside("TargetHealth", |xml| {
        xml.text("State", state);
        xml.maybe("Reason", (!reason.is_empty()).then_some(reason));
        xml.maybe("Description", (!text.is_empty()).then_some(text.as_ref()));
    });
    xml.inside("AdministrativeOverride", |xml| {
        xml.text("State", "no_override");
        xml.text("Reason", "AdministrativeOverride.NoOverride");
        xml.text("Description", "No override is currently active on target");
    });
}

#[cfg(test)]
mod tests;
