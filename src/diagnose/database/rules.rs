//! The rules over one database, each a finding with its number.
//!
//! Must not speak where a fact is missing.

use std::time::Duration;

use super::connections::{Limit, class_vcpus, max_connections};
use super::{Database, DatabaseFacts, in_window, is_up, severity_of_status, status_meaning, storage_outlook};
use crate::diagnose::Severity::{self, Critical, Notice, Progress, Warning};
use crate::diagnose::number::{GIB, gib, percent, short};
use crate::diagnose::{Evidence, Finding, rank};
use crate::domain::database::{DataEvent, DbInstance};
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;
use crate::stdx::text::{capital, count};

const DAY: Duration = Duration::from_secs(86_400);

/// Logs are shipped about every five minutes: an older restore point means heavy load or broken backups.
const RESTORE_POINT: Duration = Duration::from_secs(15 * 60);

/// For so long a failover explains connections that fail: pools keep dead sockets, DNS may lag.
const FAILOVER_LIFE: Duration = Duration::from_secs(3_600);

/// All that is wrong with a database, and what is under way on it (`Progress`), the worst first.
#[must_use]
pub fn database_findings(database: Database<'_>, facts: &DatabaseFacts<'_>, now: Wall) -> Vec<Finding> {
    let mut rules = Rules { database, facts, now, found: Vec::new() };
    rules.status();
    rules.events();
    rules.backups();
    rules.windows();
    rules.maintenance();
    rules.protection();
    if let Database::Instance(instance) = database {
        rules.storage(instance);
        rules.connections(instance);
        rules.load(instance);
        rules.replication(instance);
        rules.pending(instance);
        rules.certificate(instance);
    }
    let mut found = rules.found;
    rank(&mut found);
    found
}

struct Rules<'a> {
    database: Database<'a>,
    facts: &'a DatabaseFacts<'a>,
    now: Wall,
    found: Vec<Finding>,
}

impl<'a> Rules<'a> {
    fn say(&mut self, rule: &'static str, severity: Severity, sentence: impl Into<String>) -> &mut Finding {
        self.found.push(Finding::new(self.database.subject(), rule, severity, sentence));
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    fn metric(&self, name: &str) -> Option<f64> {
        self.facts.metrics.get(name).copied().filter(|value| value.is_finite())
    }

    fn own_events(&self) -> impl Iterator<Item = &'a DataEvent> {
        let id = self.database.id();
        let kind = if id.cluster { "db-cluster" } else { "db-instance" };
        self.facts.events.iter().filter(move |event| event.source == id.name && event.source_type == kind)
    }

    /// The status, and whether it is a cluster's.
    fn status_word(&self) -> (&'a str, bool) {
        match self.database {
            Database::Instance(instance) => (instance.status.as_str(), false),
            Database::Cluster(cluster) => (cluster.status.as_str(), true),
        }
    }

    fn status(&mut self) {
        let (status, cluster) = self.status_word();
        let mut severity = severity_of_status(status, cluster);
        if severity.is_calm() && status != "stopped" {
            return;
        }
        let users = self.facts.demand.as_ref().map_or(0, |demand| demand.pools.len());
        let sentence = match (status, status_meaning(status, cluster)) {
            ("storage-full", _) => {
                "Storage is full: nothing can be written until it is grown by 10 % or more".to_owned()
            }
            ("stopped", meaning) if users > 0 => {
                severity = Critical;
                let users =
                    if users == 1 { "1 service uses".into() } else { format!("{users} services use") };
                format!("Stopped, though {users} it; {}", meaning.unwrap_or_default())
            }
            ("stopped", _) => return,
            (_, Some(meaning)) => format!("Status {status}: {meaning}"),
            (_, None) => format!("Status {status}"),
        };
        let began =
            self.own_events().map(|event| event.at).max().filter(|at| at.age_at(self.now) < FAILOVER_LIFE);
        let rule = if status == "storage-full" { "database.storage-full" } else { "database.status" };
        let finding = self.say(rule, severity, sentence);
        finding.since = began;
        if status == "storage-full" {
            finding.next = Some("Grow AllocatedStorage by 10 % or more".to_owned());
        }
    }

