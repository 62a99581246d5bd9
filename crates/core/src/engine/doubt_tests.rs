//! What is doubted of a state that stays as it is: readers are told when that begins and when it ends.

use super::{Brought, By, Engine, EngineConfig, SourceId};
use crate::encode::generated::size_prefixed_root_as_frame;
use crate::encode::{Flags, Kind, RECORD_HEADER_BYTES, RecordType, Stream};
use crate::types::{InstrumentId, NoClock};
use crate::venues;

/// Kind, sequence, flags beside `LAST`, and prices of a frame.
type Told = (Kind, u64, u16, Vec<i64>);

fn read(bytes: &[u8]) -> (Stream, Told) {
    let frame = size_prefixed_root_as_frame(bytes).unwrap();
    let header = frame.header();
    let kind = Kind::ALL.into_iter().find(|kind| *kind as u8 == header.kind()).unwrap();
    let flags = Flags(header.flags()).without(Flags::LAST).0;
    let prices = [frame.bids(), frame.asks()].into_iter().flatten().flatten().map(|level| level.price());
    (Stream(header.stream()), (kind, header.seq(), flags, prices.collect()))
}

fn told(engine: &mut Engine<NoClock>, stream: Stream) -> Vec<Told> {
    let mut told = Vec::new();
    while let Some(record) = engine.outbox().front() {
        if record[4] == RecordType::Frame as u8 {
            let (of, frame) = read(&record[RECORD_HEADER_BYTES..]);
            told.extend((of == stream).then_some(frame));
        }
        engine.outbox().take();
    }
    told
}

/// A book of the best 25 orders a side, of which bids are at one price alone, so that others may stand there.
fn few_orders() -> (Engine<NoClock>, SourceId, InstrumentId) {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let listed = venues::instrument(venues::BITFINEX, "tBTCUSD").unwrap();
    let id = engine.add_instrument(listed).unwrap();
    let source = engine.open_source(venues::BITFINEX, &[id]).unwrap();
    let bids: Vec<_> = (0..25).map(|id| format!("[{},100,1]", 10 + id)).collect();
    for frame in [
        r#"{"event":"subscribed","channel":"book","chanId":1,"symbol":"tBTCUSD","prec":"R0","len":"25"}"#
            .to_owned(),
        format!("[1,[{},[90,200,-1]]]", bids.join(",")),
        "[1,[10,0,1]]".to_owned(),
    ] {
        engine.ingest(source, frame.as_bytes(), 1).unwrap();
    }
    (engine, source, id)
}

#[test]
fn a_doubt_of_the_top_that_ends_while_the_top_stays_is_told_by_a_check() {
    let (mut engine, source, id) = few_orders();
    let before = told(&mut engine, Stream::BBO);
    let beyond = Flags::BEYOND_KNOWN.0;
    assert!(
        matches!(before[..], [(Kind::Image, 1, is, _), (Kind::Bbo, 2, _, _)] if is == beyond),
        "{before:?}"
    );
    // 24 orders, all that there are behind the one that came.
    engine.ingest(source, b"[1,[50,99,1]]", 2).unwrap();
    assert_eq!(told(&mut engine, Stream::BBO), [(Kind::Check, 2, 0, vec![])]);
    engine.ingest(source, b"[1,[50,98,1]]", 3).unwrap();
    assert_eq!(told(&mut engine, Stream::BBO), [], "told once");
    let from = engine.place(id, Stream::BBO).unwrap();
    let mut out = [0; 512];
    let (brought, bytes) = engine.bring(id, Stream::BBO, from, By::Net, 4, &mut out).unwrap();
    assert_eq!((brought, read(&out[..bytes]).1), (Brought::Nothing, (Kind::Check, 2, 0, vec![])));
}

#[test]
fn a_doubt_of_a_view_that_ends_while_its_levels_stay_is_told_by_a_check() {
    let (mut engine, source, id) = few_orders();
    let view = engine.open_depth(id, 1, 0, 1).unwrap();
    let mut images = Vec::new();
    engine.image(id, view, 1, |frame| images.push(read(frame).1)).unwrap();
    assert_eq!((images[0].0, images[0].2), (Kind::Image, Flags::BEYOND_KNOWN.0));
    told(&mut engine, view);
    engine.ingest(source, b"[1,[50,99,1]]", 2).unwrap();
    assert_eq!(
        told(&mut engine, view),
        [(Kind::Check, 1, 0, vec![])],
        "the level behind it is no level of the view"
    );
}

