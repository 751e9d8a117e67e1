//! One group and one choice of streams, read to the end again and again without losing or doubling a line.
//!
//! Three kinds of reading share the channel:
//! - *live*: from a little before the last complete reading to now. Containers flush every five seconds, each
//!   in its own phase, so a line may become visible long after younger ones: a short overlap (8 s) is asked at
//!   each poll, the full one (30 s) at least every 15 s, and event ids drop what was there before. Only
//!   a reading that came to its end moves the start of the next one.
//! - *back*: what lies before, newest first where the endpoint can do that, so that one request fills the
//!   screen; else in windows that grow.
//! - *gap*: after a long absence, what was missed, while live goes on from now.
//!
//! Must not know services or tasks; it hands out raw events.

mod back;

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::Options;
use super::seen::{Key, Seen, Twins};
use super::state::Gap;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::log::{LogEvent, LogGroupId};
use crate::domain::query::{LogQuery, PageToken, Streams};
use crate::logs::line::Arrival;
use crate::stdx::clock::{Moment, Wall};

/// How late a line may become visible after its own time.
pub const OVERLAP: Duration = Duration::from_secs(30);
/// The overlap of the polls between two full ones: the driver's flush, and some.
const SHORT_OVERLAP: Duration = Duration::from_secs(8);
/// How often the full overlap is asked.
const DEEP_EVERY: Duration = Duration::from_secs(15);
/// The longest that our clock is believed to be ahead of CloudWatch's.
const MOST_SKEW: Duration = Duration::from_secs(300);
/// After an absence of this length, live starts from now and the rest is read as a gap.
const ABSENCE: Duration = Duration::from_secs(900);
/// The shortest and the longest time between two live readings of the only channel.
const POLL: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(5));
/// What a page holds at most.
const PAGE: u32 = 10_000;
/// AWS refuses newest-first readings that begin before 2024.
const NEWEST_FIRST_SINCE: Wall = Wall(1_704_067_200_000);
/// How often a page token may repeat before it is a circle.
const MOST_REPEATS: u32 = 3;
/// The first window of a reading back where newest-first is not to be had.
const FIRST_WINDOW: Duration = Duration::from_secs(120);

/// Which reading a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Live,
    Back,
    Gap,
}

#[derive(Clone, Debug)]
struct Job {
    /// Where the reading began.
    start: Wall,
    /// Where its next request begins.
    from: Wall,
    to: Option<Wall>,
    newest_first: bool,
    limit: u32,
    deep: bool,
    token: Option<PageToken>,
    tokens: HashSet<PageToken>,
    repeats: u32,
    twins: Twins,
    /// Events of a reading back in windows, until the window is complete.
    collected: Vec<LogEvent>,
    collected_keys: HashSet<Key>,
    started: Moment,
    in_flight: bool,
    retry_at: Option<Duration>,
}

impl Job {
    fn new(from: Wall, to: Option<Wall>, now: Moment) -> Self {
        Self {
            start: from,
            from,
            to,
            newest_first: false,
            limit: PAGE,
            deep: true,
            token: None,
            tokens: HashSet::new(),
            repeats: 0,
            twins: Twins::default(),
            collected: Vec::new(),
            collected_keys: HashSet::new(),
            started: now,
            in_flight: false,
            retry_at: None,
        }
    }

    /// From its first page again.
    fn restart(&mut self) {
        *self = Self {
            deep: self.deep,
            limit: self.limit,
            newest_first: self.newest_first,
            ..Self::new(self.start, self.to, self.started)
        };
    }

    /// Goes to the next page; false when there is none. CloudWatch has been seen to repeat a token and go on, so
    /// only one that comes again and again is a circle, which is returned as what was not read.
    fn turn(&mut self, next: Option<PageToken>, now: Moment) -> (bool, Option<Gap>) {
        let circles = next.as_ref().is_some_and(|token| !self.tokens.insert(token.clone()));
        self.repeats += u32::from(circles);
        if circles && self.repeats > MOST_REPEATS {
            self.token = None;
            let gap = Gap { from: self.start, to: self.to.unwrap_or(now.wall), filling: false };
            return (false, Some(gap));
        }
        self.token = next;
        (self.token.is_some(), None)
    }

