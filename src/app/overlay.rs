//! What lies over the panes: help, texts, a task's details, links; and the input line with its palette.
//!
//! Must hold identities where it shows something of the world, so that it shows what is known now.

pub mod palette;

use crate::app::input::Line;
use crate::app::operations::dialog::Dialog;
use crate::app::operations::value::ValueInput;
use crate::app::pane::PaneId;
use crate::app::pane::list::Scroll;
use crate::app::pane::triage::Item;
use crate::domain::database::DatabaseId;
use crate::domain::task::TaskId;
use crate::logs::RecordId;

/// Something over the panes.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// The keys that work here.
    Help(Scroll),
    /// A text that does not fit its row, such as an event's.
    Text {
        /// What it is.
        title: String,
        /// The text, raw.
        text: String,
        /// Scroll position.
        scroll: Scroll,
    },
    /// A task with its containers.
    Task(TaskId, Scroll),
    /// A log record, whole.
    Record(RecordId, Scroll),
    /// A resource with its evidence, its numbers and its history.
    Detail(Item, Scroll),
    /// An operation of the journal with all its entries.
    Deed(String, Scroll),
    /// Whether the next task of a service would start.
    Check(Scroll),
    /// An action: its form, its progress, its verdict.
    Operation(Box<Dialog>),
    /// A secret's new value.
    Value(Box<ValueInput>),
    /// The actions of this session.
    Session {
        /// The selected operation, from the newest.
        selected: usize,
        /// Scroll position.
        scroll: Scroll,
    },
    /// A database's log files.
    LogFiles {
        /// Whose.
        database: DatabaseId,
        /// The name of the selected one.
        selected: String,
    },
    /// A service's links.
    Links {
        /// Label and address.
        links: Vec<(String, String)>,
        /// The selected one.
        selected: usize,
    },
}

impl Overlay {
    /// Its scroll position, if it scrolls.
    pub fn scroll(&mut self) -> Option<&mut Scroll> {
        match self {
            Self::Help(scroll)
            | Self::Task(_, scroll)
            | Self::Record(_, scroll)
            | Self::Detail(_, scroll)
            | Self::Deed(_, scroll)
            | Self::Check(scroll)
            | Self::Text { scroll, .. } => Some(scroll),
            Self::Operation(dialog) => Some(&mut dialog.scroll),
            Self::Session { scroll, .. } => Some(scroll),
            Self::LogFiles { .. } | Self::Links { .. } | Self::Value(_) => None,
        }
    }
}

/// What an input line is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// A pane's filter, applied while it is typed; with what it was before, for Esc.
    Filter {
        /// The pane.
        pane: PaneId,
        /// The filter that Esc brings back.
        before: String,
    },
    /// A command.
    Palette,
}

/// The input line.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// What for.
    pub purpose: Purpose,
    /// The line.
    pub line: Line,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Completions of the palette.
    pub suggestions: Vec<palette::Suggestion>,
    /// The chosen completion.
    pub chosen: Option<usize>,
}

impl Prompt {
    /// An empty palette.
    #[must_use]
    pub fn palette() -> Self {
        Self {
            purpose: Purpose::Palette,
            line: Line::default(),
            error: None,
            suggestions: Vec::new(),
            chosen: None,
        }
    }

    /// A pane's filter, with the present one to edit.
    #[must_use]
    pub fn filter(pane: PaneId, present: &str) -> Self {
        Self {
            purpose: Purpose::Filter { pane, before: present.to_owned() },
            line: Line::new(present),
            ..Self::palette()
        }
    }
}
