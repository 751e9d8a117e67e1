//! A follower against a model of ECS and CloudWatch Logs that flushes late, throttles, skews and pages oddly.

use std::collections::BTreeMap;

use super::*;
use crate::domain::ecs::{DeploymentConfiguration, ServiceId};
use crate::domain::fault::Failure;
use crate::domain::query::LogQuery;
use crate::domain::query::{PageToken, Streams};
use crate::domain::scope::Scope;
use crate::domain::task::{Task, TaskId};
use crate::domain::task_definition::{ContainerDefinition, LogConfiguration, TaskDefinition};
use crate::logs::parse::Fields;
use crate::logs::store::Store;
use proptest::prelude::*;

const START: i64 = 1_800_000_000_000;

fn scope() -> Scope {
    Scope::new("default", "eu-west-2")
}

fn service_id() -> ServiceId {
    ServiceId { scope: scope(), cluster: "prod".into(), name: "web".into() }
}

/// What an endpoint makes of newest-first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum NewestFirst {
    Works,
    Refused,
    Ignored,
}

#[derive(Clone, Debug)]
struct Habits {
    newest_first: NewestFirst,
    page: usize,
    empty_pages: u32,
    throttled: u32,
    /// Everything is throttled in this stretch of milliseconds after the start.
    burst: (i64, i64),
    /// How far the client's clock is ahead.
    skew: i64,
    no_ids: bool,
    drops_overflow: bool,
    latency: u64,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            newest_first: NewestFirst::Works,
            page: 10_000,
            empty_pages: 0,
            throttled: 0,
            burst: (0, 0),
            skew: 0,
            no_ids: false,
            drops_overflow: false,
            latency: 80,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Truth {
    at: i64,
    visible: i64,
    number: usize,
    group: String,
    stream: String,
    message: String,
}

/// ECS and CloudWatch Logs.
struct Model {
    habits: Habits,
    random: fastrand::Rng,
    events: Vec<Truth>,
    /// Task id to owner: a service's name, or none when ECS has forgotten it.
    tasks: BTreeMap<String, Option<String>>,
    containers: Vec<(String, Option<String>)>,
    group: String,
    revision: u32,
    calls: BTreeMap<&'static str, usize>,
}

impl Model {
    fn new(habits: Habits, seed: u64) -> Self {
        Self {
            habits,
            random: fastrand::Rng::with_seed(seed),
            events: Vec::new(),
            tasks: BTreeMap::new(),
            containers: vec![("app".into(), Some("ecs".into()))],
            group: "/ecs/web".into(),
            revision: 1,
            calls: BTreeMap::new(),
        }
    }

    /// Lines of a task between two seconds of server time: flushed every 5 s in the task's own phase, a few late.
    fn write(
        &mut self,
        task: &str,
        container: &str,
        seconds: std::ops::Range<i64>,
        per_second: usize,
        late: u32,
    ) {
        let phase = self.random.i64(0..5_000);
        for second in seconds {
            for _ in 0..per_second {
                let at = START + second * 1_000 + self.random.i64(0..1_000);
                let mut visible = at + 5_000 - (at + phase).rem_euclid(5_000);
                if self.random.u32(0..100) < late {
                    visible = visible.max(at + self.random.i64(5_000..29_000));
                }
                let copies = if self.random.u32(0..20) == 0 { 2 } else { 1 };
                let message = format!("line {}", self.events.len());
                for _ in 0..copies {
                    self.events.push(Truth {
                        at,
                        visible,
                        number: self.events.len(),
                        group: self.group.clone(),
                        stream: format!("ecs/{container}/{task}"),
                        message: message.clone(),
                    });
                }
            }
        }
    }

