//! What `changes` asks: the lists that tell when something changed, the deployment history of services, and
//! CloudTrail's writes.
//!
//! Must not read lists that go back for ever: each ends at the first page that is older than what is wanted. What is
//! cut for CloudTrail's two requests a second, for a large fleet, or because AWS keeps no more, is said.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::cli::census::each_cluster;
use crate::cli::exit::Problem;
use crate::cli::gather::{Gather, Work};
use crate::cli::session::Session;
use crate::diagnose::change::{
    Change, ChangeKind, of_alarm_history, of_cache_events, of_database_events, of_definition, of_parameter,
    of_scaling, of_secret, of_service, of_trail,
};
use crate::domain::database::EVENTS_KEPT;
use crate::domain::ecs::{Service, ServiceDeployment, ServiceId};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Scope;
use crate::domain::sweep::{DEPLOYMENTS_PER_CALL, Goal};
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Wall;
use crate::stdx::text::count;

/// Pages of CloudTrail's writes that are read of a scope: its quota gives us one request a second.
const TRAIL_PAGES: usize = 10;
/// Events on a page of it.
const TRAIL_PAGE: usize = 50;

/// Services of a scope whose history is read though their own list shows no deployment of the time: one request each.
const QUIET: usize = 200;

const DAY: u64 = 24 * 3_600;

/// How far back AWS tells, and what kind of change it is that it tells; CloudTrail tells of all.
const KEPT: [(&str, &str, Duration, Option<ChangeKind>); 6] = [
    ("rds:DescribeEvents", "RDS keeps events", EVENTS_KEPT, Some(ChangeKind::Database)),
    ("elasticache:DescribeEvents", "ElastiCache keeps events", EVENTS_KEPT, Some(ChangeKind::Cache)),
    (
        "cloudwatch:DescribeAlarmHistory",
        "CloudWatch keeps the history of alarms",
        Duration::from_secs(30 * DAY),
        Some(ChangeKind::Alarm),
    ),
    (
        "application-autoscaling:DescribeScalingActivities",
        "Application Auto Scaling keeps activities",
        Duration::from_secs(42 * DAY),
        Some(ChangeKind::Scaling),
    ),
    (
        "ecs:ListServiceDeployments",
        "ECS keeps deployments",
        Duration::from_secs(90 * DAY),
        Some(ChangeKind::Deployment),
    ),
    ("cloudtrail:LookupEvents", "CloudTrail tells of writes", Duration::from_secs(90 * DAY), None),
];

/// What of a time AWS does not keep.
fn forgotten(since: Duration, wanted: &impl Fn(ChangeKind) -> bool) -> Vec<Fault> {
    let short = KEPT.iter().filter(|(_, _, kept, kind)| since > *kept && kind.is_none_or(wanted));
    short
        .map(|(action, who, kept, _)| {
            let message = format!("{who} for {} days: what is older is missing", kept.as_secs() / DAY);
            Fault::new(FaultKind::Unsupported, message)
                .action(*action)
                .hint("--since 14d asks for no more than all of AWS keeps")
        })
        .collect()
}

/// What is wanted.
pub struct Wanted<'a> {
    /// How far back.
    pub since: Duration,
    /// Of these kinds; all when empty.
    pub kinds: &'a [ChangeKind],
    /// Only of what has this in its name, in small letters.
    pub about: Option<&'a str>,
}

impl Wanted<'_> {
    /// Whether a kind is wanted.
    pub fn has(&self, kind: ChangeKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// Whether something of this name is wanted; services are named with their cluster.
    pub fn names(&self, cluster: Option<&str>, name: &str) -> bool {
        let whole = || format!("{}/{name}", cluster.unwrap_or_default()).to_lowercase();
        self.about.is_none_or(|about| whole().contains(about))
    }
}

