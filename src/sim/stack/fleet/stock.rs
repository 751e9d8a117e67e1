//! What stands behind and around a made-up fleet: databases, caches, secrets and alarms, multiplied like its
//! services, up to what a console has to page through.
//!
//! Must stay a pure function of the fleet and the seed.

use std::time::Duration;

use crate::sim::stack::data::Use;
use crate::sim::stack::{Alarm, Cache, Database, Secret, Span, Stack};

/// The most instances that are made up, at one in six services.
const DATABASES: usize = 50;

/// The most caches, at one in twelve.
const CACHES: usize = 25;

/// The most alarms, at two in three.
const ALARMS: usize = 200;

/// The most secrets, at one each.
const SECRETS: usize = 300;

/// So many services share a database or a cache.
const USERS: usize = 6;

/// What is multiplied.
pub struct Archetypes {
    databases: Vec<Database>,
    caches: Vec<Cache>,
    alarms: Vec<Alarm>,
    secrets: Vec<Secret>,
}

impl Archetypes {
    /// Takes the archetypes out of the stack; the members of its Aurora cluster stay.
    pub fn take(stack: &mut Stack) -> Self {
        let (members, databases) =
            std::mem::take(&mut stack.databases).into_iter().partition(|database| database.cluster.is_some());
        stack.databases = members;
        Self {
            databases,
            caches: std::mem::take(&mut stack.caches),
            alarms: std::mem::take(&mut stack.alarms),
            secrets: std::mem::take(&mut stack.secrets),
        }
    }

    /// Multiplies them. `kinds` are the names of the archetypes that the fleet's services came from.
    pub fn put_into(self, stack: &mut Stack, kinds: &[String], chance: &mut fastrand::Rng) {
        let names: Vec<String> = stack.services.iter().map(|service| service.name.clone()).collect();
        let of_kind = |kind: &str, from: usize| -> Vec<String> {
            let all = names.iter().zip(kinds).filter(|(_, known)| *known == kind).map(|(name, _)| name);
            let all: Vec<&String> = all.collect();
            // Each takes its turn; a fleet of a few services has fewer users.
            (0..USERS.min(all.len()))
                .filter_map(|n| all.get((from + n) % all.len()))
                .copied()
                .cloned()
                .collect()
        };
        let users = |uses: &[Use], from: usize| -> Vec<Use> {
            let expand = |used: &Use| {
                let pool = used.pool;
                of_kind(&used.service, from).into_iter().map(move |service| Use { service, pool })
            };
            uses.iter().flat_map(expand).collect()
        };
        for (place, member) in stack.databases.iter_mut().enumerate() {
            member.used_by = users(&member.used_by, place);
        }
        for place in 0..DATABASES.min(names.len() / 6) {
            let Some(spec) = self.databases.get(place % self.databases.len().max(1)) else { break };
            let mut made = spec.clone();
            made.name = format!("{}-{:02}", spec.name, place + 1);
            made.endpoint = made.endpoint.replacen(&spec.name, &made.name, 1);
            made.used_by = users(&spec.used_by, place * USERS);
            made.used = f64::from(made.storage) * (0.2 + 0.6 * chance.f64());
            made.growth = f64::from(made.storage) * 0.004 * chance.f64();
            made.age = Span(Duration::from_secs(86_400 * chance.u64(30..700)));
            made.certificate = Span(Duration::from_secs(86_400 * chance.u64(20..360)));
            made.backup_window = window(chance.u32(0..47));
            stack.databases.push(made);
        }
        for place in 0..CACHES.min(names.len() / 12) {
            let Some(spec) = self.caches.get(place % self.caches.len().max(1)) else { break };
            let mut made = spec.clone();
            made.name = format!("{}-{:02}", spec.name, place + 1);
            made.endpoint = made.endpoint.replacen(&spec.name, &made.name, 1);
            made.used_by = users(&spec.used_by, place * USERS);
            made.filled = 0.15 + 0.6 * chance.f64();
            made.age = Span(Duration::from_secs(86_400 * chance.u64(30..700)));
            stack.caches.push(made);
        }
        for (place, name) in names.iter().enumerate().take(SECRETS) {
            let Some(spec) = self.secrets.get(place % self.secrets.len().max(1)) else { break };
            let mut made = spec.clone();
            made.name = format!("fleet/{name}/{}", spec.name);
            made.suffix = Some((0..6).map(|_| chance.alphanumeric()).collect());
            stack.secrets.push(made);
        }
        self.alarms(stack, (names.as_slice(), kinds), chance);
    }

    /// Alarms: each archetype in its turn, over the next of the services or databases that it suits.
    fn alarms(&self, stack: &mut Stack, (names, kinds): (&[String], &[String]), chance: &mut fastrand::Rng) {
        let databases: Vec<String> = stack
            .databases
            .iter()
            .filter(|database| database.cluster.is_none())
            .map(|database| database.name.clone())
            .collect();
        let wanted = ALARMS.min(names.len() * 2 / 3);
        let mut turns = vec![0_usize; self.alarms.len()];
        let mut idle = 0;
        for place in (0..self.alarms.len().max(1)).cycle() {
            // Once around without a new one: there is nothing left to watch.
            if stack.alarms.len() >= wanted || idle > self.alarms.len() {
                return;
            }
            idle += 1;
            let (Some(spec), Some(turn)) = (self.alarms.get(place), turns.get_mut(place)) else { return };
            let owner = if spec.database.is_some() {
                databases.get(*turn)
            } else {
                let suits = |(_, kind): &(&String, &String)| spec.service.as_ref() == Some(*kind);
                names.iter().zip(kinds).filter(suits).nth(*turn).map(|(name, _)| name)
            };
            let Some(owner) = owner else { continue };
            (*turn, idle) = (*turn + 1, 0);
            let mut made = spec.clone();
            made.name = format!("{owner}-{}", spec.name);
            if spec.database.is_some() {
                made.database = Some(owner.clone());
            } else {
                made.service = Some(owner.clone());
            }
            // Young ones: what is older than an alarm need not be evaluated when somebody first looks.
            made.age = Span(Duration::from_secs(60 * chance.u64(20..150)));
            stack.alarms.push(made);
        }
    }
}

/// A backup window that begins so many half hours after midnight.
fn window(half_hours: u32) -> String {
    let at = |half_hours: u32| format!("{:02}:{:02}", half_hours / 2, half_hours % 2 * 30);
    format!("{}-{}", at(half_hours), at(half_hours + 1))
}
