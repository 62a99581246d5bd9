//! Verbs of levels, from frames to books: what contradicts one, and what does not. What the dialects say, and what faults do to
//! it, stands in `conformance`.

use depthwire_core::encode::RecordType;
use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::types::{BookState, InstrumentId, Level, NoClock, Side, StaleReason};
use depthwire_core::venues::{self, DERIBIT, Resync};

use crate::{expected, files};

struct Rig {
    engine: Engine<NoClock>,
    lines: [SourceId; 2],
    id: InstrumentId,
    now: u64,
    asked: Option<u8>,
}

impl Rig {
    fn new() -> Self {
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let id = engine.add_instrument(venues::instrument(DERIBIT, "BTC-PERPETUAL").unwrap()).unwrap();
        let lines = [(); 2].map(|()| engine.open(DERIBIT).unwrap());
        let mut rig = Self { engine, lines, id, now: 1_622_627_435_000_000_000, asked: None };
        rig.engine.carry(rig.lines[0], &[id]).unwrap();
        rig.hear(0, "snapshot", "", 100, r#"["new",5.0,1.0],["new",4.0,1.0]"#);
        assert_eq!(rig.state(), BookState::Synced);
        rig
    }

    fn hear(&mut self, line: usize, kind: &str, prev: &str, number: u64, bids: &str) {
        let prev = if prev.is_empty() { String::new() } else { format!(r#""prev_change_id":{prev},"#) };
        let frame = format!(
            r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"book.BTC-PERPETUAL.raw","data":{{"type":"{kind}","timestamp":{},{prev}"instrument_name":"BTC-PERPETUAL","change_id":{number},"bids":[{bids}],"asks":[]}}}}}}"#,
            self.now / 1_000_000
        );
        self.engine.ingest(self.lines[line], frame.as_bytes(), self.now).unwrap();
        self.pass(1_000_000);
    }

    fn pass(&mut self, ns: u64) {
        self.now += ns;
        self.engine.tick(self.now);
        while let Some(record) = self.engine.outbox().front() {
            if record[4] == RecordType::Ask as u8 {
                self.asked = Some(record[depthwire_core::encode::RECORD_HEADER_BYTES + 5]);
            }
            self.engine.outbox().take();
        }
    }

    fn state(&self) -> BookState {
        self.engine.book_info(self.id, 0).unwrap().state
    }

    fn bids(&self) -> Vec<(i64, i64)> {
        let levels = self.engine.book(self.id).unwrap().levels(Side::Bid);
        levels.map(|Level { price, qty }| (price.0, qty.0)).collect()
    }
}

