//! The log pane: what it follows, where the reader stands, what is wanted.
//!
//! Must not fetch: the follow machine says what to ask, the store keeps it, the viewport reads it.

mod file;
mod subject;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::app::Effect;
use crate::app::pane::list::Motion;
use crate::app::refresh::{Refresh, Token};
use crate::app::world::World;
use crate::config::Config;
use crate::domain::ecs::ServiceId;
use crate::domain::fault::Fault;
use crate::domain::log::LogSubject;
use crate::domain::query::{Answer, Class, Query};
use crate::logs::RecordId;
use crate::logs::filter::Filter;
use crate::logs::follow::{Follow, FollowState, Options, RequestId};
use crate::logs::level::Level;
use crate::logs::parse::{self, Fields};
use crate::logs::scan::Scan;
use crate::logs::store::{Record, Store};
use crate::logs::viewport::{Page, Seek, Viewport, Window};
use crate::stdx::clock::Moment;
use crate::stdx::text;
use crate::theme::{Role, Theme};

pub use file::FileId;

/// Bytes of lines that one turn of the loop looks through for the filter.
const SCAN_BUDGET: usize = 2 << 20;

/// A log that only passes by under a moving selection does not cost a request.
const SETTLE: Duration = Duration::from_millis(600);

/// Lines asked for at first and with each reading back.
const SCREENFUL: usize = 200;

/// What is followed, with the requests under way.
#[derive(Clone, Debug)]
struct Following {
    follow: Follow,
    requests: BTreeMap<Token, RequestId>,
    /// The newest look at the service that was handed in.
    observed: Option<Moment>,
}

/// Bytes of a line that any screen can show: two hundred rows of it. What lies behind is never looked at when
/// it is drawn.
pub const VISIBLE: usize = 256 << 10;

/// Words with their roles.
type Said = Vec<(String, Role)>;

/// The pane.
#[derive(Clone, Debug)]
pub struct LogsPane {
    subject: Option<LogSubject>,
    /// The service whose log it is, or whose task's.
    owner: Option<ServiceId>,
    /// The log file of a database, instead of a service's or a task's log.
    file: Option<file::Opened>,
    opened_at: Option<Moment>,
    following: Option<Following>,
    cancelled: Vec<Token>,
    store: Store,
    scan: Scan,
    viewport: Viewport,
    find: Option<Filter>,
    height: usize,
    width: usize,
    /// Whether it was on screen when it was last asked; hidden, it asks for nothing.
    visible: bool,
    /// What the view was last fitted to: size, wrapping, and whether all lines had been looked through.
    fitted: (usize, usize, bool, bool),
    memory: usize,
    since: Duration,
    fields: Fields,
    /// Whether long lines are wrapped.
    pub wrap: bool,
    /// Columns scrolled to the right.
    pub shift: u16,
}

/// A row as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Identity.
    pub id: RecordId,
    /// The level.
    pub level: Option<Level>,
    /// Event time.
    pub at: crate::stdx::clock::Wall,
    /// The task's id, cut to eight.
    pub task: String,
    /// Which stream it is, for its colour.
    pub stream: usize,
    /// The container.
    pub container: String,
    /// The message, raw.
    pub message: String,
    /// Chosen fields behind it.
    pub pairs: Vec<(String, String)>,
    /// Lines folded under it.
    pub folded: usize,
    /// Rows that it takes.
    pub rows: usize,
    /// Whether the cursor is on it.
    pub chosen: bool,
    /// Whether it belongs to the line above: a stack trace.
    pub continuation: bool,
}

