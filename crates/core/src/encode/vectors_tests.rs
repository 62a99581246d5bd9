//! The test vectors of the protocol, `schema/vectors.json`: every kind of frame as hex with what it says, for readers in any
//! language. This test makes them again and compares; with `DEPTHWIRE_WRITE_VECTORS` set it writes them.

use std::fmt::Write as _;

use flatbuffers::FlatBufferBuilder;

use super::generated::{self, FRAME_IDENTIFIER, Frame, size_prefixed_root_as_frame};
use super::*;
use crate::aggregate::{Cost, Traded, checksums};
use crate::replica::{Outcome, Replica, ReplicaState};
use crate::types::{
    Aggressor, BookState, InstrumentId, KnownTo, Level, Price, Qty, Side, Ticker, Trade, TradeId,
    TradingStatus,
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/vectors.json");

const EPOCH: u64 = 0x0001_0002_0000_0003;
const INSTRUMENT: u32 = 4_000_000_000;

/// One frame and its name.
struct Vector {
    name: &'static str,
    bytes: Vec<u8>,
}

fn header(kind: Kind, stream: Stream, prev_seq: u64, seq: u64) -> Header {
    Header {
        epoch: EPOCH,
        seq,
        prev_seq,
        venue_seq: 9_007_199_254_740_993,
        ts_event: 1_700_000_000_123_456_789,
        ts_recv: 1_700_000_000_123_999_999,
        ts_send: 1_700_000_000_124_000_001,
        instrument: INSTRUMENT,
        kind,
        stream,
        flags: Flags::LAST.when(!matches!(kind, Kind::Check | Kind::Status)),
    }
}

fn levels(of: &[(i64, i64)]) -> Vec<Level> {
    of.iter().map(|&(price, qty)| Level::new(price, qty)).collect()
}

fn check(bids: &[Level], asks: &[Level]) -> CheckBody {
    let (top_crc, all_crc) = checksums(bids, asks);
    CheckBody { top_crc, all_crc, bid_count: bids.len() as u32, ask_count: asks.len() as u32 }
}

fn image_body(check: CheckBody) -> ImageBody {
    ImageBody {
        known_to: KnownTo { bid: Price(99), ask: KnownTo::WHOLE.ask },
        depth: 0,
        price_exponent: -2,
        qty_exponent: -8,
        state: BookState::Synced.code(),
        reason: 0,
        check,
    }
}

fn one(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes);
    bytes
}

fn image(header: &Header, view: Option<&ViewBody>, bids: &[Level], asks: &[Level]) -> Vec<u8> {
    let body = image_body(check(bids, asks));
    one(|out| {
        write_image(&mut Vec::new(), header, &body, view, bids, asks, |frame| out.extend_from_slice(frame))
    })
}

/// One of two chunks of an image that would fit one: readers need not be told two thousand levels to learn the rule.
fn chunk(index: u32, bids: &[Level], asks: &[Level], whole: &CheckBody) -> Vec<u8> {
    let body = image_body(*whole);
    let header = header(Kind::Image, Stream::BOOK, 7, 7);
    let mut bytes = one(|out| {
        write_image(&mut Vec::new(), &header, &body, None, bids, asks, |frame| out.extend_from_slice(frame))
    });
    bytes[120..124].copy_from_slice(&index.to_le_bytes());
    bytes[124..128].copy_from_slice(&2u32.to_le_bytes());
    bytes
}

/// The book of the first vectors: its image, and what a delta makes of it.
fn book() -> [Vec<Level>; 6] {
    let bids = levels(&[(6_180_020, 5), (6_180_019, 1 << 60), (99, 1)]);
    let asks = levels(&[(6_180_021, 7), (i64::MAX, 2)]);
    let new_bids = levels(&[(6_180_020, 0), (6_180_018, 3)]);
    let new_asks = levels(&[(6_180_021, 8)]);
    let bids_after = levels(&[(6_180_019, 1 << 60), (6_180_018, 3), (99, 1)]);
    let asks_after = levels(&[(6_180_021, 8), (i64::MAX, 2)]);
    [bids, asks, new_bids, new_asks, bids_after, asks_after]
}

