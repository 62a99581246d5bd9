//! Input and calls that cannot be taken, and what they leave alone.

use depthwire_core::encode::Stream;
use depthwire_core::engine::{EngineConfig, EngineError, IngestError, SourceId};
use depthwire_core::types::{BookState, Instrument, InstrumentId, StaleReason};
use depthwire_core::venues;

use crate::rig::Rig;

#[test]
fn bad_input_disturbs_nothing_else() {
    let mut rig = Rig::synced(EngineConfig::default());
    for bad in [
        &b""[..],
        b"{",
        b"\x00\xff",
        b"{\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\",\"U\":101,\"u\":101,\"b\":[[\"10.00\",\"-1\"]],\"a\":[]}",
    ] {
        assert!(matches!(rig.engine.ingest(rig.source, bad, rig.now), Err(IngestError::Frame(_))));
    }
    let foreign =
        b"{\"e\":\"trade\",\"E\":1,\"s\":\"XRPUSDT\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"T\":1,\"m\":true}";
    assert!(rig.engine.ingest(rig.source, foreign, rig.now).is_err());
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Unreadable), "it may have been an update");
    assert_eq!((rig.engine.stats().decode_errors, rig.engine.stats().foreign), (4, 1));
    rig.depth(101, 101, "[\"10.00\",\"2\"]", "");
    assert_eq!(rig.state(), BookState::Synced, "the venue's numbers say that nothing was missed");
    let info = rig.engine.book_info(rig.id, 0).unwrap();
    assert_eq!((info.seq, info.epoch as u32), (1, 2));
}

#[test]
fn what_was_on_its_way_when_an_instrument_left_is_passed_over() {
    let mut rig = Rig::new(EngineConfig::default());
    let other = venues::instrument(venues::SIM, "ETHUSDT").unwrap();
    let other = rig.engine.add_instrument(other).unwrap();
    rig.engine.carry(rig.source, &[other]).unwrap();
    rig.engine.drop(rig.source, other, rig.now).unwrap();
    let trade = |symbol: &str| {
        format!(
            "{{\"stream\":\"{}@trade\",\"data\":{{\"e\":\"trade\",\"E\":1700000000000,\"s\":\"{symbol}\",\"t\":1,\"p\":\"10.00\",\"q\":\"1\",\"T\":1700000000000,\"m\":true}}}}",
            symbol.to_lowercase()
        )
    };
    let ignored = rig.engine.stats().ignored;
    assert_eq!(rig.engine.ingest(rig.source, trade("ETHUSDT").as_bytes(), rig.now), Ok(()));
    assert_eq!((rig.engine.stats().ignored, rig.engine.stats().foreign), (ignored + 1, 0));
    let unnamed = b"{\"lastUpdateId\":200,\"bids\":[[\"1.00\",\"1\"]],\"asks\":[[\"2.00\",\"1\"]]}";
    rig.engine.ingest(rig.source, unnamed, rig.now).unwrap();
    rig.depth(200, 201, "", "");
    assert_ne!(rig.state(), BookState::Synced, "it may be of the one that left");
    assert!(
        rig.engine
            .ingest(rig.source, trade("LTCUSDT").as_bytes(), rig.now)
            .is_err_and(|error| error.is_foreign())
    );
    assert_eq!(rig.engine.drop(rig.source, other, rig.now), Err(EngineError::UnknownInstrument(other.0)));
    rig.engine.carry(rig.source, &[other]).unwrap();
    assert_eq!(rig.engine.ingest(rig.source, trade("ETHUSDT").as_bytes(), rig.now), Ok(()));
    assert_eq!((rig.engine.stats().ignored, rig.engine.stats().trades), (ignored + 1, 1));
}

#[test]
fn what_is_numbered_as_another_product_is_foreign() {
    let frames = [
        "{\"e\":\"depthUpdate\",\"E\":1,\"T\":1,\"s\":\"BTCUSDT\",\"U\":101,\"u\":101,\"pu\":100,\"b\":[[\"10.00\",\"7\"]],\"a\":[]}",
        "{\"symbol\":\"BTCUSDT\",\"lastUpdateId\":100,\"E\":1,\"T\":1,\"bids\":[[\"10.00\",\"7\"]],\"asks\":[]}",
    ];
    let mut rig = Rig::synced(EngineConfig::default());
    let digest = rig.engine.digest(rig.id);
    for frame in frames {
        rig.engine.ingest(rig.source, frame.as_bytes(), rig.now).unwrap();
    }
    assert_eq!((rig.state(), rig.engine.digest(rig.id)), (BookState::Synced, digest));
    assert_eq!(rig.engine.stats().foreign, 2);
}

#[test]
fn calls_that_cannot_be_done_change_nothing() {
    let mut rig = Rig::new(EngineConfig::default());
    let other = venues::catalogue().find(venues::BINANCE_USDM, "BTCUSDT").unwrap();
    let engine = &mut rig.engine;
    assert_eq!(engine.open_source(venues::SIM, &[]), Err(EngineError::SourceInstruments));
    assert_eq!(engine.open_source(venues::SIM, &[rig.id, rig.id]), Err(EngineError::SourceInstruments));
    assert_eq!(
        engine.open_source(venues::BINANCE_USDM, &[other, other]),
        Err(EngineError::SourceInstruments)
    );
    assert_eq!(engine.open_source(venues::SIM, &[other]), Err(EngineError::WrongVenue));
    let nobody = InstrumentId(1);
    assert_eq!(engine.open_source(venues::SIM, &[nobody]), Err(EngineError::UnknownInstrument(1)));
    assert_eq!(engine.ingest(SourceId(5), b"{}", 0), Err(IngestError::Engine(EngineError::UnknownSource(5))));
    assert_eq!(engine.image(nobody, Stream::BOOK, 0, |_| {}), Err(EngineError::UnknownInstrument(1)));
    assert_eq!(engine.book_info(nobody, 0), None);
    let rescaled = Instrument { price_exponent: -4, ..engine.catalogue().get(rig.id).unwrap().clone() };
    assert_eq!(engine.add_instrument(rescaled), Err(EngineError::InUse));
    let unlisted = venues::instrument(venues::BINANCE_SPOT, "NEWUSDT").unwrap();
    let added = engine.add_instrument(unlisted.clone()).unwrap();
    assert_eq!(engine.add_instrument(unlisted), Ok(added));
    assert!(engine.open_source(venues::BINANCE_SPOT, &[added]).is_ok());
}

#[test]
fn an_engine_that_nobody_listens_to_takes_no_more() {
    let mut rig = Rig::synced(EngineConfig::default());
    let levels = (0..40_000).map(|i| format!("[\"{}.00\",\"1\"]", i + 1)).collect::<Vec<_>>().join(",");
    let mut refused = None;
    for id in 101..300 {
        let text = format!(
            "{{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":{id},\"u\":{id},\"b\":[{levels}],\"a\":[]}}"
        );
        refused = rig.engine.ingest(rig.source, text.as_bytes(), rig.now).err();
        if refused.is_some() {
            break;
        }
    }
    assert_eq!(refused, Some(IngestError::Engine(EngineError::OutboxFull)));
    rig.seen();
    let last = rig.engine.book_info(rig.id, 0).unwrap().venue_seq;
    rig.depth(last + 1, last + 1, "[\"1.00\",\"2\"]", "");
    assert_eq!(rig.state(), BookState::Synced, "the refused input can be handed in again: nothing was lost");
}
