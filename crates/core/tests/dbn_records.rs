//! Each record by hand-made bytes: every field lies where the field list of its type says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

mod dbn_bytes;

use dbn_bytes::{lengths, record};
use depthwire_core::framing::dbn::{
    DbnError, DbnFramer, Flags, Record, SymbolType, TradePrint, UNDEFINED_PRICE, UNDEFINED_SIZE,
    UNDEFINED_STATISTIC_QTY, UNDEFINED_TIME, Version,
};
use depthwire_core::types::{Aggressor, Level, Levels, Price, Qty, Side};

const VERSIONS: [Version; 3] = [Version::V1, Version::V2, Version::V3];

/// A number that a field of that name holds in these tests.
fn value(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A record of fields packed one after the other, each `name:bytes`. A field holds [`value`] of its name, or its name
/// itself when it is a text (`name:"bytes`), unless `given` says otherwise.
fn pack(rtype: u8, fields: &str, given: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = record(rtype, 16, &[]);
    for field in fields.split_whitespace() {
        let (name, width) = field.split_once(':').unwrap();
        let start = bytes.len();
        let end = start + width.trim_start_matches('"').parse::<usize>().unwrap();
        match given.iter().find(|(known, _)| *known == name) {
            Some((_, given)) => bytes.extend_from_slice(given),
            None if width.starts_with('"') => bytes.extend(name.bytes().take(end - start)),
            None => bytes.extend(value(name).to_le_bytes().iter().cycle().take(end - start)),
        }
        bytes.resize(end, 0);
    }
    bytes[0] = (bytes.len() / 4) as u8;
    bytes
}

/// The only record of a fragment.
fn read(bytes: &[u8], version: Version) -> Result<Record<'_>, DbnError> {
    let mut framer = DbnFramer::fragment(version, false);
    let mut records = framer.finish(bytes);
    let record = records.next().unwrap().record;
    assert!(records.next().is_none());
    record
}

/// Asserts that each number is [`value`] of its name, as wide as it is.
macro_rules! numbers {
    ($record:expr; $($field:ident)*) => {$(
        let bytes = $record.$field().to_le_bytes();
        assert_eq!(bytes[..], value(stringify!($field)).to_le_bytes()[..bytes.len()], stringify!($field));
    )*};
}

/// Asserts that each text is its name, as far as there is room.
macro_rules! texts {
    ($record:expr; $($field:ident $width:expr),*) => {$(
        let name = stringify!($field);
        assert_eq!($record.$field().as_str(), Ok(&name[..name.len().min($width)]));
    )*};
}

const TRADE: &str = "price:8 size:4 action:1 side:1 flags:1 depth:1 ts_recv:8 ts_in_delta:4 sequence:4";
const PAIR: &str = "bid_px:8 ask_px:8 bid_sz:4 ask_sz:4 bid_ct:4 ask_ct:4";

/// A bid and an ask.
fn pair(bid: (i64, u32), ask: (i64, u32), counts: [u32; 2]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(bid.0.to_le_bytes());
    bytes.extend(ask.0.to_le_bytes());
    for number in [bid.1, ask.1, counts[0], counts[1]] {
        bytes.extend(number.to_le_bytes());
    }
    bytes
}

