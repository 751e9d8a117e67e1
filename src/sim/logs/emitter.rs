//! What one container writes, as a pure function of seed, stream and time, and when it becomes visible.
//!
//! Time is cut into slots; each slot draws its lines from its own seed, so any window costs what it holds
//! and two reads of one window agree. What the world learns later (a mood, a SIGTERM, a death) only adds or
//! removes lines from that moment on: what was visible once stays as it was.

use std::sync::Arc;

use fastrand::Rng;

use super::chance::{self, mix};
use super::voice::{self, Level, Request};
use super::words;
use crate::sim::stack::{Container, Load, LoadShape, LogProfile};
use crate::stdx::clock::Wall;

/// Length of a slot in milliseconds.
const SLOT: i64 = 10_000;
/// How far a line may lie behind the start of what caused it, within one slot's reach.
const SPILL: i64 = 10_000;
/// How often the awslogs driver flushes.
const FLUSH: i64 = 5_000;
/// The longest way from a line's time to its visibility: flush, a retried flush, a late line.
pub const MAX_LAG: i64 = 45_000;

/// One event of a log stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When the driver read the line, in milliseconds.
    pub timestamp: i64,
    /// When CloudWatch Logs took it in.
    pub ingested: i64,
    /// Hash of the stream: the high half of the event's identity.
    pub stream: u64,
    /// Place within the stream's timestamp: the low half.
    pub sequence: u64,
    /// The line.
    pub message: String,
}

/// The order in which CloudWatch Logs hands events out.
pub type Key = (i64, i64, u64, u64);

impl Event {
    /// The place in that order.
    #[must_use]
    pub fn key(&self) -> Key {
        (self.timestamp, self.ingested, self.stream, self.sequence)
    }

    /// The event's id: 56 digits, like AWS's own.
    #[must_use]
    pub fn id(&self) -> String {
        format!("3{:013}{:020}{:022}", self.timestamp, self.stream, self.sequence)
    }
}

/// A stretch of time in which a container writes more than usual.
#[derive(Clone, Debug, PartialEq)]
pub struct Mood {
    /// Beginning.
    pub from: Wall,
    /// End, exclusive; may lie in the far future.
    pub until: Wall,
    /// What is unusual.
    pub kind: MoodKind,
}

/// What can be unusual.
#[derive(Clone, Debug, PartialEq)]
pub enum MoodKind {
    /// Errors per second on top, each with this text; a program that serves requests fails that many.
    Errors {
        /// Errors per second.
        rate: f64,
        /// Text; further lines are a stack trace.
        text: String,
    },
    /// The load times a factor above 1.
    Load {
        /// The factor.
        factor: f64,
    },
}

impl Mood {
    /// What is drawn depends on the beginning and the kind: the end may still move, and the place in a list
    /// means nothing.
    fn tag(&self) -> u64 {
        let kind = match &self.kind {
            MoodKind::Errors { text, .. } => chance::text(text),
            MoodKind::Load { factor } => factor.to_bits(),
        };
        mix(chance::time(self.from.0), kind) & 0xf_ffff
    }
}

/// The writer of one log stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Emitter {
    /// Seed of the world.
    pub seed: u64,
    /// Stream name: `prefix/container/task-id`.
    pub stream: String,
    /// Task id: containers of one task write about the same requests.
    pub task: String,
    /// What it writes.
    pub profile: Arc<LogProfile>,
    /// The container whose requests it writes about too.
    pub lead: Option<Arc<LogProfile>>,
    /// How its load follows the clock.
    pub load: Load,
    /// When the container started.
    pub born: Wall,
    /// When it got SIGTERM.
    pub stopping: Option<Wall>,
    /// When it ended.
    pub died: Option<Wall>,
    /// What it wrote when it ended by itself; each line is an event.
    pub last_words: Option<String>,
    /// Unusual stretches. A container that follows another one gets that one's too, so that both tell of the
    /// same requests.
    pub moods: Vec<Mood>,
}

/// Collects the lines of a window.
struct Window {
    identity: u64,
    from: i64,
    until: i64,
    now: i64,
    events: Vec<Event>,
}

/// Where a line came from: part of its identity.
#[derive(Clone, Copy)]
enum Origin {
    Startup,
    Requests,
    Background,
    End,
    Mood(u64),
}