    fn answer(&mut self, query: &Query, now: Wall) -> Result<Answer, Box<Fault>> {
        *self.calls.entry(query.action()).or_default() += 1;
        let server = now.0 - self.habits.skew;
        let since_start = server - START;
        let in_burst = since_start >= self.habits.burst.0 && since_start < self.habits.burst.1;
        if in_burst || self.random.u32(0..100) < self.habits.throttled {
            return Err(Box::new(Fault::new(FaultKind::Throttled, "Rate exceeded")));
        }
        match query {
            Query::DescribeServices { .. } => {
                Ok(Answer::Services { found: vec![service(self.revision)], failures: vec![] })
            }
            Query::DescribeTaskDefinition { .. } => Ok(Answer::TaskDefinition(Box::new(self.definition()))),
            Query::ListTasks { stopped, .. } => {
                let ours = self.tasks.iter().filter(|(_, owner)| owner.as_deref() == Some("web"));
                let names = ours.map(|(id, _)| format!("arn:aws:ecs:r:1:task/prod/{id}")).collect();
                Ok(Answer::Names { names: if *stopped { vec![] } else { names }, next: None })
            }
            Query::DescribeTasks { tasks, .. } => {
                let mut found = Vec::new();
                let mut failures = Vec::new();
                for id in tasks {
                    match self.tasks.get(id).cloned().flatten() {
                        Some(owner) => found.push(task(id, &owner)),
                        None => failures.push(Failure {
                            arn: format!("arn:aws:ecs:r:1:task/prod/{id}"),
                            reason: "MISSING".into(),
                            detail: None,
                        }),
                    }
                }
                Ok(Answer::Tasks { found, failures })
            }
            Query::FilterLogEvents(query) => self.filter(query, server),
            other => panic!("unexpected {other:?}"),
        }
    }

    fn filter(&mut self, query: &LogQuery, server: i64) -> Result<Answer, Box<Fault>> {
        if query.newest_first && self.habits.newest_first == NewestFirst::Refused {
            return Err(Box::new(Fault::new(FaultKind::Invalid, "startFromHead is not known")));
        }
        let backwards = query.newest_first && self.habits.newest_first == NewestFirst::Works;
        let in_streams = |stream: &str| match &query.streams {
            Streams::All => true,
            Streams::Prefix(prefix) => stream.starts_with(prefix.as_str()),
            Streams::Named(names) => names.iter().any(|name| name == stream),
        };
        let mut found: Vec<&Truth> = self
            .events
            .iter()
            .filter(|e| e.visible <= server && e.group == query.group && in_streams(&e.stream))
            .filter(|e| {
                query.from.is_none_or(|from| e.at >= from.0) && query.to.is_none_or(|to| e.at <= to.0)
            })
            .collect();
        if backwards {
            found.reverse();
        }
        // A token is the place of the last event of the page before: what becomes visible behind it is missed.
        if let Some(token) = &query.page {
            let mut parts = token.0.split(',').map(|n| n.parse::<i64>().unwrap());
            let place = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
            found.retain(|e| {
                let own = (e.at, e.visible, i64::try_from(e.number).unwrap());
                if backwards { own < place } else { own > place }
            });
            if place.0 != i64::MAX && self.random.u32(0..100) < self.habits.empty_pages {
                return Ok(Answer::LogEvents {
                    events: vec![],
                    next: query.page.clone().map(|t| PageToken(format!("{},{}", t.0, self.random.u32(..)))),
                });
            }
        }
        let size = self.habits.page.min(query.limit.unwrap() as usize);
        let more = found.len() > size && !self.habits.drops_overflow;
        let page: Vec<&Truth> = found.into_iter().take(size).collect();
        let next =
            page.last().filter(|_| more).map(|e| PageToken(format!("{},{},{}", e.at, e.visible, e.number)));
        let event = |e: &&Truth| LogEvent {
            id: (!self.habits.no_ids).then(|| format!("{:056}", e.number)),
            stream: e.stream.clone(),
            at: Wall(e.at),
            ingested_at: Some(Wall(e.visible)),
            message: e.message.clone(),
        };
        Ok(Answer::LogEvents { events: page.iter().map(event).collect(), next })
    }