    /// Some endpoints drop what does not fit on a page, without a token: asks on from the last line.
    fn asks_on(&mut self, count: usize, newest: Option<Wall>) -> bool {
        let Some(newest) = newest.filter(|newest| count >= self.limit as usize && *newest > self.from) else {
            return false;
        };
        self.from = newest;
        self.twins = Twins::default();
        true
    }
}

/// What a page brought.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// New events, oldest first.
    pub events: Vec<LogEvent>,
    /// From which side.
    pub arrival: Option<Arrival>,
    /// The named streams do not all exist.
    pub no_such_stream: bool,
}

/// A group and its streams, followed.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub group: LogGroupId,
    pub streams: Streams,
    pattern: Option<String>,
    follow: bool,
    live: Option<Job>,
    back: Option<Job>,
    gap_job: Option<Job>,
    pub gaps: VecDeque<Gap>,
    pub lost: Vec<Gap>,
    seen: Seen,
    /// Begin of the last complete live reading, and of the last with the full overlap.
    last: Option<Moment>,
    last_deep: Option<Moment>,
    /// When following began, and from where on live and reading back may bring the same line.
    began: Wall,
    shared_from: Wall,
    backwards: bool,
    next_live: Option<Duration>,
    idle_polls: u32,
    /// The least that CloudWatch's clock was seen behind ours: the skew, and some.
    lag: Option<Duration>,
    /// All from here on is known.
    known_from: Wall,
    since: Wall,
    /// Lines still wanted from reading back.
    wanted: usize,
    page: usize,
    window: Duration,
    newest_first_works: bool,
    pub exhausted: bool,
    pub trouble: Option<Fault>,
    attempts: u32,
    finished: bool,
}

impl Channel {
    pub fn new(group: LogGroupId, streams: Streams, options: &Options, now: Moment) -> Self {
        let backwards = options.newest_first.is_some();
        Self {
            group,
            streams,
            pattern: options.pattern.clone(),
            follow: options.follow,
            live: None,
            back: None,
            gap_job: None,
            gaps: VecDeque::new(),
            lost: Vec::new(),
            seen: Seen::default(),
            last: None,
            last_deep: None,
            began: now.wall,
            shared_from: now.wall.minus(OVERLAP + MOST_SKEW),
            backwards,
            next_live: (!backwards).then_some(Duration::ZERO),
            idle_polls: 0,
            lag: None,
            known_from: if backwards { Wall(i64::MAX) } else { options.since },
            since: options.since,
            wanted: options.newest_first.unwrap_or(0),
            page: options.newest_first.unwrap_or(1_000).max(1),
            window: FIRST_WINDOW,
            newest_first_works: options.since >= NEWEST_FIRST_SINCE,
            exhausted: false,
            trouble: None,
            attempts: 0,
            finished: false,
        }
    }

    /// Whether nothing more will be asked.
    pub fn is_finished(&self) -> bool {
        self.finished && self.wanted == 0 && self.gaps.is_empty()
    }

    /// How old the newest complete reading is.
    pub fn behind(&self, now: Moment) -> Option<Duration> {
        self.last.map(|last| now.since(last))
    }

    /// All from here on is known.
    pub fn known_from(&self) -> Wall {
        self.known_from
    }

    /// When the next failed request is tried again.
    pub fn retry_at(&self) -> Option<Duration> {
        self.jobs().filter_map(|job| job.retry_at).min()
    }

    fn jobs(&self) -> impl Iterator<Item = &Job> {
        [&self.live, &self.back, &self.gap_job].into_iter().flatten()
    }

    /// Asks for one more page of what lies before.
    pub fn older(&mut self) {
        if !self.exhausted && self.wanted == 0 {
            self.wanted = self.page;
        }
    }

    fn skew(&self) -> Duration {
        self.lag.unwrap_or(MOST_SKEW).min(MOST_SKEW)
    }