#[test]
fn trades_and_levels_hold_each_field() {
    let given: &[(&str, &[u8])] = &[("action", b"T"), ("side", b"A"), ("flags", &[0x81])];
    let flags = Flags(0x81);
    let levels = |depth: usize| format!("{TRADE} {}", vec![PAIR; depth].join(" "));
    for version in VERSIONS {
        let bytes = pack(0x00, TRADE, given);
        let Ok(Record::Trade(trade)) = read(&bytes, version) else { panic!() };
        numbers!(trade; price size depth ts_recv ts_in_delta sequence);
        assert_eq!((trade.action(), trade.side(), trade.flags()), (b'T', Some(Side::Ask), flags));
        let print = TradePrint {
            price: Price(trade.price()),
            qty: Qty(i64::from(trade.size())),
            aggressor: Some(Aggressor::Sell),
        };
        assert_eq!(trade.trade(), Some(print));

        let bytes = pack(0x01, &levels(1), given);
        let Ok(Record::Mbp1(change)) = read(&bytes, version) else { panic!() };
        numbers!(change; price size depth ts_recv ts_in_delta sequence);
        assert_eq!((change.action(), change.side(), change.flags()), (b'T', Some(Side::Ask), flags));
        assert_eq!(change.trade(), Some(print));

        let bytes = pack(0x0a, &levels(10), given);
        let Ok(Record::Mbp10(change)) = read(&bytes, version) else { panic!() };
        numbers!(change; price size depth ts_recv ts_in_delta sequence);
        assert_eq!((change.action(), change.side(), change.flags()), (b'T', Some(Side::Ask), flags));
        assert_eq!(change.trade(), Some(print));

        for rtype in [0xc3, 0xc4] {
            let bytes = pack(rtype, &levels(1), given);
            let Ok(Record::Bbo(bbo)) = read(&bytes, version) else { panic!() };
            numbers!(bbo; price size ts_recv sequence);
            assert_eq!((bbo.side(), bbo.flags(), bbo.last_trade()), (Some(Side::Ask), flags, Some(print)));
        }
        for rtype in [0xb1, 0xc2] {
            let bytes = pack(rtype, &levels(1), given);
            let Ok(Record::ConsolidatedMbp1(change)) = read(&bytes, version) else { panic!() };
            numbers!(change; price size ts_recv ts_in_delta);
            assert_eq!((change.action(), change.side(), change.flags()), (b'T', Some(Side::Ask), flags));
            assert_eq!(change.trade(), Some(print));
        }
        for rtype in [0xc0, 0xc1] {
            let bytes = pack(rtype, &levels(1), given);
            let Ok(Record::ConsolidatedBbo(bbo)) = read(&bytes, version) else { panic!() };
            numbers!(bbo; price size ts_recv);
            assert_eq!((bbo.side(), bbo.flags(), bbo.last_trade()), (Some(Side::Ask), flags, Some(print)));
        }
    }
    let none: &[(&str, &[u8])] = &[("price", &UNDEFINED_PRICE.to_le_bytes())];
    let bytes = pack(0xc3, &levels(1), none);
    let Ok(Record::Bbo(bbo)) = read(&bytes, Version::V3) else { panic!() };
    assert_eq!(bbo.last_trade(), None);
}

#[test]
fn ten_levels_are_the_whole_book_to_that_depth() {
    let fields = format!("{TRADE} levels:320");
    let mut pairs = Vec::new();
    for nth in 0..10u32 {
        let away = i64::from(nth) * 250;
        // Bids end after seven levels, one side without a price and the other with nothing at one.
        let bid = if nth < 7 { (1_000 - away, nth + 1) } else { (UNDEFINED_PRICE, UNDEFINED_SIZE) };
        let ask = if nth == 9 { (4_000, 0) } else { (1_250 + away, 100 + nth) };
        pairs.extend(pair(bid, ask, [10 + nth, 20 + nth]));
    }
    let bytes = pack(0x0a, &fields, &[("levels", &pairs)]);
    let Ok(Record::Mbp10(change)) = read(&bytes, Version::V1) else { panic!() };
    let mut levels = Levels { bids: vec![Level::new(1, 1)], asks: vec![Level::new(2, 2)] };
    assert_eq!(change.levels(&mut levels), Ok(()));
    let bids: Vec<_> = (0..7).map(|nth| Level::new(1_000 - nth * 250, nth + 1)).collect();
    let asks: Vec<_> = (0..9).map(|nth| Level::new(1_250 + nth * 250, 100 + nth)).collect();
    assert_eq!((levels.bids.as_slice(), levels.asks.as_slice()), (&bids[..], &asks[..]));
    let level = change.level(6).unwrap();
    assert_eq!(level.side(Side::Bid), Ok(Some(Level::new(-500, 7))));
    assert_eq!((level.orders(Side::Bid), level.orders(Side::Ask)), (16, 26));
    assert_eq!(change.level(7).unwrap().side(Side::Bid), Ok(None));
    assert!(change.level(10).is_none());

    // A price without a size: the depth there is not known, so nothing is handed out.
    pairs[32 * 4 + 16..][..4].copy_from_slice(&UNDEFINED_SIZE.to_le_bytes());
    let bytes = pack(0x0a, &fields, &[("levels", &pairs)]);
    let Ok(Record::Mbp10(change)) = read(&bytes, Version::V1) else { panic!() };
    assert_eq!(change.levels(&mut levels), Err(DbnError::LevelWithoutSize { price: 0 }));
    assert!(levels.is_empty());
}

