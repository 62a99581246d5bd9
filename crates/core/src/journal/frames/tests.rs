//! What comes back of frames: each kind, what is no frame, and journals that are cut or damaged.

use super::encoder::without_sending;
use super::*;
use crate::aggregate::{Cost, Traded};
use crate::encode::*;
use crate::journal::{JournalError, SegmentHeader};
use crate::types::*;
use proptest::prelude::*;

const HEADER: SegmentHeader = SegmentHeader { journal: 7, number: 0, first_seq: 0, created: 1_000 };

/// Numbers that repeat for a seed: most of them small, some of any size.
struct Numbers(u64);

impl Numbers {
    fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ self.0 >> 29
    }

    fn next(&mut self) -> u64 {
        let (number, which) = (self.any(), self.any() % 16);
        match which {
            0 => number,
            1 => u64::MAX - number % 4,
            _ => number % 9,
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.any() % end
    }

    fn signed(&mut self) -> i64 {
        self.next() as i64
    }

    fn levels(&mut self) -> Vec<Level> {
        let len = match self.below(9) {
            0 => 40,
            len => len % 4,
        };
        (0..len).map(|_| Level::new(self.signed().wrapping_mul(250), self.signed())).collect()
    }
}

fn header(kind: Kind, stream: Stream, numbers: &mut Numbers) -> Header {
    let seq = numbers.below(50);
    Header {
        epoch: 5 << 32 | numbers.below(2),
        seq,
        prev_seq: seq.wrapping_sub(numbers.below(3)),
        venue_seq: numbers.next(),
        ts_event: 1_700_000_000_000_000_000 + 1_000_000 * numbers.next() % (1 << 50),
        ts_recv: 1_700_000_000_000_000_000 + numbers.next() % (1 << 50),
        ts_send: numbers.any(),
        instrument: [7, 9, u32::MAX][numbers.below(3) as usize],
        kind,
        stream,
        flags: Flags(numbers.below(256) as u16),
    }
}

fn trades(numbers: &mut Numbers) -> Vec<Trade> {
    (0..numbers.below(4))
        .map(|_| Trade {
            id: match numbers.below(3) {
                0 => TradeId::None,
                1 => TradeId::Number(numbers.next()),
                _ => TradeId::Text { hash: numbers.any(), at: 0 },
            },
            price: Price(numbers.signed()),
            qty: Qty(numbers.signed()),
            aggressor: Aggressor::ALL[numbers.below(3) as usize],
            ts_event: numbers.next(),
            resting: None,
        })
        .collect()
}

fn orders(numbers: &mut Numbers) -> Vec<OrderBody> {
    (0..numbers.below(12))
        .map(|_| OrderBody {
            name: match numbers.below(6) {
                0 => OrderName::None,
                1 => OrderName::Uuid([numbers.below(3) as u8; 16]),
                2 => OrderName::Text(*b"abc\0\0\0\0\0\0\0\0\0\0\0\0\0"),
                3 => OrderName::Named(numbers.next()),
                _ => OrderName::Number(6_412_777_000_000 + numbers.next()),
            },
            price: Price(numbers.signed()),
            qty: Qty(numbers.signed()),
            place: if numbers.below(2) == 0 { PLACE_LAST } else { numbers.next() as u32 },
            action: OrderAction::ALL[numbers.below(5) as usize],
            side: [None, Some(Side::Bid), Some(Side::Ask)][numbers.below(3) as usize],
            cause: OrderCause::ALL[numbers.below(6) as usize],
        })
        .collect()
}