    fn definition(&self) -> TaskDefinition {
        let container = |(name, prefix): &(String, Option<String>)| {
            let mut options = vec![("awslogs-group".to_owned(), self.group.clone())];
            options.extend(prefix.clone().map(|p| ("awslogs-stream-prefix".to_owned(), p)));
            ContainerDefinition {
                name: name.clone(),
                image: "i".into(),
                cpu: 0,
                memory: None,
                memory_reservation: None,
                essential: true,
                ports: vec![],
                entry_point: vec![],
                command: vec![],
                environment: vec![],
                secrets: vec![],
                user: None,
                read_only_root: false,
                privileged: false,
                health_check: None,
                log: Some(LogConfiguration { driver: "awslogs".into(), options, secrets: vec![] }),
                depends_on: vec![],
                stop_timeout_s: None,
                ulimits: vec![],
                resolves_anew: false,
                registry_credentials: None,
                labels: vec![],
            }
        };
        TaskDefinition {
            arn: format!("arn:aws:ecs:r:1:task-definition/web:{}", self.revision),
            revision: Revision { family: "web".into(), number: self.revision },
            status: "ACTIVE".into(),
            cpu: None,
            memory: None,
            network_mode: None,
            task_role_arn: None,
            execution_role_arn: None,
            containers: self.containers.iter().map(container).collect(),
            volumes: vec![],
            cpu_architecture: None,
            operating_system: None,
            requires: vec![],
            registered_at: None,
            registered_by: None,
            tags: vec![],
        }
    }

    /// The numbers of events of a stream's beginning, from a time on.
    fn expected(&self, from: i64, stream: &str) -> Vec<usize> {
        self.events
            .iter()
            .filter(|e| e.at >= from && e.stream.starts_with(stream))
            .map(|e| e.number)
            .collect()
    }
}

fn service(revision: u32) -> Service {
    Service {
        id: service_id(),
        arn: "arn:aws:ecs:r:1:service/prod/web".into(),
        status: "ACTIVE".into(),
        desired: 1,
        running: 1,
        pending: 0,
        launch_type: None,
        capacity: vec![],
        platform_version: None,
        task_definition_arn: format!("arn:aws:ecs:r:1:task-definition/web:{revision}"),
        revision: Revision { family: "web".into(), number: revision },
        controller: None,
        deployment_configuration: DeploymentConfiguration::default(),
        deployments: vec![],
        events: vec![],
        load_balancers: vec![],
        subnets: vec![],
        security_groups: vec![],
        public_ip: None,
        health_check_grace_s: None,
        exec_enabled: false,
        scheduling: None,
        current_service_deployment: None,
        current_service_revisions: vec![],
        created_at: None,
        created_by: None,
        tags: vec![],
    }
}

fn task(id: &str, owner: &str) -> Task {
    let container = |name: &str| crate::domain::task::Container {
        name: name.into(),
        image: "i".into(),
        image_digest: None,
        runtime_id: Some(format!("{id}-{name}")),
        last_status: "RUNNING".into(),
        exit_code: None,
        reason: None,
        health: None,
        private_ip: None,
        exec_agent: None,
    };
    Task {
        id: TaskId { scope: scope(), cluster: "prod".into(), id: id.into() },
        arn: format!("arn:aws:ecs:r:1:task/prod/{id}"),
        group: Some(format!("service:{owner}")),
        last_status: "RUNNING".into(),
        desired_status: "RUNNING".into(),
        health: None,
        revision: Revision { family: "web".into(), number: 1 },
        task_definition_arn: "web:1".into(),
        started_by: Some(if id == "c3" { "ecs-svc/2" } else { "ecs-svc/1" }.into()),
        containers: vec![container("app"), container("nginx")],
        cpu: None,
        memory: None,
        launch_type: None,
        capacity_provider: None,
        zone: None,
        exec_enabled: false,
        version: 1,
        created_at: None,
        pull_started_at: None,
        pull_stopped_at: None,
        started_at: None,
        stopping_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        tags: vec![],
    }
}

fn options(newest_first: Option<usize>) -> Options {
    Options {
        since: Wall(START - 300_000),
        newest_first,
        follow: true,
        pattern: None,
        containers: vec![],
        tasks: vec![],
    }
}

/// Drives a follower in virtual time.
struct Run {
    model: Model,
    follow: Follow,
    now: Moment,
    flying: Vec<(Duration, RequestId, Query)>,
    lines: Vec<Line>,
    states: Vec<FollowState>,
    store: Store,
}

impl Run {
    /// `at` is seconds of server time after the start.
    fn new(mut model: Model, subject: LogSubject, options: Options, at: i64) -> Self {
        model.events.sort();
        let wall = Wall(START + at * 1_000 + model.habits.skew);
        let now = Moment { wall, mono: Duration::from_secs(7) };
        let follow = Follow::new(subject, options, now);
        let store = Store::new(256 << 20, Fields::default());
        Self { model, follow, now, flying: Vec::new(), lines: Vec::new(), states: Vec::new(), store }
    }

