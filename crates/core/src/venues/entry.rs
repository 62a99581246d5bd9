//! An entry of a venue's list of instruments.

use crate::decode::DecodeError;
use crate::types::{Definitions, Instrument};

/// Adds the instrument that an entry is of; one that is of none, or of none that is read, is counted as passed over.
///
/// # Errors
/// [`DecodeError::TooManyInstruments`], [`DecodeError::InstrumentTwice`].
pub(super) fn add(entry: Option<Instrument>, out: &mut Definitions) -> Result<(), DecodeError> {
    match entry {
        Some(instrument) => out.add(instrument).map_err(DecodeError::of_list),
        None => {
            out.pass_over();
            Ok(())
        }
    }
}