/// Frames of every kind and shape that are written.
fn frames(seed: u64, count: usize) -> Vec<Vec<u8>> {
    let numbers = &mut Numbers(seed);
    let mut all = Vec::new();
    while all.len() < count {
        let mut out = Vec::new();
        let image = ImageBody {
            known_to: KnownTo { bid: Price(i64::MIN), ask: Price(numbers.signed()) },
            depth: numbers.next() as u32,
            price_exponent: -2,
            qty_exponent: -8,
            state: 2,
            reason: 0,
            check: CheckBody {
                top_crc: numbers.any() as u32,
                all_crc: numbers.any() as u32,
                bid_count: numbers.next() as u32,
                ask_count: 3,
            },
        };
        let view = ViewBody { grouping: numbers.signed(), interval_ns: numbers.next(), depth: 20 };
        let session = SessionBody { since: numbers.next(), missed_at: 0 };
        let names =
            [(numbers.any(), &b"a text of an id that is longer than one entry holds, so it goes on"[..])];
        let named = |is: bool| names.into_iter().take(usize::from(is));
        let is_named = numbers.below(3) == 0;
        let volumes = [Traded {
            price: Price(5),
            bought: Qty(numbers.signed()),
            sold: Qty(1),
            unknown: Qty(0),
            trades: 3,
        }];
        let mut whole = Vec::new();
        match numbers.below(18) {
            0 => write_image(
                &mut out,
                &header(Kind::Image, Stream::BOOK, numbers),
                &image,
                None,
                &numbers.levels(),
                &numbers.levels(),
                |frame| whole.push(frame.to_vec()),
            ),
            1 => write_image(
                &mut out,
                &header(Kind::Image, Stream::DEPTH_FIRST, numbers),
                &image,
                Some(&view),
                &numbers.levels(),
                &numbers.levels(),
                |frame| whole.push(frame.to_vec()),
            ),
            2 => write_levels(
                &mut out,
                &header(Kind::Bbo, Stream::BBO, numbers),
                &numbers.levels(),
                &numbers.levels(),
            ),
            3 => write_check(&mut out, &header(Kind::Check, Stream::BOOK, numbers), &image.check),
            which @ 4..=5 => {
                let status = StatusBody {
                    expected: numbers.next(),
                    received: numbers.next(),
                    age_ns: numbers.next(),
                    state: 3,
                    reason: 1,
                };
                let gap = GapBody {
                    expected: 1,
                    received: numbers.next(),
                    lost_from: numbers.next(),
                    noticed: 5,
                    mended: 0,
                    epoch_before: numbers.any(),
                    seq_before: 4,
                    reason: 1,
                };
                write_status(
                    &mut out,
                    &header(Kind::Status, Stream::STATUS, numbers),
                    &status,
                    (which == 5).then_some(&gap),
                );
            }
            6 => write_trades(
                &mut out,
                &header(Kind::Trade, Stream::TRADES, numbers),
                &trades(numbers),
                named(is_named),
            ),
            7 => write_trades(
                &mut out,
                &header(Kind::Liquidation, Stream::LIQUIDATIONS, numbers),
                &trades(numbers),
                named(is_named),
            ),
            8 => write_orders(
                &mut out,
                &header(Kind::Orders, Stream::ORDERS, numbers),
                &orders(numbers),
                named(is_named),
            ),
            9 => write_orders_image(
                &mut out,
                &header(Kind::Image, Stream::ORDERS, numbers),
                &image,
                &orders(numbers),
                |_| b"text",
                |frame| whole.push(frame.to_vec()),
            ),
            which @ 10..=11 => {
                let mut values = [None; 17];
                values
                    .iter_mut()
                    .for_each(|value| *value = (numbers.below(2) == 0).then(|| numbers.signed()));
                let body =
                    TickerBody { ticker: Ticker::of_values(values), price_exponent: -2, qty_exponent: 0 };
                write_ticker(
                    &mut out,
                    &header(Kind::Ticker, Stream::TICKER, numbers),
                    (which == 10).then_some(&image),
                    &body,
                );
            }
            which @ 12..=13 => {
                let body = TradingBody { status: TradingStatus::ALL[1], ts_event: numbers.next() };
                write_trading(
                    &mut out,
                    &header(Kind::Trading, Stream::TRADING, numbers),
                    (which == 12).then_some(&image),
                    &body,
                );
            }
            14 => {
                let signal = SignalBody {
                    id: 3,
                    value: numbers.signed(),
                    exponent: -9,
                    window_ns: 5,
                    ts_event: numbers.next(),
                    flags: 2,
                };
                write_signals(
                    &mut out,
                    &header(Kind::Signals, Stream::SIGNALS_FIRST, numbers),
                    is_named.then_some((&image, &view)),
                    &[signal; 3],
                );
            }
            15 => write_volumes(
                &mut out,
                &header(Kind::Volumes, Stream::VOLUMES_FIRST, numbers),
                &session,
                &volumes,
            ),
            16 => {
                let cost = Cost {
                    qty: Qty(1),
                    filled: Qty(numbers.signed()),
                    price_average: 3,
                    price_worst: Price(4),
                    cost: numbers.signed(),
                    price_exponent: -3,
                    cost_exponent: -4,
                    side: Side::Ask,
                    is_complete: true,
                    is_known: false,
                    bps: 5,
                };
                write_costs(
                    &mut out,
                    &header(Kind::Costs, Stream::COSTS_FIRST, numbers),
                    is_named.then_some((&image, &view)),
                    &[cost; 2],
                );
            }
            _ => write_levels(
                &mut out,
                &header(Kind::Delta, Stream::BOOK, numbers),
                &numbers.levels(),
                &numbers.levels(),
            ),
        }
        if whole.is_empty() {
            whole.push(out);
        }
        all.append(&mut whole);
    }
    all
}