struct Tops {
    engine: Engine<NoClock>,
    sources: [SourceId; 2],
    id: InstrumentId,
}

impl Tops {
    /// Two connections that tell the venue's own top, and nobody a book.
    fn new() -> Self {
        let catalogue = venues::catalogue();
        let id = catalogue.find(venues::SIM, "BTCUSDT").unwrap();
        let mut engine = Engine::new(EngineConfig::default(), catalogue, NoClock);
        let sources = [(); 2].map(|()| engine.open_source(venues::SIM, &[id]).unwrap());
        Self { engine, sources, id }
    }

    fn hear(&mut self, source: usize, number: u64, bid: &str) -> Vec<Told> {
        let text = format!(r#"{{"u":{number},"s":"BTCUSDT","b":"{bid}","B":"1","a":"11.00","A":"1"}}"#);
        self.engine.ingest(self.sources[source], text.as_bytes(), number).unwrap();
        self.told()
    }

    fn told(&mut self) -> Vec<Told> {
        told(&mut self.engine, Stream::VENUE_BBO)
    }
}

const TOP: u16 = Flags::VENUE.0;
const OLD: u16 = Flags::VENUE.with(Flags::STALE).0;

#[test]
fn a_top_of_a_venue_that_begins_anew_is_stale_until_the_next_one() {
    let mut tops = Tops::new();
    assert_eq!(tops.hear(0, 7, "10.00"), [(Kind::Image, 1, TOP, vec![1_000, 1_100])]);
    tops.engine.reset_source(tops.sources[0], 8).unwrap();
    assert_eq!(tops.told(), [(Kind::Bbo, 2, OLD, vec![1_000, 1_100])], "as it was, and no more than that");
    tops.engine.reset_source(tops.sources[0], 9).unwrap();
    assert_eq!(tops.told(), [], "told once");
    let mut image = Vec::new();
    tops.engine.image(tops.id, Stream::VENUE_BBO, 9, |frame| image.push(read(frame).1)).unwrap();
    assert_eq!(image, [(Kind::Image, 2, OLD, vec![1_000, 1_100])]);
    let from = tops.engine.place(tops.id, Stream::VENUE_BBO).unwrap();
    let mut out = [0; 512];
    let (brought, bytes) = tops.engine.bring(tops.id, Stream::VENUE_BBO, from, By::Net, 9, &mut out).unwrap();
    assert_eq!((brought, read(&out[..bytes]).1), (Brought::Nothing, (Kind::Check, 2, OLD, vec![])));
    assert_eq!(tops.hear(0, 3, "9.00"), [(Kind::Bbo, 3, TOP, vec![900, 1_100])], "its numbers begin again");
}

#[test]
fn a_top_of_a_connection_that_is_lost_is_stale_until_another_tells_one() {
    let mut tops = Tops::new();
    tops.hear(0, 7, "10.00");
    tops.hear(1, 8, "10.01");
    tops.engine.source_failed(tops.sources[0], 9).unwrap();
    assert_eq!(tops.told(), [], "the other one told it last");
    tops.engine.opened(tops.sources[0], 9).unwrap();
    tops.engine.source_failed(tops.sources[1], 9).unwrap();
    assert_eq!(tops.told(), [(Kind::Bbo, 3, OLD, vec![1_001, 1_100])]);
    assert_eq!(tops.hear(0, 7, "10.00"), [], "older than that");
    assert_eq!(tops.hear(0, 8, "10.01"), [(Kind::Bbo, 4, TOP, vec![1_001, 1_100])]);
    tops.engine.drop(tops.sources[0], tops.id, 9).unwrap();
    assert_eq!(tops.told(), [(Kind::Bbo, 5, OLD, vec![1_001, 1_100])], "nobody tells it any more");
}

#[test]
fn a_top_of_another_scale_is_stale_before_it_is_gone() {
    let mut tops = Tops::new();
    tops.hear(0, 7, "10.00");
    let told = tops.hear(0, 8, "10.001");
    assert_eq!(told, [(Kind::Bbo, 2, OLD, vec![1_000, 1_100]), (Kind::Image, 1, TOP, vec![10_001, 11_000])]);
}
