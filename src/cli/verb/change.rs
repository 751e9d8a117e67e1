//! The verbs that change something: each finds its target, and hands an action to the one road.
//!
//! Must not call AWS to change anything: `cli::operate` drives the guard, which does.

use std::io::Read;

use crate::cli::census::{each_cluster, one_service};
use crate::cli::envelope::Missing;
use crate::cli::environment::Environment;
use crate::cli::exit::{Exit, Problem};
use crate::cli::gather::{Gather, Work};
use crate::cli::named::{Named, only};
use crate::cli::operate;
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::verb::End;
use crate::command::{Id, wish};
use crate::domain::action::{Action, SecretWork};
use crate::domain::alarm::AlarmId;
use crate::domain::cache::CacheId;
use crate::domain::database::DatabaseId;
use crate::domain::ecs::ServiceId;
use crate::domain::query::{Answer, Query};
use crate::domain::scope::{Arn, Scope};
use crate::domain::secret::{SecretId, SecretValue};
use crate::domain::task::TaskId;
use crate::runtime::files;

/// The longest value of a secret: AWS takes 65,536 bytes.
const LONGEST_VALUE: u64 = 65_536;

/// Performs a verb.
///
/// # Errors
/// When the target means nothing, or stdout cannot be written to.
pub async fn run(
    session: &Session,
    request: &Request,
    environment: &Environment,
    printer: &mut Printer,
) -> Result<Exit, End> {
    if request.id == Id::SecretPut {
        return put(session, request, environment, printer).await;
    }
    let mut gather = session.gather();
    let action = action(session, request, &mut gather).await?;
    operate::run(session, request, environment, printer, action, None).await
}

async fn action(session: &Session, request: &Request, gather: &mut Gather) -> Result<Action, Problem> {
    let name = request.text("NAME").unwrap_or_default();
    let number = |flag: &str| request.number(flag).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let why = || request.text("reason").unwrap_or(request.id.name()).to_owned();
    let nothing = || Problem::usage(format!("`{}` changes nothing", request.id.name()));
    Ok(match request.id {
        Id::Deploy => Action::Deploy {
            services: services(session, request, gather).await?,
            what: wish::deploy(request)?,
        },
        Id::RollBack => {
            Action::RollBack { services: services(session, request, gather).await?, to: wish::back(request)? }
        }
        Id::Watch => Action::Watch { services: services(session, request, gather).await? },
        Id::Scale => {
            let service = service(session, request, gather).await?;
            let pools = session.config.pools_of(&service.cluster, &service.name);
            Action::Scale { service, desired: number("COUNT").unwrap_or_default(), pools }
        }
        Id::Autoscaling => {
            let Some(change) = wish::scaling(request)? else {
                return Err(Problem::usage("nothing was named that would change")
                    .hint("give --min, --max, --suspend or --resume"));
            };
            Action::Bounds { service: service(session, request, gather).await?, change }
        }
        Id::Capacity => Action::OnDemand { service: service(session, request, gather).await? },
        Id::Restart => Action::Restart { service: service(session, request, gather).await?, reason: why() },
        Id::Continue => Action::Continue { service: service(session, request, gather).await? },
        Id::RunTask => Action::RunTask {
            service: service(session, request, gather).await?,
            container: request.text("container").map(ToOwned::to_owned),
            command: request.all("COMMAND").to_vec(),
        },
        Id::StopTask => {
            let task = task(session, request, gather).await?;
            let service = service_of(&task, gather).await;
            Action::StopTask { task, service, reason: why() }
        }
        Id::Rotate | Id::SecretRestore | Id::SecretUnstick => Action::Secret {
            secret: secret(session, name, gather).await?,
            work: wish::secret(request.id).ok_or_else(nothing)?,
        },
        Id::RdsReboot | Id::RdsFailover | Id::RdsSnapshot | Id::RdsGrow => {
            let database = database(session, name, gather).await?;
            let now = session.clock.now().wall;
            let work = wish::database(request.id, request, &database, number("GIB"), now);
            Action::Database { database, work: work.ok_or_else(nothing)? }
        }
        Id::CacheFailover => Action::CacheFailover {
            cache: cache(session, name, gather).await?,
            node_group: request.text("node-group").map(ToOwned::to_owned),
        },
        Id::AlarmMute | Id::AlarmEnable | Id::AlarmDisable => {
            let work = wish::alarm(request.id, request)?.ok_or_else(nothing)?;
            Action::Alarm { alarm: alarm(session, name, gather).await?, work }
        }
        _ => return Err(nothing()),
    })
}

