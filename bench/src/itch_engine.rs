//! What a message of a whole market costs in the engine: from BinaryFILE bytes to feed frames, the books of orders and those
//! of levels between; read message by message, and as a recording, of which the engine looks ahead.

use std::cell::RefCell;
use std::rc::Rc;

use depthwire_core::encode::Outbox;
use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::framing::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::itch::{self, Message, text};
use depthwire_core::types::{InstrumentId, NoClock, TimeNs};
use depthwire_core::venues::{self, NASDAQ};

use crate::timing::{Contender, Run, timed};
use crate::workload::{ItchStream, Workload};

/// Time between two ticks, as the engine has it in a recording of so many books.
const TICK_NS: u64 = 1_000_000_000;

/// Bytes that a recording is handed in by.
const CHUNK_BYTES: usize = 1 << 20;

/// Contenders over one workload, the one without a look ahead first. The opening, which fills the books, is outside the
/// time.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Result<Vec<Contender<'_>>, String>> {
    let stream = workload.itch.as_ref()?;
    let all = || {
        // One engine for both: where its tables lie in memory makes a quarter of the time.
        let market = Rc::new(RefCell::new(Market::open(stream)?));
        let expected = market.borrow_mut().day(stream, Market::ingest)?.answer;
        let passes = |name, read: Read| {
            let market = Rc::clone(&market);
            let run = move || market.borrow_mut().day(stream, read).unwrap_or_else(Run::failed);
            Contender::new(name, stream.messages, expected.clone(), run)
        };
        Ok(vec![passes("message by message", Market::ingest), passes("recording", Market::replay)])
    };
    Some(all())
}

type Read = fn(&mut Market, &[u8]) -> Result<(), String>;

/// An engine that carries every symbol.
struct Market {
    engine: Engine<NoClock>,
    source: SourceId,
    ids: Vec<InstrumentId>,
}

impl Market {
    fn open(stream: &ItchStream) -> Result<Self, String> {
        let config = EngineConfig { start_id: 1, is_replay: true, ..EngineConfig::default() };
        let mut engine = Engine::new(config, venues::catalogue(), NoClock);
        let mut ids = Vec::new();
        for message in BinaryFileFramer::new(LengthPrefix::Stated).messages(stream.lead()) {
            if let Ok(Ok(Message::StockDirectory(directory))) = message.map(itch::decode) {
                let symbol = String::from_utf8_lossy(text(directory.stock())).into_owned();
                let listed = venues::instrument(NASDAQ, &symbol).map_err(|error| error.to_string())?;
                ids.push(engine.add_instrument(listed).map_err(|error| error.to_string())?);
            }
        }
        let source = engine.open_source(NASDAQ, &ids).map_err(|error| error.to_string())?;
        Ok(Self { engine, source, ids })
    }

    /// A day from its first message on.
    fn day(&mut self, stream: &ItchStream, read: Read) -> Result<Run, String> {
        self.engine.reset_source(self.source, 0).map_err(|error| error.to_string())?;
        read(self, stream.lead())?;
        let (elapsed, done) = timed(|| read(self, stream.measured()));
        done?;
        let mut answer = String::new();
        for id in &self.ids {
            answer.push_str(&self.engine.orders_digest(*id).map_err(|error| error.to_string())?);
        }
        Ok(Run { elapsed, answer })
    }

    fn ingest(&mut self, bytes: &[u8]) -> Result<(), String> {
        let room = venues::session(NASDAQ);
        let mut ticked_at = 0;
        for message in BinaryFileFramer::new(LengthPrefix::Stated).messages(bytes) {
            let message = message.map_err(|error| error.to_string())?;
            let now = room.time(message);
            if now.abs_diff(ticked_at) >= TICK_NS {
                ticked_at = now;
                self.engine.tick(now);
            }
            self.engine.ingest(self.source, message, now).map_err(|error| error.to_string())?;
            drain(self.engine.outbox());
        }
        Ok(())
    }

    fn replay(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut at = 0;
        while let Some(chunk) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let chunk = &chunk[..chunk.len().min(CHUNK_BYTES)];
            let progress = self
                .engine
                .replay(self.source, chunk, false, TimeNs::MAX, drain)
                .map_err(|error| error.to_string())?;
            if let Some(error) = progress.error {
                return Err(error.to_string());
            }
            if progress.consumed == 0 {
                return Err(format!("stopped at byte {at}"));
            }
            at += progress.consumed;
        }
        Ok(())
    }
}

fn drain(outbox: &mut Outbox) -> bool {
    while outbox.front().is_some() {
        outbox.take();
    }
    true
}
