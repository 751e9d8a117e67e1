//! Handles on a running simulator: for tests in the same process, and under `/_sim/` for people.
//!
//! Must not be needed by any client of AWS: nothing here is part of an AWS protocol.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::http::request::Parts;
use serde_json::{Value, json};

use crate::sim::fault::{Rule, RuleId};
use crate::sim::incidents::NamedIncident;
pub use crate::sim::server::Mutation;
use crate::sim::server::Shared;
use crate::sim::stack::Incident;
use crate::sim::world::World;
use crate::sim::world::image::Behaviour;
use crate::stdx::clock::Wall;

/// Watches and steers a running simulator.
#[derive(Clone)]
pub struct Control(pub(crate) Arc<Shared>);

impl Control {
    /// Adds a fault rule.
    #[must_use = "the id takes the rule back"]
    pub fn add_fault(&self, rule: Rule) -> RuleId {
        self.0.state().faults.add(rule)
    }

    /// Takes a fault rule back; `false` when it is spent or gone.
    pub fn remove_fault(&self, id: RuleId) -> bool {
        self.0.state().faults.remove(id)
    }

    /// Takes all fault rules back.
    pub fn clear_faults(&self) {
        self.0.state().faults.clear();
    }

    /// How often each operation was called, as `ecs:DescribeServices`.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.0.state().calls.clone()
    }

    /// How often one operation was called.
    #[must_use]
    pub fn calls_of(&self, action: &str) -> u64 {
        self.0.state().calls.get(action).copied().unwrap_or(0)
    }

    /// The requests to change something that were received, oldest first: also those that a fault kept from
    /// being carried out, and those that were refused.
    #[must_use]
    pub fn mutations(&self) -> Vec<Mutation> {
        self.0.state().mutations.iter().cloned().collect()
    }

    /// The simulated present.
    #[must_use]
    pub fn now(&self) -> Wall {
        self.0.clock.now().wall
    }

    /// Looks at the world, or changes it, at the present instant.
    pub fn with_world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut state = self.0.state();
        state.world.advance(self.0.clock.now().wall);
        act(&mut state.world)
    }

    /// Points a tag at a new image whose containers behave like this. Running tasks do not notice; the next
    /// deployment does.
    pub fn push_image(&self, region: &str, image: &str, build: &str, behaviour: Behaviour) {
        self.with_world(|world| {
            world.push_image(region, image, build, behaviour);
        });
    }

    /// Deletes a service; `false` when there is no such service.
    pub fn delete_service(&self, region: &str, cluster: &str, service: &str) -> bool {
        self.with_world(|world| {
            world.find(region, cluster, service).map(|index| world.delete_service(index)).is_some()
        })
    }

    /// Starts a deployment of the task definition that runs, resolving tags anew, and names it.
    pub fn force_deployment(&self, region: &str, cluster: &str, service: &str) -> Option<String> {
        self.with_world(|world| {
            let index = world.find(region, cluster, service)?;
            let (family, revision) = world.services.get(index)?.primary()?.definition.clone();
            world.start_deployment(index, &family, revision).map(crate::sim::world::service::id)
        })
    }

    /// Lets a named incident begin at the present instant; `false` when its stack is not part of this world.
    pub fn begin_incident(&self, incident: &NamedIncident) -> bool {
        self.with_world(|world| {
            let begun = world.begin(incident);
            world.advance(world.now);
            begun
        })
    }

    /// Lets something happen now, written like an event of an incident's file, but without `at`: a bad release
    /// in the habit of its system is `kind = "bad-deploy"` with `service`, `build`, `exit_code` and `text`; with `after` it
    /// passes its checks first, so that its deployment completes.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn occur(&self, event: &str) -> Result<(), String> {
        let incident: Incident =
            toml::from_str(&format!("at = \"0s\"\n{event}")).map_err(|error| error.message().to_owned())?;
        self.with_world(|world| world.occur(&incident))
    }

    /// Lets simulated time pass; under paused tokio time this takes none.
    pub async fn pass(&self, span: Duration) {
        self.0.clock.sleep(span).await;
    }
}

/// Answers a request under `/_sim/`.
pub(crate) fn handle(shared: &Arc<Shared>, head: &Parts, body: &[u8]) -> (u16, Value) {
    match (&head.method, head.uri.path()) {
        (&Method::GET, "/_sim/") => (200, status(shared)),
        (&Method::POST, "/_sim/faults") => match String::from_utf8_lossy(body).trim().parse::<Rule>() {
            Ok(rule) => {
                let text = rule.to_string();
                let _ = shared.state().faults.add(rule);
                (200, json!({ "added": text }))
            }
            Err(error) => (400, json!({ "error": error.to_string() })),
        },
        (&Method::DELETE, "/_sim/faults") => {
            shared.state().faults.clear();
            (200, json!({ "cleared": true }))
        }
        (&Method::GET, "/_sim/mutations") => (200, mutations(shared)),
        (&Method::GET, "/_sim/incidents") => {
            (200, json!({ "incidents": NamedIncident::builtins().collect::<Vec<_>>() }))
        }
        (&Method::POST, "/_sim/events") => {
            match Control(Arc::clone(shared)).occur(&String::from_utf8_lossy(body)) {
                Ok(()) => (200, json!({ "happened": true })),
                Err(error) => (400, json!({ "error": error })),
            }
        }
        (&Method::POST, "/_sim/incidents") => begin(shared, String::from_utf8_lossy(body).trim()),
        _ => (
            404,
            json!({ "error": "there is GET /_sim/ (status), POST /_sim/faults (a rule as text), DELETE /_sim/faults (clears them), \
                GET /_sim/mutations (requests to change something), \
                GET /_sim/incidents (their names), POST /_sim/incidents (a name; it begins now) and POST /_sim/events (an event of an \
                incident as TOML, without `at`; it happens now)" }),
        ),
    }
}

fn mutations(shared: &Shared) -> Value {
    let state = shared.state();
    let one = |found: &Mutation| json!({ "at": found.at.rfc3339(), "region": found.region, "action": found.action, "input": found.input });
    json!({ "mutations": state.mutations.iter().map(one).collect::<Vec<_>>() })
}

fn begin(shared: &Arc<Shared>, name: &str) -> (u16, Value) {
    let incident = match NamedIncident::builtin(name) {
        Some(Ok(incident)) => incident,
        Some(Err(error)) => return (500, json!({ "error": error.to_string() })),
        None => {
            let known = NamedIncident::builtins().collect::<Vec<_>>().join(", ");
            return (404, json!({ "error": format!("there is no incident `{name}`; there are {known}") }));
        }
    };
    if Control(Arc::clone(shared)).begin_incident(&incident) {
        (200, json!({ "begun": name }))
    } else {
        (409, json!({ "error": format!("its stack `{}` is not part of this world", incident.stack) }))
    }
}

fn status(shared: &Shared) -> Value {
    let now = shared.clock.now().wall;
    let mut state = shared.state();
    state.world.advance(now);
    let faults: Vec<String> = state.faults.rules().map(ToString::to_string).collect();
    let stacks: Vec<Value> = state
        .world
        .stacks
        .iter()
        .map(|stack| json!({ "name": stack.name, "region": stack.region }))
        .collect();
    json!({
        "clock": now.rfc3339(),
        "seed": state.world.seed,
        "stacks": stacks,
        "services": state.world.services.len(),
        "tasks": state.world.tasks.len(),
        "calls": state.calls,
        "faults": faults,
        "incidents": state.world.begun,
    })
}
