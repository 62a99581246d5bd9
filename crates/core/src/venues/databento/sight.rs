//! Which instruments a stream holds: those of its metadata; where these name none, the numbers of its records. A symbol
//! that several publishers deliver is a book each.

use super::symbols::{instruments, symbol_of, with_publisher};
use super::{Databento, Origin};
use crate::framing::dbn::{MAGIC, Metadata, Record};
use crate::types::Slot;
use crate::venues::DATABENTO;
use crate::venues::room::{Sightings, Sureness};

/// Most pairs of publisher and instrument that are told apart.
const ORIGINS_MAX: usize = 16_384;

impl Databento {
    /// See the module. `sighted` holds the origins seen.
    pub(super) fn note_sight(&mut self, frame: &[u8], out: &mut Sightings) {
        if frame.starts_with(&MAGIC) {
            let Ok(Some((metadata, _))) = Metadata::read(frame) else { return };
            out.readable();
            self.form = Some((metadata.version, metadata.ts_out));
            self.symbols.clear();
            for mapped in instruments(&metadata) {
                out.add(DATABENTO, &mapped.symbol, Sureness::Sure);
                self.symbols.entry(mapped.number).or_default().push(mapped);
            }
            return;
        }
        let Some((version, ts_out)) = self.form else { return };
        let Ok(record) = Record::parse(frame, version, ts_out) else { return };
        let header = record.header();
        let origin = Origin { publisher: header.publisher_id, number: header.instrument_id };
        if self.last.is_some_and(|(last, _)| last == origin)
            || self.sighted.len() == ORIGINS_MAX
            || self.sighted.contains(&origin)
        {
            return;
        }
        self.last = Some((origin, super::Named::always(None::<Slot>)));
        let symbols: Vec<String> = match self.symbols.get(&origin.number) {
            Some(mapped) => mapped.iter().map(|mapped| mapped.symbol.clone()).collect(),
            None if self.symbols.is_empty() => vec![symbol_of("", origin.number)],
            None => Vec::new(),
        };
        let others = self.sighted.iter().filter(|other| other.number == origin.number);
        let others: Vec<u16> = others.map(|other| other.publisher).collect();
        for symbol in &symbols {
            if others.is_empty() {
                out.add(DATABENTO, symbol, Sureness::Sure);
                continue;
            }
            out.remove(DATABENTO, symbol);
            for publisher in others.iter().chain([&origin.publisher]) {
                out.add(DATABENTO, &with_publisher(symbol, *publisher), Sureness::Sure);
            }
        }
        self.sighted.push(origin);
    }
}