/// A frame of a later protocol of this identifier: flags and two fields of the table that nobody knows.
fn of_the_future(kind: u8, stream: u8, bids: &[Level]) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    let header =
        generated::Header::new(EPOCH, 4, 2, 0, 0, 0, 0, INSTRUMENT, kind, stream, 0b1111_1111_0010_0000);
    let later = builder.create_vector(&[1u64, 2, 3]);
    let bids: Vec<_> = bids.iter().map(|level| generated::Level::new(level.price.0, level.qty.0)).collect();
    let bids = builder.create_vector(&bids);
    let start = builder.start_table();
    builder.push_slot_always(Frame::VT_HEADER, header);
    builder.push_slot_always(Frame::VT_BIDS, bids);
    builder.push_slot_always(Frame::VT_COSTS + 2, later);
    builder.push_slot_always(Frame::VT_COSTS + 4, u64::MAX);
    let end = builder.end_table(start);
    builder.finish_size_prefixed(end, Some(FRAME_IDENTIFIER));
    builder.finished_data().to_vec()
}

fn books() -> Vec<Vector> {
    let [bids, asks, new_bids, new_asks, bids_after, asks_after] = book();
    let after = check(&bids_after, &asks_after);
    let (view_bids, view_asks) = (levels(&[(6_180_000, 8), (6_179_900, 1)]), levels(&[(6_180_100, 9)]));
    let view = ViewBody { grouping: 100, interval_ns: 250_000_000, depth: 20 };
    let status =
        |state: u8, reason| StatusBody { expected: 0, received: 0, age_ns: 1_500_000, state, reason };
    let gap = GapBody {
        expected: 1_001,
        received: 1_004,
        lost_from: 1_700_000_000_000_000_000,
        noticed: 1_700_000_000_050_000_000,
        mended: 1_700_000_000_350_000_000,
        epoch_before: EPOCH - 1,
        seq_before: 77,
        reason: 1,
    };
    let lost = StatusBody { expected: 1_001, received: 1_004, ..status(3, 1) };
    let of_book = |kind, prev_seq, seq| header(kind, Stream::BOOK, prev_seq, seq);
    let says = |body: StatusBody, gap: Option<&GapBody>| {
        let header = header(Kind::Status, Stream::STATUS, 3, 3);
        one(|out| write_status(out, &header, &body, gap))
    };
    let top = |stream, flags| Header { flags, ..header(Kind::Bbo, stream, 1, 2) };
    let bbo = |header: Header, bids: &[Level]| one(|out| write_levels(out, &header, bids, &new_asks));
    vec![
        Vector { name: "book image", bytes: image(&of_book(Kind::Image, 1, 1), None, &bids, &asks) },
        Vector {
            name: "book delta",
            bytes: one(|out| write_levels(out, &of_book(Kind::Delta, 1, 2), &new_bids, &new_asks)),
        },
        Vector {
            name: "book check",
            bytes: one(|out| write_check(out, &of_book(Kind::Check, 2, 2), &after)),
        },
        Vector { name: "delta of the future", bytes: of_the_future(2, 1, &levels(&[(6_180_018, 4)])) },
        Vector { name: "kind of the future", bytes: of_the_future(200, 1, &[]) },
        Vector { name: "book image, chunk 1 of 2", bytes: chunk(0, &bids_after, &[], &after) },
        Vector { name: "book image, chunk 2 of 2", bytes: chunk(1, &[], &asks_after, &after) },
        Vector { name: "empty book image", bytes: image(&of_book(Kind::Image, 8, 8), None, &[], &[]) },
        Vector {
            name: "depth image, grouped",
            bytes: image(&header(Kind::Image, Stream(16), 1, 1), Some(&view), &view_bids, &view_asks),
        },
        Vector {
            name: "bbo of the book",
            bytes: bbo(top(Stream::BBO, Flags::LAST.with(Flags::CROSSED)), &bids[..1]),
        },
        Vector {
            name: "bbo of the venue, no bid",
            bytes: bbo(top(Stream::VENUE_BBO, Flags::LAST.with(Flags::VENUE)), &[]),
        },
        Vector { name: "status, never lost", bytes: says(status(2, 0), None) },
        Vector { name: "status, lost", bytes: says(lost, Some(&GapBody { mended: 0, ..gap })) },
        Vector { name: "status, mended", bytes: says(status(2, 0), Some(&gap)) },
    ]
}