async fn service(session: &Session, request: &Request, gather: &mut Gather) -> Result<ServiceId, Problem> {
    let name = request.text("NAME").unwrap_or_default();
    Ok(one_service(session, gather, name, request.all("cluster")).await?.id)
}

/// The services of one release, which share account and region.
pub async fn services(
    session: &Session,
    request: &Request,
    gather: &mut Gather,
) -> Result<Vec<ServiceId>, Problem> {
    let mut found: Vec<ServiceId> = Vec::new();
    for name in request.all("NAME") {
        let id = one_service(session, gather, name, request.all("cluster")).await?.id;
        if !found.contains(&id) {
            found.push(id);
        }
    }
    if let Some(other) = found.iter().find(|id| id.scope != found[0].scope) {
        return Err(Problem::usage(format!(
            "{} is in {}, {} in {}",
            found[0].name, found[0].scope, other.name, other.scope
        ))
        .hint("change one region at a time"));
    }
    Ok(found)
}

/// A task by its id, the beginning of it, or its ARN.
async fn task(session: &Session, request: &Request, gather: &mut Gather) -> Result<TaskId, Problem> {
    let text = request.text("TASK").unwrap_or_default();
    let (wanted, clusters) = match Arn::parse(text) {
        Some(arn) if arn.service == "ecs" && arn.resource.starts_with("task/") => {
            let parts: Vec<&str> = arn.resource.split('/').collect();
            let cluster = parts.get(1).filter(|_| parts.len() == 3).map(|name| (*name).to_owned());
            (Arn::last(text), cluster.into_iter().collect())
        }
        Some(_) => return Err(Problem::usage(format!("`{text}` is not the ARN of a task"))),
        None => (text, request.all("cluster").to_vec()),
    };
    if wanted.len() < 6 {
        return Err(Problem::usage(format!("`{text}` is too short for a task's id"))
            .hint("give six characters or more"));
    }
    let mut found: Vec<TaskId> = Vec::new();
    let list = |scope: &Scope, cluster: String| {
        vec![Work::Names(Query::ListTasks {
            scope: scope.clone(),
            cluster,
            service: None,
            stopped: false,
            page: None,
        })]
    };
    let take =
        |query: &Query, answer: Answer| {
            if let (Query::ListTasks { scope, cluster, .. }, Answer::Names { names, .. }) = (query, answer) {
                found.extend(
                    names.iter().map(|arn| Arn::last(arn)).filter(|id| id.starts_with(wanted)).map(|id| {
                        TaskId { scope: scope.clone(), cluster: cluster.clone(), id: id.to_owned() }
                    }),
                );
            }
            Vec::new()
        };
    each_cluster(session, gather, &clusters, list, take).await?;
    let candidates: Vec<String> =
        found.iter().map(|id| format!("{}/{}  {}", id.cluster, id.id, id.scope)).collect();
    match (found.pop(), found.len()) {
        (Some(task), 0) => Ok(task),
        (Some(_), _) => {
            Err(Problem::usage(format!("`{text}` is ambiguous: {} tasks begin so", candidates.len()))
                .details(candidates))
        }
        (None, _) => {
            let missing = gather.failures().first().map(Missing::sentence);
            let problem =
                Problem::new(Exit::NotFound, format!("no running task's id begins with `{wanted}`"));
            Err(match missing {
                Some(why) => problem.hint(format!("not everything could be read: {why}")),
                None => problem.hint("opsdeck tasks lists them"),
            })
        }
    }
}

/// The service that a task belongs to; none when it is not known, and then every rule holds.
async fn service_of(task: &TaskId, gather: &mut Gather) -> Option<String> {
    let query = Query::DescribeTasks {
        scope: task.scope.clone(),
        cluster: task.cluster.clone(),
        tasks: vec![task.id.clone()],
    };
    let mut service = None;
    gather
        .run(vec![Work::Ask(query)], |_, answer| {
            if let Answer::Tasks { found, .. } = answer {
                // A task that belongs to none has no service's rules to break.
                service = found.first().map(|task| task.service().unwrap_or_default().to_owned());
            }
            Vec::new()
        })
        .await;
    service
}

/// Something with a name and an ARN, found by one of both.
struct Found<T> {
    id: T,
    name: String,
    region: String,
    arn: String,
}

impl<T> Named for Found<T> {
    fn known_by(&self) -> (&str, &str, &str) {
        (&self.name, &self.region, &self.arn)
    }
}