    fn service(model: Model, options: Options, at: i64) -> Self {
        Self::new(model, LogSubject::Service(service_id()), options, at)
    }

    fn launch(&mut self) {
        for (id, query) in self.follow.next(self.now) {
            let wait = self.model.random.u64(1..=self.model.habits.latency.max(1));
            self.flying.push((self.now.mono + Duration::from_millis(wait), id, query));
        }
    }

    fn run(&mut self, seconds: u64) {
        let end = self.now.mono + Duration::from_secs(seconds);
        loop {
            self.launch();
            self.states.push(self.follow.state(self.now));
            let answer = self.flying.iter().map(|(at, ..)| *at).min();
            let wake = self.follow.wake_at().map(|moment| moment.mono);
            let Some(next) = answer.into_iter().chain(wake).min().filter(|at| *at <= end) else { break };
            self.advance_to(next);
            let (done, left): (Vec<_>, Vec<_>) =
                std::mem::take(&mut self.flying).into_iter().partition(|(at, ..)| *at <= next);
            self.flying = left;
            for (_, id, query) in done {
                let outcome = self.model.answer(&query, self.now.wall).map_err(|fault| *fault);
                for batch in self.follow.absorb(id, outcome, self.now) {
                    self.store.insert(&batch);
                    self.lines.extend(batch.lines);
                }
            }
        }
        self.advance_to(end);
    }

    fn advance_to(&mut self, mono: Duration) {
        self.now = self.now.plus(mono.saturating_sub(self.now.mono));
    }

    /// Asks for older lines until all since `from` is here.
    fn scroll_back_to(&mut self, from: i64) {
        for _ in 0..400 {
            if self.follow.complete_since().is_some_and(|since| since.0 <= from) {
                return;
            }
            self.follow.older();
            self.run(40);
        }
        panic!("never complete: {:?} {:?}", self.follow.complete_since(), self.follow.state(self.now));
    }

    fn numbers(&self) -> Vec<usize> {
        self.lines.iter().map(|l| l.event_id.as_ref().unwrap().parse().unwrap()).collect()
    }

    fn calls(&self, action: &str) -> usize {
        self.model.calls.get(action).copied().unwrap_or(0)
    }
}

fn assert_each_once(got: Vec<usize>, expected: &[usize]) {
    let mut counts: BTreeMap<usize, i32> = BTreeMap::new();
    for number in got {
        *counts.entry(number).or_default() += 1;
    }
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "more than once: {twice:?}");
    let lost: Vec<_> = expected.iter().filter(|number| !counts.contains_key(number)).collect();
    assert!(lost.is_empty(), "lost {} of {}: {:?}", lost.len(), expected.len(), &lost[..lost.len().min(9)]);
}

/// Two tasks of the service with a history, a third that joins, one that has ended, and a stranger beside.
fn busy(habits: Habits, seed: u64) -> Model {
    let mut model = Model::new(habits, seed);
    for id in ["a1", "b2", "c3"] {
        model.tasks.insert(id.into(), Some("web".into()));
    }
    model.tasks.insert("x9".into(), Some("other".into()));
    model.write("a1", "app", -400..120, 4, 3);
    model.write("b2", "app", -400..70, 3, 3);
    model.write("c3", "app", 60..120, 5, 3);
    model.write("x9", "app", -100..120, 2, 0);
    model
}