/// Asks all scopes for what is wanted. CloudTrail is asked in any case: it knows who.
///
/// # Errors
/// None of its own: what is missing stands in the books.
pub async fn everything(
    session: &Session,
    gather: &mut Gather,
    wanted: &Wanted<'_>,
) -> Result<Vec<Change>, Problem> {
    let from = gather.begun().wall.minus(wanted.since);
    let kinds = |kind| wanted.has(kind);
    let mut found: Vec<Change> = Vec::new();
    let mut pages = Pages::default();
    let now = gather.begun().wall;
    let start = session.scopes.iter().flat_map(|scope| lists(scope, from, &kinds)).collect();
    gather
        .run(start, |query, answer| {
            let scope = query.scope();
            let next = pages.after(query, &answer, from);
            match answer {
                Answer::ScalingActivities { found: all, .. } => found.extend(of_scaling(scope, &all)),
                Answer::TrailEvents { found: all, .. } => found.extend(of_trail(scope, &all)),
                Answer::Secrets { found: all, .. } => {
                    found.extend(all.iter().flat_map(|s| of_secret(s, now)));
                }
                Answer::Parameters { found: all, .. } => found.extend(all.iter().filter_map(of_parameter)),
                Answer::DataEvents { found: all, .. } => match query {
                    Query::DescribeCacheEvents { .. } => found.extend(of_cache_events(scope, &all)),
                    _ => found.extend(of_database_events(scope, &all)),
                },
                Answer::AlarmHistory { items, .. } => found.extend(of_alarm_history(scope, &items)),
                _ => {}
            }
            next
        })
        .await;
    if kinds(ChangeKind::Deployment) || kinds(ChangeKind::Registration) {
        found.extend(deployments(session, gather, from, wanted).await?);
    }
    for (scope, fault) in session
        .scopes
        .iter()
        .flat_map(|scope| forgotten(wanted.since, &kinds).into_iter().map(move |fault| (scope, fault)))
    {
        gather.missing(scope, &fault);
    }
    for scope in pages.cut {
        let message = format!(
            "only the newest {} were read: older writes are left out",
            count(TRAIL_PAGES * TRAIL_PAGE, "write")
        );
        let fault = Fault::new(FaultKind::Throttled, message).action("cloudtrail:LookupEvents");
        gather.missing(&scope, &fault.hint("--since with a shorter time reads all of it"));
    }
    Ok(found)
}

/// The lists of a scope, but for services, which are found through clusters.
fn lists(scope: &Scope, from: Wall, wanted: &impl Fn(ChangeKind) -> bool) -> Vec<Work> {
    let scope = || scope.clone();
    let mut work =
        vec![Work::Ask(Query::LookupEvents { scope: scope(), source: String::new(), from, page: None })];
    if wanted(ChangeKind::Scaling) {
        let query = Query::DescribeScalingActivities { scope: scope(), resource: None, page: None };
        work.push(Work::Ask(query));
    }
    if wanted(ChangeKind::Secret) {
        work.push(Work::pages(Query::ListSecrets { scope: scope(), page: None }));
        work.push(Work::pages(Query::DescribeParameters { scope: scope(), page: None }));
    }
    if wanted(ChangeKind::Database) {
        work.push(Work::pages(Query::DescribeDbEvents { scope: scope(), from, page: None }));
    }
    if wanted(ChangeKind::Cache) {
        work.push(Work::pages(Query::DescribeCacheEvents { scope: scope(), from, page: None }));
    }
    if wanted(ChangeKind::Alarm) {
        work.push(Work::pages(Query::DescribeAlarmHistory { scope: scope(), alarm: None, from, page: None }));
    }
    work
}

/// What is read of lists that would go back for ever.
#[derive(Default)]
struct Pages {
    trail: BTreeMap<Scope, usize>,
    /// Scopes whose writes were not read to the end.
    cut: Vec<Scope>,
}

impl Pages {
    /// The page after an answer, if it is wanted.
    fn after(&mut self, query: &Query, answer: &Answer, from: Wall) -> Vec<Work> {
        let Some(token) = answer.next() else { return Vec::new() };
        let go_on = match (query, answer) {
            (Query::LookupEvents { scope, .. }, _) => {
                let read = self.trail.entry(scope.clone()).or_default();
                *read += 1;
                if *read == TRAIL_PAGES {
                    self.cut.push(scope.clone());
                }
                *read < TRAIL_PAGES
            }
            // Newest first: the rest is older than the last one.
            (_, Answer::ScalingActivities { found, .. }) => {
                found.last().is_some_and(|last| last.started_at.is_some_and(|at| at >= from))
            }
            // The others are swept to their end by themselves.
            _ => false,
        };
        query.turned_to(token.clone()).filter(|_| go_on).map(Work::Ask).into_iter().collect()
    }
}

