//! What was heard, out of files of any form: connected, sent, received, answered, and when.
//!
//! A recording is read in chunks cut anywhere; what an entry does not consume goes in again at the head of the next
//! chunk. It knows forms of files and no venue.

mod array;
mod blocks;
mod capture;
mod error;
mod format;
mod lines;
mod transcript;

pub use error::RecordingError;
pub use format::{FORMAT_BYTES, Format, detect_format};
pub use lines::LINE_BYTES_MAX;
pub use transcript::{Entry, Heard, LINES_MAX, Transcript};