#[test]
fn a_screenful_comes_with_the_first_page_and_everything_else_follows() {
    let mut run = Run::service(busy(Habits::default(), 1), options(Some(200)), 0);
    run.run(1);
    assert!(run.calls("logs:FilterLogEvents") <= 2, "one back, one live");
    assert!(run.lines.len() >= 150, "{}", run.lines.len());
    run.run(170);
    // The quota is everybody's: about half a request a second.
    assert!(run.calls("logs:FilterLogEvents") < 95, "{:?}", run.model.calls);
    run.scroll_back_to(START - 300_000);
    let ours: Vec<usize> = ["a1", "b2", "c3"]
        .iter()
        .flat_map(|task| run.model.expected(START - 300_000, &format!("ecs/app/{task}")))
        .collect();
    assert_each_once(run.numbers(), &ours);
    assert!(run.lines.iter().all(|line| line.origin.task != "x9"), "a stranger's lines");
    assert_eq!(run.follow.state(run.now), FollowState::Live);
    let order: Vec<Wall> = run.store.iter().map(|record| record.id.at).collect();
    assert!(order.is_sorted());
    let channel = &run.follow.channels[0];
    assert!(channel.remembered() < 2_000, "{}", channel.remembered());
}

#[test]
fn lines_of_one_stream_and_millisecond_keep_their_order_across_newest_first_pages() {
    let mut model = Model::new(Habits { page: 7, ..Habits::default() }, 3);
    model.tasks.insert("a1".into(), Some("web".into()));
    for number in 0..40 {
        model.events.push(Truth {
            at: START - 60_000,
            visible: START - 58_000,
            number,
            group: "/ecs/web".into(),
            stream: "ecs/app/a1".into(),
            message: format!("{number:02}"),
        });
    }
    let mut run = Run::service(model, options(Some(100)), 0);
    run.run(20);
    let shown: Vec<String> = run.store.iter().map(|record| record.message.to_owned()).collect();
    assert!(shown.is_sorted() && shown.len() == 40, "{shown:?}");
}

#[test]
fn a_burst_of_throttling_is_said_and_nothing_is_lost() {
    let habits = Habits { burst: (20_000, 80_000), ..Habits::default() };
    let mut run = Run::service(busy(habits, 5), options(None), 0);
    run.run(170);
    let throttled = run.states.iter().any(
        |state| matches!(state, FollowState::Throttled { behind, .. } if *behind > Duration::from_secs(30)),
    );
    assert!(throttled, "{:?}", run.states.last());
    assert_eq!(run.follow.state(run.now), FollowState::Live);
    assert_each_once(run.numbers(), &run.model.expected(START - 300_000, "ecs/app/a1"));
}

#[test]
fn a_long_pause_is_read_as_a_gap_while_live_goes_on() {
    let mut model = busy(Habits::default(), 6);
    model.write("a1", "app", 120..2_000, 1, 0);
    let mut run = Run::service(model, options(None), 0);
    run.run(30);
    run.follow.pause();
    assert_eq!(run.follow.wake_at(), None);
    run.run(1_500);
    let before = run.lines.len();
    run.follow.resume();
    run.run(1);
    assert!(run.lines.len() > before);
    assert!(run.states.iter().any(|state| matches!(state, FollowState::Gap(_))), "{:?}", run.states.last());
    run.run(600);
    assert_each_once(run.numbers(), &run.model.expected(START - 300_000, "ecs/app/a1"));
    assert_eq!(run.follow.state(run.now), FollowState::Live);
}

