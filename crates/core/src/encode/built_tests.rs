//! Hand-written frames against frames of the same content that the schema's own builder makes.

use flatbuffers::FlatBufferBuilder;

use super::generated::{
    self, Check, Cost, FRAME_IDENTIFIER, Frame, FrameArgs, Gap, ImageInfo, Name, Order, Session, Signal,
    Status, ViewInfo, Volume, size_prefixed_root_as_frame,
};
use super::*;
use crate::aggregate::{self, Traded};
use crate::types::{Aggressor, KnownTo, Price, Qty, Side, Ticker, Trade, TradeId, TradingStatus};

type Builder<'a> = FlatBufferBuilder<'a>;

fn header(kind: Kind, stream: Stream) -> Header {
    Header {
        epoch: u64::MAX,
        seq: 2,
        prev_seq: 3,
        venue_seq: 4,
        ts_event: 5,
        ts_recv: 6,
        ts_send: 7,
        instrument: 8,
        kind,
        stream,
        flags: Flags::LAST,
    }
}

fn info() -> ImageBody {
    ImageBody {
        known_to: KnownTo::WHOLE,
        depth: 3,
        price_exponent: -2,
        qty_exponent: 4,
        state: 2,
        reason: 0,
        check: CheckBody { top_crc: 1, all_crc: 2, bid_count: 3, ask_count: 4 },
    }
}

/// Both are verified, and read the same in every field of the schema.
#[track_caller]
fn is_as_built<'a>(bytes: &[u8], header: Header, build: impl FnOnce(&mut Builder<'a>) -> FrameArgs<'a>) {
    let mut builder = FlatBufferBuilder::new();
    let Header { epoch, seq, prev_seq, venue_seq, ts_event, ts_recv, ts_send, instrument, .. } = header;
    let own = generated::Header::new(
        epoch,
        seq,
        prev_seq,
        venue_seq,
        ts_event,
        ts_recv,
        ts_send,
        instrument,
        header.kind as u8,
        header.stream.0,
        header.flags.0,
    );
    let args = build(&mut builder);
    let root = Frame::create(&mut builder, &FrameArgs { header: Some(&own), ..args });
    builder.finish_size_prefixed(root, Some(FRAME_IDENTIFIER));
    let built = size_prefixed_root_as_frame(builder.finished_data()).unwrap();
    let written = size_prefixed_root_as_frame(bytes).unwrap();
    assert_eq!(bytes.len() % 8, 0);
    assert_eq!(format!("{written:?}"), format!("{built:?}"));
}

fn built_info(body: &ImageBody) -> ImageInfo {
    let KnownTo { bid, ask } = body.known_to;
    let (price, qty) = (body.price_exponent, body.qty_exponent);
    ImageInfo::new(bid.0, ask.0, 0, 1, body.depth, price, qty, body.state, body.reason)
}

fn built_check(body: &CheckBody) -> Check {
    Check::new(body.top_crc, body.all_crc, body.bid_count, body.ask_count)
}

fn name(number: u64, size: u8, text: &[u8]) -> Name {
    let mut padded = [0; 55];
    padded[..text.len()].copy_from_slice(text);
    Name::new(number, size, &padded)
}

#[test]
fn a_state_with_what_was_lost() {
    let header = header(Kind::Status, Stream::STATUS);
    let status = StatusBody { expected: 21, received: 22, age_ns: 23, state: 3, reason: 1 };
    let gap = GapBody {
        expected: 31,
        received: 32,
        lost_from: 33,
        noticed: 34,
        mended: 35,
        epoch_before: 36,
        seq_before: u64::MAX,
        reason: 7,
    };
    let mut bytes = Vec::new();
    write_status(&mut bytes, &header, &status, Some(&gap));
    let (status, gap) = (Status::new(21, 22, 23, 3, 1), Gap::new(31, 32, 33, 34, 35, 36, u64::MAX, 7));
    is_as_built(&bytes, header, |_| FrameArgs {
        status: Some(&status),
        gap: Some(&gap),
        ..FrameArgs::default()
    });
}