/// A segment of these frames, a block of each so many, and where each block begins.
fn segment(frames: &[Vec<u8>], block: usize) -> (Vec<u8>, Vec<usize>) {
    let mut out = Vec::new();
    let mut writer = FrameWriter::begin(HEADER, &mut out);
    let mut begins = Vec::new();
    for part in frames.chunks(block) {
        begins.push(out.len());
        part.iter().for_each(|frame| assert!(writer.frame(frame, &mut out).is_ok()));
        writer.flush(&mut out);
    }
    begins.push(out.len());
    writer.close(&mut out);
    (out, begins)
}

/// Numbers and bytes of what is read, and the codes of errors between.
fn read(segment: &[u8], chunk: usize) -> (Vec<(u64, Vec<u8>)>, Vec<&'static str>) {
    let mut reader = FrameReader::default();
    let (mut frames, mut codes) = (Vec::new(), Vec::new());
    let mut pending = Vec::new();
    let mut pieces = segment.chunks(chunk).peekable();
    while let Some(piece) = pieces.next() {
        pending.extend_from_slice(piece);
        let (mut at, last) = (0, pieces.peek().is_none());
        loop {
            match reader.next(&pending, at, last) {
                Ok(FrameRecorded { start, end, seq, what }) => {
                    assert!(at <= start && start <= end && end <= pending.len());
                    at = end;
                    match what {
                        Ok(FrameItem::Frame(frame)) => frames.push((seq, frame.to_vec())),
                        Ok(other) => panic!("{other:?}"),
                        Err(error) => codes.push(error.code()),
                    }
                }
                Err(consumed) => {
                    pending.drain(..consumed);
                    break;
                }
            }
        }
    }
    assert!(pending.is_empty(), "the end uses everything up");
    (frames, codes)
}

fn unsent(frames: &[Vec<u8>]) -> Vec<(u64, Vec<u8>)> {
    let unsent = |(seq, frame): (u64, &Vec<u8>)| {
        let mut out = Vec::new();
        without_sending(frame, &mut out);
        (seq, out)
    };
    (0..).zip(frames).map(unsent).collect()
}

#[test]
fn frames_of_every_kind_come_back_and_few_are_kept_as_they_are() {
    for seed in 0..40 {
        let frames = frames(seed, 300);
        let (bytes, _) = segment(&frames, 100);
        assert_eq!(read(&bytes, 1_000), (unsent(&frames), Vec::new()), "seed {seed}");
        let mut encoder = encoder::Encoder::default();
        let kept = frames.iter().filter(|frame| !encoder.frame(frame)).count();
        assert_eq!(kept, 0, "each is told by its numbers");
    }
}

/// Bytes that are no frame, and frames with a byte that is none of any frame: they are kept as they are.
#[test]
fn what_no_column_holds_is_kept_as_it_is() {
    let known = frames(1, 60);
    let mut all = vec![vec![], vec![0], b"DWF1".to_vec(), vec![0xff; 300], vec![0; 128]];
    for frame in &known {
        all.push(frame.clone());
        for at in 0..frame.len().min(260) {
            let mut changed = frame.clone();
            changed[at] ^= 1 << (at % 8);
            all.push(changed);
            all.push(frame[..at].to_vec());
        }
    }
    let (bytes, _) = segment(&all, 2_000);
    let (read, codes) = read(&bytes, bytes.len());
    assert_eq!((read.len(), codes), (all.len(), Vec::new()));
    for ((_, back), frame) in read.iter().zip(&all) {
        let mut unsent = Vec::new();
        without_sending(frame, &mut unsent);
        assert!(back == frame || *back == unsent, "{}", frame.escape_ascii());
    }
}

#[test]
fn a_journal_cut_anywhere_is_a_prefix() {
    let frames = frames(3, 80);
    let (bytes, begins) = segment(&frames, 16);
    let whole = unsent(&frames);
    for len in 0..bytes.len() {
        let (read, codes) = read(&bytes[..len], len.max(1));
        let blocks = begins.iter().filter(|begin| **begin <= len).count().saturating_sub(1);
        assert_eq!(read, whole[..(16 * blocks).min(80)], "cut at {len}");
        let is_between = len == 0 || begins.contains(&len);
        assert_eq!(
            codes.as_slice(),
            if is_between || len == 64 { &[][..] } else { &["journal.cut"] },
            "cut at {len}"
        );
    }
}

