//! Which instruments a file of an order feed holds, told from its first bytes.

use std::collections::HashSet;

use super::itch_bytes::ItchBytes;
use super::{FeedError, dbn};
use crate::decode::dbn::{DbnError, DbnFramer, MAGIC};
use crate::decode::itch::{Message, decode, text};
use crate::decode::mold;
use crate::engine::{BOOKS_MAX, EngineError, IngestError};
use crate::types::{Venue, is_symbol};

/// The instruments of an ITCH file, a capture of its packets, or a DBN stream, in order of first sight; `None` for bytes of another format.
///
/// ITCH names a symbol in its directory and in every new order; DBN in its metadata. At most [`BOOKS_MAX`] are told.
/// Costs a pass over the bytes.
///
/// # Errors
/// [`IngestError`] where the bytes begin as one of the formats and cannot be read.
pub(in crate::engine) fn detect(bytes: &[u8]) -> Option<Result<Vec<(Venue, String)>, IngestError>> {
    if bytes.starts_with(&MAGIC) {
        return Some(in_dbn(bytes));
    }
    Some(match ItchBytes::detect(bytes)? {
        ItchBytes::File { mut framer, .. } => in_itch(framer.messages(bytes).map_while(Result::ok)),
        ItchBytes::Capture { mut reader, .. } => {
            let packets =
                reader.datagrams(bytes).flatten().filter_map(|datagram| mold::decode(datagram.payload).ok());
            in_itch(packets.flat_map(|packet| packet.messages()))
        }
        ItchBytes::Unknown | ItchBytes::Foreign => return None,
    })
}

fn in_itch<'a>(messages: impl Iterator<Item = &'a [u8]>) -> Result<Vec<(Venue, String)>, IngestError> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for message in messages {
        let stock = match decode(message) {
            Ok(Message::StockDirectory(directory)) => directory.stock(),
            Ok(Message::AddOrder(add)) => add.stock(),
            Ok(Message::AddOrderAttributed(add)) => add.stock(),
            _ => continue,
        };
        let Ok(symbol) = std::str::from_utf8(text(stock)) else { continue };
        if is_symbol(symbol) && seen.insert(symbol) {
            if found.len() == BOOKS_MAX {
                return Err(EngineError::Full.into());
            }
            found.push((Venue::Nasdaq, symbol.to_owned()));
        }
    }
    Ok(found)
}

fn in_dbn(bytes: &[u8]) -> Result<Vec<(Venue, String)>, IngestError> {
    let mut framer = DbnFramer::new();
    let mut records = framer.records(bytes);
    let first = records.next();
    let Some(metadata) = records.metadata() else {
        let error = first.and_then(|entry| entry.record.err());
        let error = error.unwrap_or(DbnError::Truncated { expected: bytes.len() + 1, got: bytes.len() });
        return Err(FeedError::Dbn(error).into());
    };
    let mut seen = HashSet::new();
    let mut found: Vec<_> = dbn::instruments(metadata)
        .map(|mapped| mapped.symbol)
        .filter(|symbol| seen.insert(symbol.clone()))
        .map(|symbol| (Venue::Databento, symbol))
        .collect();
    if found.len() > BOOKS_MAX {
        return Err(EngineError::Full.into());
    }
    if found.is_empty() {
        // Nothing is mapped: the records' own numbers name the instruments.
        let mut numbers = HashSet::new();
        for entry in first.into_iter().chain(records) {
            let Ok(record) = entry.record else { continue };
            let number = record.header().instrument_id;
            if found.len() < BOOKS_MAX && numbers.insert(number) {
                found.push((Venue::Databento, dbn::symbol_of("", number)));
            }
        }
    }
    Ok(found)
}
