//! What the console takes in and gives out: messages, effects, and what can be pointed at.
//!
//! Data only; `update` acts on it and `runtime` performs it.

use crate::app::operations::OperationId;
use crate::app::pane::PaneId;
use crate::app::pane::triage::Item;
use crate::app::refresh::Token;
use crate::domain::ecs::{ClusterId, ServiceId};
use crate::domain::fault::Fault;
use crate::domain::meter::Meter;
use crate::domain::query::{Answer, Class, Query};
use crate::domain::scope::Scope;
use crate::domain::secret::SecretValue;
use crate::domain::task::TaskId;
use crate::guard::{CallOutcome, Permit};
use crate::journal::{Event, History};
use crate::keymap::Key;
use crate::stdx::clock::Moment;
use crate::stdx::rect::Size;

/// What happened.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this size now.
    Resize(Size),
    /// The mouse pointed at something that the last written frame showed.
    Pointed(Target, Pointing),
    /// Time passed.
    Tick,
    /// The regions to watch are known, or why not.
    Scopes(Result<Vec<Scope>, Fault>),
    /// An answer from AWS.
    Answer(Token, Box<Query>, Box<Result<Answer, Fault>>),
    /// Several messages that had arrived together: rows are computed once for all of them.
    Several(Vec<Msg>),
    /// A reading of the request budget.
    Meter(Meter),
    /// A frame was written: how long its documents are, and which rows stood on top of its lists.
    Presented(Vec<(PaneId, usize)>, Box<Tops>),
    /// The console is back in the foreground.
    Resumed,
    /// The guard's look at a target.
    Looked(OperationId, Box<Query>, Box<Result<Answer, Fault>>),
    /// Whether an intent is on disk.
    Recorded(OperationId, Result<(), String>),
    /// How a mutating call went.
    Called(OperationId, Box<CallOutcome>),
    /// Something could not be written to the journal that nothing waits for.
    NoteFailed(String),
    /// The journal, as it is on disk, or why it cannot be read.
    Journal(Box<Result<History, String>>),
    /// The console is being left.
    Leaving,
}

/// The first row of each list that a frame showed. Until somebody moves the cursor, that row is the selected
/// one, and a key acts on what was on the screen: the rows may have been sorted again since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tops {
    pub(super) service: Option<ServiceId>,
    pub(super) task: Option<TaskId>,
    pub(super) cluster: Option<ClusterId>,
    pub(super) event: Option<String>,
    pub(super) deployment: Option<String>,
    pub(super) deed: Option<String>,
    pub(super) items: Vec<(PaneId, Option<Item>)>,
    /// The operation whose form the frame showed: its keys count from then on.
    pub(super) form: Option<OperationId>,
}

impl Tops {
    /// The same of a frame on which the form had no room: keys are not about what nobody sees.
    #[must_use]
    pub fn without_form(self) -> Self {
        Self { form: None, ..self }
    }
}

/// Something on the screen that can be pointed at, by identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A tab of the strip.
    Tab(PaneId),
    /// A pane's area.
    Pane(PaneId),
    /// A service's row.
    Service(ServiceId),
    /// A task's row.
    Task(TaskId),
    /// A cluster's row.
    Cluster(ClusterId),
    /// A service event's row.
    Event(String),
    /// A row of the journal, by its operation.
    Deed(String),
    /// A row of a list of triage, in its pane.
    Item(PaneId, Item),
    /// A log record's row.
    Record(crate::logs::RecordId),
    /// A row of the palette.
    Suggestion(usize),
    /// What lies over the panes.
    Overlay,
}

/// What the mouse did there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointing {
    /// Clicked.
    Click,
    /// Clicked twice.
    DoubleClick,
    /// Wheel up.
    WheelUp,
    /// Wheel down.
    WheelDown,
}

/// What the runtime is asked to do.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Ask AWS.
    Query {
        /// Ties the answer to whoever asked.
        token: Token,
        /// The request.
        query: Query,
        /// Whose time it spends.
        class: Class,
    },
    /// Nobody wants the answers of this token any more.
    Cancel(Token),
    /// Find out which regions to watch.
    FindRegions,
    /// Ask AWS for the guard, at a time.
    Look {
        /// Whose look it is.
        operation: OperationId,
        /// The request.
        query: Query,
        /// When.
        at: Moment,
    },
    /// Write an intent to the journal, and say whether it is on disk.
    Record {
        /// Whose.
        operation: OperationId,
        /// Its name in the journal.
        name: String,
        /// Who calls AWS, when it is known.
        caller: Option<String>,
        /// The intent.
        event: Event,
    },
    /// Make the one call.
    Mutate {
        /// Whose.
        operation: OperationId,
        /// What may be called.
        permit: Permit,
        /// The value that it stores.
        value: Option<SecretValue>,
    },
    /// Write something to the journal that nothing waits for.
    Note {
        /// The operation's name in the journal.
        operation: String,
        /// Who calls AWS.
        caller: Option<String>,
        /// What.
        event: Event,
    },
    /// Read the journal.
    ReadJournal,
    /// Put text on the terminal's clipboard.
    Copy(String),
    /// Stop the process until the shell continues it.
    Suspend,
    /// Ring: something turned critical.
    Bell,
    /// Put this into the terminal's title.
    Title(String),
    /// Clear and draw everything again.
    Redraw,
    /// End.
    Quit,
}