impl Origin {
    fn number(self) -> u64 {
        match self {
            Self::Startup => 0,
            Self::Requests => 1,
            Self::Background => 2,
            Self::End => 3,
            Self::Mood(tag) => 4 + tag,
        }
    }
}

impl Emitter {
    /// The emitter of `container`, one of `siblings`, in a task that started at `born`.
    #[must_use]
    pub fn new(
        seed: u64,
        task: &str,
        container: &Container,
        siblings: &[Container],
        load: Load,
        born: Wall,
    ) -> Self {
        let follows = container.log.follows.as_ref();
        let lead = follows.and_then(|name| siblings.iter().find(|c| &c.name == name));
        Self {
            seed,
            stream: format!("{}/{}/{task}", container.log.prefix, container.name),
            task: task.to_owned(),
            profile: Arc::clone(&container.log),
            lead: lead.map(|c| Arc::clone(&c.log)),
            load,
            born,
            stopping: None,
            died: None,
            last_words: None,
            moods: Vec::new(),
        }
    }

    /// Events with a timestamp in `from..until` that are visible at `now`, in the order of their keys.
    #[must_use]
    pub fn events(&self, from: i64, until: i64, now: i64) -> Vec<Event> {
        let identity = self.identity();
        let mut window =
            Window { identity, from, until: until.min(now.saturating_add(1)), now, events: Vec::new() };
        if window.from < window.until {
            self.write(&mut window);
            window.events.sort_unstable_by_key(Event::key);
        }
        window.events
    }

    /// Events that became visible in `after..=through`, in the order of their keys.
    #[must_use]
    pub fn ingested(&self, after: i64, through: i64) -> Vec<Event> {
        let mut events = self.events(after.saturating_sub(MAX_LAG), through.saturating_add(1), through);
        events.retain(|event| event.ingested > after);
        events
    }

    /// Lines per second that it writes about, all in all, at full load: for estimates of size.
    #[must_use]
    pub fn pace(&self) -> f64 {
        self.profile.rate + self.requests().map_or(0.0, |profile| profile.requests)
    }

    /// Whose requests it writes about.
    fn requests(&self) -> Option<&LogProfile> {
        let profile = self.lead.as_deref().unwrap_or(&self.profile);
        (!profile.routes.is_empty()).then_some(profile)
    }

    fn write(&self, window: &mut Window) {
        let end = self.died.map_or(i64::MAX, |died| died.0);
        if window.until <= self.born.0 || window.from > end.saturating_add(1_000) {
            return;
        }
        let ready = self.startup(window);
        let quiet = self.stopping.map_or(end, |at| at.0.saturating_add(1_000).min(end));
        let first = window.from.saturating_sub(SPILL).max(ready).div_euclid(SLOT);
        let last = (window.until - 1).min(quiet).div_euclid(SLOT);
        for slot in first..=last {
            self.slot(slot, ready, quiet, window);
        }
        self.ending(window);
    }

    /// Writes the first lines; the time from which the program works.
    fn startup(&self, window: &mut Window) -> i64 {
        let mut at = self.born.0;
        for (number, text) in self.profile.startup.iter().enumerate() {
            let hash = mix(self.identity(), 1_000 + number as u64);
            at += 40 + chance::millis(hash, 700);
            let mut rng = Rng::with_seed(hash);
            if at > self.died.map_or(i64::MAX, |died| died.0) {
                break;
            }
            let text = words::fill(text, &mut rng);
            let lines = voice::milestone(self.profile.format, &self.profile.logger, at, &text, &mut rng);
            self.put(window, Origin::Startup, number as u64, at, lines);
        }
        at + 200
    }

    /// Writes the last lines: what follows SIGTERM, or what a crash leaves behind.
    fn ending(&self, window: &mut Window) {
        let profile = &self.profile;
        if let Some(stopping) = self.stopping {
            let mut at = stopping.0;
            for (number, text) in profile.shutdown.iter().enumerate() {
                let hash = mix(self.identity(), 2_000 + number as u64);
                at += 5 + chance::millis(hash, 400);
                if at > self.died.map_or(i64::MAX, |died| died.0) {
                    break;
                }
                let mut rng = Rng::with_seed(hash);
                let text = words::fill(text, &mut rng);
                let lines = voice::milestone(profile.format, &profile.logger, at, &text, &mut rng);
                self.put(window, Origin::End, number as u64, at, lines);
            }
        }
        if let (Some(died), Some(words)) = (self.died, &self.last_words) {
            let mut rng = Rng::with_seed(mix(self.identity(), 3_000));
            let lines = words::fill(words, &mut rng).lines().map(str::to_owned).collect();
            self.put(window, Origin::End, 500, died.0, lines);
        }
    }