#[test]
fn the_level_of_several_venues_names_them() {
    let fields = format!("{TRADE} levels:32");
    let pairs = pair((5, 3), (6, 4), [0xffff_0007, 0xffff_0008]);
    let bytes = pack(0xb1, &fields, &[("levels", &pairs)]);
    let Ok(Record::ConsolidatedMbp1(change)) = read(&bytes, Version::V3) else { panic!() };
    let level = change.level(0).unwrap();
    assert_eq!((level.publisher_id(Side::Bid), level.publisher_id(Side::Ask)), (7, 8));
    let mut levels = Levels::default();
    assert_eq!(change.levels(&mut levels), Ok(()));
    assert_eq!((levels.bids[0], levels.asks[0]), (Level::new(5, 3), Level::new(6, 4)));
}

#[test]
fn bars_statuses_and_imbalances_hold_each_field() {
    for version in VERSIONS {
        for rtype in [0x11, 0x20, 0x21, 0x22, 0x23, 0x24] {
            let bytes = pack(rtype, "open:8 high:8 low:8 close:8 volume:8", &[]);
            let Ok(Record::Ohlcv(bar)) = read(&bytes, version) else { panic!() };
            numbers!(bar; open high low close volume);
            assert_eq!(bar.header().rtype, rtype);
        }
        let fields = "ts_recv:8 action:2 reason:2 trading_event:2 is_trading:1 is_quoting:1 \
                      is_short_sell_restricted:1 reserved:7";
        let bytes = pack(0x12, fields, &[]);
        let Ok(Record::Status(status)) = read(&bytes, version) else { panic!() };
        numbers!(status; ts_recv action reason trading_event is_trading is_quoting is_short_sell_restricted);
        let fields = "ts_recv:8 ref_price:8 auction_time:8 cont_book_clr_price:8 auct_interest_clr_price:8 \
                      ssr_filling_price:8 ind_match_price:8 upper_collar:8 lower_collar:8 paired_qty:4 \
                      total_imbalance_qty:4 market_imbalance_qty:4 unpaired_qty:4 auction_type:1 side:1 \
                      auction_status:1 freeze_status:1 num_extensions:1 unpaired_side:1 \
                      significant_imbalance:1 reserved:1";
        let bytes = pack(0x14, fields, &[("side", b"B"), ("unpaired_side", b"A")]);
        let Ok(Record::Imbalance(imbalance)) = read(&bytes, version) else { panic!() };
        numbers!(imbalance; ts_recv ref_price auction_time cont_book_clr_price auct_interest_clr_price
            ssr_filling_price ind_match_price upper_collar lower_collar paired_qty total_imbalance_qty
            market_imbalance_qty unpaired_qty auction_type auction_status freeze_status num_extensions
            significant_imbalance);
        assert_eq!((imbalance.side(), imbalance.unpaired_side()), (Some(Side::Bid), Some(Side::Ask)));
    }
}