#[test]
fn a_new_revision_that_logs_elsewhere_joins() {
    let mut model = busy(Habits::default(), 7);
    model.tasks.insert("d4".into(), Some("web".into()));
    model.group = "/ecs/web-2".into();
    model.write("d4", "app", 40..120, 4, 2);
    model.group = "/ecs/web".into();
    let mut run = Run::service(model, options(None), 0);
    run.run(50);
    run.model.group = "/ecs/web-2".into();
    run.model.revision = 2;
    run.follow.observe(&service(2), run.now);
    run.run(110);
    assert_each_once(run.numbers(), &run.model.expected(START, "ecs/app/d4"));
    assert_eq!(run.follow.channels.len(), 2);
}

#[test]
fn lines_of_forgotten_tasks_are_shown_unless_others_share_the_prefix() {
    for (stranger, shown) in [(false, true), (true, false)] {
        let mut model = Model::new(Habits::default(), 8);
        model.tasks.insert("a1".into(), Some("web".into()));
        model.write("gone", "app", -200..-100, 1, 0);
        if stranger {
            model.tasks.insert("x9".into(), Some("other".into()));
            model.write("x9", "app", -250..0, 1, 0);
        }
        let mut run = Run::service(model, options(None), 0);
        run.run(10);
        assert_eq!(!run.lines.is_empty(), shown);
        assert_eq!(run.follow.notes().any(|note| note.contains("forgotten")), !shown);
    }
}

#[test]
fn several_containers_share_one_request_and_can_be_chosen() {
    for (chosen, expected) in [(vec![], 2), (vec!["nginx".to_owned()], 1)] {
        let mut model = busy(Habits::default(), 9);
        model.containers.push(("nginx".into(), Some("ecs".into())));
        model.write("a1", "nginx", -100..60, 2, 1);
        model.write("a1", "sidecar-of-others", -100..60, 2, 1);
        let mut run = Run::service(model, Options { containers: chosen, ..options(None) }, 0);
        run.run(100);
        let containers: std::collections::BTreeSet<_> =
            run.lines.iter().map(|line| line.origin.container.clone()).collect();
        assert_eq!(containers.len(), expected);
        assert_eq!(run.follow.channels.len(), 1);
        assert_each_once(run.numbers(), &run.model.expected(START - 100_000, "ecs/nginx/a1"));
    }
}

#[test]
fn streams_without_a_prefix_are_found_by_container_id() {
    let mut model = Model::new(Habits::default(), 10);
    model.containers = vec![("app".into(), None)];
    model.tasks.insert("a1".into(), Some("web".into()));
    for number in 0..50 {
        let at = START + i64::try_from(number).unwrap() * 1_000;
        let stream = if number % 5 == 0 { "somebody-else" } else { "a1-app" };
        model.events.push(Truth {
            at,
            visible: at + 2_000,
            number,
            group: "/ecs/web".into(),
            stream: stream.into(),
            message: "m".into(),
        });
    }
    let mut run = Run::service(model, options(None), 0);
    run.run(200);
    assert_each_once(run.numbers(), &run.model.expected(START, "a1-app"));
    assert!(run.lines.iter().all(|line| line.origin.task == "a1" && line.origin.container == "app"));
    assert!(run.follow.notes().any(|note| note.contains("without a stream prefix")));
    assert!(run.follow.notes().any(|note| note.contains("no container known to ECS")));
}

#[test]
fn a_task_is_read_by_the_names_of_its_streams_or_by_the_prefix_where_one_is_missing() {
    for missing in [false, true] {
        let mut model = busy(Habits::default(), 11);
        model.containers.push(("nginx".into(), Some("ecs".into())));
        let subject = LogSubject::Task {
            task: TaskId { scope: scope(), cluster: "prod".into(), id: "a1".into() },
            task_definition_arn: "web:1".into(),
        };
        let mut run = Run::new(model, subject, options(None), 0);
        let mut refused = false;
        for _ in 0..60 {
            run.launch();
            for (_, id, query) in std::mem::take(&mut run.flying) {
                let named =
                    matches!(&query, Query::FilterLogEvents(q) if matches!(q.streams, Streams::Named(_)));
                let outcome = if missing && named {
                    refused = true;
                    Err(Fault::new(FaultKind::NotFound, "The specified log stream does not exist."))
                } else {
                    run.model.answer(&query, run.now.wall).map_err(|fault| *fault)
                };
                let lines = run.follow.absorb(id, outcome, run.now).into_iter().flat_map(|batch| batch.lines);
                run.lines.extend(lines);
            }
            run.now = run.now.plus(Duration::from_secs(2));
        }
        assert_eq!(refused, missing);
        let at_end =
            run.model.events.iter().filter(|e| e.visible < START + 110_000 && e.at >= START - 300_000);
        let expected: Vec<usize> = at_end.filter(|e| e.stream == "ecs/app/a1").map(|e| e.number).collect();
        assert_each_once(run.numbers(), &expected);
        assert!(run.lines.iter().all(|line| line.origin.task == "a1"));
    }
}