    fn events(&mut self) {
        let now = self.now;
        let recent = || self.own_events().filter(move |event| event.at.age_at(now) < FAILOVER_LIFE);
        let newest = |category: &str| {
            recent().filter(|e| e.categories.iter().any(|c| c == category)).max_by_key(|e| e.at).cloned()
        };
        let (failover, failure) = (newest("failover"), newest("failure"));
        if let Some(event) = failover {
            let ago = brief(event.at.age_at(now));
            let (status, cluster) = self.status_word();
            let (severity, text) = match is_up(status, cluster) {
                Some(false) => (Critical, format!("Failing over for {ago}: nothing connects meanwhile")),
                _ => {
                    (Warning, format!("Failed over {ago} ago: pools may hold dead connections, DNS may lag"))
                }
            };
            let finding = self.say("database.failover", severity, text);
            finding.since = Some(event.at);
            note(finding, Some(event.at), &event.message);
        }
        if let Some(event) = failure {
            let ago = brief(event.at.age_at(now));
            let what = event.message.trim_end_matches('.').to_owned();
            let finding =
                self.say("database.failure", Warning, format!("RDS reports a failure {ago} ago: {what}"));
            finding.since = Some(event.at);
        }
    }

    fn backups(&mut self) {
        let (days, latest, replica) = match self.database {
            // A cluster's backups are the cluster's, and a replica needs none.
            Database::Instance(i) if i.cluster.is_some() => return,
            Database::Instance(i) => (i.backup_retention_days, i.latest_restorable, i.source.is_some()),
            Database::Cluster(c) => (c.backup_retention_days, c.latest_restorable, false),
        };
        if replica {
            return;
        }
        if days == 0 {
            self.say(
                "database.no-backups",
                Warning,
                "Backups are kept 0 days: no point in time can be restored",
            );
            return;
        }
        let declared = self.facts.declared.and_then(|declared| declared.rpo);
        let limit = declared.unwrap_or(RESTORE_POINT);
        let Some(age) = latest.map(|at| at.age_at(self.now)).filter(|age| *age > limit) else { return };
        let severity = if declared.is_some() && age > limit * 4 { Critical } else { Warning };
        let what = if declared.is_some() { "the declared objective is" } else { "usual are 5 min, at most" };
        let text = format!("Restorable only up to {} ago: {what} {}", brief(age), brief(limit));
        self.say("database.restore-point", severity, text).since = latest;
    }

    fn windows(&mut self) {
        let (backup, maintenance) = match self.database {
            Database::Instance(i) => (&i.backup_window, &i.maintenance_window),
            Database::Cluster(c) => (&c.backup_window, &c.maintenance_window),
        };
        for (rule, what, window) in [
            ("database.backup-window", "Backup", backup),
            ("database.maintenance-window", "Maintenance", maintenance),
        ] {
            if let Some(window) = window.as_deref().filter(|window| in_window(window, self.now)) {
                self.say(rule, Progress, format!("{what} window now ({window} UTC)"));
            }
        }
    }

    fn maintenance(&mut self) {
        let arn = match self.database {
            Database::Instance(i) => &i.arn,
            Database::Cluster(c) => &c.arn,
        };
        let now = self.now;
        for action in self.facts.maintenance.iter().filter(|action| action.resource == *arn) {
            let due = [action.forced_at, action.current_apply, action.auto_after].into_iter().flatten().min();
            let (severity, when) = match due {
                Some(at) if at <= now => (Warning, "at the next window".to_owned()),
                Some(at) => {
                    let left = now.age_at(at);
                    let soon = left < DAY;
                    (if soon { Warning } else { Notice }, format!("in {}", brief(left)))
                }
                None => (Notice, "without a date".to_owned()),
            };
            let forced = match action.forced_at {
                Some(at) if at <= now => ", and it is overdue".to_owned(),
                Some(at) => format!(", forced in {}", brief(now.age_at(at))),
                None => String::new(),
            };
            let text = format!("Maintenance {} {when}{forced}", action.action);
            let finding = self.say("database.maintenance", severity, text);
            if let Some(words) = &action.description {
                note(finding, None, words);
            }
        }
    }

    fn protection(&mut self) {
        let (deletion, encrypted, member) = match self.database {
            Database::Instance(i) => (i.deletion_protection, i.encrypted, i.cluster.is_some()),
            Database::Cluster(c) => (c.deletion_protection, c.encrypted, false),
        };
        if member {
            return;
        }
        if self.facts.production && !deletion {
            self.say("database.unprotected", Notice, "Not protected against deletion");
        }
        if !encrypted {
            self.say("database.unencrypted", Notice, "Storage is not encrypted, snapshots are not either");
        }
        if let Database::Instance(instance) = self.database
            && instance.public
        {
            self.say("database.public", Warning, "Has a public address");
        }
    }