#[test]
fn statistics_hold_each_field_of_their_version() {
    let fields = |quantity: u8, reserved: u8| {
        format!(
            "ts_recv:8 ts_ref:8 price:8 quantity:{quantity} sequence:4 ts_in_delta:4 stat_type:2 \
             channel_id:2 update_action:1 stat_flags:1 reserved:{reserved}"
        )
    };
    for (version, fields) in VERSIONS.into_iter().zip([fields(4, 6), fields(4, 6), fields(8, 18)]) {
        let given = value("quantity").to_le_bytes();
        let expected = match version {
            Version::V3 => i64::from_le_bytes(given),
            _ => i64::from(i32::from_le_bytes(given[..4].try_into().unwrap())),
        };
        let bytes = pack(0x18, &fields, &[]);
        let Ok(Record::Statistics(statistic)) = read(&bytes, version) else { panic!() };
        numbers!(statistic; ts_recv ts_ref price sequence ts_in_delta stat_type channel_id update_action
            stat_flags);
        assert_eq!(statistic.quantity(), expected);
        let undefined: &[u8] = match version {
            Version::V3 => &i64::MAX.to_le_bytes(),
            _ => &i32::MAX.to_le_bytes(),
        };
        let bytes = pack(0x18, &fields, &[("quantity", undefined)]);
        let Ok(Record::Statistics(statistic)) = read(&bytes, version) else { panic!() };
        assert_eq!(statistic.quantity(), UNDEFINED_STATISTIC_QTY);
    }
}

#[test]
fn the_gateways_records_hold_each_field_of_their_version() {
    let mapping = "stype_in_symbol:\"22 stype_out_symbol:\"22 pad:4 start_ts:8 end_ts:8";
    let bytes = pack(0x16, mapping, &[("end_ts", &UNDEFINED_TIME.to_le_bytes())]);
    let Ok(Record::SymbolMapping(mapping)) = read(&bytes, Version::V1) else { panic!() };
    numbers!(mapping; start_ts);
    texts!(mapping; stype_in_symbol 22, stype_out_symbol 22);
    assert_eq!((mapping.end_ts(), mapping.stype_in(), mapping.stype_out()), (UNDEFINED_TIME, None, None));
    let Ok(Record::System(system)) = read_text(0x17, "message:\"64", &[], Version::V1) else { panic!() };
    assert_eq!((system.message().as_str(), system.code()), (Ok("message"), None));
    let Ok(Record::GatewayError(error)) = read_text(0x15, "message:\"64", &[], Version::V1) else { panic!() };
    assert_eq!((error.message().as_str(), error.code(), error.is_last()), (Ok("message"), None, None));

    for version in [Version::V2, Version::V3] {
        let fields = "stype_in:1 stype_in_symbol:\"71 stype_out:1 stype_out_symbol:\"71 start_ts:8 end_ts:8";
        let bytes = pack(0x16, fields, &[("stype_in", &[1]), ("stype_out", &[0])]);
        let Ok(Record::SymbolMapping(mapping)) = read(&bytes, version) else { panic!() };
        numbers!(mapping; start_ts end_ts);
        texts!(mapping; stype_in_symbol 71, stype_out_symbol 71);
        let types = (mapping.stype_in(), mapping.stype_out());
        assert_eq!(types, (Some(SymbolType::RawSymbol), Some(SymbolType::InstrumentId)));
        for (code, expected) in [(0, Some(0)), (4, Some(4)), (255, None)] {
            let given: &[(&str, &[u8])] = &[("code", &[code]), ("is_last", &[1])];
            let fields = "message:\"303 code:1";
            let Ok(Record::System(system)) = read_text(0x17, fields, given, version) else { panic!() };
            assert_eq!((system.message().as_str(), system.code()), (Ok("message"), expected));
            let fields = "message:\"302 code:1 is_last:1";
            let Ok(Record::GatewayError(error)) = read_text(0x15, fields, given, version) else { panic!() };
            assert_eq!((error.code(), error.is_last()), (expected, Some(true)));
            assert_eq!(error.message().as_str(), Ok("message"));
        }
    }
    let bytes = pack(0x17, "message:\"64", &[("message", b"a\xff")]);
    let Ok(Record::System(system)) = read(&bytes, Version::V1) else { panic!() };
    assert_eq!(system.message().as_str(), Err(DbnError::NotUtf8 { at: 1 }));
}

/// [`read`] of packed fields; the bytes live as long as the test.
fn read_text(
    rtype: u8,
    fields: &str,
    given: &[(&str, &[u8])],
    version: Version,
) -> Result<Record<'static>, DbnError> {
    read(pack(rtype, fields, given).leak(), version)
}

