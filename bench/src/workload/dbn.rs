//! Databento's order records of a CME future, as bytes and as changes.

use std::fs::File;

use depthwire_core::book::BookSpec;
use depthwire_core::book::l3::{BookIndex, IdOrder, L3Spec};
use depthwire_core::framing::dbn::{DbnFramer, MboChange, Record};

use super::orders::OrderStream;
use super::{LoadError, Size, folder};

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

/// ES futures of 2023-12-25, with the snapshot that opens the file.
const FILE: &str = "esh4-glbx-mdp3-20231225.mbo.dbn.zst";

/// What the manifest beside the recording says of it: records of all actions, and those that change the book.
const RECORDS: u64 = 68_792;
const CHANGES: usize = 29_216 + 17_999 + 12_233;

/// A quarter of a point at 10⁻⁹.
const BOOK: BookSpec = BookSpec { tick_size: 250_000_000, levels_max: 1 << 20 };

/// Bytes that instruction gates read: the snapshot and as many records again.
const GATE_BYTES: usize = 1 << 20;

/// Reads the recording, undoes its compression and decodes it.
pub(super) fn load(size: Size) -> Result<(DbnStream, OrderStream), LoadError> {
    let file = folder("cme-mbo")?.join(FILE);
    let unpacked = File::open(file).and_then(zstd::stream::decode_all);
    let mut bytes = unpacked.map_err(|error| LoadError::Broken(format!("{FILE}: {error}")))?;
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
    if size != Size::Gate && (records != RECORDS || changes.len() < CHANGES) {
        let found = format!("{records} records and {} changes", changes.len());
        return Err(LoadError::Broken(format!(
            "expected {RECORDS} records and {CHANGES} changes, got {found}"
        )));
    }
    let spec = L3Spec { orders_max: 1 << 20, books_max: 1, ids: IdOrder::Ascending, hash_seed: 0 };
    let orders = OrderStream::new(spec, vec![BOOK], 0, changes).map_err(LoadError::Broken)?;
    Ok((DbnStream { bytes, records, framer, metadata_bytes: start }, orders))
}
