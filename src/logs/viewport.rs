//! Where a reader stands among the lines: following the end, or held at a line.
//!
//! A held view is still to the cell: lines that arrive later below it are counted, and lines that arrive late
//! *inside* it stay hidden until the reader moves. Nothing is lost by holding; the store goes on.
//!
//! Must not draw, wrap or measure: the caller says how many rows a line takes.

use std::collections::HashSet;

use super::filter::Filter;
use super::scan::{Scan, Step};
use super::store::{Place, Record, RecordId, Store};

/// What the reader looks through: the lines, those that are wanted, and the screen's height.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    /// The lines.
    pub store: &'a Store,
    /// Those that are wanted.
    pub scan: &'a Scan,
    /// Rows on the screen.
    pub height: usize,
    /// How many rows a line takes (more than one when lines are wrapped).
    pub weigh: &'a dyn Fn(&Record<'_>) -> usize,
}

impl<'a> Window<'a> {
    /// A window in which every line takes one row.
    #[must_use]
    pub fn unwrapped(store: &'a Store, scan: &'a Scan, height: usize) -> Self {
        Self { store, scan, height, weigh: &|_| 1 }
    }
}

/// One line on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line.
    pub id: RecordId,
    /// Rows it takes, at most the screen's height.
    pub rows: usize,
    /// Lines that are folded away under it.
    pub folded: usize,
    /// Whether the cursor is on it.
    pub is_cursor: bool,
}

/// A screenful.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Lines from top to bottom.
    pub rows: Vec<Row>,
    /// How many rows of the first line are cut off above the screen (when following wrapped lines).
    pub skip: usize,
    /// No wanted line is above.
    pub at_top: bool,
    /// No wanted line is below.
    pub at_bottom: bool,
    /// The scan has not come so far: more may appear.
    pub searching: bool,
}

/// How a search for a match ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// The cursor is on it.
    Found,
    /// There is none in that direction.
    None,
    /// The budget is spent: call again with the same arguments.
    More,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Following,
    Held(Hold),
}

/// What stood still when the reader last moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hold {
    top: RecordId,
    /// The newest line at that time: what sorts after it appears below as it comes.
    settled: Option<RecordId>,
    /// Sequences from here on came later.
    rising: i64,
    /// Sequences below this came later, by reading back.
    falling: i64,
}

/// A reader's place.
#[derive(Clone, Debug, PartialEq)]
pub struct Viewport {
    position: Position,
    cursor: Option<RecordId>,
    folding: bool,
    /// Heads whose traces are shown against the rule.
    toggled: HashSet<i64>,
    seeking: Option<RecordId>,
}

impl Default for Viewport {
    fn default() -> Self {
        Self {
            position: Position::Following,
            cursor: None,
            folding: true,
            toggled: HashSet::new(),
            seeking: None,
        }
    }
}

impl Viewport {
    /// Whether the newest line is always shown.
    #[must_use]
    pub fn is_following(&self) -> bool {
        self.position == Position::Following
    }

    /// Whether stack traces are folded unless opened one by one.
    #[must_use]
    pub fn is_folding(&self) -> bool {
        self.folding
    }

    /// How many wanted lines have come since the view was held; 0 while following.
    #[must_use]
    pub fn unread(&self, window: &Window<'_>) -> usize {
        match self.position {
            Position::Following => 0,
            Position::Held(hold) => window.scan.found_since(window.store, hold.rising),
        }
    }

    /// The line under the cursor: the last one while following.
    #[must_use]
    pub fn cursor(&self, window: &Window<'_>) -> Option<RecordId> {
        match (self.position, self.cursor) {
            (Position::Held(_), Some(id)) if window.store.find(id).is_some() => Some(id),
            (Position::Held(hold), _) => self.place_of(window, self.cursor.unwrap_or(hold.top)),
            (Position::Following, _) => self.last(window),
        }
    }

    /// The first visible line not before `id`, or the last one.
    fn place_of(&self, window: &Window<'_>, id: RecordId) -> Option<RecordId> {
        let place = window.store.lower_bound(id);
        self.visible_from(window, place)
            .or_else(|| self.visible_before(window, place))
            .map(|(_, record)| record.id)
    }

    fn last(&self, window: &Window<'_>) -> Option<RecordId> {
        self.visible_before(window, window.store.end()).map(|(_, record)| record.id)
    }