    fn storage(&mut self, instance: &DbInstance) {
        // Aurora's storage belongs to the cluster and grows by itself.
        if instance.engine.starts_with("aurora") || instance.status == "storage-full" {
            return;
        }
        let Some(free) = self.metric("FreeStorageSpace") else { return };
        let allocated = f64::from(instance.allocated_gib) * GIB;
        if allocated <= 0.0 {
            return;
        }
        let grows = instance.max_allocated_gib.filter(|max| *max > instance.allocated_gib);
        let outlook =
            storage_outlook(self.facts.free_storage, instance.allocated_gib, instance.max_allocated_gib);
        let days = outlook.map_or(f64::INFINITY, |outlook| outlook.days());
        let share = free / allocated;
        let severity = if days < 1.0 || (share < 0.05 && grows.is_none()) {
            Critical
        } else if days < 7.0 || (share < 0.10 && grows.is_none()) || share < 0.05 {
            Warning
        } else {
            return;
        };
        let left = format!("{} of {} GiB free", short(gib(free)), instance.allocated_gib);
        let until = grows.map_or_else(String::new, |max| format!(" at its maximum of {max} GiB"));
        let text = match outlook.filter(|outlook| outlook.days() < 60.0) {
            Some(outlook) if outlook.days() < 2.0 => {
                format!("Storage full in {} h{until}: {left}", short((outlook.days() * 24.0).floor()))
            }
            Some(outlook) => format!("Storage full in {} days{until}: {left}", short(outlook.days().floor())),
            None if grows.is_some() => format!("Storage low though it grows by itself: {left}"),
            None => format!("Storage low: {left} ({})", percent(free, allocated)),
        };
        let finding = self.say("database.storage-low", severity, text);
        if let Some(outlook) = outlook {
            let pace = format!("it shrank by {} GiB a day over the last 24 h", short(gib(outlook.per_day)));
            note(finding, None, &pace);
        }
    }

    fn connections(&mut self, instance: &DbInstance) {
        let Some(limit) = max_connections(instance, self.facts.parameters) else { return };
        let most = f64::from(limit.value);
        if let Some(used) = self.metric("DatabaseConnections") {
            let severity = match used / most {
                share if share >= 0.95 => Some(Critical),
                share if share >= 0.80 => Some(Warning),
                _ => None,
            };
            if let Some(severity) = severity {
                // A percentage of an estimate that is exceeded would only tell that the estimate is wrong.
                let text = if limit.estimated && used >= most {
                    format!("{} connections used, the limit is estimated at {limit}", short(used))
                } else {
                    format!("{} of {limit} connections used ({})", short(used), percent(used, most))
                };
                let evidence = self.pools(limit);
                let finding = self.say("database.connections", severity, text);
                for line in evidence {
                    note(finding, None, &line);
                }
            }
        }
        let asked = self.facts.demand.as_ref().map_or(0, |demand| demand.connections);
        if asked > limit.value {
            let evidence = self.pools(limit);
            let text = format!("Pools may ask for {asked} connections at full scale-out, it takes {limit}");
            let finding = self.say("database.pools", Warning, text);
            for line in evidence {
                note(finding, None, &line);
            }
        }
    }

    fn pools(&self, limit: Limit) -> Vec<String> {
        let Some(demand) = &self.facts.demand else { return Vec::new() };
        let mut lines: Vec<String> = demand
            .pools
            .iter()
            .map(|pool| {
                let tasks = count(usize::try_from(pool.tasks).unwrap_or(usize::MAX), "task");
                let (service, each, bound) = (&pool.service.name, pool.per_task, pool.bound);
                format!("{service}: {tasks} × {each} connections (tasks by {bound})")
            })
            .collect();
        lines.push(format!("together {} of {limit}", demand.connections));
        lines.extend(demand.missing.iter().map(|name| format!("declared service {name} was not found")));
        lines
    }

