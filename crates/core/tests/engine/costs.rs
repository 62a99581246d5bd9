//! What quantities cost, as a reader of the feed has it: whole each time, of the book at that place, and gone with its truth.

use depthwire_core::aggregate::{COSTS_MAX, Cost, CostView};
use depthwire_core::encode::{HistoryConfig, Stream};
use depthwire_core::engine::{Brought, By, COST_VIEWS_MAX, EngineConfig, EngineError};
use depthwire_core::replica::{Outcome, ReplicaCosts, ReplicaReason, ReplicaState, feed_frames};
use depthwire_core::types::{BookState, Place, Price, Qty, Side};

use crate::rig::{MS, Rig, S, Seen, kinds};

const COSTS: u8 = 13;

fn frames_of(seen: &[Seen], stream: Stream) -> Vec<(u8, u64, u64, u16)> {
    seen.iter()
        .filter_map(|seen| match *seen {
            Seen::Frame { kind, stream: of, seq, prev_seq, flags, .. } if of == stream.0 => {
                Some((kind, seq, prev_seq, flags))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn rows_follow_the_book_at_their_interval_and_only_where_they_change() {
    let mut rig = Rig::synced(EngineConfig::default());
    let every = rig.engine.open_costs(rig.id, 0, &[Qty(150_000)], &[], rig.now).unwrap();
    let slow = rig.engine.open_costs(rig.id, 100 * MS, &[Qty(150_000)], &[500], rig.now).unwrap();
    assert_eq!((every, slow), (Stream::COSTS_FIRST, Stream(Stream::COSTS_FIRST.0 + 1)));
    assert_eq!(frames_of(&rig.image(every), every), [(1, 1, 1, 32)]);
    rig.now += 10 * MS;
    rig.depth(101, 101, "[\"9.00\",\"5\"]", "");
    rig.depth(102, 102, "[\"8.00\",\"5\"]", "");
    rig.depth(103, 103, "", "[\"11.00\",\"1\"]");
    let seen = rig.seen();
    // The second lies behind all that is taken, the third leaves everything as it is.
    assert_eq!(frames_of(&seen, every), [(COSTS, 2, 1, 32)]);
    assert_eq!(frames_of(&seen, slow), []);
    rig.now += 90 * MS;
    rig.tick();
    assert_eq!(frames_of(&rig.seen(), slow), [(COSTS, 2, 1, 33)]);
    // A book that is lost again at once is asked for later.
    rig.now += 2 * S;
    rig.depth(200, 201, "[\"10.00\",\"7\"]", "");
    let seen = rig.seen();
    assert!(matches!(rig.state(), BookState::Stale(_)));
    assert!(frames_of(&seen, every).is_empty(), "no book, no costs");
    rig.snapshot(210, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(frames_of(&rig.seen(), every), [(1, 1, 1, 32)], "an epoch begins with an image");
}

#[test]
fn what_is_told_is_what_the_book_holds() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(101, 101, "[\"9.50\",\"2\"],[\"9.00\",\"4\"]", "[\"11.50\",\"1\"],[\"12.00\",\"9\"]");
    let (quantities, bps) = ([Qty(250_000), Qty(i64::MAX)], [500u16, 1_000]);
    let listed = rig.engine.catalogue().get(rig.id).unwrap().clone();
    let mut view = CostView::new(listed, &quantities, &bps, 0).unwrap();
    view.image(0, rig.engine.book(rig.id).unwrap());
    let told: Vec<_> = view
        .published()
        .iter()
        .map(|row| {
            (row.side, row.filled.0, row.price_average, row.price_worst, row.is_complete, row.is_known)
        })
        .collect();
    // Quantities at 1e-5, averages at 1e-6; the snapshot has made known no more than its own two levels.
    assert_eq!(
        told,
        [
            (Side::Bid, 250_000, 9_700_000, Price(950), true, false),
            (Side::Ask, 250_000, 11_400_000, Price(1_200), true, false),
            (Side::Bid, 700_000, 9_285_714, Price(900), false, false),
            (Side::Ask, 1_100_000, 11_863_636, Price(1_200), false, false),
            (Side::Bid, 100_000, 10_000_000, Price(1_000), true, false),
            (Side::Ask, 100_000, 11_000_000, Price(1_100), true, false),
            (Side::Bid, 300_000, 9_666_667, Price(950), true, false),
            (Side::Ask, 200_000, 11_250_000, Price(1_150), true, false),
        ]
    );
    let Cost { cost, cost_exponent, .. } = view.published()[0];
    assert_eq!((cost, cost_exponent), (242_500_000, -7), "2.5 at 9.70 is 24.25");
}

#[test]
fn a_reader_that_was_away_is_brought_by_the_whole_or_by_every_frame() {
    let history = HistoryConfig { bytes: 1 << 20, stream_bytes: 1 << 16, age_ns: u64::MAX };
    let mut rig = Rig::synced(EngineConfig { history, ..EngineConfig::default() });
    let stream = rig.engine.open_costs(rig.id, 0, &[Qty(100_000)], &[], rig.now).unwrap();
    for id in 101..=110 {
        rig.depth(id, id, &format!("[\"10.00\",\"{}\"]", id - 100), "");
    }
    rig.depth(111, 111, "[\"10.50\",\"2\"]", "");
    rig.seen();
    let mut out = vec![0; 1 << 16];
    let now = rig.engine.place(rig.id, stream).unwrap();
    assert_eq!(now.seq, 2, "the best level alone was taken, and was enough all the time");
    let from = Place { seq: 1, ..now };
    for (by, brought) in [(By::Net, Brought::Net), (By::Range, Brought::Range)] {
        let (got, bytes) = rig.engine.bring(rig.id, stream, from, by, rig.now, &mut out).unwrap();
        assert!(got == brought && bytes > 0, "{got:?}");
    }
    assert_eq!(rig.engine.bring(rig.id, stream, now, By::Net, rig.now, &mut out), Ok((Brought::Nothing, 0)));
}

#[test]
fn views_are_shared_limited_and_of_something() {
    let mut rig = Rig::synced(EngineConfig::default());
    let open =
        |rig: &mut Rig, qty: i64, bps: &[u16]| rig.engine.open_costs(rig.id, 0, &[Qty(qty)], bps, rig.now);
    let first = open(&mut rig, 1, &[]).unwrap();
    assert_eq!(open(&mut rig, 1, &[]), Ok(first));
    rig.engine.close_view(rig.id, first);
    rig.engine.close_view(rig.id, first);
    assert_eq!(rig.image(first), []);
    for qty in 1..=COST_VIEWS_MAX as i64 {
        open(&mut rig, qty, &[]).unwrap();
    }
    assert_eq!(open(&mut rig, 99, &[]), Err(EngineError::ViewsFull));
    assert_eq!(open(&mut rig, 0, &[]), Err(EngineError::CostQuantity(0)));
    assert_eq!(open(&mut rig, -1, &[]), Err(EngineError::CostQuantity(-1)));
    assert_eq!(open(&mut rig, 1, &[0]), Err(EngineError::CostBand(0)));
    assert_eq!(open(&mut rig, 1, &[10_001]), Err(EngineError::CostBand(10_001)));
    assert_eq!(open(&mut rig, 1, &[1; COSTS_MAX]), Err(EngineError::CostRows(COSTS_MAX + 1)));
    assert_eq!(rig.engine.open_costs(rig.id, 0, &[], &[], 0), Err(EngineError::CostRows(0)));
    assert_eq!(rig.engine.open_costs(rig.id, 61 * S, &[Qty(1)], &[], 0), Err(EngineError::ViewRange));
    rig.depth(101, 101, "[\"10.25\",\"5\"]", "");
    assert_eq!(kinds(&rig.seen()).iter().filter(|(kind, _)| *kind == COSTS).count(), COST_VIEWS_MAX);
}

#[test]
fn a_reader_has_the_rows_while_the_book_is_whole() {
    let mut rig = Rig::synced(EngineConfig::default());
    let stream = rig.engine.open_costs(rig.id, 0, &[Qty(150_000)], &[500], rig.now).unwrap();
    let mut reader = ReplicaCosts::new();
    let take = |reader: &mut ReplicaCosts, bytes: &[u8]| {
        let frames = feed_frames(bytes).map(Result::unwrap);
        let mine = frames.filter(|frame| [stream, Stream::STATUS].contains(&frame.stream()));
        mine.map(|frame| reader.apply(&frame).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((reader.state(), reader.place(), reader.rows().len()), (ReplicaState::Syncing, None, 0));
    rig.engine.image(rig.id, stream, rig.now, |frame| drop(take(&mut reader, frame))).unwrap();
    assert_eq!((reader.state(), reader.rows().len()), (ReplicaState::Synced, 4));
    let filled = |reader: &ReplicaCosts| reader.rows().iter().map(|row| row.filled.0).collect::<Vec<_>>();
    assert_eq!(filled(&reader), [100_000, 100_000, 100_000, 100_000]);
    rig.depth(101, 101, "[\"10.00\",\"2\"]", "");
    let mut lost = Vec::new();
    rig.frames(|frame| lost.extend_from_slice(frame));
    rig.depth(102, 102, "[\"10.00\",\"3\"]", "");
    let mut last = Vec::new();
    rig.frames(|frame| last.extend_from_slice(frame));
    // The second without the first is a gap; with it everything is there, once.
    assert_eq!(take(&mut reader, &last), [Outcome::Gap { expected: 1, received: 2 }]);
    assert_eq!(reader.state(), ReplicaState::Stale(ReplicaReason::SequenceGap));
    assert_eq!(take(&mut reader, &lost), [Outcome::Applied]);
    assert_eq!(take(&mut reader, &last), [Outcome::Applied]);
    assert_eq!(take(&mut reader, &lost), [Outcome::Old]);
    assert_eq!(
        (reader.state(), filled(&reader)),
        (ReplicaState::Synced, vec![150_000, 100_000, 300_000, 100_000])
    );
    // The book is lost: its status ends the rows, which stay as the last that were known, until an image of a new epoch.
    rig.now += 2 * S;
    rig.depth(200, 201, "", "");
    rig.frames(|frame| drop(take(&mut reader, frame)));
    assert!(matches!(reader.state(), ReplicaState::Stale(ReplicaReason::Server(_))));
    assert_eq!((reader.place(), reader.rows().len()), (None, 4));
    rig.snapshot(210, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    rig.frames(|frame| drop(take(&mut reader, frame)));
    assert_eq!((reader.state(), reader.place().map(|place| place.seq)), (ReplicaState::Synced, Some(1)));
}