#[test]
fn a_flipped_bit_is_never_a_wrong_frame() {
    let frames = frames(4, 96);
    let (bytes, _) = segment(&frames, 32);
    let whole = unsent(&frames);
    assert!(bytes.len() > 8 << 10, "{}", bytes.len());
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let (read, codes) = read(&damaged, damaged.len());
        assert!(!codes.is_empty(), "bit {bit} is not told");
        assert!(read.iter().all(|frame| whole[frame.0 as usize] == *frame), "bit {bit}");
        assert!(read.len() >= 64 || bit < 64 * 8, "bit {bit} costs its own block");
    }
}

/// Blocks whose checksum is right and whose bytes nobody wrote: an error, or frames of some kind, and never more than a reader
/// bears.
#[test]
fn bytes_that_nobody_wrote_are_an_error() {
    let (bytes, begins) = segment(&frames(5, 60), 60);
    let from = begins[0] + crate::journal::BLOCK_HEADER_BYTES;
    let body = &bytes[from..begins[1]];
    let mut decoder = decoder::Decoder::default();
    let mut refused = 0;
    for bit in 0..body.len() * 8 {
        let mut body = body.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        let mut out = Vec::new();
        let is_whole = decoder.open(&body).is_some()
            && (0..60).all(|_| decoder.next(&body, &mut out).is_some())
            && decoder.is_read();
        refused += u32::from(!is_whole);
        assert!(out.len() < 64 << 20);
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn segments_and_instruments_are_told_in_order() {
    let frames = frames(6, 4);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut writer = FrameWriter::begin(HEADER, &mut first);
    assert_eq!(writer.instrument(b"venue:SYMBOL", &mut first), Ok(0));
    assert_eq!(writer.frame(&frames[0], &mut first), Ok(1));
    writer.turn(SegmentHeader { number: 1, ..HEADER }, &mut first, &mut second);
    assert_eq!(writer.frame(&frames[1], &mut second), Ok(2));
    let huge = vec![0; (8 << 20) + 1];
    let refused = Err(JournalError::BlockTooLarge { len: (8 << 20) + 1 });
    assert_eq!(writer.frame(&huge, &mut second), refused);
    assert_eq!(writer.next_seq(), 3);
    writer.close(&mut second);
    let mut reader = FrameReader::default();
    assert_eq!(reader.next(&first, 0, true).unwrap().what, Ok(FrameItem::Instrument(b"venue:SYMBOL")));
    reader.put_back();
    assert_eq!(
        reader.next(&first, first.len() - 64, true).unwrap().what,
        Ok(FrameItem::Instrument(b"venue:SYMBOL"))
    );
    let unsent = unsent(&frames);
    assert_eq!(reader.next(&first, first.len() - 64, true).unwrap().what, Ok(FrameItem::Frame(&unsent[0].1)));
    assert_eq!(reader.next(&first, first.len() - 64, true), Err(first.len()));
    assert!(reader.was_closed());
    reader.segment_ended();
    let FrameRecorded { seq, what, .. } = reader.next(&second, 0, true).unwrap();
    assert_eq!((seq, what), (2, Ok(FrameItem::Frame(&unsent[1].1[..]))));
    // The first one comes again, and a journal of records is none of frames.
    reader.segment_ended();
    let again = reader.next(&first, 0, true).unwrap().what;
    assert_eq!(again, Err(JournalError::SegmentOrder { expected: 2, got: 0 }));
    let records = HEADER.to_bytes();
    reader.segment_ended();
    assert_eq!(reader.next(&records, 0, true).unwrap().what, Err(JournalError::NotJournal { got: *b"DWJR" }));
}

proptest! {
    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut decoder = decoder::Decoder::default();
        if decoder.open(&body).is_some() {
            let mut out = Vec::new();
            while !decoder.is_read() && decoder.next(&body, &mut out).is_some() {}
        }
    }

    #[test]
    fn frames_come_back_cut_anywhere(seed: u64, chunk in 1_usize..3_000) {
        let frames = frames(seed, 50);
        let (bytes, _) = segment(&frames, 20);
        prop_assert_eq!(read(&bytes, chunk), (unsent(&frames), Vec::new()));
    }
}
