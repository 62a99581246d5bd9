//! What was heard, over every form of recording: connected, sent, received, answered, and when.
//!
//! A [`Transcript`] reads one stream of bytes, in chunks cut anywhere, and hands out one [`Entry`] after the other. It
//! knows how recordings are laid out and nothing of what their frames say, so that a reader of recordings and a live
//! connection feed the same thing. The forms are listed in [`Format`].
//!
//! Every byte string gives entries or [`RecordingError`]s; none panics, loops or allocates beyond the limits. An error
//! says whether bytes that may have held a message were passed over ([`RecordingError::loses_bytes`]).

mod binary_file;
mod capture_jsonl;
mod capture_text;
mod cbcap;
mod collector;
mod connections;
mod conversion;
mod dbn;
mod entry;
mod error;
mod format;
mod frames;
mod inspection;
mod journal;
mod json;
mod lines;
mod objects;
mod packets;
mod text;
mod time;
#[cfg(test)]
mod told;
mod transcript;
mod value_end;

pub use connections::{ADDRESS_BYTES_MAX, CONNECTIONS_MAX};
pub use conversion::{Conversion, Cut};
pub use entry::{Entry, Heard};
pub use error::RecordingError;
pub use format::{FORMAT_BYTES_MIN, Format};
pub use inspection::{Entries, FAULTS_MAX, Fault, Holding, Inspected, Inspection};
pub use transcript::Transcript;
