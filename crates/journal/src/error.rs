//! What can be wrong with the files of a journal.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What is wrong, so far as it decides what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// There is no room: the disk, a quota, or the largest size of a file.
    Full,
    /// The folder or a file cannot be made, or written to.
    Unwritable,
    /// The system could not say that what was written is kept: nothing of that file is believed any more.
    Unsynced,
    /// A packed segment is not what was packed; the plain one stays.
    Unsealed,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// What.
    pub problem: FileProblem,
    /// Where.
    pub path: PathBuf,
    /// What the system said.
    pub said: String,
}

impl FileError {
    pub(crate) fn new(problem: FileProblem, path: &Path, said: impl fmt::Display) -> Self {
        Self { problem, path: path.to_owned(), said: said.to_string() }
    }

    /// An error of writing, told apart by what the system says.
    pub(crate) fn of_write(path: &Path, error: &io::Error) -> Self {
        let is_full = matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        );
        Self::new(if is_full { FileProblem::Full } else { FileProblem::Unwritable }, path, error)
    }

    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.problem {
            FileProblem::Full => "journal.full",
            FileProblem::Unwritable => "journal.unwritable",
            FileProblem::Unsynced => "journal.unsynced",
            FileProblem::Unsealed => "journal.unsealed",
        }
    }

    /// What, for people.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        match self.problem {
            FileProblem::Full => "there is no room for the journal",
            FileProblem::Unwritable => "the journal cannot be written",
            FileProblem::Unsynced => "the system could not keep what was written of the journal",
            FileProblem::Unsealed => "a segment of the journal could not be packed",
        }
    }

    /// What was expected.
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        match self.problem {
            FileProblem::Full => "room on its disk",
            FileProblem::Unwritable => "a folder that takes files",
            FileProblem::Unsynced => "a disk that keeps what it takes",
            FileProblem::Unsealed => "a packed segment that unpacks to the same bytes",
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self.problem {
            FileProblem::Full => {
                "make room, or keep less (record.keep_bytes); recording goes on by itself in a new segment"
            }
            FileProblem::Unwritable => "name a folder that this user may write to",
            FileProblem::Unsynced => {
                "see the system's log for errors of the disk; recording goes on in a new segment"
            }
            FileProblem::Unsealed => "see whether there is room; the plain segment stays as it is",
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.what(), self.path.display(), self.said)
    }
}

impl std::error::Error for FileError {}