    fn is_hidden(&self, window: &Window<'_>, record: &Record<'_>) -> bool {
        if self.is_folded(window, record) {
            return true;
        }
        match self.position {
            Position::Following => false,
            Position::Held(hold) => {
                let came_later = record.id.sequence >= hold.rising || record.id.sequence < hold.falling;
                came_later && record.id > hold.top && hold.settled.is_some_and(|settled| record.id < settled)
            }
        }
    }

    /// A search in the text shows every line that it found, folded or not: hiding matches would be a lie.
    fn is_folded(&self, window: &Window<'_>, record: &Record<'_>) -> bool {
        record.is_continuation()
            && !window.scan.filter().has_terms()
            && self.folding != self.toggled.contains(&record.head)
    }

    fn visible_from<'a>(&self, window: &Window<'a>, mut place: Place) -> Option<(Place, Record<'a>)> {
        while let Step::At(at) = window.scan.at_or_after(window.store, place) {
            let record = window.store.get(at)?;
            if !self.is_hidden(window, &record) {
                return Some((at, record));
            }
            place = Place { index: at.index + 1, ..at };
        }
        None
    }

    fn visible_before<'a>(&self, window: &Window<'a>, mut place: Place) -> Option<(Place, Record<'a>)> {
        while let Step::At(at) = window.scan.before(window.store, place) {
            let record = window.store.get(at)?;
            if !self.is_hidden(window, &record) {
                return Some((at, record));
            }
            place = at;
        }
        None
    }

    fn row(&self, window: &Window<'_>, record: &Record<'_>, cursor: Option<RecordId>) -> Row {
        let shows_all =
            window.scan.filter().has_terms() || self.folding == self.toggled.contains(&record.head);
        Row {
            id: record.id,
            rows: (window.weigh)(record).clamp(1, window.height.max(1)),
            folded: if shows_all || record.is_continuation() {
                0
            } else {
                window.store.folded_under(record.id)
            },
            is_cursor: cursor == Some(record.id),
        }
    }

    /// The screenful at this place.
    #[must_use]
    pub fn page(&self, window: &Window<'_>) -> Page {
        let cursor = self.cursor(window);
        let mut rows = Vec::new();
        let mut used = 0;
        let mut skip = 0;
        match self.position {
            Position::Following => {
                let mut place = window.store.end();
                while used < window.height
                    && let Some((at, record)) = self.visible_before(window, place)
                {
                    rows.push(self.row(window, &record, cursor));
                    used += rows.last().map_or(0, |row| row.rows);
                    place = at;
                }
                rows.reverse();
                skip = used.saturating_sub(window.height);
            }
            Position::Held(hold) => {
                let mut place = window.store.lower_bound(hold.top);
                while used < window.height
                    && let Some((at, record)) = self.visible_from(window, place)
                {
                    rows.push(self.row(window, &record, cursor));
                    used += rows.last().map_or(0, |row| row.rows);
                    place = Place { index: at.index + 1, ..at };
                }
            }
        }
        let first = rows.first().map_or(window.store.end(), |row: &Row| window.store.lower_bound(row.id));
        let behind = rows.last().map_or(Place { segment: 0, index: 0 }, |row| {
            let last = window.store.lower_bound(row.id);
            Place { index: last.index + 1, ..last }
        });
        Page {
            skip,
            at_top: self.visible_before(window, first).is_none(),
            at_bottom: self.visible_from(window, behind).is_none(),
            searching: !window.scan.progress(window.store).is_done(),
            rows,
        }
    }

    /// Shows the newest line, and goes on doing so.
    pub fn follow(&mut self) {
        self.position = Position::Following;
        self.cursor = None;
        self.seeking = None;
    }

    /// Holds the view where it is.
    pub fn hold(&mut self, window: &Window<'_>) {
        if self.is_following() {
            let cursor = self.cursor(window);
            let page = self.page(window);
            // A first line that is cut off above would begin the held screen in full and push the last one out.
            let first = page.rows.get(usize::from(page.skip > 0)).or(page.rows.first());
            if let Some(row) = first {
                self.cursor = cursor;
                self.stand(window, row.id);
            }
        }
    }

    /// Stands with `top` as the first line, everything known by now in view.
    fn stand(&mut self, window: &Window<'_>, top: RecordId) {
        self.seeking = None;
        self.position = Position::Held(Hold {
            top,
            settled: window.store.ends().map(|(_, last)| last),
            rising: window.store.arrived(),
            falling: window.store.fallen(),
        });
    }

    /// Holds, lets late lines in, and returns the top line and the cursor.
    fn unsettle(&mut self, window: &Window<'_>) -> Option<(RecordId, RecordId)> {
        self.hold(window);
        let Position::Held(hold) = self.position else { return None };
        self.stand(window, hold.top);
        let top = self.place_of(window, hold.top)?;
        Some((top, self.cursor(window)?))
    }

    /// Moves the cursor up by lines.
    pub fn up(&mut self, window: &Window<'_>, lines: usize) {
        let Some((top, cursor)) = self.unsettle(window) else { return };
        let cursor = self.steps_back(window, cursor, lines);
        self.cursor = Some(cursor);
        self.show(window, top, cursor);
    }

    /// Moves the cursor down by lines; beyond the last one it follows.
    pub fn down(&mut self, window: &Window<'_>, lines: usize) {
        if self.is_following() {
            return;
        }
        let Some((top, cursor)) = self.unsettle(window) else { return };
        let (cursor, moved) = self.steps_on(window, cursor, lines);
        if moved == 0 && lines > 0 && !self.is_unscanned_below(window, cursor) {
            self.follow();
            return;
        }
        self.cursor = Some(cursor);
        self.show(window, top, cursor);
    }

    /// Moves a screenful up.
    pub fn page_up(&mut self, window: &Window<'_>) {
        let Some((top, cursor)) = self.unsettle(window) else { return };
        let lines = self.page(window).rows.len().saturating_sub(1).max(1);
        let cursor = self.steps_back(window, cursor, lines);
        self.cursor = Some(cursor);
        let top = self.steps_back(window, top, lines);
        self.show(window, top, cursor);
    }

    /// Moves a screenful down; from the last one it follows.
    pub fn page_down(&mut self, window: &Window<'_>) {
        if self.is_following() {
            return;
        }
        let Some((top, cursor)) = self.unsettle(window) else { return };
        let page = self.page(window);
        if page.at_bottom && !page.searching {
            self.follow();
            return;
        }
        let lines = page.rows.len().saturating_sub(1).max(1);
        self.cursor = Some(self.steps_on(window, cursor, lines).0);
        let (top, _) = self.steps_on(window, top, lines);
        self.stand(window, top);
        self.settle(window);
    }

    /// Goes to the oldest line.
    pub fn top(&mut self, window: &Window<'_>) {
        if let Some((_, record)) = self.visible_from(window, Place { segment: 0, index: 0 }) {
            self.cursor = Some(record.id);
            self.stand(window, record.id);
        }
    }

    /// Puts the cursor on a line, as a click does.
    pub fn select(&mut self, window: &Window<'_>, id: RecordId) {
        if let Some((top, _)) = self.unsettle(window) {
            self.cursor = Some(id);
            self.show(window, top, id);
        }
    }

    /// After the filter, the folding or the screen's height changed: keeps the cursor's line in view, or the
    /// nearest wanted one, and the screen filled.
    pub fn settle(&mut self, window: &Window<'_>) {
        let Position::Held(hold) = self.position else { return };
        let Some(cursor) = self.place_of(window, self.cursor.unwrap_or(hold.top)) else { return };
        self.cursor = Some(cursor);
        let top = self.place_of(window, hold.top).unwrap_or(cursor);
        self.show(window, top, cursor);
        let page = self.page(window);
        let used: usize = page.rows.iter().map(|row| row.rows).sum();
        if used < window.height
            && let Some(last) = page.rows.last()
        {
            let top = self.top_for_bottom(window, last.id);
            self.stand(window, top);
        }
    }

    /// Moves the top as little as possible so that the cursor is on the screen.
    fn show(&mut self, window: &Window<'_>, top: RecordId, cursor: RecordId) {
        if cursor < top {
            self.stand(window, cursor);
            return;
        }
        self.stand(window, top);
        let on_screen = {
            let page = self.page(window);
            let mut used = 0;
            page.rows.iter().any(|row| {
                used += row.rows;
                row.id == cursor && used <= window.height
            })
        };
        if !on_screen {
            let top = self.top_for_bottom(window, cursor);
            self.stand(window, top);
        }
    }

    /// The top line with which `bottom` is the last whole line of the screen.
    fn top_for_bottom(&self, window: &Window<'_>, bottom: RecordId) -> RecordId {
        let mut place = window.store.lower_bound(bottom);
        let Some(record) = window.store.get(place) else { return bottom };
        let mut used = self.row(window, &record, None).rows;
        let mut top = record.id;
        while let Some((at, record)) = self.visible_before(window, place) {
            used += (window.weigh)(&record).clamp(1, window.height.max(1));
            if used > window.height {
                break;
            }
            top = record.id;
            place = at;
        }
        top
    }

    fn steps_back(&self, window: &Window<'_>, from: RecordId, lines: usize) -> RecordId {
        let mut place = window.store.lower_bound(from);
        let mut id = from;
        for _ in 0..lines {
            let Some((at, record)) = self.visible_before(window, place) else { break };
            place = at;
            id = record.id;
        }
        id
    }

    fn steps_on(&self, window: &Window<'_>, from: RecordId, lines: usize) -> (RecordId, usize) {
        let mut place = window.store.lower_bound(from);
        let mut id = from;
        for moved in 0..lines {
            let next = Place { index: place.index + 1, ..place };
            let Some((at, record)) = self.visible_from(window, next) else { return (id, moved) };
            place = at;
            id = record.id;
        }
        (id, lines)
    }

    fn is_unscanned_below(&self, window: &Window<'_>, id: RecordId) -> bool {
        let place = window.store.lower_bound(id);
        let next = Place { index: place.index + 1, ..place };
        window.scan.at_or_after(window.store, next) == Step::Unscanned
    }

    /// Opens or closes the trace that the cursor is on or in.
    pub fn toggle_fold(&mut self, window: &Window<'_>) {
        self.hold(window);
        let Some(record) = self.cursor(window).and_then(|id| window.store.find(id)) else { return };
        if !self.toggled.remove(&record.head) {
            self.toggled.insert(record.head);
        }
        if record.is_continuation()
            && self.is_folded(window, &record)
            && let Some(head) = self.head_of(window, &record)
        {
            self.cursor = Some(head);
        }
        self.settle(window);
    }

    /// Opens or closes all traces.
    pub fn toggle_folding(&mut self, window: &Window<'_>) {
        self.folding = !self.folding;
        self.toggled.clear();
        if let Position::Held(hold) = self.position
            && let Some(record) = window.store.find(self.cursor.unwrap_or(hold.top))
            && self.is_folded(window, &record)
        {
            self.cursor = self.head_of(window, &record).or(self.cursor);
        }
        self.settle(window);
    }

    fn head_of(&self, window: &Window<'_>, record: &Record<'_>) -> Option<RecordId> {
        let mut place = window.store.lower_bound(record.id);
        while let Some(before) = window.store.previous(place) {
            place = before;
            let above = window.store.get(place)?;
            if above.id.sequence == record.head {
                return Some(above.id);
            }
        }
        None
    }

    /// Goes to the next line (or the one before) that `find` matches, among the wanted ones, opening the trace
    /// that it is folded into. Looks at no more than `budget` bytes.
    pub fn seek(&mut self, window: &Window<'_>, find: &Filter, forward: bool, budget: usize) -> Seek {
        let resume = self.seeking.take();
        let Some((top, cursor)) = self.unsettle(window) else { return Seek::None };
        let mut place = window.store.lower_bound(resume.unwrap_or(cursor));
        let mut left = budget;
        loop {
            let step = if forward {
                window.scan.at_or_after(window.store, Place { index: place.index + 1, ..place })
            } else {
                window.scan.before(window.store, place)
            };
            let at = match step {
                Step::At(at) => at,
                Step::End => return Seek::None,
                Step::Unscanned => return self.rest(window, place),
            };
            place = at;
            let Some(record) = window.store.get(at) else { return Seek::None };
            if find.matches(&record) {
                if self.is_folded(window, &record) && !self.toggled.remove(&record.head) {
                    self.toggled.insert(record.head);
                }
                self.cursor = Some(record.id);
                self.show(window, top, record.id);
                return Seek::Found;
            }
            left = left.saturating_sub(record.message.len() + 32);
            if left == 0 {
                return self.rest(window, place);
            }
        }
    }

    fn rest(&mut self, window: &Window<'_>, place: Place) -> Seek {
        self.seeking = window.store.get(place).map(|record| record.id);
        Seek::More
    }
}

#[cfg(test)]
mod tests;
