//! A capture of a connection, written by hand, and the book that it leaves.

use depthwire_core::encode::Outbox;
use depthwire_core::engine::{BookInfo, Engine, EngineConfig};
use depthwire_core::types::{NoClock, Venue};
use depthwire_core::venues;

/// A line of a capture: received, or the answer to a request whose address is in `more`.
pub fn line(kind: &str, at: u32, more: &str, data: &str) -> String {
    format!("{{\"t\":\"{kind}\",\"conn\":\"a\",\"ts\":{at}.5,{more}\"data\":{data:?}}}\n")
}

/// The book of an instrument where a capture ends.
pub fn book_after(venue: Venue, exchange: &str, symbol: &str, lines: &[String]) -> BookInfo {
    let header = format!(
        "{{\"t\":\"header\",\"format\":2,\"exchange\":\"{exchange}\",\"config\":{{}},\"recorded\":1.0}}\n"
    );
    let text = [header, lines.concat()].concat();
    let config = EngineConfig { is_replay: true, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let id = engine.add_instrument(venues::instrument(venue, symbol).unwrap()).unwrap();
    let source = engine.open_source(venue, &[id]).unwrap();
    let progress = engine.replay(source, text.as_bytes(), true, u64::MAX, drain).unwrap();
    assert_eq!((progress.error, progress.consumed), (None, text.len()));
    engine.book_info(id, 0).unwrap()
}

/// Takes what the engine has said.
pub fn drain(outbox: &mut Outbox) -> bool {
    while outbox.front().is_some() {
        outbox.take();
    }
    true
}