    /// The requests that are due.
    pub fn due(&mut self, now: Moment, channels: u32) -> Vec<(Kind, LogQuery)> {
        self.begin(now, channels);
        let mut asks = Vec::new();
        for kind in [Kind::Back, Kind::Live, Kind::Gap] {
            let Some(job) = self.job(kind) else { continue };
            if job.in_flight || job.retry_at.is_some_and(|at| at > now.mono) {
                continue;
            }
            job.in_flight = true;
            job.retry_at = None;
            let (from, to, newest_first, limit, page) =
                (job.from, job.to, job.newest_first, job.limit, job.token.clone());
            let query = LogQuery {
                scope: self.group.scope.clone(),
                group: self.group.name.clone(),
                streams: self.streams.clone(),
                from: Some(Wall(from.0.max(0))),
                to,
                pattern: self.pattern.clone(),
                newest_first,
                limit: Some(limit),
                page,
            };
            asks.push((kind, query));
        }
        asks
    }

    fn job(&mut self, kind: Kind) -> Option<&mut Job> {
        match kind {
            Kind::Live => self.live.as_mut(),
            Kind::Back => self.back.as_mut(),
            Kind::Gap => self.gap_job.as_mut(),
        }
    }

    /// Begins the readings that are due.
    fn begin(&mut self, now: Moment, channels: u32) {
        if self.back.is_none() && self.wanted > 0 {
            self.back = self.next_back(now);
        }
        if self.gap_job.is_none()
            && let Some(gap) = self.gaps.front()
        {
            self.gap_job = Some(Job::new(gap.from, Some(gap.to), now));
        }
        let is_due = self.next_live.is_some_and(|at| at <= now.mono);
        if self.live.is_none() && is_due && !self.finished {
            self.live = Some(self.next_live_job(now));
            self.next_live = Some(now.mono + self.interval(channels));
        }
    }

    fn next_live_job(&mut self, now: Moment) -> Job {
        let skew = self.skew();
        let (Some(last), Some(last_deep)) = (self.last, self.last_deep) else {
            // The skew is known by now if a reading back brought anything.
            let from = if self.backwards { self.began.minus(OVERLAP + skew) } else { self.since };
            return Job::new(from, None, now);
        };
        let deep = now.since(last_deep) >= DEEP_EVERY;
        let from =
            if deep { last_deep.wall.minus(OVERLAP + skew) } else { last.wall.minus(SHORT_OVERLAP + skew) };
        if now.since(last) > ABSENCE {
            let fresh = now.wall.minus(OVERLAP + skew);
            let missed = last_deep.wall.minus(OVERLAP + skew);
            self.gaps.push_back(Gap { from: missed, to: Wall(fresh.0 - 1), filling: true });
            return Job::new(fresh, None, now);
        }
        Job { deep, ..Job::new(from, None, now) }
    }

    fn interval(&self, channels: u32) -> Duration {
        // One follower spends about half a request a second, however many groups it reads.
        let slower = 2_u32.saturating_pow(self.idle_polls.min(2));
        (POLL.0 * slower).min(POLL.1) * channels.clamp(1, 5)
    }

    /// Takes the answer to a request of that kind.
    pub fn absorb(
        &mut self,
        kind: Kind,
        outcome: Result<(Vec<LogEvent>, Option<PageToken>), Fault>,
        now: Moment,
    ) -> Brought {
        let Some(job) = self.job(kind) else { return Brought::default() };
        job.in_flight = false;
        match outcome {
            Err(fault) => self.failed(kind, fault, now),
            Ok((events, next)) => {
                self.trouble = None;
                self.attempts = 0;
                self.measure_lag(&events, now);
                match kind {
                    Kind::Live | Kind::Gap => self.forward_page(kind, events, next, now),
                    Kind::Back => self.back_page(events, next, now),
                }
            }
        }
    }

