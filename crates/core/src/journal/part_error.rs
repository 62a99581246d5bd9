//! Why parts of journals cannot be cut or put together.

use core::fmt;

use super::error::JournalError;
use crate::types::Account;

/// Why a part is refused: what came of it would not be what was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartError {
    /// A record that no block holds.
    Journal(JournalError),
    /// A segment of another journal than those before it.
    OtherJournal,
    /// Two parts of one journal say different things under one number.
    Conflict {
        /// It.
        seq: u64,
    },
    /// Parts of one journal beside another journal.
    Mixed,
    /// Different journals by time, one of which says something of all that follows: that would be said of the others.
    Headed {
        /// The number of that record.
        seq: u64,
    },
}

impl PartError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Journal(error) => error.code(),
            Self::OtherJournal => "journal.other_journal",
            Self::Conflict { .. } => "journal.conflict",
            Self::Mixed => "journal.mixed",
            Self::Headed { .. } => "journal.headed",
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        match self {
            Self::Journal(error) => error.fix(),
            Self::OtherJournal => "give the segments of one journal, in the order of their names",
            Self::Conflict { .. } => "find out which of the parts was changed, and leave it out",
            Self::Mixed => "merge the parts of each journal first, then what became of them",
            Self::Headed { .. } => "give them to a command one after the other, as files of one recording",
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(self) -> Account {
        match self {
            Self::Journal(error) => error.account(),
            Self::OtherJournal => {
                Account::new("segments of several journals", "those of one", "another journal's")
            }
            Self::Conflict { seq } => Account::new(
                format_args!("record {seq} of a journal is not the same in two parts of it"),
                "equal records",
                "different ones",
            ),
            Self::Mixed => Account::new(
                "parts of one journal beside another one",
                "parts of one, or each another",
                "both",
            ),
            Self::Headed { seq } => Account::new(
                format_args!("record {seq} is of all that follows it, so nothing else may be put behind it"),
                "journals without metadata and without several files in them",
                "one with them",
            ),
        }
    }
}

impl From<JournalError> for PartError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl fmt::Display for PartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for PartError {}