#[test]
fn of_a_deployment_only_its_own_tasks_are_read() {
    let subject = LogSubject::Deployment { service: service_id(), id: "ecs-svc/2".into() };
    let mut run = Run::new(busy(Habits::default(), 13), subject, options(None), 0);
    run.run(200);
    let expected = run.model.expected(START, "ecs/app/c3");
    assert!(!expected.is_empty());
    assert_each_once(run.numbers(), &expected);
    assert!(run.lines.iter().all(|line| line.origin.task == "c3"), "{:?}", run.lines);
}

#[test]
fn without_following_it_ends() {
    let mut run = Run::service(
        busy(Habits { page: 300, ..Habits::default() }, 12),
        Options { follow: false, ..options(None) },
        60,
    );
    run.run(5);
    assert!(run.follow.is_done());
    assert_eq!((run.follow.state(run.now), run.follow.wake_at()), (FollowState::Done, None));
    let visible = run.model.events.iter().filter(|e| e.visible <= START + 60_000 && e.at >= START - 300_000);
    let expected: Vec<usize> = visible.filter(|e| e.stream == "ecs/app/a1").map(|e| e.number).collect();
    assert_each_once(run.numbers(), &expected);
}

#[test]
fn what_cannot_be_read_is_said() {
    let mut follow = Follow::new(LogSubject::Service(service_id()), options(None), Moment::default());
    assert_eq!(follow.state(Moment::default()).sentence(), "reading the service");
    for (id, query) in follow.next(Moment::default()) {
        let outcome = match query {
            Query::DescribeServices { .. } => Ok(Answer::Services {
                found: vec![],
                failures: vec![Failure { arn: "web".into(), reason: "MISSING".into(), detail: None }],
            }),
            _ => Ok(Answer::Names { names: vec![], next: None }),
        };
        follow.absorb(id, outcome, Moment::default());
    }
    assert_eq!(follow.state(Moment::default()).sentence(), "ECS does not know this service (MISSING)");
    let denied = Fault::new(FaultKind::Denied, "not authorized");
    let mut follow = Follow::new(LogSubject::Service(service_id()), options(None), Moment::default());
    for (id, _) in follow.next(Moment::default()) {
        follow.absorb(id, Err(denied.clone()), Moment::default());
    }
    assert_eq!(follow.state(Moment::default()).sentence(), "not authorized; next try in 30 s");
    assert!(follow.wake_at().is_some());
}

#[test]
fn a_page_token_that_never_ends_leaves_a_named_gap() {
    let mut model = Model::new(Habits::default(), 1);
    model.tasks.insert("a1".into(), Some("web".into()));
    let mut run = Run::service(model, options(None), 0);
    for _ in 0..20 {
        run.launch();
        for (_, id, query) in std::mem::take(&mut run.flying) {
            let outcome = match &query {
                Query::FilterLogEvents(_) => {
                    Ok(Answer::LogEvents { events: vec![], next: Some(PageToken("again".into())) })
                }
                other => run.model.answer(other, run.now.wall).map_err(|fault| *fault),
            };
            run.follow.absorb(id, outcome, run.now);
        }
    }
    let sentence = run.follow.state(run.now).sentence();
    assert!(sentence.ends_with("could not be read completely"), "{sentence}");
    assert!(run.calls("logs:FilterLogEvents") < 10);
}