fn others() -> Vec<Vector> {
    let trade = |id, aggressor, qty| Trade {
        id,
        resting: None,
        price: Price(i64::MIN),
        qty: Qty(qty),
        aggressor,
        ts_event: 1_700_000_000_000_000_007,
    };
    let long = b"a text of a venue that is longer than one entry of names can hold: 0123456789";
    let uuid = b"d2a4e5f0-0000-4000-8000-00000000abcd";
    let (first, second) = (TradeId::of_text(uuid), TradeId::of_text(long));
    let names: [(u64, &[u8]); 2] = [(first.value(), uuid), (second.value(), long)];
    let numbers =
        [trade(TradeId::Number(u64::MAX), Aggressor::Buy, 1), trade(TradeId::None, Aggressor::Unknown, 2)];
    let texts = [trade(first, Aggressor::Sell, 3), trade(second, Aggressor::Buy, 4)];
    let trades = |kind, stream, trades: &[Trade], names: &[(u64, &[u8])]| {
        one(|out| write_trades(out, &header(kind, stream, 1, 2), trades, names.iter().copied()))
    };
    let place = |stream| image(&header(Kind::Image, stream, 2, 2), None, &[], &[]);
    let order = |name, price, qty, place, action, side, cause| OrderBody {
        name,
        price: Price(price),
        qty: Qty(qty),
        place,
        action,
        side,
        cause,
    };
    let (bid, ask) = (Some(Side::Bid), Some(Side::Ask));
    let orders_now = [
        order(OrderName::Number(u64::MAX), 100, 5, 0, OrderAction::Add, bid, OrderCause::Unknown),
        order(
            OrderName::Uuid(*b"\xd2\xa4\xe5\xf0\x00\x00\x40\x00\x80\x00\x00\x00\x00\x00\xab\xcd"),
            100,
            6,
            1,
            OrderAction::Add,
            bid,
            OrderCause::Unknown,
        ),
        order(
            OrderName::Text(*b"OABC-12345\0\0\0\0\0\0"),
            101,
            7,
            0,
            OrderAction::Add,
            ask,
            OrderCause::Unknown,
        ),
        order(OrderName::Named(second.value()), 101, 8, 1, OrderAction::Add, ask, OrderCause::Unknown),
    ];
    let changed = [
        order(OrderName::Number(8), 99, 5, PLACE_LAST, OrderAction::Add, bid, OrderCause::New),
        order(OrderName::Number(u64::MAX), 100, 4, 0, OrderAction::Change, bid, OrderCause::Executed),
        order(OrderName::Number(8), 98, 5, PLACE_LAST, OrderAction::Move, bid, OrderCause::Changed),
        order(OrderName::Named(second.value()), 101, 0, 1, OrderAction::Remove, ask, OrderCause::Reduced),
        order(OrderName::Named(first.value()), 102, 1, 0, OrderAction::Add, ask, OrderCause::Replaced),
    ];
    let clear = [order(OrderName::None, 0, 0, 0, OrderAction::Clear, None, OrderCause::Unknown)];
    let orders = |orders: &[OrderBody], names: &[(u64, &[u8])]| {
        let header = header(Kind::Orders, Stream::ORDERS, 1, 2);
        one(|out| write_orders(out, &header, orders, names.iter().copied()))
    };
    // Fewer than ten a side: both checksums are over all.
    let raw = orders_now.iter().flat_map(|order| {
        [&order.name.bytes()[..], &order.price.0.to_le_bytes(), &order.qty.0.to_le_bytes()].concat()
    });
    let crc = crc32c::crc32c(&raw.collect::<Vec<_>>());
    let orders_image = one(|out| {
        let header = header(Kind::Image, Stream::ORDERS, 1, 1);
        let body = image_body(CheckBody { top_crc: crc, all_crc: crc, bid_count: 2, ask_count: 2 });
        write_orders_image(
            &mut Vec::new(),
            &header,
            &body,
            &orders_now,
            |_| long,
            |frame| out.extend_from_slice(frame),
        );
    });
    vec![
        Vector { name: "trades by number", bytes: trades(Kind::Trade, Stream::TRADES, &numbers, &[]) },
        Vector { name: "trades by text", bytes: trades(Kind::Trade, Stream::TRADES, &texts, &names) },
        Vector { name: "trades image", bytes: place(Stream::TRADES) },
        Vector {
            name: "liquidations",
            bytes: trades(Kind::Liquidation, Stream::LIQUIDATIONS, &numbers[1..], &[]),
        },
        Vector { name: "liquidations image", bytes: place(Stream::LIQUIDATIONS) },
        Vector { name: "orders image", bytes: orders_image },
        Vector { name: "orders", bytes: orders(&changed, &names[..1]) },
        Vector { name: "orders, all gone", bytes: orders(&clear, &[]) },
    ]
}