impl LogsPane {
    /// A pane that follows nothing yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let logs = &config.logs;
        let mut fields = Fields { shown: logs.fields.clone(), ..Fields::default() };
        if !logs.message_fields.is_empty() {
            fields.message.clone_from(&logs.message_fields);
        }
        if !logs.level_fields.is_empty() {
            fields.level.clone_from(&logs.level_fields);
        }
        let memory = usize::try_from(logs.memory).unwrap_or(usize::MAX);
        Self {
            subject: None,
            owner: None,
            file: None,
            opened_at: None,
            following: None,
            cancelled: Vec::new(),
            store: Store::new(memory, fields.clone()),
            scan: Scan::new(Filter::default()),
            viewport: Viewport::default(),
            find: None,
            height: 10,
            width: 80,
            visible: false,
            fitted: (0, 0, false, false),
            memory,
            since: logs.since,
            fields,
            wrap: false,
            shift: 0,
        }
    }

    /// Follows something else from now on: a service's log, or that of one of its tasks.
    pub fn open(&mut self, subject: LogSubject, owner: ServiceId) {
        self.owner = Some(owner);
        if self.subject.as_ref() == Some(&subject) {
            self.viewport.follow();
            return;
        }
        self.close();
        self.subject = Some(subject);
    }

    fn close(&mut self) {
        if let Some(following) = self.following.take() {
            self.cancelled.extend(following.requests.into_keys());
        }
        self.opened_at = None;
        self.file = None;
        self.empty();
    }

    /// Holds no line any more, and stands where a pane stands at first.
    fn empty(&mut self) {
        self.store = Store::new(self.memory, self.fields.clone());
        self.scan = Scan::new(self.scan.filter().clone());
        self.viewport = Viewport::default();
        self.shift = 0;
    }

    /// The same with room for so many bytes.
    #[must_use]
    pub fn within(self, memory: usize) -> Self {
        Self { memory, store: Store::new(memory, self.fields.clone()), ..self }
    }

    /// Asks for what the follow machine wants, while the pane is on screen.
    pub fn schedule(
        &mut self,
        refresh: &mut Refresh,
        world: &World,
        subject: Option<&ServiceId>,
        visible: bool,
        focused: bool,
        now: Moment,
    ) -> Vec<Effect> {
        let mut effects: Vec<Effect> =
            std::mem::take(&mut self.cancelled).into_iter().map(Effect::Cancel).collect();
        // A deck shows the log of the service under the cursor; a log that was opened on purpose stays.
        let is_read = focused && self.file.is_some();
        if let Some(service) = subject.filter(|s| visible && !is_read && !self.is_about(s)) {
            self.open(LogSubject::Service(service.clone()), service.clone());
            effects.extend(std::mem::take(&mut self.cancelled).into_iter().map(Effect::Cancel));
        }
        self.visible = visible;
        self.take_file(world);
        self.scan.advance(&self.store, SCAN_BUDGET);
        let Some(subject) = self.subject.clone().filter(|_| visible) else { return effects };
        let opened = *self.opened_at.get_or_insert(now);
        if self.following.is_none() && (focused || now.since(opened) >= SETTLE) {
            let options = Options {
                since: now.wall.minus(self.since),
                newest_first: Some(SCREENFUL),
                follow: true,
                pattern: None,
                containers: Vec::new(),
                tasks: Vec::new(),
            };
            self.following = Some(Following {
                follow: Follow::new(subject.clone(), options, now),
                requests: BTreeMap::new(),
                observed: None,
            });
        }
        let Some(following) = self.following.as_mut() else { return effects };
        if let Some(id) = subject.service()
            && let Some(seen) = world.service(id).filter(|seen| following.observed != Some(seen.at))
        {
            following.observed = Some(seen.at);
            following.follow.observe(&seen.value, now);
        }
        let class = if focused { Class::Foreground } else { Class::Background };
        for (id, query) in following.follow.next(now) {
            let token = refresh.token();
            following.requests.insert(token, id);
            effects.push(Effect::Query { token, query, class });
        }
        effects
    }

    /// Takes an answer in, if it is to one of its requests.
    pub fn absorb(&mut self, token: Token, _query: &Query, outcome: &Result<Answer, Fault>, now: Moment) {
        let Some(following) = self.following.as_mut() else { return };
        let Some(id) = following.requests.remove(&token) else { return };
        for batch in following.follow.absorb(id, outcome.clone(), now) {
            self.store.insert(&batch);
        }
        self.scan.advance(&self.store, SCAN_BUDGET);
    }

    /// When it wants to ask again.
    #[must_use]
    pub fn wake_in(&self, now: Moment) -> Option<Duration> {
        if !self.visible {
            return None;
        }
        if self.is_scanning() {
            return Some(Duration::ZERO);
        }
        match (&self.following, self.opened_at) {
            (Some(following), _) => following.follow.wake_at().map(|at| at.since(now)),
            (None, Some(opened)) => Some(SETTLE.saturating_sub(now.since(opened))),
            (None, None) => None,
        }
    }

    /// Whether lines held here are still being looked through.
    #[must_use]
    pub fn is_scanning(&self) -> bool {
        !self.scan.progress(&self.store).is_done()
    }

    /// Loads what is older than what is held.
    pub fn older(&mut self) {
        if let Some(following) = self.following.as_mut() {
            following.follow.older();
        }
    }

    /// Takes the screen's size in. A view that fits is left alone: fitting it lets late lines in, and what
    /// is held must not move by itself.
    pub fn settle(&mut self, width: usize, height: usize) {
        self.width = width;
        self.height = height;
        let searched = self.scan.progress(&self.store).is_done();
        let fitted = (width, height, self.wrap, searched);
        if self.fitted != fitted {
            self.fitted = fitted;
            self.read(Viewport::settle);
        }
    }

    /// The least that must stand before a message: mark, time, task, container, level.
    #[must_use]
    pub fn prefix_width(&self) -> usize {
        2 + 13 + self.origin_width() + 6
    }

    /// Columns for task and container; the lines of a file come from one place, which the title names.
    #[must_use]
    pub fn origin_width(&self) -> usize {
        if self.file.is_some() { 0 } else { 9 + self.container_width() + 1 }
    }

    /// The widest container name, as far as it is shown.
    #[must_use]
    pub fn container_width(&self) -> usize {
        self.store.origins().iter().map(|o| text::width(&o.container)).max().unwrap_or(0).min(14)
    }

    /// Works on the viewport with a window onto the lines.
    fn read<T>(&mut self, work: impl FnOnce(&mut Viewport, &Window<'_>) -> T) -> T {
        let mut viewport = std::mem::take(&mut self.viewport);
        let weigh = self.weigher();
        let window =
            Window { store: &self.store, scan: &self.scan, height: self.height.max(1), weigh: &weigh };
        let result = work(&mut viewport, &window);
        drop(weigh);
        self.viewport = viewport;
        result
    }

    /// How many rows a record takes.
    fn weigher(&self) -> impl Fn(&Record<'_>) -> usize + use<'_> {
        let room = self.width.saturating_sub(self.prefix_width()).max(16);
        move |record| {
            if !self.wrap {
                return 1;
            }
            let summary = parse::summary(record.message, self.store.fields());
            let pairs: usize = summary.pairs.iter().map(|(k, v)| text::width(k) + text::width(v) + 2).sum();
            (text::width(&text::scrub(text::head(&summary.message, VISIBLE))) + pairs)
                .div_ceil(room)
                .clamp(1, 200)
        }
    }

    /// What the screen shows, top to bottom, with what is cut off above and whether more is being looked for.
    #[must_use]
    pub fn page(&self) -> (Vec<Shown>, Page) {
        let weigh = self.weigher();
        let window =
            Window { store: &self.store, scan: &self.scan, height: self.height.max(1), weigh: &weigh };
        let page = self.viewport.page(&window);
        let rows = page
            .rows
            .iter()
            .filter_map(|row| {
                let record = self.store.find(row.id)?;
                let summary = parse::summary(record.message, self.store.fields());
                let continuation = record.is_continuation();
                Some(Shown {
                    id: row.id,
                    level: record.level,
                    at: record.id.at,
                    task: record.origin.short_task().to_owned(),
                    stream: usize::try_from(record.id.stream.0).unwrap_or(0),
                    container: record.origin.container.clone(),
                    message: summary.message.into_owned(),
                    pairs: summary.pairs,
                    folded: row.folded,
                    rows: row.rows,
                    chosen: row.is_cursor,
                    continuation,
                })
            })
            .collect();
        (rows, page)
    }

    /// Moves the cursor.
    pub fn move_by(&mut self, motion: Motion, _height: usize) {
        let at_top = self.page().1.at_top;
        self.read(|viewport, window| match motion {
            Motion::Up => viewport.up(window, 1),
            Motion::Down => viewport.down(window, 1),
            Motion::PageUp => viewport.page_up(window),
            Motion::PageDown => viewport.page_down(window),
            Motion::Top => viewport.top(window),
            Motion::Bottom => viewport.follow(),
        });
        // Reading upwards at the oldest line means that older ones are wanted.
        if at_top && matches!(motion, Motion::Up | Motion::PageUp | Motion::Top) {
            self.older();
        }
    }

    /// Puts the cursor on a record.
    pub fn select(&mut self, id: RecordId) {
        self.read(|viewport, window| viewport.select(window, id));
    }

    /// The record under the cursor.
    #[must_use]
    pub fn selected(&self) -> Option<RecordId> {
        let weigh = self.weigher();
        let window =
            Window { store: &self.store, scan: &self.scan, height: self.height.max(1), weigh: &weigh };
        self.viewport.cursor(&window)
    }

    /// A record's text, raw.
    #[must_use]
    pub fn raw(&self, id: RecordId) -> Option<String> {
        self.store.find(id).map(|record| record.message.to_owned())
    }

    /// A record by identity.
    #[must_use]
    pub fn record(&self, id: RecordId) -> Option<Record<'_>> {
        self.store.find(id)
    }

    /// Lines held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.store.len()
    }

    /// What is wanted.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        self.scan.filter()
    }

    /// The filter as typed.
    #[must_use]
    pub fn filter_text(&self) -> String {
        self.scan.filter().text().to_owned()
    }

    /// Whether anything is filtered away by words (a level does not count: Esc does not clear it).
    #[must_use]
    pub fn has_filter(&self) -> bool {
        self.scan.filter().has_terms()
    }

    /// Applies a filter.
    pub fn set_filter(&mut self, text: &str) -> Result<(), String> {
        let mut filter = Filter::parse(text).map_err(|error| error.to_string())?;
        if filter.text() == self.scan.filter().text() {
            return Ok(());
        }
        filter.at_least = self.scan.filter().at_least;
        self.find = filter.has_terms().then(|| filter.clone());
        self.scan = Scan::new(filter);
        self.scan.advance(&self.store, SCAN_BUDGET);
        self.read(Viewport::settle);
        Ok(())
    }

    /// Sets the least level shown, or the next one; gives the sentence to say.
    pub fn set_level(&mut self, level: Option<&str>) -> String {
        let mut filter = self.scan.filter().clone();
        filter.at_least = match level {
            Some("all") => None,
            Some(word) => Level::of_word(word),
            None => match filter.at_least {
                None => Some(Level::Info),
                Some(Level::Info) => Some(Level::Warn),
                Some(Level::Warn) => Some(Level::Error),
                Some(_) => None,
            },
        };
        let said = filter.at_least.map_or_else(
            || "Lines of every level".to_owned(),
            |least| format!("Lines of level {} or worse", least.name()),
        );
        self.scan = Scan::new(filter);
        self.scan.advance(&self.store, SCAN_BUDGET);
        self.read(Viewport::settle);
        said
    }

    /// Follows, or holds.
    pub fn toggle_follow(&mut self) {
        self.read(
            |viewport, window| {
                if viewport.is_following() { viewport.hold(window) } else { viewport.follow() }
            },
        );
    }

    /// Folds stack traces, or unfolds them.
    pub fn toggle_fold(&mut self) {
        self.read(Viewport::toggle_folding);
    }

    /// Goes to the next match of the filter, or to the one before; says whether there was one.
    pub fn next_match(&mut self, forward: bool) -> bool {
        let Some(find) = self.find.clone() else { return false };
        self.read(|viewport, window| {
            loop {
                match viewport.seek(window, &find, forward, 8 << 20) {
                    Seek::Found => return true,
                    Seek::None => return false,
                    Seek::More => {}
                }
            }
        })
    }

    /// What its title says, left and right.
    #[must_use]
    pub fn says(&self, theme: &Theme, now: Moment) -> (Said, Said) {
        let glyphs = &theme.glyphs;
        let mut left = Vec::new();
        let mut right = Vec::new();
        if self.subject.is_none() && self.file.is_none() {
            return (left, right);
        }
        // That a file has none is said once it was read.
        if self.file.is_none() || !self.store.is_empty() {
            left.push((text::count(self.store.len(), "line"), Role::Muted));
        }
        if self.store.dropped() > 0 {
            left.push((format!("{} older dropped from memory", self.store.dropped()), Role::Warn));
        }
        if self.has_filter() {
            left.push((format!("filter: {}", self.scan.filter().text()), Role::Match));
        }
        if let Some(least) = self.scan.filter().at_least {
            left.push((format!("{} or worse", least.name()), Role::Match));
        }
        if let Some(following) = &self.following {
            let state = following.follow.state(now);
            let role = match state {
                FollowState::Live | FollowState::Starting { .. } | FollowState::Done => Role::Muted,
                _ => Role::Warn,
            };
            right.push((state.sentence(), role));
        }
        let weigh = self.weigher();
        let window =
            Window { store: &self.store, scan: &self.scan, height: self.height.max(1), weigh: &weigh };
        if self.viewport.is_following() {
            right.push((format!("{} following", glyphs.follow), Role::Ok));
        } else {
            let unread = self.viewport.unread(&window);
            let more = if unread > 0 { format!(", {unread} new below") } else { String::new() };
            right.push((format!("{} paused{more}", glyphs.paused), Role::Warn));
        }
        (left, right)
    }

    /// What an empty pane says.
    #[must_use]
    pub fn why_empty(&self, now: Moment) -> Vec<String> {
        if !self.store.is_empty() {
            return vec!["No line held here passes the filter.".to_owned()];
        }
        let Some(following) = &self.following else {
            return vec!["Select a service or a task and press l.".to_owned()];
        };
        let mut lines = vec![match following.follow.state(now) {
            FollowState::Live => format!(
                "No lines in the last {}. New ones appear here by themselves.",
                crate::stdx::span::brief(self.since)
            ),
            other => text::capital(&other.sentence()),
        }];
        lines.extend(following.follow.notes().map(str::to_owned));
        lines
    }

    /// What the follow machine wants to be known: containers that log elsewhere, streams that cannot be mapped.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        self.following.iter().flat_map(|f| f.follow.notes().map(str::to_owned)).collect()
    }
}