    fn slot(&self, slot: i64, ready: i64, quiet: i64, window: &mut Window) {
        let start = slot * SLOT;
        let load = self.load_at(start + SLOT / 2);
        let alive = ready..quiet;
        let served = self.requests();
        if let Some(served) = served {
            let seed = self.drawn(&self.task, slot, Origin::Requests);
            for (number, at, seed) in arrivals(seed, served.requests * load, start) {
                if alive.contains(&at) {
                    self.request(served, None, Origin::Requests, number, at, seed, window);
                }
            }
        }
        let seed = self.drawn(&self.stream, slot, Origin::Background);
        for (number, at, seed) in arrivals(seed, self.profile.rate * load, start) {
            if alive.contains(&at) {
                self.remark(Origin::Background, number, at, seed, window);
            }
        }
        for mood in &self.moods {
            if mood.until.0 <= start || mood.from.0 >= start + SLOT {
                continue;
            }
            let origin = Origin::Mood(mood.tag());
            let alive = alive.start.max(mood.from.0)..alive.end.min(mood.until.0);
            match &mood.kind {
                MoodKind::Errors { rate, text } => {
                    for (number, at, seed) in arrivals(self.drawn(&self.task, slot, origin), *rate, start) {
                        if !alive.contains(&at) {
                            continue;
                        }
                        match served {
                            Some(served) => {
                                self.request(served, Some(text), origin, number, at, seed, window);
                            }
                            None => self.trouble(text, None, origin, number, at, seed, window),
                        }
                    }
                }
                MoodKind::Load { factor } => {
                    let more = (factor - 1.0).max(0.0) * load;
                    let seed = self.drawn(&self.task, slot, origin);
                    if let Some(served) = served {
                        for (number, at, seed) in arrivals(seed, served.requests * more, start) {
                            if alive.contains(&at) {
                                self.request(served, None, origin, number, at, seed, window);
                            }
                        }
                    }
                    let seed = mix(seed, chance::text(&self.stream));
                    for (number, at, seed) in arrivals(seed, self.profile.rate * more, start) {
                        if alive.contains(&at) {
                            self.remark(origin, 50_000 + number, at, seed, window);
                        }
                    }
                }
            }
        }
    }

    /// One request: an error first if it failed, its access line when it is done. `failure` makes it fail.
    #[expect(clippy::too_many_arguments, reason = "one draw, told in full")]
    fn request(
        &self,
        served: &LogProfile,
        failure: Option<&String>,
        origin: Origin,
        number: u64,
        at: i64,
        seed: u64,
        window: &mut Window,
    ) {
        if at >= window.until || at + SPILL < window.from {
            return;
        }
        let mut rng = Rng::with_seed(seed);
        let request = request(served, failure.is_some(), &mut rng);
        let own = self.lead.is_none();
        if own && request.status >= 500 {
            let text = failure.or_else(|| rng.choice(&self.profile.error));
            if let Some(text) = text {
                let failed = at + (request.millis - 1).max(0);
                self.trouble(text, Some(&request), origin, number * 2, failed, seed, window);
            }
        }
        // The proxy hears the answer a moment after the program has written about it.
        let done = at + request.millis + i64::from(!own);
        let line = voice::access(self.profile.format, &self.profile.logger, done, &request, &mut rng);
        self.put(window, origin, number * 2 + 1, done, vec![line]);
    }

    /// An error with its trace.
    #[expect(clippy::too_many_arguments, reason = "one draw, told in full")]
    fn trouble(
        &self,
        text: &str,
        request: Option<&Request>,
        origin: Origin,
        number: u64,
        at: i64,
        seed: u64,
        window: &mut Window,
    ) {
        let mut rng = Rng::with_seed(mix(seed, 7));
        let text = words::fill(text, &mut rng);
        let profile = &self.profile;
        let lines = voice::note(profile.format, &profile.logger, at, Level::Error, &text, request, &mut rng);
        self.put(window, origin, number, at, lines);
    }