#[test]
fn endpoints_that_drop_what_does_not_fit_are_asked_on() {
    let habits = Habits { drops_overflow: true, newest_first: NewestFirst::Ignored, ..Habits::default() };
    let mut model = Model::new(habits, 13);
    model.tasks.insert("a1".into(), Some("web".into()));
    model.write("a1", "app", -300..0, 80, 0);
    let mut run = Run::service(model, options(Some(500)), 0);
    run.run(60);
    run.scroll_back_to(START - 300_000);
    assert!(run.lines.len() > 20_000);
    assert_each_once(run.numbers(), &run.model.expected(START - 300_000, "ecs/app/a1"));
}

fn habits() -> impl Strategy<Value = Habits> {
    (
        prop_oneof![Just(NewestFirst::Works), Just(NewestFirst::Refused), Just(NewestFirst::Ignored)],
        prop_oneof![Just(10_000_usize), 20_usize..400],
        prop_oneof![Just(0_u32), Just(50)],
        prop_oneof![Just(0_u32), Just(30)],
        prop_oneof![Just((0_i64, 0_i64)), Just((15_000, 35_000))],
        -120_000_i64..120_000,
        prop_oneof![Just(1_u64), Just(400)],
    )
        .prop_map(|(newest_first, page, empty_pages, throttled, burst, skew, latency)| Habits {
            newest_first,
            page,
            empty_pages,
            throttled,
            burst,
            skew,
            latency,
            ..Habits::default()
        })
}

fn each_line_once(habits: Habits, seed: u64, newest_first: Option<usize>) {
    let mut run = Run::service(busy(habits, seed), options(newest_first), 0);
    run.run(200);
    // Small pages and throttling make it late, which it says; late is not lost.
    for _ in 0..60 {
        if run.follow.state(run.now) == FollowState::Live {
            break;
        }
        run.run(30);
    }
    run.scroll_back_to(START - 300_000);
    run.run(60);
    let ours: Vec<usize> = ["a1", "b2", "c3"]
        .iter()
        .flat_map(|task| run.model.expected(START - 300_000, &format!("ecs/app/{task}")))
        .collect();
    assert_each_once(run.numbers(), &ours);
    assert!(run.lines.iter().all(|line| line.origin.task != "x9"));
    assert_eq!(run.store.len(), run.lines.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_line_comes_once_whatever_the_endpoint_does(
        habits in habits(), seed in any::<u64>(), newest_first in prop_oneof![Just(None), (30_usize..900).prop_map(Some)]
    ) {
        each_line_once(habits, seed, newest_first);
    }

    #[test]
    fn without_event_ids_twins_are_still_told_apart(seed in any::<u64>(), newest_first in prop_oneof![Just(None), Just(Some(300))]) {
        let model = busy(Habits { no_ids: true, ..Habits::default() }, seed);
        let mut expected: Vec<String> = model.events.iter()
            .filter(|e| e.at >= START - 300_000 && !e.stream.ends_with("x9")).map(|e| e.message.clone()).collect();
        let mut run = Run::service(model, options(newest_first), 0);
        run.run(200);
        run.scroll_back_to(START - 300_000);
        let mut got: Vec<String> =
            run.lines.iter().filter(|l| l.at.0 >= START - 300_000).map(|l| l.message.clone()).collect();
        got.sort();
        expected.sort();
        prop_assert_eq!(got, expected);
    }
}

#[test]
#[ignore = "a thousand seeds: cargo test --release -- --ignored soak"]
fn soak_each_line_comes_once() {
    let newest_first = prop_oneof![Just(None), (30_usize..900).prop_map(Some)];
    crate::stdx::soak::hold(
        "each log line comes once, whatever the endpoint does",
        &(habits(), any::<u64>(), newest_first),
        |(habits, seed, newest_first)| each_line_once(habits, seed, newest_first),
    );
}
