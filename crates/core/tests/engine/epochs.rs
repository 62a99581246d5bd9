//! Epochs: what opens one, what its images hold, and how books are counted by state.

use depthwire_core::encode::{Stream, find_header};
use depthwire_core::engine::EngineConfig;
use depthwire_core::types::{BookState, StaleReason};
use depthwire_core::venues;

use crate::rig::{BBO, DELTA, IMAGE, MS, Rig, S, STATUS, Seen, kinds};

#[test]
fn an_epoch_opens_with_images_and_its_deltas_link_up() {
    let mut rig = Rig::new(EngineConfig { start_id: 9, ..EngineConfig::default() });
    assert_eq!(rig.image(Stream::BOOK), [], "a book that never was has no image");
    rig.depth(95, 99, "[\"9.00\",\"5\"]", "");
    assert_eq!(rig.seen(), [Seen::Request { ticket: 1 }]);
    rig.depth(100, 102, "[\"10.00\",\"2\"]", "");
    assert_eq!(rig.seen(), [], "one request in flight");
    rig.snapshot(100, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    let opened = rig.seen();
    assert_eq!(kinds(&opened), [(IMAGE, 1), (IMAGE, 2), (IMAGE, 3), (IMAGE, 8), (STATUS, 4)]);
    for seen in &opened {
        let Seen::Frame { epoch, seq, prev_seq, .. } = *seen else { unreachable!() };
        assert_eq!((epoch, seq, prev_seq), (1, 1, 1));
    }
    let info = rig.engine.book_info(rig.id, rig.now).unwrap();
    assert_eq!((info.venue_seq, info.epoch), (102, 9 << 32 | 1), "the waiting update was applied, once");
    rig.depth(103, 103, "[\"10.00\",\"3\"]", "");
    rig.depth(104, 104, "[\"8.00\",\"3\"]", "");
    let flags = 32;
    assert_eq!(
        rig.seen(),
        [
            Seen::Frame { kind: DELTA, stream: 1, epoch: 1, seq: 2, prev_seq: 1, flags },
            Seen::Frame { kind: BBO, stream: 2, epoch: 1, seq: 2, prev_seq: 1, flags },
            Seen::Frame { kind: DELTA, stream: 1, epoch: 1, seq: 3, prev_seq: 2, flags },
        ]
    );
}

#[test]
fn a_reset_is_syncing_and_then_a_new_epoch() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.engine.reset_source(rig.source, rig.now).unwrap();
    assert_eq!(rig.state(), BookState::Syncing);
    let seen = kinds(&rig.seen());
    assert_eq!(seen, [(STATUS, 4), (5, 3), (9, 8)], "nobody tells trades for now");
    assert_eq!(rig.image(Stream::BOOK), [], "the old book is gone");
    rig.now = S / 2;
    rig.depth(5, 6, "[\"10.00\",\"1\"]", "");
    assert_eq!(rig.seen(), [Seen::Request { ticket: 3 }], "time may run backwards over a reset");
    rig.snapshot(5, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(rig.engine.book_info(rig.id, rig.now).unwrap().epoch, 2);
}

#[test]
fn a_stale_book_is_answered_and_says_so() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(105, 105, "[\"9.00\",\"1\"]", "");
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Gap));
    let image = rig.image(Stream::BOOK);
    assert_eq!(image, [Seen::Frame { kind: IMAGE, stream: 1, epoch: 1, seq: 1, prev_seq: 1, flags: 32 | 2 }]);
}

#[test]
fn images_stand_where_their_content_does() {
    let mut rig = Rig::synced(EngineConfig::default());
    let view = rig.engine.open_depth(rig.id, 1, 100 * MS, rig.now).unwrap();
    let ticker = b"{\"u\":101,\"s\":\"BTCUSDT\",\"b\":\"10.00\",\"B\":\"9\",\"a\":\"11.00\",\"A\":\"1\"}";
    assert_eq!(rig.image(Stream::VENUE_BBO), [], "there is none before the first ticker");
    rig.engine.ingest(rig.source, ticker, rig.now).unwrap();
    assert_eq!(kinds(&rig.seen()), [(IMAGE, 5)], "the first ticker is the image");
    rig.trade("trade", 77);
    rig.now += MS;
    rig.depth(101, 150, "[\"10.00\",\"9\"]", "");
    let mut venue_seq_of = |stream| {
        let mut venue_seq = 0;
        let read = |bytes: &[u8]| {
            let header = &bytes[find_header(bytes).unwrap()..];
            venue_seq = u64::from_le_bytes(header[24..32].try_into().unwrap());
        };
        rig.engine.image(rig.id, stream, rig.now, read).unwrap();
        venue_seq
    };
    assert_eq!(venue_seq_of(Stream::BOOK), 150);
    assert_eq!(venue_seq_of(Stream::BBO), 150);
    assert_eq!(venue_seq_of(view), 100, "the touched view has not been published since");
    assert_eq!(venue_seq_of(Stream::VENUE_BBO), 101);
    assert_eq!(venue_seq_of(Stream::TRADES), 77);
    let older = b"{\"u\":99,\"s\":\"BTCUSDT\",\"b\":\"1.00\",\"B\":\"9\",\"a\":\"2.00\",\"A\":\"1\"}";
    rig.seen();
    rig.engine.ingest(rig.source, older, rig.now).unwrap();
    assert_eq!(rig.seen(), [], "an older ticker is not news");
}

#[test]
fn books_are_counted_by_the_state_that_readers_are_told() {
    let books = |rig: &Rig| {
        let books = rig.engine.stats().books;
        (books.syncing, books.synced, books.stale)
    };
    let mut rig = Rig::new(EngineConfig { silence_ns: Some(5 * S), ..EngineConfig::default() });
    let other = rig.engine.catalogue().find(venues::SIM, "ETHUSDT").unwrap();
    assert_eq!(books(&rig), (1, 0, 0));
    let second = rig.engine.open_source(venues::SIM, &[rig.id, other]).unwrap();
    assert_eq!(books(&rig), (2, 0, 0), "a book that two sources carry is one");
    rig.depth(99, 100, "", "");
    rig.snapshot(100, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(books(&rig), (1, 1, 0));
    rig.now += 6 * S;
    rig.tick();
    assert_eq!((rig.state(), books(&rig)), (BookState::Stale(StaleReason::Silence), (1, 0, 1)));
    rig.depth(101, 101, "[\"9.00\",\"1\"]", "");
    assert_eq!((rig.state(), books(&rig)), (BookState::Synced, (1, 1, 0)));
    rig.engine.drop(second, rig.id, rig.now).unwrap();
    rig.engine.drop(second, other, rig.now).unwrap();
    assert_eq!(books(&rig), (0, 1, 0), "nobody carries the other one any more");
    rig.engine.drop(rig.source, rig.id, rig.now).unwrap();
    assert_eq!(books(&rig), (0, 0, 0));
    rig.engine.carry(rig.source, &[rig.id, other]).unwrap();
    assert_eq!(books(&rig), (2, 0, 0));
}