    /// A line that is not about a request.
    fn remark(&self, origin: Origin, number: u64, at: i64, seed: u64, window: &mut Window) {
        if at >= window.until || at + SPILL < window.from {
            return;
        }
        let mut rng = Rng::with_seed(seed);
        let profile = &self.profile;
        let levels = profile.levels;
        let mut mark = rng.f64() * (levels.debug + levels.info + levels.warn + levels.error);
        let mut level = Level::Info;
        for (share, candidate, texts) in [
            (levels.debug, Level::Debug, &profile.debug),
            (levels.warn, Level::Warn, &profile.warn),
            (levels.error, Level::Error, &profile.error),
        ] {
            if mark < share && !texts.is_empty() {
                level = candidate;
                break;
            }
            mark -= share;
        }
        let texts = match level {
            Level::Debug => &profile.debug,
            Level::Info => &profile.info,
            Level::Warn => &profile.warn,
            Level::Error => &profile.error,
        };
        let Some(text) = rng.choice(texts) else { return };
        let text = words::fill(text, &mut rng);
        let lines = voice::note(profile.format, &profile.logger, at, level, &text, None, &mut rng);
        self.put(window, origin, number * 2, at, lines);
    }

    /// Puts what was written at one time into the window: each line an event, a few per millisecond.
    fn put(&self, window: &mut Window, origin: Origin, number: u64, at: i64, lines: Vec<String>) {
        let identity = window.identity;
        let utterance = origin.number() << 40 | (number & 0xff_ffff) << 12;
        let late = lateness(mix(mix(identity, chance::time(at)), utterance));
        for (line, message) in lines.into_iter().enumerate() {
            let line = line as u64;
            let timestamp = at + chance::millis(line / 4, 1_000);
            if timestamp < window.from || timestamp >= window.until {
                continue;
            }
            let after_death = if matches!(origin, Origin::End) { 1_000 } else { 0 };
            if self.died.is_some_and(|died| timestamp > died.0 + after_death) {
                continue;
            }
            let ingested = self.flushed(identity, timestamp) + late;
            if ingested > window.now {
                continue;
            }
            let sequence = utterance | (line & 0xfff);
            window.events.push(Event { timestamp, ingested, stream: identity, sequence, message });
        }
    }

    /// When the driver's flush that carries a line of this time arrives.
    fn flushed(&self, identity: u64, timestamp: i64) -> i64 {
        let phase = chance::millis(identity, 5_000);
        let tick = (timestamp - phase).div_euclid(FLUSH) * FLUSH + phase + FLUSH;
        let hash = mix(identity, chance::time(tick));
        let travel = 30 + chance::millis(hash, 120);
        if let Some(died) = self.died
            && tick > died.0
        {
            // The driver flushes what it holds when the container's output ends.
            return timestamp.max(died.0) + 20 + travel;
        }
        let retried = if hash.is_multiple_of(250) { 4_000 + chance::millis(hash >> 20, 16_000) } else { 0 };
        tick + travel + retried
    }

    fn identity(&self) -> u64 {
        mix(self.seed, chance::text(&self.stream))
    }

    fn drawn(&self, whose: &str, slot: i64, origin: Origin) -> u64 {
        mix(mix(mix(self.seed, chance::text(whose)), chance::time(slot)), origin.number())
    }

    /// The load at a time, about 0.1 to 1.2.
    fn load_at(&self, at: i64) -> f64 {
        level(self.load, self.seed, at)
    }
}

/// How busy a service with this daily curve is at a time (milliseconds), about 0.1 to 1.2; 1 is full load.
#[must_use]
pub fn level(load: Load, seed: u64, at: i64) -> f64 {
    daily(load, at) * drift(seed, at)
}

/// Between two and fifteen seconds for one utterance in eighty, nothing for all others.
fn lateness(hash: u64) -> i64 {
    if hash.is_multiple_of(80) { 2_000 + chance::millis(hash >> 16, 13_000) } else { 0 }
}