/// The fields of a definition in their order, by version.
const DEFINITIONS: [&str; 3] = [
    "ts_recv:8 min_price_increment:8 display_factor:8 expiration:8 activation:8 high_limit_price:8 \
     low_limit_price:8 max_price_variation:8 trading_reference_price:8 unit_of_measure_qty:8 \
     min_price_increment_amount:8 price_ratio:8 inst_attrib_value:4 underlying_id:4 raw_instrument_id:4 \
     market_depth_implied:4 market_depth:4 market_segment_id:4 max_trade_vol:4 min_lot_size:4 \
     min_lot_size_block:4 min_lot_size_round_lot:4 min_trade_vol:4 reserved2:4 contract_multiplier:4 \
     decay_quantity:4 original_contract_size:4 reserved3:4 trading_reference_date:2 appl_id:2 \
     maturity_year:2 decay_start_date:2 channel_id:2 currency:\"4 settl_currency:\"4 secsubtype:\"6 \
     raw_symbol:\"22 group:\"21 exchange:\"5 asset:\"7 cfi:\"7 security_type:\"7 unit_of_measure:\"31 \
     underlying:\"21 strike_price_currency:\"4 instrument_class:1 reserved4:2 strike_price:8 reserved5:6 \
     match_algorithm:1 md_security_trading_status:1 main_fraction:1 price_display_format:1 \
     settl_price_type:1 sub_fraction:1 underlying_product:1 security_update_action:1 maturity_month:1 \
     maturity_day:1 maturity_week:1 user_defined_instrument:1 contract_multiplier_unit:1 \
     flow_schedule_type:1 tick_rule:1 reserved:3",
    "ts_recv:8 min_price_increment:8 display_factor:8 expiration:8 activation:8 high_limit_price:8 \
     low_limit_price:8 max_price_variation:8 trading_reference_price:8 unit_of_measure_qty:8 \
     min_price_increment_amount:8 price_ratio:8 strike_price:8 inst_attrib_value:4 underlying_id:4 \
     raw_instrument_id:4 market_depth_implied:4 market_depth:4 market_segment_id:4 max_trade_vol:4 \
     min_lot_size:4 min_lot_size_block:4 min_lot_size_round_lot:4 min_trade_vol:4 contract_multiplier:4 \
     decay_quantity:4 original_contract_size:4 trading_reference_date:2 appl_id:2 maturity_year:2 \
     decay_start_date:2 channel_id:2 currency:\"4 settl_currency:\"4 secsubtype:\"6 raw_symbol:\"71 \
     group:\"21 exchange:\"5 asset:\"7 cfi:\"7 security_type:\"7 unit_of_measure:\"31 underlying:\"21 \
     strike_price_currency:\"4 instrument_class:1 match_algorithm:1 md_security_trading_status:1 \
     main_fraction:1 price_display_format:1 settl_price_type:1 sub_fraction:1 underlying_product:1 \
     security_update_action:1 maturity_month:1 maturity_day:1 maturity_week:1 user_defined_instrument:1 \
     contract_multiplier_unit:1 flow_schedule_type:1 tick_rule:1 reserved:10",
    "ts_recv:8 min_price_increment:8 display_factor:8 expiration:8 activation:8 high_limit_price:8 \
     low_limit_price:8 max_price_variation:8 unit_of_measure_qty:8 min_price_increment_amount:8 \
     price_ratio:8 strike_price:8 raw_instrument_id:8 leg_price:8 leg_delta:8 inst_attrib_value:4 \
     underlying_id:4 market_depth_implied:4 market_depth:4 market_segment_id:4 max_trade_vol:4 \
     min_lot_size:4 min_lot_size_block:4 min_lot_size_round_lot:4 min_trade_vol:4 contract_multiplier:4 \
     decay_quantity:4 original_contract_size:4 leg_instrument_id:4 leg_ratio_price_numerator:4 \
     leg_ratio_price_denominator:4 leg_ratio_qty_numerator:4 leg_ratio_qty_denominator:4 \
     leg_underlying_id:4 appl_id:2 maturity_year:2 decay_start_date:2 channel_id:2 leg_count:2 leg_index:2 \
     currency:\"4 settl_currency:\"4 secsubtype:\"6 raw_symbol:\"71 group:\"21 exchange:\"5 asset:\"11 \
     cfi:\"7 security_type:\"7 unit_of_measure:\"31 underlying:\"21 strike_price_currency:\"4 \
     leg_raw_symbol:\"71 instrument_class:1 match_algorithm:1 main_fraction:1 price_display_format:1 \
     sub_fraction:1 underlying_product:1 security_update_action:1 maturity_month:1 maturity_day:1 \
     maturity_week:1 user_defined_instrument:1 contract_multiplier_unit:1 flow_schedule_type:1 tick_rule:1 \
     leg_instrument_class:1 leg_side:1 reserved:17",
];