/// Deployments and registrations: all services are described and tell their history, first of all those whose own
/// list shows that something happened.
async fn deployments(
    session: &Session,
    gather: &mut Gather,
    from: Wall,
    wanted: &Wanted<'_>,
) -> Result<Vec<Change>, Problem> {
    let mut quiet = Quiet::default();
    let mut services: Vec<Service> = Vec::new();
    let mut history: BTreeMap<ServiceId, Vec<ServiceDeployment>> = BTreeMap::new();
    let mut definitions: BTreeMap<(Scope, String), TaskDefinition> = BTreeMap::new();
    let goal =
        |scope: &Scope, cluster: String| vec![Work::Sweep(Goal::Services { scope: scope.clone(), cluster })];
    each_cluster(session, gather, &[], goal, |query, answer| match (query, answer) {
        (_, Answer::Services { found, .. }) => {
            let (young, calm): (Vec<_>, Vec<_>) = found.iter().partition(|service| is_young(service, from));
            let mut next: Vec<Work> = young.into_iter().flat_map(about).collect();
            // A deployment that was stopped before it replaced anything stands in the history alone.
            let lists = |s: &&&Service| {
                wanted.has(ChangeKind::Deployment) && wanted.names(Some(&s.id.cluster), &s.id.name)
            };
            let read = calm.iter().filter(lists).filter(|service| quiet.takes(&service.id.scope));
            next.extend(read.map(|service| history_of(service)));
            services.extend(found);
            next
        }
        (Query::ListServiceDeployments { scope, cluster, service, .. }, answer) => {
            let Answer::Deployments { found, next, .. } = answer else { return Vec::new() };
            let id = ServiceId { scope: scope.clone(), cluster: cluster.clone(), name: service.clone() };
            // Newest first: the rest is older than the last one.
            let young = |deployment: &&ServiceDeployment| {
                deployment.created_at.max(deployment.finished_at).is_some_and(|at| at >= from)
            };
            let arns: Vec<String> = found.iter().filter(young).map(|d| d.arn.clone()).collect();
            let all_young = arns.len() == found.len();
            history.entry(id).or_default().extend(found);
            // The list does not say why one was rolled back.
            let describe = |arns: &[String]| {
                Work::Ask(Query::DescribeServiceDeployments { scope: scope.clone(), arns: arns.to_vec() })
            };
            let mut work: Vec<Work> = arns.chunks(DEPLOYMENTS_PER_CALL).map(describe).collect();
            let page = next.filter(|_| all_young).and_then(|token| query.turned_to(token));
            work.extend(page.map(Work::Ask));
            work
        }
        (Query::DescribeServiceDeployments { .. }, Answer::Deployments { found, .. }) => {
            for fresh in found {
                let known = history.values_mut().flatten().find(|known| known.arn == fresh.arn);
                if let Some(known) = known {
                    *known = fresh;
                }
            }
            Vec::new()
        }
        (Query::DescribeTaskDefinition { scope, arn }, Answer::TaskDefinition(found)) => {
            definitions.insert((scope.clone(), arn.clone()), *found);
            Vec::new()
        }
        _ => Vec::new(),
    })
    .await?;
    for (scope, left_out) in quiet.left_out() {
        let message = format!(
            "the history of {} was not read: their own lists show no deployment of this time",
            count(left_out, "further service")
        );
        let fault = Fault::new(FaultKind::Throttled, message).action("ecs:ListServiceDeployments");
        gather.missing(&scope, &fault.hint("--about NAME reads the history of what it names"));
    }
    let mut told = Vec::new();
    let mut registered = BTreeSet::new();
    for service in &services {
        let past = history.get(&service.id).map(Vec::as_slice).unwrap_or_default();
        told.extend(of_service(service, past));
        for deployment in &service.deployments {
            let key = (service.id.scope.clone(), deployment.revision.to_string());
            if let Some(definition) = definitions.get(&key)
                && registered.insert(key)
            {
                told.extend(of_definition(&service.id, definition));
            }
        }
    }
    Ok(told)
}

/// How many services were calm, by scope.
#[derive(Default)]
struct Quiet(BTreeMap<Scope, usize>);

impl Quiet {
    /// Counts one, and says whether its history is read all the same.
    fn takes(&mut self, scope: &Scope) -> bool {
        let count = self.0.entry(scope.clone()).or_default();
        *count += 1;
        *count <= QUIET
    }

    fn left_out(self) -> Vec<(Scope, usize)> {
        let more = self.0.into_iter().map(|(scope, count)| (scope, count.saturating_sub(QUIET)));
        more.filter(|(_, count)| *count > 0).collect()
    }
}

/// Whether something of a service's deployments happened since then.
fn is_young(service: &Service, from: Wall) -> bool {
    let moments = service.deployments.iter().flat_map(|d| [d.created_at, d.updated_at]);
    moments.flatten().any(|at| at >= from)
}

