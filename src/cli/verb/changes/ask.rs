//! What `changes` asks: the lists that tell when something changed, the history of services that changed lately, and
//! CloudTrail's writes.
//!
//! Must not read lists that go back for ever: each ends at the first page that is older than what is wanted, and
//! what is cut for CloudTrail's two requests a second is said.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::census::each_cluster;
use crate::cli::exit::Problem;
use crate::cli::gather::{Gather, Work};
use crate::cli::session::Session;
use crate::diagnose::change::{
    Change, ChangeKind, of_alarm_history, of_cache_events, of_database_events, of_definition, of_parameter,
    of_scaling, of_secret, of_service, of_trail,
};
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

/// Asks all scopes for changes of the wanted kinds since `from`. CloudTrail is asked in any case: it knows who.
///
/// # Errors
/// None of its own: what is missing stands in the books.
pub async fn everything(
    session: &Session,
    gather: &mut Gather,
    from: Wall,
    wanted: &impl Fn(ChangeKind) -> bool,
) -> Result<Vec<Change>, Problem> {
    let mut found: Vec<Change> = Vec::new();
    let mut pages = Pages::default();
    let start = session.scopes.iter().flat_map(|scope| lists(scope, from, wanted)).collect();
    gather
        .run(start, |query, answer| {
            let scope = query.scope();
            let next = pages.after(query, &answer, from);
            match answer {
                Answer::ScalingActivities { found: all, .. } => found.extend(of_scaling(scope, &all)),
                Answer::TrailEvents { found: all, .. } => found.extend(of_trail(scope, &all)),
                Answer::Secrets { found: all, .. } => found.extend(all.iter().flat_map(of_secret)),
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
    if wanted(ChangeKind::Deployment) || wanted(ChangeKind::Registration) {
        found.extend(deployments(session, gather, from).await?);
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
    let pages = |query: Query| Work::Sweep(Goal::Pages(Box::new(query)));
    let mut work =
        vec![Work::Ask(Query::LookupEvents { scope: scope(), source: String::new(), from, page: None })];
    if wanted(ChangeKind::Scaling) {
        let query = Query::DescribeScalingActivities { scope: scope(), resource: None, page: None };
        work.push(Work::Ask(query));
    }
    if wanted(ChangeKind::Secret) {
        work.push(pages(Query::ListSecrets { scope: scope(), page: None }));
        work.push(pages(Query::DescribeParameters { scope: scope(), page: None }));
    }
    if wanted(ChangeKind::Database) {
        work.push(pages(Query::DescribeDbEvents { scope: scope(), from, page: None }));
    }
    if wanted(ChangeKind::Cache) {
        work.push(pages(Query::DescribeCacheEvents { scope: scope(), from, page: None }));
    }
    if wanted(ChangeKind::Alarm) {
        work.push(pages(Query::DescribeAlarmHistory { scope: scope(), alarm: None, from, page: None }));
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

/// Deployments and registrations: all services are described, and those that changed lately tell their history.
async fn deployments(session: &Session, gather: &mut Gather, from: Wall) -> Result<Vec<Change>, Problem> {
    let mut services: Vec<Service> = Vec::new();
    let mut history: BTreeMap<ServiceId, Vec<ServiceDeployment>> = BTreeMap::new();
    let mut definitions: BTreeMap<(Scope, String), TaskDefinition> = BTreeMap::new();
    let goal =
        |scope: &Scope, cluster: String| vec![Work::Sweep(Goal::Services { scope: scope.clone(), cluster })];
    each_cluster(session, gather, &[], goal, |query, answer| match (query, answer) {
        (_, Answer::Services { found, .. }) => {
            let next = found.iter().filter(|service| is_young(service, from)).flat_map(about).collect();
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

/// Whether something of a service's deployments happened since then.
fn is_young(service: &Service, from: Wall) -> bool {
    let moments = service.deployments.iter().flat_map(|d| [d.created_at, d.updated_at]);
    moments.flatten().any(|at| at >= from)
}

/// What tells more of a service that changed: its history with rollbacks, and when its revisions were registered.
fn about(service: &Service) -> Vec<Work> {
    let ServiceId { scope, cluster, name } = service.id.clone();
    let revisions = service.deployments.iter().map(|d| &d.revision).filter(|r| !r.family.is_empty());
    let revisions: BTreeSet<String> = revisions.map(ToString::to_string).collect();
    let definition = |arn: String| Work::Ask(Query::DescribeTaskDefinition { scope: scope.clone(), arn });
    let mut work: Vec<Work> = revisions.into_iter().map(definition).collect();
    let history = Query::ListServiceDeployments { scope: scope.clone(), cluster, service: name, page: None };
    work.push(Work::Ask(history));
    work
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
