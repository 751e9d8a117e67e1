//! PostgreSQL's log files as RDS hands them out: one an hour, a function of seed, time and what troubles the
//! instance. A file that still grows only grows.
//!
//! Must not store anything.

use std::time::Duration;

use crate::sim::logs::chance::{self, mix};
use crate::sim::world::World;
use crate::stdx::clock::Wall;

const HOUR: i64 = 3_600_000;

/// `rds.log_retention_period` is 4320 minutes unless set.
const KEPT_HOURS: i64 = 72;

/// A log file's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// `error/postgresql.log.2026-11-20-12`.
    pub name: String,
    /// When its last line was written.
    pub written: Wall,
    /// Bytes.
    pub size: usize,
}

/// What users run when the stack names no statements.
const USUAL: [&str; 3] = [
    "SELECT * FROM audit_log WHERE created_at > $1 ORDER BY created_at DESC LIMIT $2",
    "SELECT count(*) FROM sessions WHERE expires_at > now()",
    "UPDATE jobs SET state = $1, updated_at = now() WHERE id = $2",
];

impl World {
    /// The log files of an instance, oldest first.
    #[must_use]
    pub fn log_files(&self, index: usize) -> Vec<File> {
        let last = self.now.0.div_euclid(HOUR);
        (last - KEPT_HOURS + 1..=last)
            .filter_map(|hour| {
                let lines = self.lines(index, hour);
                let written = lines.last().map(|(at, _)| Wall(*at))?;
                let size = lines.iter().map(|(_, line)| line.len() + 1).sum();
                Some(File { name: name(hour)?, written, size })
            })
            .collect()
    }

    /// A file's text so far; `None` when there is no such file.
    #[must_use]
    pub fn log_file(&self, index: usize, name: &str) -> Option<String> {
        let last = self.now.0.div_euclid(HOUR);
        let hour = (last - KEPT_HOURS + 1..=last).find(|hour| self::name(*hour).as_deref() == Some(name))?;
        let lines = self.lines(index, hour);
        (!lines.is_empty()).then(|| lines.into_iter().flat_map(|(_, line)| [line, "\n".to_owned()]).collect())
    }

    fn lines(&self, index: usize, hour: i64) -> Vec<(i64, String)> {
        let Some((found, spec)) = self.databases.get(index).and_then(|found| Some((found, found.spec()?)))
        else {
            return Vec::new();
        };
        let (from, until) = (hour * HOUR, ((hour + 1) * HOUR).min(self.now.0 + 1));
        let key = mix(self.seed, chance::text(&spec.name));
        let mut lines: Vec<(i64, String)> = Vec::new();
        let mut say = |at: i64, who: &str, pid: u64, text: String| {
            if let Some(time) = Wall(at).timestamp().filter(|_| (from..until).contains(&at)) {
                lines.push((at, format!("{} UTC:{who}:[{pid}]:{text}", time.strftime("%Y-%m-%d %H:%M:%S"))));
            }
        };
        for number in 0..12 {
            let at = from + number * 300_000 + 7_400;
            if found.is_down(Wall(at)) || at < found.created_at.0 {
                continue;
            }
            let hash = mix(key, chance::time(at));
            let (buffers, took) = (12 + hash % 900, 1_100 + hash % 88_000);
            say(at, ":@", 392, "LOG:  checkpoint starting: time".to_owned());
            let text = format!(
                "LOG:  checkpoint complete: wrote {buffers} buffers ({:.1}%); 0 WAL file(s) added, 0 removed, 1 recycled; \
                 write={:.3} s, sync=0.004 s, total={:.3} s; sync files={}, longest=0.003 s, average=0.001 s",
                buffers as f64 / 260.0,
                took as f64 / 1000.0,
                took as f64 / 1000.0 + 0.021,
                3 + hash % 40,
            );
            say(at + chance::millis(took, u64::MAX), ":@", 392, text);
        }
        let threshold = spec
            .parameters
            .get("log_min_duration_statement")
            .and_then(|set| set.parse::<f64>().ok())
            .filter(|least| *least >= 0.0);
        let most = f64::from(spec.max_connections());
        let network =
            found.stack.network.subnets.first().map_or("10.0.0", |subnet| {
                subnet.cidr.rsplit_once('.').map_or("10.0.0", |(network, _)| network)
            });
        for minute in 0..60 {
            let start = from + minute * 60_000;
            if start >= until || start < found.created_at.0 {
                continue;
            }
            let Some(pulse) = self.pulse(index, Wall(start)).filter(|pulse| !pulse.down) else { continue };
            let key = mix(key, chance::time(start));
            let line = |number: u64| {
                let hash = mix(key, number);
                let who = format!(
                    "{network}.{}({}):{}@{}",
                    5 + hash % 240,
                    32_768 + hash / 7 % 28_000,
                    spec.user,
                    spec.db_name
                );
                (start + chance::millis(hash, 60_000), who, 1_200 + hash / 11 % 28_000, hash)
            };
            if let Some(least) = threshold {
                let expected = 0.09 * pulse.load + 2.2 * (pulse.slow - 1.0).min(20.0);
                let count = (expected + chance::share(mix(key, 0x51ce))).floor().max(0.0) as u64;
                for number in 0..count {
                    let (at, who, pid, hash) = line(number);
                    let spread = chance::share(mix(hash, 1));
                    let took = (least.max(20.0) * (1.02 + 2.6 * spread * spread)) * pulse.slow.sqrt();
                    let place = hash / 13;
                    let statement = if spec.statements.is_empty() {
                        USUAL.get((place % 3) as usize).copied().unwrap_or_default()
                    } else {
                        let place = (place % spec.statements.len() as u64) as usize;
                        spec.statements.get(place).map_or("", String::as_str)
                    };
                    let text = format!("LOG:  duration: {took:.3} ms  execute <unnamed>: {statement}");
                    say(at, &who, pid, text);
                }
            }
            if pulse.connections >= most {
                for number in 100..106 {
                    let (at, who, pid, _) = line(number);
                    let text = "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute";
                    say(at, &who, pid, text.to_owned());
                }
            }
        }
        for outage in &found.outages {
            let (begin, end) = (outage.from, outage.to);
            if outage.full {
                let text = "PANIC:  could not write to file \"pg_wal/xlogtemp.412\": No space left on device";
                say(begin.0, ":@", 412, text.to_owned());
            } else {
                say(begin.0, ":@", 388, "LOG:  received fast shutdown request".to_owned());
                let text = "FATAL:  terminating connection due to administrator command";
                say(
                    begin.0 + 120,
                    &format!("{network}.31(50122):{}@{}", spec.user, spec.db_name),
                    2_117,
                    text.to_owned(),
                );
            }
            say(begin.0 + 900, ":@", 388, "LOG:  database system is shut down".to_owned());
            if let Some(end) = end {
                let before = end.minus(Duration::from_secs(2));
                say(
                    before.0,
                    ":@",
                    391,
                    "LOG:  database system was interrupted; last known up recently".to_owned(),
                );
                say(
                    end.0 - 200,
                    ":@",
                    388,
                    "LOG:  database system is ready to accept connections".to_owned(),
                );
            }
        }
        lines.sort_by_key(|(at, _)| *at);
        lines
    }
}

fn name(hour: i64) -> Option<String> {
    let time = Wall(hour * HOUR).timestamp()?;
    Some(format!("error/postgresql.log.{}", time.strftime("%Y-%m-%d-%H")))
}