fn states() -> Vec<Vector> {
    let ticker = Ticker {
        last: Some(Price(6_180_020)),
        mark: Some(Price(-5)),
        volume: Some(Qty(i64::MAX)),
        funding_rate_e9: Some(-381_670),
        funding_at: Some(1_700_000_100_000_000_000),
        mark_iv_e9: Some(550_000_000),
        rho_e9: Some(0),
        ..Ticker::default()
    };
    let ticker = TickerBody { ticker, price_exponent: -2, qty_exponent: -8 };
    let trading = TradingBody { status: TradingStatus::Auction, ts_event: 1_700_000_000_000_000_000 };
    let body = image_body(CheckBody::default());
    let of = |stream, kind| header(kind, stream, 1, 2);
    let image_of = |stream| header(Kind::Image, stream, 2, 2);
    let view = ViewBody { grouping: 10, interval_ns: 1_000_000_000, depth: 0 };
    let signal = SignalBody {
        id: 1,
        value: -123_456_789,
        exponent: -9,
        window_ns: 60_000_000_000,
        ts_event: 1_700_000_000_000_000_000,
        flags: SignalBody::PARTIAL,
    };
    let volume = Traded { price: Price(6_180_000), bought: Qty(5), sold: Qty(6), unknown: Qty(7), trades: 8 };
    let session = SessionBody { since: 1_700_000_000_000_000_000, missed_at: 1_700_000_000_000_000_001 };
    let cost = Cost {
        qty: Qty(100),
        filled: Qty(70),
        price_average: 6_180_021_500,
        price_worst: Price(6_180_022),
        cost: 432_601_505,
        price_exponent: -5,
        cost_exponent: -8,
        side: Side::Ask,
        is_complete: false,
        is_known: true,
        bps: 0,
    };
    let band = Cost { bps: 50, is_complete: true, ..cost };
    let image = Some((&body, &view));
    let (signals, volumes, costs) = (Stream::SIGNALS_FIRST, Stream::VOLUMES_FIRST, Stream::COSTS_FIRST);
    let volumes_image = one(|out| {
        write_volumes_image(
            &mut Vec::new(),
            &image_of(volumes),
            (&body, &view),
            &session,
            &[volume],
            |frame| out.extend_from_slice(frame),
        );
    });
    vec![
        Vector {
            name: "ticker",
            bytes: one(|out| write_ticker(out, &of(Stream::TICKER, Kind::Ticker), None, &ticker)),
        },
        Vector {
            name: "ticker image",
            bytes: one(|out| write_ticker(out, &image_of(Stream::TICKER), Some(&body), &ticker)),
        },
        Vector {
            name: "trading",
            bytes: one(|out| write_trading(out, &of(Stream::TRADING, Kind::Trading), None, &trading)),
        },
        Vector {
            name: "trading image",
            bytes: one(|out| write_trading(out, &image_of(Stream::TRADING), Some(&body), &trading)),
        },
        Vector {
            name: "signals",
            bytes: one(|out| write_signals(out, &of(signals, Kind::Signals), None, &[signal])),
        },
        Vector {
            name: "signals image",
            bytes: one(|out| write_signals(out, &image_of(signals), image, &[signal])),
        },
        Vector {
            name: "volumes",
            bytes: one(|out| write_volumes(out, &of(volumes, Kind::Volumes), &session, &[volume, volume])),
        },
        Vector { name: "volumes image", bytes: volumes_image },
        Vector {
            name: "costs",
            bytes: one(|out| write_costs(out, &of(costs, Kind::Costs), None, &[cost, band])),
        },
        Vector { name: "costs image", bytes: one(|out| write_costs(out, &image_of(costs), image, &[cost])) },
    ]
}

fn vectors() -> Vec<Vector> {
    let mut all = books();
    all.extend(others());
    all.extend(states());
    all
}

/// JSON of fields that are read by the schema's own code. Numbers of 64 bits are strings.
macro_rules! object {
    ($from:expr, wide: [$($wide:ident),*], narrow: [$($narrow:ident),*]) => {{
        let mut fields: Vec<String> = Vec::new();
        $(fields.push(format!("\"{}\":\"{}\"", stringify!($wide), $from.$wide()));)*
        $(fields.push(format!("\"{}\":{}", stringify!($narrow), $from.$narrow()));)*
        format!("{{{}}}", fields.join(","))
    }};
}