/// The one that was meant, of all that these lists hold.
async fn one<T>(
    session: &Session,
    gather: &mut Gather,
    wanted: &str,
    noun: &str,
    lists: impl Fn(&Scope) -> Vec<Query>,
    read: impl Fn(&Scope, Answer) -> Vec<(T, String, String)>,
) -> Result<T, Problem> {
    let work = session.scopes.iter().flat_map(&lists).map(Work::pages).collect();
    let mut found: Vec<Found<T>> = Vec::new();
    gather
        .run(work, |query, answer| {
            let scope = query.scope();
            found.extend(read(scope, answer).into_iter().map(|(id, name, arn)| Found {
                id,
                name,
                region: scope.region.to_string(),
                arn,
            }));
            Vec::new()
        })
        .await;
    let mut left = only(found, Some(wanted), noun, session, gather)?;
    left.pop().map(|found| found.id).ok_or_else(|| {
        let why = gather.failures().first();
        let exit = why.map_or(Exit::Other, |missing| Exit::of(missing.kind));
        let said = why.map_or_else(String::new, |missing| format!(": {}", missing.sentence()));
        Problem::new(exit, format!("the {noun} `{wanted}` could not be looked up{said}"))
    })
}

async fn secret(session: &Session, wanted: &str, gather: &mut Gather) -> Result<SecretId, Problem> {
    let lists = |scope: &Scope| vec![Query::ListSecrets { scope: scope.clone(), page: None }];
    one(session, gather, wanted, "secret", lists, |_, answer| match answer {
        Answer::Secrets { found, .. } => {
            found.into_iter().map(|secret| (secret.id.clone(), secret.id.name, secret.arn)).collect()
        }
        _ => Vec::new(),
    })
    .await
}

async fn database(session: &Session, wanted: &str, gather: &mut Gather) -> Result<DatabaseId, Problem> {
    let lists = |scope: &Scope| {
        let scope = scope.clone();
        vec![
            Query::DescribeDbInstances { scope: scope.clone(), page: None },
            Query::DescribeDbClusters { scope, page: None },
        ]
    };
    one(session, gather, wanted, "database", lists, |_, answer| match answer {
        Answer::DbInstances { found, .. } => {
            found.into_iter().map(|db| (db.id.clone(), db.id.name, db.arn)).collect()
        }
        Answer::DbClusters { found, .. } => {
            found.into_iter().map(|db| (db.id.clone(), db.id.name, db.arn)).collect()
        }
        _ => Vec::new(),
    })
    .await
}

async fn cache(session: &Session, wanted: &str, gather: &mut Gather) -> Result<CacheId, Problem> {
    let lists = |scope: &Scope| vec![Query::DescribeReplicationGroups { scope: scope.clone(), page: None }];
    one(session, gather, wanted, "replication group", lists, |_, answer| match answer {
        Answer::ReplicationGroups { found, .. } => {
            found.into_iter().map(|group| (group.id.clone(), group.id.name, group.arn)).collect()
        }
        _ => Vec::new(),
    })
    .await
}

async fn alarm(session: &Session, wanted: &str, gather: &mut Gather) -> Result<AlarmId, Problem> {
    let lists = |scope: &Scope| vec![Query::DescribeAlarms { scope: scope.clone(), state: None, page: None }];
    one(session, gather, wanted, "alarm", lists, |_, answer| match answer {
        Answer::Alarms { found, .. } => {
            found.into_iter().map(|alarm| (alarm.id.clone(), alarm.id.name, alarm.arn)).collect()
        }
        _ => Vec::new(),
    })
    .await
}

/// Stores a new value, read from a file or from standard input: never from the command line, which others see.
async fn put(
    session: &Session,
    request: &Request,
    environment: &Environment,
    printer: &mut Printer,
) -> Result<Exit, End> {
    let value = match request.path("file") {
        Some(path) => SecretValue::new(files::read(&path).map_err(Problem::from)?),
        None if environment.stdin_is_terminal => {
            return Err(Problem::usage("no value was given")
                .hint("give it on standard input or with --file; the console takes it masked")
                .into());
        }
        None => {
            // Room at once: growing would leave copies behind.
            let mut text = String::with_capacity(usize::try_from(LONGEST_VALUE).unwrap_or(0) + 1);
            std::io::stdin()
                .lock()
                .take(LONGEST_VALUE + 1)
                .read_to_string(&mut text)
                .map_err(|error| Problem::usage(format!("standard input cannot be read: {error}")))?;
            SecretValue::new(text)
        }
    }
    .without_last_line_feed();
    if value.expose().is_empty() || value.expose().len() as u64 > LONGEST_VALUE {
        return Err(Problem::usage("a secret's value has at least one byte, and at most 65,536").into());
    }
    let mut gather = session.gather();
    let secret = secret(session, request.text("NAME").unwrap_or_default(), &mut gather).await?;
    let work = SecretWork::Put { keys: value.keys() };
    let action = Action::Secret { secret, work };
    operate::run(session, request, environment, printer, action, Some(value)).await
}
