//! A database's log file in the log pane, filled from what was read of its end.
//!
//! Must not ask for anything: `app::interest` wants the file as long as it is open.

use super::LogsPane;
use crate::app::world::World;
use crate::domain::database::DatabaseId;
use crate::logs::file::{FileEnd, Reading};
use crate::stdx::clock::Moment;

/// Which file, by instance and name.
pub type FileId = (DatabaseId, String);

/// The file that is open.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    id: FileId,
    end: FileEnd,
    /// The reading that was taken in.
    taken: Option<Moment>,
}

impl LogsPane {
    /// Shows a database's log file from now on.
    pub fn open_file(&mut self, id: FileId) {
        if self.file() == Some(&id) {
            return self.viewport.follow();
        }
        self.close();
        self.subject = None;
        self.owner = None;
        let end = FileEnd::new(id.0.scope.clone(), &id.0.name, &id.1);
        self.file = Some(Opened { id, end, taken: None });
    }

    /// The log file that is open, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&FileId> {
        self.file.as_ref().map(|file| &file.id)
    }

    /// Takes in what was read of the file since it was last looked at.
    pub(super) fn take_file(&mut self, world: &World) {
        let Some(file) = self.file.as_mut() else { return };
        let Some(seen) = world.estate.log_text.get(&file.id).filter(|seen| file.taken != Some(seen.at))
        else {
            return;
        };
        file.taken = Some(seen.at);
        match file.end.take(&seen.value) {
            Reading::More(batch) => self.store.insert(&batch),
            Reading::Anew(batch) => {
                self.empty();
                self.store.insert(&batch);
            }
        }
    }
}