fn list<T>(items: impl Iterator<Item = T>, json: impl Fn(T) -> String) -> String {
    format!("[{}]", items.map(json).collect::<Vec<_>>().join(","))
}

fn ticker_json(ticker: &generated::Ticker) -> String {
    object!(
        ticker,
        wide: [
            last, mark, index, volume, open_interest, funding_rate_e9, funding_at, underlying, interest_rate_e9,
            mark_iv_e9, bid_iv_e9, ask_iv_e9, delta_e9, gamma_e9, vega_e9, theta_e9, rho_e9
        ],
        narrow: [mask, price_exponent, qty_exponent]
    )
}

fn order_json(order: &generated::Order) -> String {
    object!(order, wide: [id_low, id_high, price, qty], narrow: [place, action, side, cause, id_kind])
}

fn name_json(name: &generated::Name) -> String {
    let text = name.text();
    let len = if name.size() == NAME_GOES_ON { NAME_TEXT_BYTES } else { usize::from(name.size()) };
    let text: String = text.iter().take(len).map(char::from).collect();
    format!("{{\"number\":\"{}\",\"size\":{},\"text\":\"{text}\"}}", name.number(), name.size())
}

fn json(frame: &Frame<'_>) -> String {
    let header = frame.header();
    let mut fields = vec![(
        "header",
        object!(
            header,
            wide: [epoch, seq, prev_seq, venue_seq, ts_event, ts_recv, ts_send],
            narrow: [instrument, kind, stream, flags]
        ),
    )];
    fields.extend(frame.info().map(|info| {
        let narrow = object!(
            info,
            wide: [bid_known_to, ask_known_to],
            narrow: [chunk_index, chunk_count, depth, price_exponent, qty_exponent, state, reason]
        );
        ("info", narrow)
    }));
    fields.extend(
        frame.check().map(|check| {
            ("check", object!(check, wide: [], narrow: [top_crc, all_crc, bid_count, ask_count]))
        }),
    );
    fields.extend(frame.status().map(|status| {
        ("status", object!(status, wide: [expected, received, age_ns], narrow: [state, reason]))
    }));
    let level = |level: &generated::Level| object!(level, wide: [price, qty], narrow: []);
    fields.extend(frame.bids().map(|bids| ("bids", list(bids.iter(), level))));
    fields.extend(frame.asks().map(|asks| ("asks", list(asks.iter(), level))));
    fields.extend(frame.trades().map(|trades| {
        let trade = |trade: &generated::Trade| {
            object!(trade, wide: [price, qty, id, ts_event], narrow: [aggressor, id_kind])
        };
        ("trades", list(trades.iter(), trade))
    }));
    fields.extend(frame.gap().map(|gap| {
        let gap = object!(
            gap,
            wide: [expected, received, lost_from, noticed, mended, epoch_before, seq_before],
            narrow: [reason]
        );
        ("gap", gap)
    }));
    fields.extend(frame.orders().map(|orders| ("orders", list(orders.iter(), order_json))));
    fields.extend(frame.names().map(|names| ("names", list(names.iter(), name_json))));
    fields.extend(frame.ticker().map(|ticker| ("ticker", ticker_json(ticker))));
    fields.extend(
        frame.trading().map(|trading| ("trading", object!(trading, wide: [ts_event], narrow: [status]))),
    );
    fields.extend(
        frame.view().map(|view| ("view", object!(view, wide: [grouping, interval_ns], narrow: [depth]))),
    );
    fields.extend(frame.signals().map(|signals| {
        let signal = |signal: &generated::Signal| {
            object!(signal, wide: [value, window_ns, ts_event], narrow: [id, exponent, flags])
        };
        ("signals", list(signals.iter(), signal))
    }));
    fields.extend(frame.volumes().map(|volumes| {
        let volume = |volume: &generated::Volume| {
            object!(volume, wide: [price, bought, sold, unknown], narrow: [trades])
        };
        ("volumes", list(volumes.iter(), volume))
    }));
    fields.extend(frame.costs().map(|costs| {
        let cost = |cost: &generated::Cost| {
            object!(
                cost,
                wide: [qty, filled, price_average, price_worst, cost],
                narrow: [price_exponent, cost_exponent, side, is_complete, is_known, bps]
            )
        };
        ("costs", list(costs.iter(), cost))
    }));
    fields.extend(
        frame.session().map(|session| ("session", object!(session, wide: [since, missed_at], narrow: []))),
    );
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("        \"{name}\": {value}")).collect();
    format!("{{\n{}\n      }}", fields.join(",\n"))
}

