//! Going through clusters, and finding the one service that a NAME means.
//!
//! Must not describe what it can ask for by name: an account may have thousands of services.

use std::collections::BTreeSet;

use crate::cli::envelope::Missing;
use crate::cli::exit::{Exit, Problem};
use crate::cli::gather::{Gather, Work};
use crate::cli::name::{Name, nearest};
use crate::cli::session::Session;
use crate::domain::ecs::Service;
use crate::domain::query::{Answer, Query};
use crate::domain::scope::{Arn, Scope};

/// Does `work` for each cluster of all scopes: for those that were named, or else for all that are listed.
/// `take` gets the answers to that work.
///
/// # Errors
/// When a named cluster is in no scope.
pub async fn each_cluster(
    session: &Session,
    gather: &mut Gather,
    named: &[String],
    work: impl Fn(&Scope, String) -> Vec<Work>,
    mut take: impl FnMut(&Query, Answer) -> Vec<Work>,
) -> Result<(), Problem> {
    let start = if named.is_empty() {
        session.scopes.iter().map(list_clusters).collect()
    } else {
        let pairs = session.scopes.iter().flat_map(|scope| named.iter().map(move |name| (scope, name)));
        pairs.flat_map(|(scope, name)| work(scope, Arn::last(name).to_owned())).map(tolerant).collect()
    };
    gather
        .run(start, |query, answer| match (query, answer) {
            (Query::ListClusters { scope, .. }, Answer::Names { names, .. }) => {
                names.iter().flat_map(|arn| work(scope, Arn::last(arn).to_owned())).collect()
            }
            (_, answer) => take(query, answer),
        })
        .await;
    for cluster in named {
        absent(session, gather, Arn::last(cluster)).await?;
    }
    Ok(())
}

fn tolerant(work: Work) -> Work {
    match work {
        Work::Sweep(goal) => Work::SweepIfThere(goal),
        Work::Ask(query) => Work::Probe(query),
        other => other,
    }
}

fn list_clusters(scope: &Scope) -> Work {
    Work::Names(Query::ListClusters { scope: scope.clone(), page: None })
}

/// Says that a cluster is nowhere, when every scope said so.
async fn absent(session: &Session, gather: &mut Gather, cluster: &str) -> Result<(), Problem> {
    let missing_in: BTreeSet<&Scope> =
        gather.absent().iter().filter(|query| cluster_of(query) == Some(cluster)).map(Query::scope).collect();
    if missing_in.len() < session.scopes.len() {
        return Ok(());
    }
    let known = clusters(session, gather).await;
    let near = nearest(cluster, known.iter().map(|(_, name)| name.as_str()));
    Err(not_found(&format!("there is no cluster `{cluster}` in {}", places(session)), &near, "clusters"))
}

fn cluster_of(query: &Query) -> Option<&str> {
    match query {
        Query::ListServices { cluster, .. }
        | Query::DescribeServices { cluster, .. }
        | Query::ListTasks { cluster, .. } => Some(cluster),
        _ => None,
    }
}

/// All clusters of all scopes, by name.
async fn clusters(session: &Session, gather: &mut Gather) -> Vec<(Scope, String)> {
    let mut found = Vec::new();
    gather
        .run(session.scopes.iter().map(list_clusters).collect(), |query, answer| {
            if let Answer::Names { names, .. } = answer {
                found.extend(names.iter().map(|arn| (query.scope().clone(), Arn::last(arn).to_owned())));
            }
            Vec::new()
        })
        .await;
    found
}

/// The one service that was named, described.
///
/// # Errors
/// When there is none, when there are several, or when AWS does not let us find out.
pub async fn one_service(
    session: &Session,
    gather: &mut Gather,
    text: &str,
    named: &[String],
) -> Result<Service, Problem> {
    let name = Name::parse(text)?;
    let within: Vec<String> = name.cluster().map_or_else(|| named.to_vec(), |c| vec![c.to_owned()]);
    let mut found: Vec<Service> = Vec::new();
    let probe = |scope: &Scope, cluster: String| {
        vec![Work::Probe(Query::DescribeServices {
            scope: scope.clone(),
            cluster,
            services: vec![name.service().to_owned()],
        })]
    };
    each_cluster(session, gather, &within, probe, |_, answer| {
        if let Answer::Services { found: services, .. } = answer {
            found.extend(services);
        }
        Vec::new()
    })
    .await?;
    // ECS remembers deleted services for a while; one that lives is meant first.
    if found.iter().any(|service| service.status != "INACTIVE") {
        found.retain(|service| service.status != "INACTIVE");
    }
    match found.len() {
        1 => found.pop().ok_or_else(|| unknowable(gather, &name)),
        0 if !gather.is_complete() => Err(unknowable(gather, &name)),
        0 => Err(no_service(session, gather, &name, &within).await),
        _ => Err(ambiguous(&name, &found)),
    }
}

fn ambiguous(name: &Name, found: &[Service]) -> Problem {
    let mut candidates: Vec<String> = found
        .iter()
        .map(|s| format!("{}/{}  {}  {}", s.id.cluster, s.id.name, s.id.scope.region, s.arn))
        .collect();
    candidates.sort();
    Problem::usage(format!("`{}` is ambiguous: {} services have this name", name.service(), found.len()))
        .details(candidates)
        .hint("write CLUSTER/SERVICE with --region, or the ARN")
}

/// Neither found nor known to be absent.
fn unknowable(gather: &Gather, name: &Name) -> Problem {
    let mut reasons: Vec<String> = gather.failures().iter().map(Missing::sentence).collect();
    reasons.dedup();
    let exit = gather.failures().first().map_or(Exit::Other, |missing| Exit::of(missing.kind));
    let mut problem = match reasons.as_slice() {
        [only] => Problem::new(exit, only),
        _ => {
            let what = "was not found, and not everything could be asked";
            Problem::new(exit, format!("service `{}` {what}", name.service())).details(reasons)
        }
    };
    problem.hint = gather.failures().iter().find_map(|missing| missing.hint.clone());
    problem
}

async fn no_service(session: &Session, gather: &mut Gather, name: &Name, within: &[String]) -> Problem {
    let mut known: Vec<String> = Vec::new();
    let list = |scope: &Scope, cluster: String| {
        vec![Work::Names(Query::ListServices { scope: scope.clone(), cluster, page: None })]
    };
    // Whatever this finds is only a suggestion, so its own failures do not matter.
    let _ = each_cluster(session, gather, within, list, |query, answer| {
        if let (Query::ListServices { cluster, .. }, Answer::Names { names, .. }) = (query, answer) {
            known.extend(names.iter().map(|arn| format!("{cluster}/{}", Arn::last(arn))));
        }
        Vec::new()
    })
    .await;
    let place = match within {
        [] => places(session),
        clusters => format!("cluster {}", clusters.join(", ")),
    };
    let near = nearest(name.service(), known.iter().map(String::as_str));
    not_found(&format!("there is no service `{}` in {place}", name.service()), &near, "services")
}

fn not_found(what: &str, near: &[&str], list: &str) -> Problem {
    let problem = Problem::new(Exit::NotFound, what);
    if near.is_empty() {
        return problem.hint(format!("opsdeck {list} lists what there is"));
    }
    problem.hint(format!("did you mean {}?", near.join(", ")))
}

fn places(session: &Session) -> String {
    let regions: Vec<&str> = session.scopes.iter().map(|scope| scope.region.as_str()).collect();
    regions.join(", ")
}