#[test]
fn definitions_hold_each_field_of_their_version() {
    for (version, fields) in VERSIONS.into_iter().zip(DEFINITIONS) {
        let bytes = pack(0x13, fields, &[("leg_side", b"B")]);
        let Ok(Record::Definition(definition)) = read(&bytes, version) else { panic!() };
        numbers!(definition; ts_recv min_price_increment display_factor expiration activation
            high_limit_price low_limit_price max_price_variation unit_of_measure_qty
            min_price_increment_amount price_ratio strike_price underlying_id market_depth_implied
            market_depth market_segment_id max_trade_vol min_lot_size min_lot_size_block
            min_lot_size_round_lot min_trade_vol contract_multiplier original_contract_size maturity_year
            channel_id instrument_class match_algorithm main_fraction price_display_format sub_fraction
            security_update_action maturity_month maturity_day maturity_week user_defined_instrument
            tick_rule);
        texts!(definition; currency 4, settl_currency 4, secsubtype 6, raw_symbol 22, group 21, exchange 5,
            asset 7, cfi 7, security_type 7, unit_of_measure 31, underlying 21, strike_price_currency 4);
        let id = value("raw_instrument_id");
        if version != Version::V3 {
            assert_eq!(definition.raw_instrument_id(), id & 0xffff_ffff);
            assert_eq!(definition.leg(), None);
            continue;
        }
        assert_eq!(definition.raw_instrument_id(), id);
        let leg = definition.leg().unwrap();
        assert_eq!((leg.count, leg.index), (value("leg_count") as u16, value("leg_index") as u16));
        assert_eq!(leg.instrument_id, value("leg_instrument_id") as u32);
        assert_eq!(leg.raw_symbol.as_str(), Ok("leg_raw_symbol"));
        assert_eq!((leg.class, leg.side), (value("leg_instrument_class") as u8, Some(Side::Bid)));
        assert_eq!((leg.price, leg.delta), (value("leg_price") as i64, value("leg_delta") as i64));
        let ratio = (value("leg_ratio_qty_numerator") as i32, value("leg_ratio_qty_denominator") as i32);
        assert_eq!((leg.qty_numerator, leg.qty_denominator), ratio);
        let bytes = pack(0x13, fields, &[("leg_count", &[0, 0])]);
        let Ok(Record::Definition(definition)) = read(&bytes, version) else { panic!() };
        assert_eq!(definition.leg(), None);
    }
}

#[test]
fn a_known_type_has_exactly_its_length() {
    for version in VERSIONS {
        for (rtype, len) in lengths(version as u8) {
            let bytes = record(rtype, len, &[]);
            let known = read(&bytes, version).unwrap();
            assert!(known.header().rtype == rtype && !matches!(known, Record::Unknown(_)), "{rtype:#x}");
            for got in [16, len - 4, len + 4, len + 8, 1_020] {
                let error = DbnError::RecordLen { rtype, expected: len as u16, got: got as u16 };
                assert_eq!(read(&record(rtype, got, &[]), version), Err(error));
            }
        }
        let known: Vec<_> = lengths(version as u8).into_iter().map(|(rtype, _)| rtype).collect();
        for rtype in (0..=u8::MAX).filter(|rtype| !known.contains(rtype)) {
            let bytes = record(rtype, 64, &[]);
            let Ok(Record::Unknown(header)) = read(&bytes, version) else { panic!("{rtype:#x}") };
            assert_eq!((header.rtype, header.instrument_id), (rtype, 17_077));
        }
    }
}