    fn load(&mut self, instance: &DbInstance) {
        let cpu = self.metric("CPUUtilization");
        if let Some(cpu) = cpu.filter(|cpu| *cpu > 80.0) {
            let severity = if cpu > 95.0 { Critical } else { Warning };
            self.say("database.cpu", severity, format!("CPU at {} %", short(cpu)));
        }
        if let Some(credits) = self.metric("CPUCreditBalance").filter(|credits| *credits < 20.0) {
            // A new instance has few credits and needs none while it idles.
            if cpu.is_none_or(|cpu| cpu > 15.0) {
                let left = short(credits);
                let text =
                    format!("{left} CPU credits left: at 0 it slows down to its baseline or costs extra");
                self.say("database.cpu-credits", Warning, text);
            }
        }
        if let Some((load, vcpus)) = self.metric("DBLoad").zip(class_vcpus(&instance.class)) {
            let over = load / f64::from(vcpus);
            if over > 1.0 {
                let severity = if over > 3.0 { Critical } else { Warning };
                let text = format!("{} sessions active at a time on {vcpus} vCPUs", short(load));
                let waiting = self.metric("DBLoadNonCPU");
                let finding = self.say("database.load", severity, text);
                if let Some(waiting) = waiting {
                    let words = format!("{} of them wait for something other than CPU", short(waiting));
                    note(finding, None, &words);
                }
            }
        }
        if let Some(ids) = self.metric("MaximumUsedTransactionIDs").filter(|ids| *ids > 1e9) {
            let severity = if ids > 1.8e9 { Critical } else { Warning };
            let text = format!("{} of 2.1 billion transaction ids used: vacuum lags", short(ids / 1e9));
            self.say("database.transaction-ids", severity, text);
        }
    }

    fn replication(&mut self, instance: &DbInstance) {
        let broken = instance
            .status_infos
            .iter()
            .find(|info| !info.normal || matches!(info.status.as_str(), "error" | "stopped" | "terminated"));
        if let Some(info) = broken {
            let text = format!("{} is {}", capital(&info.kind), info.status);
            let message = info.message.clone();
            let finding = self.say("database.replication", Critical, text);
            if let Some(message) = message {
                note(finding, None, &message);
            }
        }
        let seconds = match (self.metric("ReplicaLag"), self.metric("AuroraReplicaLag")) {
            (Some(seconds), _) => seconds,
            (None, Some(millis)) => millis / 1_000.0,
            (None, None) => return,
        };
        // AWS's documentation: -1 when replication does not run.
        if seconds < 0.0 && broken.is_none() {
            self.say("database.replication", Critical, "Replication does not run: its lag is given as -1");
        }
        if seconds > 60.0 {
            let severity = if seconds > 600.0 { Critical } else { Warning };
            let lag = brief(Duration::from_secs_f64(seconds.min(1e9)));
            self.say("database.replica-lag", severity, format!("{lag} behind its source"));
        }
    }

    fn pending(&mut self, instance: &DbInstance) {
        if !instance.pending.is_empty() {
            let what: Vec<String> =
                instance.pending.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let verb = if what.len() == 1 { "waits" } else { "wait" };
            let text = format!(
                "{} {verb} for the window or a reboot: {}",
                count(what.len(), "change"),
                what.join(", ")
            );
            self.say("database.pending-changes", Progress, text);
        }
        for group in &instance.parameter_groups {
            let (severity, meaning) = match group.status.as_str() {
                "in-sync" => continue,
                "applying" | "pending-database-upgrade" => (Progress, ""),
                "pending-reboot" => (Notice, ": only a reboot applies it"),
                "failed-to-apply" => (Warning, ": RDS refused it"),
                _ => (Warning, ""),
            };
            let text = format!("Parameters {}{meaning} ({})", group.status, group.name);
            self.say("database.parameters", severity, text);
        }
    }

    fn certificate(&mut self, instance: &DbInstance) {
        let Some(till) = instance.certificate_valid_till else { return };
        let left = self.now.age_at(till);
        let severity = match left {
            left if left < DAY * 14 => Critical,
            left if left < DAY * 30 => Warning,
            left if left < DAY * 90 => Notice,
            _ => return,
        };
        let text = if till <= self.now {
            format!("Its certificate expired {} ago", brief(till.age_at(self.now)))
        } else {
            format!("Its certificate expires in {}", brief(left))
        };
        let ca = instance.ca.clone();
        let finding = self.say("database.certificate", severity, text);
        if let Some(ca) = ca {
            note(finding, Some(till), &format!("certificate authority {ca}"));
        }
    }
}

fn note(finding: &mut Finding, at: Option<Wall>, text: &str) {
    finding.evidence.push(Evidence { at, text: text.to_owned() });
}

#[cfg(test)]
mod tests;