#[test]
fn trades_by_number_and_by_text() {
    let trade = |id, qty| Trade {
        id,
        resting: None,
        price: Price(-1),
        qty: Qty(qty),
        aggressor: Aggressor::Sell,
        ts_event: 9,
    };
    let of_hash = |hash| TradeId::Text { hash, at: 0 };
    let long = [b'x'; 111];
    let exact = [b'y'; 55];
    let texts: [(u64, &[u8]); 4] = [(7, b"a-1"), (8, &long), (9, &exact), (10, b"")];
    let trades = [trade(TradeId::Number(u64::MAX), 1), trade(of_hash(7), 2), trade(of_hash(8), 3)];
    for (kind, stream) in [(Kind::Trade, Stream::TRADES), (Kind::Liquidation, Stream::LIQUIDATIONS)] {
        for texts in [&texts[..0], &texts[..]] {
            let header = header(kind, stream);
            let mut bytes = Vec::new();
            write_trades(&mut bytes, &header, &trades, texts.iter().copied());
            is_as_built(&bytes, header, |builder| {
                let built = trades.map(|trade| {
                    let (id, kind) = (trade.id.value(), trade.id.kind());
                    generated::Trade::new(-1, trade.qty.0, id, 9, Aggressor::Sell as u8, kind)
                });
                let names = [
                    name(7, 3, b"a-1"),
                    name(8, 255, &long[..55]),
                    name(8, 255, &long[..55]),
                    name(8, 1, &long[..1]),
                    name(9, 55, &exact),
                    name(10, 0, b""),
                ];
                let names = (!texts.is_empty()).then(|| builder.create_vector(&names));
                FrameArgs { trades: Some(builder.create_vector(&built)), names, ..FrameArgs::default() }
            });
        }
    }
}

#[test]
fn orders() {
    let names = [
        OrderName::None,
        OrderName::Number(u64::MAX),
        OrderName::Uuid(*b"0123456789abcdef"),
        OrderName::Text(*b"SHORT\0\0\0\0\0\0\0\0\0\0\0"),
        OrderName::Named(6),
    ];
    let words = [
        (0, 0),
        (u64::MAX, 0),
        (u64::from_le_bytes(*b"01234567"), u64::from_le_bytes(*b"89abcdef")),
        (u64::from_le_bytes(*b"SHORT\0\0\0"), 0),
        (6, 0),
    ];
    let sides = [None, Some(Side::Bid), Some(Side::Ask)];
    let place = |index: usize| if index == 4 { PLACE_LAST } else { index as u32 };
    let body = |(index, action): (usize, OrderAction)| OrderBody {
        name: names[index],
        price: Price(-(index as i64)),
        qty: Qty(index as i64),
        place: place(index),
        action,
        side: sides[index % 3],
        cause: OrderCause::ALL[index + 1],
    };
    let orders: Vec<_> = OrderAction::ALL.into_iter().enumerate().map(body).collect();
    let built: Vec<_> = (0..5usize)
        .map(|index| {
            let (low, high) = words[index];
            let number = index as i64;
            let (action, side, cause) = (index as u8 + 1, index as u8 % 3, index as u8 + 1);
            Order::new(low, high, -number, number, place(index), action, side, cause, index as u8)
        })
        .collect();

    let of = header(Kind::Orders, Stream::ORDERS);
    for texts in [&[][..], &[(6, &b"the sixth"[..])]] {
        let mut bytes = Vec::new();
        write_orders(&mut bytes, &of, &orders, texts.iter().copied());
        is_as_built(&bytes, of, |builder| FrameArgs {
            orders: Some(builder.create_vector(&built)),
            names: (!texts.is_empty()).then(|| builder.create_vector(&[name(6, 9, b"the sixth")])),
            ..FrameArgs::default()
        });
    }

    let of = header(Kind::Image, Stream::ORDERS);
    let (body, text_of) = (info(), |_| &b"the sixth"[..]);
    let mut chunks = Vec::new();
    write_orders_image(&mut Vec::new(), &of, &body, &orders, text_of, |chunk| chunks.push(chunk.to_vec()));
    let (info, check) = (built_info(&body), built_check(&body.check));
    is_as_built(&chunks[0], of, |builder| FrameArgs {
        info: Some(&info),
        check: Some(&check),
        orders: Some(builder.create_vector(&built)),
        names: Some(builder.create_vector(&[name(6, 9, b"the sixth")])),
        ..FrameArgs::default()
    });
    assert_eq!(chunks.len(), 1);
}

#[test]
fn an_image_of_many_orders_comes_in_chunks() {
    let order = |number: usize| OrderBody {
        name: OrderName::Named(number as u64),
        price: Price(1),
        qty: Qty(1),
        place: PLACE_LAST,
        action: OrderAction::Add,
        side: Some(Side::Bid),
        cause: OrderCause::Unknown,
    };
    let texts: Vec<_> = (0..2 * CHUNK_ORDERS_MAX + 1).map(|number| number.to_string()).collect();
    for count in [0, 1, CHUNK_ORDERS_MAX, CHUNK_ORDERS_MAX + 1, 2 * CHUNK_ORDERS_MAX + 1] {
        let orders: Vec<_> = (0..count).map(order).collect();
        let (mut chunks, mut next) = (0, 0);
        let (header, text_of) =
            (header(Kind::Image, Stream::ORDERS), |number| texts[number as usize].as_bytes());
        write_orders_image(&mut Vec::new(), &header, &info(), &orders, text_of, |chunk| {
            let frame = size_prefixed_root_as_frame(chunk).unwrap();
            let info = frame.info().unwrap();
            assert_eq!(info.chunk_index(), chunks);
            assert_eq!(info.chunk_count() as usize, count.div_ceil(CHUNK_ORDERS_MAX).max(1));
            chunks += 1;
            for (order, name) in frame.orders().unwrap().iter().zip(frame.names().unwrap()) {
                let text = name.text();
                let text: Vec<u8> = text.iter().take(usize::from(name.size())).collect();
                assert_eq!((order.id_low(), name.number()), (next, next));
                assert_eq!(text, texts[next as usize].as_bytes());
                next += 1;
            }
        });
        assert_eq!(next as usize, count);
    }
}