#[test]
fn a_verb_that_does_not_fit_makes_the_book_stale() {
    for (bids, fits) in [
        (r#"["new",3.0,1.0]"#, true),
        (r#"["change",5.0,2.0]"#, true),
        (r#"["delete",5.0,0.0]"#, true),
        (r#"["delete",5.0,0.0],["new",5.0,3.0]"#, true),
        (r#"["new",5.0,2.0]"#, false),
        (r#"["change",3.0,2.0]"#, false),
        (r#"["delete",3.0,0.0]"#, false),
        (r#"["delete",5.0,0.0],["change",5.0,3.0]"#, false),
        (r#"["change",5.0,0.0]"#, false),
        (r#"["delete",5.0,1.0]"#, false),
    ] {
        let mut rig = Rig::new();
        rig.hear(0, "change", "100", 101, bids);
        let state = if fits { BookState::Synced } else { BookState::Stale(StaleReason::Contradiction) };
        assert_eq!(rig.state(), state, "{bids}");
        assert_eq!(rig.engine.stats().contradictions, u64::from(!fits));
        rig.pass(if fits { 0 } else { 64_000_000_000 });
        assert_eq!(rig.asked, (!fits).then_some(Resync::Resubscribe as u8));
        rig.hear(0, "snapshot", "", 200, r#"["new",7.0,1.0]"#);
        assert_eq!((rig.state(), rig.bids()), (BookState::Synced, vec![(7, 1)]));
    }
}

#[test]
fn an_update_that_straddles_a_whole_book_is_no_contradiction() {
    let mut rig = Rig::new();
    // The book holds in part what it tells.
    rig.hear(0, "change", "98", 103, r#"["new",5.0,2.0],["delete",3.0,0.0],["delete",4.0,0.0]"#);
    assert_eq!((rig.state(), rig.bids()), (BookState::Synced, vec![(5, 2)]));
    rig.hear(0, "change", "103", 104, r#"["new",5.0,2.0]"#);
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Contradiction));
}

#[test]
fn an_update_that_waits_for_another_line_keeps_its_verbs() {
    for (waits, fits) in [(r#"["delete",3.0,0.0]"#, true), (r#"["new",3.0,1.0]"#, false)] {
        let mut rig = Rig::new();
        rig.engine.carry(rig.lines[1], &[rig.id]).unwrap();
        rig.hear(0, "change", "101", 102, waits);
        assert_eq!((rig.state(), rig.bids()), (BookState::Synced, vec![(5, 1), (4, 1)]), "it waits");
        rig.hear(1, "change", "100", 101, r#"["new",3.0,1.0]"#);
        let state = if fits { BookState::Synced } else { BookState::Stale(StaleReason::Contradiction) };
        assert_eq!(rig.state(), state, "{waits}");
        assert_eq!(rig.bids(), if fits { vec![(5, 1), (4, 1)] } else { vec![(5, 1), (4, 1), (3, 1)] });
    }
}

#[test]
fn the_best_levels_each_time_are_a_book_that_goes_on() {
    let mut rig = Rig::new();
    // Another connection, on which the changes are not subscribed.
    rig.engine.opened(rig.lines[0], rig.now).unwrap();
    let told = |rig: &mut Rig, number: u64, bids: &str| {
        let time = rig.now / 1_000_000;
        let frame = format!(
            r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"book.BTC-PERPETUAL.none.2.100ms","data":{{"timestamp":{time},"instrument_name":"BTC-PERPETUAL","change_id":{number},"bids":[{bids}],"asks":[]}}}}}}"#
        );
        rig.engine.ingest(rig.lines[0], frame.as_bytes(), rig.now).unwrap();
        rig.pass(1_000_000);
        rig.engine.book_info(rig.id, 0).unwrap()
    };
    let first = told(&mut rig, 300, "[5.0,1.0],[4.0,1.0]");
    let next = told(&mut rig, 309, "[6.0,1.0],[5.0,2.0]");
    assert_eq!((rig.state(), rig.bids()), (BookState::Synced, vec![(6, 1), (5, 2)]));
    assert_eq!((next.epoch, next.venue_seq), (first.epoch, 309), "no new epoch");
    assert_eq!(next.known_to.bid.0, 5, "nothing is said of what lies behind two levels");
}

#[test]
fn every_option_of_a_recording_has_its_greeks_and_increments() {
    let set = expected::final_books("deribit-options");
    let Some(root) = files::root("every_option_of_a_recording_has_its_greeks_and_increments") else { return };
    let bytes = files::read(&root.join(&set.files[0])).unwrap();
    let mut engine = Engine::new(
        EngineConfig { is_replay: true, ..EngineConfig::default() },
        venues::catalogue(),
        NoClock,
    );
    let ids: Vec<_> = set
        .books
        .iter()
        .map(|book| {
            let (venue, symbol) = venues::split_name(&book.instrument).unwrap();
            engine.add_instrument(venues::instrument(venue, symbol).unwrap()).unwrap()
        })
        .collect();
    let source = engine.open_source(DERIBIT, &ids).unwrap();
    let drain = |outbox: &mut depthwire_core::encode::Outbox| {
        while outbox.front().is_some() {
            outbox.take();
        }
        true
    };
    engine.replay(source, &bytes, true, u64::MAX, drain).unwrap();
    assert!(engine.stats().tickers > ids.len() as u64 && engine.stats().decode_errors == 0);
    for (id, book) in ids.iter().zip(&set.books) {
        let ticker = engine.ticker(*id).unwrap();
        let greeks = [ticker.delta_e9, ticker.gamma_e9, ticker.vega_e9, ticker.theta_e9, ticker.rho_e9];
        assert!(greeks.iter().all(Option::is_some) && ticker.mark_iv_e9.is_some_and(|iv| iv > 0));
        let is_call = book.instrument.ends_with("-C");
        assert_eq!(ticker.delta_e9.is_some_and(|delta| delta >= 0), is_call, "{}", book.instrument);
        // The recorded list of instruments gives increments.
        let listed = engine.catalogue().get(*id).unwrap();
        assert!(listed.tick_size > 0 && listed.lot_size > 0, "{}", book.instrument);
    }
}