/// What tells more of a service that changed: its history with rollbacks, and when its revisions were registered.
fn about(service: &Service) -> Vec<Work> {
    let scope = &service.id.scope;
    let revisions = service.deployments.iter().map(|d| &d.revision).filter(|r| !r.family.is_empty());
    let revisions: BTreeSet<String> = revisions.map(ToString::to_string).collect();
    let definition = |arn: String| Work::Ask(Query::DescribeTaskDefinition { scope: scope.clone(), arn });
    let mut work: Vec<Work> = revisions.into_iter().map(definition).collect();
    work.push(history_of(service));
    work
}

fn history_of(service: &Service) -> Work {
    let ServiceId { scope, cluster, name } = service.id.clone();
    Work::Ask(Query::ListServiceDeployments { scope, cluster, service: name, page: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::query::PageToken;
    use crate::domain::scaling::ScalingActivity;

    fn scope() -> Scope {
        Scope::new("default", "eu-west-2")
    }

    fn activity(at: i64) -> ScalingActivity {
        ScalingActivity {
            id: "a".into(),
            resource: "service/c/s".into(),
            description: String::new(),
            cause: String::new(),
            status: "Successful".into(),
            message: None,
            started_at: Some(Wall(at)),
            ended_at: None,
        }
    }

    #[test]
    fn writes_are_read_up_to_a_limit_and_the_cut_is_known() {
        let mut pages = Pages::default();
        let mut query =
            Query::LookupEvents { scope: scope(), source: String::new(), from: Wall(0), page: None };
        let mut asked = 1;
        loop {
            let next = Some(PageToken(format!("p{asked}")));
            let answer = Answer::TrailEvents { found: Vec::new(), next };
            match pages.after(&query, &answer, Wall(0)).pop() {
                Some(Work::Ask(turned)) => query = turned,
                Some(other) => panic!("{other:?}"),
                None => break,
            }
            asked += 1;
        }
        assert_eq!((asked, pages.cut.as_slice()), (TRAIL_PAGES, &[scope()][..]));
        let last = Answer::TrailEvents { found: Vec::new(), next: None };
        let mut pages = Pages::default();
        assert!(pages.after(&query, &last, Wall(0)).is_empty() && pages.cut.is_empty());
    }

    #[test]
    fn what_aws_does_not_keep_is_known_for_what_is_wanted() {
        let told = |days: u64, wanted: fn(ChangeKind) -> bool| -> Vec<Option<String>> {
            forgotten(Duration::from_secs(days * DAY), &wanted).into_iter().map(|f| f.action).collect()
        };
        assert!(told(14, |_| true).is_empty());
        let events = ["rds:DescribeEvents", "elasticache:DescribeEvents"];
        assert_eq!(told(15, |_| true), events.map(|action| Some(action.to_owned())));
        assert_eq!(told(15, |kind| kind == ChangeKind::Cache), [Some(events[1].to_owned())]);
        assert!(told(15, |kind| kind == ChangeKind::Secret).is_empty());
        assert_eq!(told(91, |_| true).len(), KEPT.len());
    }

    #[test]
    fn of_calm_services_only_so_many_are_read_and_the_rest_is_counted() {
        let mut quiet = Quiet::default();
        let taken = (0..QUIET + 3).filter(|_| quiet.takes(&scope())).count();
        assert!(quiet.takes(&Scope::new("default", "us-east-1")));
        assert_eq!((taken, quiet.left_out()), (QUIET, vec![(scope(), 3)]));
    }

    #[test]
    fn scaling_is_read_while_it_is_young() {
        let mut pages = Pages::default();
        let query = Query::DescribeScalingActivities { scope: scope(), resource: None, page: None };
        let answer = |at: i64| Answer::ScalingActivities {
            found: vec![activity(9_000), activity(at)],
            next: Some(PageToken("p".into())),
        };
        assert_eq!(pages.after(&query, &answer(5_000), Wall(4_000)).len(), 1);
        assert!(pages.after(&query, &answer(3_000), Wall(4_000)).is_empty());
    }

    #[test]
    fn only_what_is_wanted_is_asked_but_cloudtrail_in_any_case() {
        let actions = |wanted: fn(ChangeKind) -> bool| -> Vec<&'static str> {
            let work = lists(&scope(), Wall(0), &wanted);
            work.iter()
                .map(|work| match work {
                    Work::Ask(query) => query.action(),
                    Work::Sweep(Goal::Pages(query)) => query.action(),
                    other => panic!("{other:?}"),
                })
                .collect()
        };
        assert_eq!(
            actions(|kind| kind == ChangeKind::Database),
            ["cloudtrail:LookupEvents", "rds:DescribeEvents"]
        );
        assert_eq!(actions(|_| true).len(), 7);
    }
}