#[test]
fn statistics_and_whether_it_trades() {
    let ticker = Ticker {
        last: Some(Price(-1)),
        volume: Some(Qty(0)),
        funding_at: Some(u64::MAX),
        rho_e9: Some(i64::MIN),
        ..Ticker::default()
    };
    let body = TickerBody { ticker, price_exponent: -8, qty_exponent: 3 };
    let mask = 1 | 1 << 3 | 1 << 6 | 1 << 16;
    let built =
        generated::Ticker::new(mask, -8, 3, -1, 0, 0, 0, 0, 0, u64::MAX, 0, 0, 0, 0, 0, 0, 0, 0, 0, i64::MIN);
    let status = TradingBody { status: TradingStatus::Auction, ts_event: 12 };
    let trading = generated::Trading::new(12, 3);
    let (image, built_info) = (info(), built_info(&info()));
    for image in [None, Some(&image)] {
        let kind = |change| if image.is_some() { Kind::Image } else { change };
        let info = image.map(|_| &built_info);
        let of = header(kind(Kind::Ticker), Stream::TICKER);
        let mut bytes = Vec::new();
        write_ticker(&mut bytes, &of, image, &body);
        is_as_built(&bytes, of, |_| FrameArgs { info, ticker: Some(&built), ..FrameArgs::default() });
        bytes.clear();
        let of = header(kind(Kind::Trading), Stream::TRADING);
        write_trading(&mut bytes, &of, image, &status);
        is_as_built(&bytes, of, |_| FrameArgs { info, trading: Some(&trading), ..FrameArgs::default() });
    }
}

#[test]
fn what_is_computed() {
    let signal =
        SignalBody { id: 9, value: -1, exponent: -9, window_ns: 2, ts_event: 3, flags: SignalBody::PARTIAL };
    let volume = Traded { price: Price(-1), bought: Qty(2), sold: Qty(3), unknown: Qty(4), trades: u32::MAX };
    let session = SessionBody { since: 13, missed_at: 14 };
    let cost = aggregate::Cost {
        qty: Qty(1),
        filled: Qty(2),
        price_average: 3,
        price_worst: Price(4),
        cost: 5,
        price_exponent: -6,
        cost_exponent: 7,
        side: Side::Ask,
        is_complete: false,
        is_known: true,
        bps: 12,
    };
    let view = ViewBody { grouping: 10, interval_ns: 11, depth: 12 };
    let (built_info, built_view) = (built_info(&info()), ViewInfo::new(10, 11, 12));
    let built_session = Session::new(13, 14);
    let body = info();
    for (image, count) in [(None, 0), (None, 1), (Some((&body, &view)), 2)] {
        let kind = |change| if image.is_some() { Kind::Image } else { change };
        let (info, view) = (image.map(|_| &built_info), image.map(|_| &built_view));
        let mut bytes = Vec::new();
        let of = header(kind(Kind::Signals), Stream::SIGNALS_FIRST);
        write_signals(&mut bytes, &of, image, &vec![signal; count]);
        is_as_built(&bytes, of, |builder| {
            let signals = Some(builder.create_vector(&vec![Signal::new(-1, 2, 3, 9, -9, 2); count]));
            FrameArgs { info, view, signals, ..FrameArgs::default() }
        });
        bytes.clear();
        let of = header(kind(Kind::Volumes), Stream::VOLUMES_FIRST);
        match image {
            None => write_volumes(&mut bytes, &of, &session, &vec![volume; count]),
            Some(image) => {
                let mut scratch = Vec::new();
                let rows = vec![volume; count];
                write_volumes_image(&mut scratch, &of, image, &session, &rows, |frame| {
                    bytes.extend_from_slice(frame);
                });
            }
        }
        is_as_built(&bytes, of, |builder| {
            let volumes = Some(builder.create_vector(&vec![Volume::new(-1, 2, 3, 4, u32::MAX); count]));
            let session = Some(&built_session);
            FrameArgs { info, view, volumes, session, ..FrameArgs::default() }
        });
        bytes.clear();
        let of = header(kind(Kind::Costs), Stream::COSTS_FIRST);
        write_costs(&mut bytes, &of, image, &vec![cost; count]);
        is_as_built(&bytes, of, |builder| {
            let costs =
                Some(builder.create_vector(&vec![Cost::new(1, 2, 3, 4, 5, -6, 7, 2, 0, 1, 12); count]));
            FrameArgs { info, view, costs, ..FrameArgs::default() }
        });
    }
}