fn file() -> String {
    let mut text = String::from("{\n  \"identifier\": \"DWF1\",\n  \"vectors\": [\n");
    let all = vectors();
    for (index, Vector { name, bytes }) in all.iter().enumerate() {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let frame = size_prefixed_root_as_frame(bytes).unwrap();
        let comma = if index + 1 < all.len() { "," } else { "" };
        let _ = writeln!(
            text,
            "    {{\n      \"name\": \"{name}\",\n      \"hex\": \"{hex}\",\n      \"frame\": {}\n    }}{comma}",
            json(&frame)
        );
    }
    text.push_str("  ]\n}\n");
    text
}

#[test]
fn the_vectors_are_what_the_core_writes() {
    let now = file();
    if std::env::var_os("DEPTHWIRE_WRITE_VECTORS").is_some() {
        std::fs::write(FILE, &now).unwrap();
    }
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    // Git may have changed the ends of lines.
    let differs = kept.lines().zip(now.lines()).find(|(kept, now)| kept != now);
    assert_eq!(differs, None, "other bytes: set DEPTHWIRE_WRITE_VECTORS=1 if they are meant");
    assert_eq!(kept.lines().count(), now.lines().count());
}

#[test]
fn there_is_a_vector_of_every_kind_and_of_every_field() {
    let all = file();
    for kind in Kind::ALL {
        assert!(all.contains(&format!("\"kind\":{},", kind as u8)), "{}", kind.name());
    }
    let fields = [
        "header", "info", "check", "status", "bids", "asks", "trades", "gap", "orders", "names", "ticker",
        "trading", "view", "signals", "volumes", "costs", "session",
    ];
    for field in fields {
        assert!(all.contains(&format!("        \"{field}\": ")), "{field}");
    }
    for Vector { name, bytes } in vectors() {
        assert_eq!(bytes.len() % 8, 0, "{name}");
        assert_eq!(
            find_header(&bytes).map(|at| bytes[at..at + 8].to_vec()),
            Some(EPOCH.to_le_bytes().to_vec()),
            "{name}"
        );
    }
}

#[test]
fn a_reader_of_today_follows_a_feed_of_the_future() {
    let all = books();
    let bytes = |name: &str| &all.iter().find(|vector| vector.name == name).unwrap().bytes;
    let mut replica = Replica::default();
    assert_eq!(replica.apply(bytes("book image")), Ok(Outcome::Image));
    assert_eq!(replica.apply(bytes("book delta")), Ok(Outcome::Applied));
    assert_eq!(replica.apply(bytes("book check")), Ok(Outcome::Checked));
    let state = |replica: &Replica| {
        let book = replica.book(InstrumentId(INSTRUMENT)).unwrap();
        (book.state(), book.seq(), book.book().levels(Side::Bid).map(|level| level.qty.0).collect::<Vec<_>>())
    };
    let before = state(&replica);
    assert_eq!(replica.apply(bytes("kind of the future")), Ok(Outcome::Ignored));
    assert_eq!(state(&replica), before);
    assert_eq!(
        replica.apply(bytes("delta of the future")),
        Ok(Outcome::Applied),
        "what is not known is passed over"
    );
    assert_eq!(state(&replica), (ReplicaState::Synced, 4, vec![1 << 60, 4, 1]));
    assert_eq!(replica.apply(bytes("book image, chunk 1 of 2")), Ok(Outcome::Chunk));
    assert_eq!(replica.apply(bytes("book image, chunk 2 of 2")), Ok(Outcome::Image));
    assert_eq!(state(&replica), (ReplicaState::Synced, 7, vec![1 << 60, 3, 1]));
    for Vector { name, bytes } in others().into_iter().chain(states()) {
        let is_of_orders = name.starts_with("orders");
        let outcome = replica.apply(&bytes);
        let refused = [Ok(Outcome::CheckFailed), Ok(Outcome::Ignored)].contains(&outcome);
        assert_eq!((outcome.is_ok(), refused), (true, !is_of_orders), "{name}: {outcome:?}");
    }
    assert_eq!(state(&replica).0, ReplicaState::Synced, "no other stream is taken for the book");
}
