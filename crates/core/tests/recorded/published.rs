//! Recordings kept as frames: what is published of them again is what was, byte for byte but for the epoch's beginning and the time of
//! sending, and the books of both agree.

use depthwire_core::encode::{Kind, Outbox, RECORD_HEADER_BYTES, RecordType, Stream, find_header};
use depthwire_core::engine::{Engine, EngineConfig, EngineError, SourceId, detect, listing_of, set_up_for};
use depthwire_core::journal::{FrameWriter, SegmentHeader};
use depthwire_core::replica::{Outcome, Replica, ReplicaState};
use depthwire_core::types::{BookState, InstrumentId, NoClock};
use depthwire_core::venues;

use crate::files;

/// What an engine makes of a recording.
struct Played {
    engine: Engine<NoClock>,
    ids: Vec<InstrumentId>,
    frames: Vec<Vec<u8>>,
}

/// With all orders, where the venue names them.
fn play(bytes: &[u8], open: impl FnOnce(&mut Engine<NoClock>) -> (SourceId, Vec<InstrumentId>)) -> Played {
    let config = EngineConfig { start_id: 7, is_replay: true, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let (source, ids) = open(&mut engine);
    for id in &ids {
        let opened = engine.open_orders(*id);
        assert!(opened.is_ok() || opened == Err(EngineError::NoOrders(id.0)));
    }
    let mut frames = Vec::new();
    let drain = |outbox: &mut Outbox| {
        while let Some(record) = outbox.front() {
            if record[4] == RecordType::Frame as u8 {
                let size = u32::from_le_bytes(*record.first_chunk().unwrap()) as usize;
                frames.push(record[RECORD_HEADER_BYTES..][..size].to_vec());
            }
            outbox.take();
        }
        true
    };
    let progress = engine.replay(source, bytes, true, u64::MAX, drain).unwrap();
    assert_eq!(progress.consumed, bytes.len());
    Played { engine, ids, frames }
}

/// All instruments of the first product that a recording holds.
fn recording(bytes: &[u8]) -> Played {
    play(bytes, |engine| {
        let found = detect(bytes).unwrap();
        let venue = found[0].0;
        let add = |(_, symbol): &(_, String)| {
            engine.add_instrument(venues::instrument(venue, symbol).unwrap()).unwrap()
        };
        let ids: Vec<_> = found.iter().filter(|(of, _)| *of == venue).map(add).collect();
        let source = engine.open_source(venue, &ids).unwrap();
        engine.expect_others(source, 0).unwrap();
        (source, ids)
    })
}

fn journal(played: &Played) -> Vec<u8> {
    let mut out = Vec::new();
    let header = SegmentHeader { journal: 1, number: 0, first_seq: 0, created: 0 };
    let mut writer = FrameWriter::begin(header, &mut out);
    for id in &played.ids {
        let listing = listing_of(played.engine.catalogue().get(*id).unwrap());
        writer.instrument(listing.as_bytes(), &mut out).unwrap();
    }
    for frame in &played.frames {
        writer.frame(frame, &mut out).unwrap();
    }
    writer.close(&mut out);
    out
}

fn replayed(journal: &[u8]) -> Played {
    play(journal, |engine| {
        let listed = set_up_for(journal).unwrap();
        assert_eq!(detect(journal).unwrap().len(), listed.len());
        let ids: Vec<_> = listed.into_iter().map(|listed| engine.add_instrument(listed).unwrap()).collect();
        (engine.open_recorded(&ids).unwrap(), ids)
    })
}

/// All but the low halves of epochs, which count an engine's resets: those that nobody was told of, too.
fn without_resets(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let at = find_header(&frame).unwrap();
    frame[at..at + 4].fill(0);
    if (frame[at + 60], frame.len()) == (Kind::Status as u8, 200) {
        frame[at + 136..at + 140].fill(0);
    }
    frame
}

/// Stream, kind, sequences and flags of a frame, and where its header is.
fn shown(frame: &[u8]) -> String {
    let at = find_header(frame).unwrap();
    let word = |to: usize| u64::from_le_bytes(*frame[at + to..].first_chunk().unwrap());
    let [kind, stream, flags, _] = *frame[at + 60..].first_chunk().unwrap();
    format!("header at {at}, stream {stream}, kind {kind}, {} behind {}, flags {flags}", word(8), word(16))
}

/// Of a recording, how many frames came back.
fn comes_back(name: &str, bytes: &[u8]) -> usize {
    let first = recording(bytes);
    let again = replayed(&journal(&first));
    assert_eq!(again.frames.len(), first.frames.len(), "{name}");
    for (at, (again, first)) in again.frames.iter().zip(&first.frames).enumerate() {
        let [again, first] = [again, first].map(|frame| without_resets(frame));
        let differs = again.iter().zip(&first).position(|(a, b)| a != b);
        assert_eq!((differs, again.len()), (None, first.len()), "{name}: frame {at}: {}", shown(&first));
    }
    for (id, same) in first.ids.iter().zip(&again.ids) {
        assert_eq!(first.engine.digest(*id).unwrap(), again.engine.digest(*same).unwrap(), "{name}");
        let [before, after] = [&first, &again].map(|played| played.engine.book_info(*id, 0).unwrap());
        assert_eq!((before.state, before.bbo, before.gap), (after.state, after.bbo, after.gap), "{name}");
    }
    first.frames.len()
}

#[test]
fn frames_of_recordings_come_back() {
    let Some(root) = files::root("recordings kept as frames") else { return };
    let mut frames = 0;
    for path in [
        "cme-mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst",
        "bitfinex/bitfinex_raw_l3_202103.json.zst",
        "bitfinex/bitfinex_p0_20210405.txt.zst",
        "bitget/bitget_20220407.jsonl.zst",
        "bitstamp/bitstamp_20220105.jsonl.zst",
        "bybit/bybit_v5_20260809.jsonl.zst",
        "coinbase/coinbase_advanced_20260809.jsonl.zst",
        "deribit/deribit_options_20210722.jsonl.zst",
        "kraken/kraken_v1_20210405.txt.zst",
        "kraken/kraken_btcusd_l2.cbcap",
        "kraken-futures/kraken_futures_20210722.jsonl.zst",
        "kucoin/kucoin_20210425.jsonl.zst",
        "okx/okx_20220513.jsonl.zst",
        "nasdaq-itch/ex20101224.TEST_ITCH_50",
        "binance/usdm_ethusdt_20240718.gz",
        "binance/spot_20211012.jsonl.zst",
    ] {
        let bytes = files::read(&root.join(path)).unwrap();
        frames += comes_back(path, &bytes);
    }
    assert!(frames > 100_000, "{frames}");
}

/// A reader of a second pass, one that joins the orders in its middle, and the engine have the same.
#[test]
fn a_second_pass_and_who_joins_in_it_have_the_same() {
    let Some(root) = files::root("frames told again") else { return };
    let path = "cme-mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst";
    let kept = journal(&recording(&files::read(&root.join(path)).unwrap()));
    let mut engine =
        Engine::new(EngineConfig { start_id: 7, ..EngineConfig::default() }, venues::catalogue(), NoClock);
    let listed = set_up_for(&kept).unwrap().remove(0);
    let id = engine.add_instrument(listed).unwrap();
    let source = engine.open_recorded(&[id]).unwrap();
    let mut replica = Replica::default();
    for pass in 0..2 {
        let half = 1_703_543_400_000_000_000;
        let mut at = 0;
        for until in [half, u64::MAX] {
            let drain = |outbox: &mut Outbox| {
                while let Some(record) = outbox.front() {
                    if record[4] == RecordType::Frame as u8 {
                        let outcome = replica.apply(&record[RECORD_HEADER_BYTES..]).unwrap();
                        assert!(
                            !matches!(outcome, Outcome::Gap { .. } | Outcome::CheckFailed),
                            "{outcome:?}"
                        );
                    }
                    outbox.take();
                }
                true
            };
            at += engine.replay(source, &kept[at..], true, until, drain).unwrap().consumed;
            if until == half {
                engine.open_orders(id).unwrap();
                engine.image(id, Stream::ORDERS, 0, |frame| assert!(replica.apply(frame).is_ok())).unwrap();
            }
        }
        let told = replica.orders(id).unwrap();
        assert_eq!(told.state(), ReplicaState::Synced, "pass {pass}");
        assert_eq!(replica.book(id).unwrap().digest(), engine.digest(id).unwrap());
        assert_eq!(engine.orders_digest(id).unwrap(), engine.digest(id).unwrap());
        engine.close_orders(id);
        engine.reset_source(source, 0).unwrap();
        assert_eq!(engine.book_info(id, 0).unwrap().state, BookState::Syncing);
    }
}
