//! What tells the format of a file and the instruments in it.

use depthwire_core::engine;
use depthwire_core::recording::{FORMAT_BYTES_MIN, Format};
use depthwire_core::types::is_symbol;
use depthwire_core::venues::product;

use crate::capture::Capture;
use crate::dbn::Dbn;
use crate::itch::file;
use crate::json::Lines;
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::run::{Said, Target};

/// Files of every format.
pub struct Detect;

impl Target for Detect {
    const NAME: &'static str = "detect";
    // A message of 14 bytes may name a symbol of 20, kept with its hash in two places.
    const MEMORY: (usize, usize) = (64 << 10, 128);

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let start = out.len();
        match random.below(6) {
            0 => file::<true>().generate(random, out),
            1 => file::<false>().generate(random, out),
            2 => Capture::<false>.generate(random, out),
            3 => Capture::<true>.generate(random, out),
            4 => Dbn::<false>.generate(random, out),
            _ => Lines.generate(random, out),
        }
        // An ITCH file without a message is none, nor is one whose first message is at no time of day.
        if !matches!(Format::detect(out), Some(format) if format != Format::Collector) {
            out.truncate(start);
            Lines.generate(random, out);
        }
    }

    fn fields(fields: &mut Fields<'_>) {
        for nth in 0..FORMAT_BYTES_MIN {
            fields.note(Kind::Text, nth, 1);
        }
        match Format::detect(fields.bytes) {
            Some(Format::BinaryFile(_)) => <crate::itch::File<true>>::fields(fields),
            Some(Format::Packets) => <Capture<false>>::fields(fields),
            Some(Format::Dbn) => <Dbn<false>>::fields(fields),
            _ => Lines::fields(fields),
        }
    }

    fn check(&mut self, bytes: &[u8], _: &mut Random, said: &mut Said) {
        let format = Format::detect(bytes);
        let early = Format::detect(&bytes[..bytes.len().min(FORMAT_BYTES_MIN)]);
        assert!(early.is_none() || early == format, "the first bytes decide");
        said.ok(&format!("{format:?}"));
        let found = engine::detect(bytes);
        match &found {
            Ok(found) => {
                said.size("instruments", found.len());
                found.iter().for_each(|(venue, _)| said.ok(venue.name()));
                for (nth, one) in found.iter().enumerate() {
                    assert!(!found[..nth].contains(one), "each instrument once");
                    assert!(
                        is_symbol(&one.1) || !product(one.0).is_by_order,
                        "an order feed's symbols are symbols"
                    );
                }
            }
            Err(error) => said.error(error.code()),
        }
    }
}