    fn measure_lag(&mut self, events: &[LogEvent], now: Moment) {
        let newest = events.iter().map(|e| e.ingested_at.unwrap_or(e.at)).max();
        if let Some(newest) = newest {
            let lag = newest.age_at(now.wall);
            self.lag = Some(self.lag.map_or(lag, |known| known.min(lag)));
        }
    }

    fn failed(&mut self, kind: Kind, fault: Fault, now: Moment) -> Brought {
        self.attempts += 1;
        let attempts = self.attempts;
        let named = matches!(self.streams, Streams::Named(_));
        let wait = if fault.is_transient() {
            let seconds = 2_u64.saturating_pow(attempts.min(5)).min(30);
            // Spread over half a second, so that followers that failed together do not return together.
            Duration::from_millis(seconds * 1_000 + u64::from(attempts) * 137 % 500)
        } else {
            Duration::from_secs(30)
        };
        let Some(job) = self.job(kind) else { return Brought::default() };
        if fault.kind == FaultKind::Invalid && (job.token.is_some() || job.newest_first) {
            // A token that has expired, or an endpoint that does not know newest-first: begin again.
            let refused = job.token.is_none();
            job.restart();
            if kind == Kind::Back {
                self.newest_first_works &= !refused;
                self.back = None;
            }
            return Brought::default();
        }
        job.retry_at = Some(now.mono + wait);
        let no_such_stream = fault.kind == FaultKind::NotFound && named;
        self.trouble = Some(fault);
        Brought { no_such_stream, ..Brought::default() }
    }

    /// A page of a reading in the order of time.
    fn forward_page(
        &mut self,
        kind: Kind,
        events: Vec<LogEvent>,
        next: Option<PageToken>,
        now: Moment,
    ) -> Brought {
        let Some(job) = (match kind {
            Kind::Gap => self.gap_job.as_mut(),
            _ => self.live.as_mut(),
        }) else {
            return Brought::default();
        };
        let count = events.len();
        let newest = events.iter().map(|e| e.at).max();
        let mut fresh = Vec::new();
        for event in events {
            let key = job.twins.key(&event);
            if self.seen.take(key, event.at) {
                fresh.push(event);
            }
        }
        fresh.sort_by_key(|event| event.at);
        let (turned, circle) = job.turn(next, now);
        let goes_on = turned || (circle.is_none() && job.asks_on(count, newest));
        self.lost.extend(circle);
        if !goes_on {
            self.forward_complete(kind, !fresh.is_empty());
        }
        Brought { events: fresh, arrival: Some(Arrival::Newer), no_such_stream: false }
    }

    fn forward_complete(&mut self, kind: Kind, brought: bool) {
        if kind == Kind::Gap {
            self.gap_job = None;
            self.gaps.pop_front();
            return;
        }
        let Some(job) = self.live.take() else { return };
        if self.last.is_none() && self.known_from >= job.start {
            // What the first reading covered need not be read back.
            self.known_from = job.start;
        }
        self.last = Some(job.started);
        self.idle_polls = if brought { 0 } else { self.idle_polls.saturating_add(1) };
        if job.deep {
            self.last_deep = Some(job.started);
            let mut keep = job.started.wall.minus(OVERLAP + self.skew());
            if let Some(gap) = self.gaps.front() {
                keep = keep.min(gap.from);
            }
            if self.back.is_some() {
                keep = keep.min(self.shared_from);
            }
            self.seen.forget_before(keep);
        }
        self.finished = !self.follow;
    }

    /// When it wants to be asked again.
    pub fn wake_at(&self) -> Option<Duration> {
        let job_at = |job: &Job| (!job.in_flight).then(|| job.retry_at.unwrap_or(Duration::ZERO));
        let jobs = self.jobs().filter_map(job_at);
        let live = self.next_live.filter(|_| self.live.is_none() && !self.finished);
        let back = (self.back.is_none() && self.wanted > 0).then_some(Duration::ZERO);
        let gap = (self.gap_job.is_none() && !self.gaps.is_empty()).then_some(Duration::ZERO);
        jobs.chain(live).chain(back).chain(gap).min()
    }

    /// How many events are remembered.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.seen.len()
    }
}