/// What arrives in a slot at `per_second`: number, time, own seed. One in sixteen brings company.
fn arrivals(seed: u64, per_second: f64, start: i64) -> Vec<(u64, i64, u64)> {
    let mut rng = Rng::with_seed(seed);
    // Company adds a fifth; spread around the mean instead of a fixed count.
    let expected = per_second * 10.0 / 1.2 * (0.6 + 0.8 * rng.f64());
    let mut count = 0_u32;
    while f64::from(count) + 1.0 <= expected.min(100_000.0) {
        count += 1;
    }
    if rng.f64() < expected - f64::from(count) {
        count += 1;
    }
    // A line may spill into the next slot, where the same number at the same time must mean another line.
    let slot = chance::time(start.div_euclid(SLOT) & 3) << 20;
    let mut all = Vec::new();
    for _ in 0..count {
        let at = start + rng.i64(0..SLOT);
        all.push((slot | all.len() as u64, at, rng.u64(..)));
        if rng.u32(0..16) == 0 {
            for _ in 0..rng.u32(2..6) {
                let close = (at + rng.i64(0..300)).min(start + SLOT - 1);
                all.push((slot | all.len() as u64, close, rng.u64(..)));
            }
        }
    }
    all
}

fn request(profile: &LogProfile, failing: bool, rng: &mut Rng) -> Request {
    let route = rng.choice(&profile.routes).map(|route| words::fill(route, rng)).unwrap_or_default();
    let (method, path) = route.split_once(' ').unwrap_or(("GET", "/"));
    let failed = failing || rng.f64() < profile.failures;
    let status = if failed {
        [500, 500, 502, 503, 504][rng.usize(0..5)]
    } else {
        match rng.u32(0..1_000) {
            0..8 => 404,
            8..16 if path.contains("api") => 401,
            16..20 if path.contains("api") => 429,
            20..80 if method == "GET" => 304,
            _ if method == "POST" => 201,
            _ => 200,
        }
    };
    // Most answers are near the usual time, a few take ten times as long; failures are often timeouts.
    let usual = f64::from(profile.typical_ms) * (0.4 + 1.4 * rng.f64());
    let tail = if rng.u32(0..40) == 0 { 2.0 + 10.0 * rng.f64() } else { 1.0 };
    let slow = if failed { 5.0 } else { 1.0 };
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    let millis = (usual * tail * slow).clamp(1.0, 8_000.0) as i64;
    Request {
        id: format!("{:016x}", rng.u64(..)),
        method: method.to_owned(),
        path: path.to_owned(),
        ip: words::ip(rng),
        status,
        millis,
        bytes: rng.u32(120..18_000),
    }
}

/// The daily curve, without chance: 1 at the busiest time.
fn daily(load: Load, at: i64) -> f64 {
    let local = at + i64::from(load.zone) * 3_600_000;
    let minute = i32::try_from(local.rem_euclid(86_400_000) / 60_000).unwrap_or(0);
    let hour = f64::from(minute) / 60.0;
    // 1970-01-01 was a Thursday.
    let weekend = (local.div_euclid(86_400_000) + 3).rem_euclid(7) >= 5;
    match load.shape {
        LoadShape::Flat => 1.0,
        LoadShape::Office => (0.15 + 0.85 * hill(hour, 13.0, 7.0)) * if weekend { 0.4 } else { 1.0 },
        LoadShape::Public => 0.3 + 0.7 * hill(hour, 20.0, 6.0).max(0.8 * hill(hour, 12.5, 6.0)),
        LoadShape::Night => 0.25 + 0.75 * hill(hour, 2.0, 6.0),
    }
}

/// 1 at `top`, falling smoothly to 0 within `reach` hours, around the clock.
fn hill(hour: f64, top: f64, reach: f64) -> f64 {
    let apart = (hour - top).abs();
    let near = (1.0 - apart.min(24.0 - apart) / reach).max(0.0);
    near * near * (3.0 - 2.0 * near)
}

/// Slow noise between 0.75 and 1.25, the same for a whole world.
fn drift(seed: u64, at: i64) -> f64 {
    const STEP: i64 = 240_000;
    let cell = at.div_euclid(STEP);
    let value = |cell: i64| chance::share(mix(mix(seed, 77), chance::time(cell)));
    let part = f64::from(i32::try_from(at.rem_euclid(STEP)).unwrap_or(0)) / 240_000.0;
    0.75 + 0.5 * (value(cell) * (1.0 - part) + value(cell + 1) * part)
}

#[cfg(test)]
mod tests;
