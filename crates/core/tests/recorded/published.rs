//! Recordings kept as frames: what is published of them again is what was, byte for byte but for the epoch's beginning and the time of
//! sending, and the books of both agree.

use depthwire_core::encode::{Outbox, RECORD_HEADER_BYTES, RecordType, find_header};
use depthwire_core::engine::{Engine, EngineConfig, SourceId, detect, listing_of, set_up_for};
use depthwire_core::journal::{FrameWriter, SegmentHeader};
use depthwire_core::types::{InstrumentId, NoClock};
use depthwire_core::venues;

use crate::files;

/// What an engine makes of a recording.
struct Played {
    engine: Engine<NoClock>,
    ids: Vec<InstrumentId>,
    frames: Vec<Vec<u8>>,
}

fn play(
    bytes: &[u8],
    is_replay: bool,
    with_orders: bool,
    open: impl FnOnce(&mut Engine<NoClock>) -> (SourceId, Vec<InstrumentId>),
) -> Played {
    let config = EngineConfig { start_id: 7, is_replay, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let (source, ids) = open(&mut engine);
    if with_orders {
        ids.iter().for_each(|id| assert!(engine.open_orders(*id).is_ok()));
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

fn recording(bytes: &[u8], with_orders: bool) -> Played {
    play(bytes, true, with_orders, |engine| {
        let (venue, symbol) = detect(bytes).unwrap().remove(0);
        let id = engine.add_instrument(venues::instrument(venue, &symbol).unwrap()).unwrap();
        (engine.open_source(venue, &[id]).unwrap(), vec![id])
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

fn replayed(journal: &[u8], with_orders: bool) -> Played {
    play(journal, true, with_orders, |engine| {
        let listed = set_up_for(journal).unwrap();
        assert_eq!(detect(journal).unwrap().len(), listed.len());
        let ids: Vec<_> = listed.into_iter().map(|listed| engine.add_instrument(listed).unwrap()).collect();
        (engine.open_recorded(&ids).unwrap(), ids)
    })
}

/// All but the low half of the epoch, which counts an engine's resets.
fn without_resets(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let at = find_header(&frame).unwrap();
    frame[at..at + 4].fill(0);
    frame
}

fn comes_back(path: &str) {
    let Some(root) = files::root("recordings kept as frames") else { return };
    let Some(bytes) = files::read(&root.join(path)) else { return };
    let first = recording(&bytes, true);
    let kept = journal(&first);
    let again = replayed(&kept, true);
    assert_eq!(again.frames.len(), first.frames.len(), "{path}");
    for (at, (again, first)) in again.frames.iter().zip(&first.frames).enumerate() {
        assert!(without_resets(again) == without_resets(first), "{path}: frame {at}");
    }
    for (id, same) in first.ids.iter().zip(&again.ids) {
        assert_eq!(first.engine.digest(*id).unwrap(), again.engine.digest(*same).unwrap());
        let [before, after] = [&first, &again].map(|played| played.engine.book_info(*id, 0).unwrap());
        assert_eq!((before.state, before.bbo, before.seq), (after.state, after.bbo, after.seq));
    }
}

#[test]
fn frames_of_a_day_of_orders_come_back() {
    comes_back("cme-mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst");
}
