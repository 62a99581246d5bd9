//! Databento's order records of a CME future, as bytes and as changes.

use std::fs::File;

use depthwire_core::book::BookSpec;
use depthwire_core::book::l3::{BookIndex, IdOrder, L3Spec};
use depthwire_core::framing::dbn::{DbnFramer, MboChange, Record};

use super::orders::OrderStream;
use super::{LoadError, Size, expected, recorded_file};

/// Order records, uncompressed.
#[derive(Debug)]
pub struct DbnStream {
    /// Metadata and records.
    pub bytes: Vec<u8>,
    /// Records in it.
    pub records: u64,
    /// A framer that has read the metadata, the only thing that allocates.
    pub framer: DbnFramer,
    metadata_bytes: usize,
}

impl DbnStream {
    /// The records behind the metadata.
    #[must_use]
    pub fn records_bytes(&self) -> &[u8] {
        self.bytes.get(self.metadata_bytes..).unwrap_or_default()
    }
}

/// A quarter of a point at 10⁻⁹.
const BOOK: BookSpec = BookSpec { tick_size: 250_000_000, levels_max: 1 << 20 };

/// Bytes that instruction gates read: the snapshot and as many records again.
const GATE_BYTES: usize = 1 << 20;

/// Reads the recording, undoes its compression and decodes it.
pub(super) fn load(name: &str, size: Size) -> Result<(DbnStream, OrderStream), LoadError> {
    let known = expected::orders(name);
    let mut bytes = Vec::new();
    for file in &known.files {
        let unpacked = File::open(recorded_file(file)?).and_then(zstd::stream::decode_all);
        bytes.extend(unpacked.map_err(|error| LoadError::Broken(format!("{file}: {error}")))?);
    }
    if size == Size::Gate {
        bytes.truncate(GATE_BYTES);
    }
    let (mut records, mut changes, mut start, mut end) = (0, Vec::new(), usize::MAX, 0);
    let mut framer = DbnFramer::new();
    for entry in framer.records(&bytes) {
        let record = entry.record.map_err(|error| LoadError::Broken(error.to_string()))?;
        let Record::Mbo(order) = record else {
            return Err(LoadError::Broken(format!("not an order record: {record:?}")));
        };
        match order.change() {
            Ok(MboChange::Order(change)) => changes.push((BookIndex(0), change)),
            Ok(MboChange::Nothing) => {}
            other => return Err(LoadError::Broken(format!("no change of an order: {other:?}"))),
        }
        records += 1;
        (start, end) = (start.min(entry.start), entry.end);
    }
    bytes.truncate(end);
    let expected = (known.frames, known.adds + known.reduces + known.modifies);
    let found = (records, changes.len() as u64);
    if size != Size::Gate && found != expected {
        return Err(LoadError::Broken(format!("expected {expected:?} records and changes, got {found:?}")));
    }
    let spec = L3Spec { orders_max: 1 << 20, books_max: 1, ids: IdOrder::Ascending, hash_seed: 0 };
    let orders = OrderStream::new(spec, vec![BOOK], 0, changes).map_err(LoadError::Broken)?;
    Ok((DbnStream { bytes, records, framer, metadata_bytes: start }, orders))
}
