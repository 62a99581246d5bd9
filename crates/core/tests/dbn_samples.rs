//! Databento's own sample files of every schema and version: each field as Databento's crate `dbn` 0.54 reads it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

mod dbn_bytes;

use std::collections::BTreeSet;

use dbn_bytes::{Meta, feed, lengths, load, record};
use depthwire_core::framing::dbn::{BidAsk, DbnError, DbnFramer, Header, Metadata, Record, Version};
use depthwire_core::types::{Level, Price, Qty, Side};

/// Files with the same content, whatever their version and compression.
struct Sample {
    files: &'static [&'static str],
    /// Empty for fragments.
    metadata: &'static str,
    records: &'static [&'static str],
}

/// A fragment of eight definitions in several Zstandard frames.
const FRAMES: &str = "multi-frame.definition.v1.dbn.frag.zst";

#[test]
fn every_sample_reads_as_databento_reads_it() {
    let test = "every_sample_reads_as_databento_reads_it";
    for sample in SAMPLES {
        for file in sample.files {
            let Some(bytes) = load(test, "dbn", file) else { return };
            for chunk in [bytes.len(), 97, 1] {
                let mut records = Vec::new();
                let framer = feed(framer(file), &bytes, chunk, |entry| {
                    let record = entry.record.unwrap_or_else(|error| panic!("{file}: {error}"));
                    assert_eq!(entry.ts_out, 0);
                    records.push(line(record));
                });
                assert_eq!(records, sample.records, "{file}");
                assert_eq!(framer.unknown(), 0);
                assert_eq!(
                    framer.metadata().map(metadata_line).unwrap_or_default(),
                    sample.metadata,
                    "{file}"
                );
                assert!(framer.metadata().is_none_or(|metadata| metadata.version == version(file)));
            }
        }
    }
}

#[test]
fn every_file_among_the_samples_is_read() {
    let test = "every_file_among_the_samples_is_read";
    let Some(bytes) = load(test, "dbn", FRAMES) else { return };
    let mut definitions = Vec::new();
    feed(framer(FRAMES), &bytes, 1_000, |entry| {
        let Ok(Record::Definition(definition)) = entry.record else { panic!("{:?}", entry.record) };
        definitions.push(format!("{} {}", definition.header().instrument_id, definition.raw_symbol()));
    });
    let expected = [
        "31778 GEM3 P9812",
        "688141 ESH1 P2250",
        "458765 EX2F1 P3620",
        "720907 E2AF1 P3680",
        "688150 OGF1 P2020",
        "753686 1EUF1 C1230",
        "360466 OZSN1 C1320",
        "327703 LNEH1 C3400",
    ];
    assert_eq!(definitions, expected);
    let mut known: BTreeSet<&str> = SAMPLES.iter().flat_map(|sample| sample.files).copied().collect();
    known.insert(FRAMES);
    let mut older = 0;
    for file in dbn_bytes::files("dbn") {
        if file.ends_with(".dbz") {
            // The format before DBN: told, not read.
            let error = Metadata::read(&load(test, "dbn", &file).unwrap()).unwrap_err();
            assert!(error == DbnError::NotDbn { got: *b"P*M\x18" } && error.fix().contains("DBZ"));
            older += 1;
        } else if file.contains(".dbn") {
            assert!(known.remove(file.as_str()), "{file} is not tested");
        }
    }
    assert!(known.is_empty() && older == 10, "{known:?} {older}");
}

#[test]
fn a_made_up_stream_of_every_type_reads_alike_in_any_cut() {
    for version in 1..=3 {
        let mut stream = Meta::new(version).bytes();
        for (rtype, len) in lengths(version) {
            stream.extend(record(rtype, len, &[(16, &[rtype, 1, 2, 3, 4, 5, 6, 7])]));
        }
        let read = |chunk| {
            let mut lines = Vec::new();
            feed(DbnFramer::new(), &stream, chunk, |entry| lines.push(line(entry.record.unwrap())));
            lines
        };
        let whole = read(stream.len());
        assert_eq!(whole.len(), lengths(version).len());
        for (line, (rtype, _)) in whole.iter().zip(lengths(version)) {
            assert!(line.starts_with(&format!("{rtype:#04x} 1 17077 1703422805243925307 ")), "{line}");
        }
        for chunk in [1, 2, 7, 16, 97, 1_019] {
            assert_eq!(read(chunk), whole);
        }
    }
}

/// A fragment has its version in its name, or none and version 2; so have files without compression.
fn version(file: &str) -> Version {
    [(".v1.", Version::V1), (".v3.", Version::V3)]
        .into_iter()
        .find_map(|(mark, version)| file.contains(mark).then_some(version))
        .unwrap_or(Version::V2)
}

fn framer(file: &str) -> DbnFramer {
    if file.contains(".frag") { DbnFramer::fragment(version(file), false) } else { DbnFramer::new() }
}

fn metadata_line(metadata: &Metadata) -> String {
    let Metadata { dataset, start, end, limit, symbols, mappings, .. } = metadata;
    let schema = metadata.schema.unwrap();
    assert!(metadata.partial.is_empty() && metadata.not_found.is_empty() && !metadata.ts_out);
    let intervals: Vec<_> = mappings.iter().flat_map(|mapping| &mapping.intervals).collect();
    let mut line = format!("{dataset} {schema:?} {start} {end:?} {limit:?} {symbols:?} {}", intervals.len());
    for interval in intervals.first().into_iter().chain(intervals.last()) {
        line += &format!(" {} {} {}", interval.start, interval.end, interval.symbol);
    }
    line
}

fn head(header: Header) -> String {
    let Header { rtype, publisher_id, instrument_id, ts_event } = header;
    format!("{rtype:#04x} {publisher_id} {instrument_id} {ts_event}")
}

fn letter(side: Option<Side>) -> char {
    match side {
        Some(Side::Bid) => 'B',
        Some(Side::Ask) => 'A',
        None => 'N',
    }
}

fn level(pair: BidAsk<'_>, side: Side) -> String {
    let Some(Level { price: Price(price), qty: Qty(qty) }) = pair.side(side).unwrap() else {
        return "none".into();
    };
    format!("{qty}@{price}")
}

/// Size, price and orders of a bid and an ask.
fn counted(pair: BidAsk<'_>) -> String {
    [Side::Bid, Side::Ask].map(|side| format!("{}x{}", level(pair, side), pair.orders(side))).join(" ")
}

/// Size, price and publisher of a bid and an ask.
fn named(pair: BidAsk<'_>) -> String {
    [Side::Bid, Side::Ask].map(|side| format!("{}p{}", level(pair, side), pair.publisher_id(side))).join(" ")
}

macro_rules! fields {
    ($record:expr; $($field:ident)*) => {
        [head($record.header()) $(, $record.$field().to_string())*].join(" ")
    };
}

/// A record in words: its header, then its fields in their order.
fn line(record: Record<'_>) -> String {
    match record {
        Record::Mbo(r) => {
            let what = format!("{}{}", char::from(r.action()), letter(r.side()));
            let start = fields!(r; order_id price size);
            let flags = format!("{:#04x} {}", r.flags().0, r.channel_id());
            format!("{start} {flags} {what} {} {} {}", r.ts_recv(), r.ts_in_delta(), r.sequence())
        }
        Record::Trade(r) => {
            let what = format!("{}{} {:#04x}", char::from(r.action()), letter(r.side()), r.flags().0);
            let times = format!("{} {} {} {}", r.depth(), r.ts_recv(), r.ts_in_delta(), r.sequence());
            format!("{} {what} {times}", fields!(r; price size))
        }
        Record::Mbp1(r) => {
            let what = format!("{}{} {:#04x}", char::from(r.action()), letter(r.side()), r.flags().0);
            let times = format!("{} {} {} {}", r.depth(), r.ts_recv(), r.ts_in_delta(), r.sequence());
            format!("{} {what} {times} | {}", fields!(r; price size), counted(r.level(0).unwrap()))
        }
        Record::Mbp10(r) => {
            let what = format!("{}{} {:#04x}", char::from(r.action()), letter(r.side()), r.flags().0);
            let times = format!("{} {} {} {}", r.depth(), r.ts_recv(), r.ts_in_delta(), r.sequence());
            let levels: Vec<_> = (0..10).map(|index| counted(r.level(index).unwrap())).collect();
            format!("{} {what} {times} | {}", fields!(r; price size), levels.join(" "))
        }
        Record::Bbo(r) => {
            let what = format!("{} {:#04x} {} {}", letter(r.side()), r.flags().0, r.ts_recv(), r.sequence());
            format!("{} {what} | {}", fields!(r; price size), counted(r.level(0).unwrap()))
        }
        Record::ConsolidatedMbp1(r) => {
            let what = format!("{}{} {:#04x}", char::from(r.action()), letter(r.side()), r.flags().0);
            let times = format!("{} {}", r.ts_recv(), r.ts_in_delta());
            format!("{} {what} {times} | {}", fields!(r; price size), named(r.level(0).unwrap()))
        }
        Record::ConsolidatedBbo(r) => {
            let what = format!("{} {:#04x} {}", letter(r.side()), r.flags().0, r.ts_recv());
            format!("{} {what} | {}", fields!(r; price size), named(r.level(0).unwrap()))
        }
        Record::Ohlcv(r) => fields!(r; open high low close volume),
        Record::Status(r) => {
            let letters = [r.is_trading(), r.is_quoting(), r.is_short_sell_restricted()].map(char::from);
            let start = fields!(r; ts_recv action reason trading_event);
            format!("{start} {}", letters.iter().collect::<String>())
        }
        Record::Definition(r) => {
            let start = fields!(r; ts_recv min_price_increment display_factor expiration activation
                high_limit_price low_limit_price max_price_variation unit_of_measure_qty
                min_price_increment_amount price_ratio strike_price raw_instrument_id underlying_id
                market_depth_implied market_depth market_segment_id max_trade_vol min_lot_size
                min_lot_size_block min_lot_size_round_lot min_trade_vol contract_multiplier
                original_contract_size maturity_year channel_id);
            let how = format!("{} {}", char::from(r.instrument_class()), char::from(r.match_algorithm()));
            let shown = format!("{} {} {}", r.main_fraction(), r.price_display_format(), r.sub_fraction());
            let action = char::from(r.security_update_action());
            let maturity = format!("{} {} {}", r.maturity_month(), r.maturity_day(), r.maturity_week());
            let end = format!("{} {}", char::from(r.user_defined_instrument()), r.tick_rule());
            let texts = [
                r.currency(),
                r.settl_currency(),
                r.secsubtype(),
                r.raw_symbol(),
                r.group(),
                r.exchange(),
                r.asset(),
                r.cfi(),
                r.security_type(),
                r.unit_of_measure(),
                r.underlying(),
                r.strike_price_currency(),
            ];
            assert_eq!(r.leg(), None);
            format!("{start} {how} {shown} {action} {maturity} {end} | {texts:?}")
        }
        Record::Imbalance(r) => {
            let start = fields!(r; ts_recv ref_price auction_time cont_book_clr_price auct_interest_clr_price
                ssr_filling_price ind_match_price upper_collar lower_collar paired_qty total_imbalance_qty
                market_imbalance_qty unpaired_qty);
            let auction = format!("{}{}", char::from(r.auction_type()), letter(r.side()));
            let codes = format!("{} {} {}", r.auction_status(), r.freeze_status(), r.num_extensions());
            let end = format!("{}{}", letter(r.unpaired_side()), char::from(r.significant_imbalance()));
            format!("{start} {auction} {codes} {end}")
        }
        Record::Statistics(r) => fields!(r; ts_recv ts_ref price quantity sequence ts_in_delta stat_type
            channel_id update_action stat_flags),
        Record::SymbolMapping(r) => fields!(r; stype_in_symbol stype_out_symbol start_ts end_ts),
        Record::System(r) => fields!(r; message),
        Record::GatewayError(r) => fields!(r; message),
        Record::Unknown(header) => head(header),
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        files: &[
            "test_data.ohlcv-1d.dbn",
            "test_data.ohlcv-1d.v1.dbn.zst",
            "test_data.ohlcv-1d.v2.dbn.zst",
            "test_data.ohlcv-1d.v3.dbn.zst",
        ],
        metadata: "GLBX.MDP3 Ohlcv1D 1609160400000000000 Some(1609200000000000000) Some(2) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[],
    },
    Sample {
        files: &[
            "test_data.trades.dbn",
            "test_data.trades.v1.dbn.zst",
            "test_data.trades.v2.dbn.zst",
            "test_data.trades.v3.dbn.zst",
        ],
        metadata: "GLBX.MDP3 Trades 1609160400000000000 Some(1609200000000000000) Some(2) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0x00 1 5482 1609160400098821953 3720250000000 5 TA 0x81 0 1609160400099150057 19251 1170380",
            "0x00 1 5482 1609160400107665963 3720250000000 21 TA 0x81 0 1609160400108142648 20728 1170414",
        ],
    },
    Sample {
        files: &[
            "test_data.mbp-1.dbn",
            "test_data.mbp-1.v1.dbn.zst",
            "test_data.mbp-1.v2.dbn.zst",
            "test_data.mbp-1.v3.dbn.zst",
        ],
        metadata: "GLBX.MDP3 Mbp1 1609160400000000000 Some(1609200000000000000) Some(2) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0x01 1 5482 1609160400006001487 3720500000000 1 AA 0x80 0 1609160400006136329 17214 1170362 | \
             24@3720250000000x15 11@3720500000000x9",
            "0x01 1 5482 1609160400006146661 3720500000000 1 AA 0x80 0 1609160400006246513 18858 1170364 | \
             24@3720250000000x15 12@3720500000000x10",
        ],
    },
    Sample {
        files: &[
            "test_data.tbbo.dbn",
            "test_data.tbbo.v1.dbn.zst",
            "test_data.tbbo.v2.dbn.zst",
            "test_data.tbbo.v3.dbn.zst",
        ],
        metadata: "GLBX.MDP3 Tbbo 1609160400000000000 Some(1609200000000000000) Some(2) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0x01 1 5482 1609160400098821953 3720250000000 5 TA 0x81 0 1609160400099150057 19251 1170380 | \
             26@3720250000000x16 7@3720500000000x6",
            "0x01 1 5482 1609160400107665963 3720250000000 21 TA 0x81 0 1609160400108142648 20728 1170414 | \
             21@3720250000000x13 22@3720500000000x15",
        ],
    },
    Sample {
        files: &[
            "test_data.mbp-10.dbn",
            "test_data.mbp-10.v1.dbn.zst",
            "test_data.mbp-10.v2.dbn.zst",
            "test_data.mbp-10.v3.dbn.zst",
        ],
        metadata: "GLBX.MDP3 Mbp10 1609160400000000000 Some(1609200000000000000) Some(2) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0x0a 1 5482 1609160400000429831 3722750000000 1 CA 0x80 9 1609160400000704060 22993 1170352 | \
             24@3720250000000x15 10@3720500000000x8 31@3720000000000x18 34@3720750000000x24 \
             32@3719750000000x23 39@3721000000000x25 39@3719500000000x26 28@3721250000000x17 \
             50@3719250000000x35 33@3721500000000x19 42@3719000000000x28 45@3721750000000x33 \
             44@3718750000000x35 55@3722000000000x40 64@3718500000000x39 59@3722250000000x38 \
             53@3718250000000x32 49@3722500000000x35 67@3718000000000x39 44@3722750000000x26",
            "0x0a 1 5482 1609160400000435673 3720000000000 1 CB 0x80 1 1609160400000750544 20625 1170356 | \
             24@3720250000000x15 10@3720500000000x8 30@3720000000000x17 34@3720750000000x24 \
             32@3719750000000x23 39@3721000000000x25 39@3719500000000x26 28@3721250000000x17 \
             50@3719250000000x35 33@3721500000000x19 42@3719000000000x28 45@3721750000000x33 \
             44@3718750000000x35 55@3722000000000x40 64@3718500000000x39 59@3722250000000x38 \
             53@3718250000000x32 49@3722500000000x35 67@3718000000000x39 44@3722750000000x26",
        ],
    },
    Sample {
        files: &["test_data.status.dbn", "test_data.status.v2.dbn.zst", "test_data.status.v3.dbn.zst"],
        metadata: "GLBX.MDP3 Status 1609113600000000000 Some(1609200000000000000) Some(4) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0x12 1 5482 1609110000000000000 1609113600000000000 7 1 0 YY~",
            "0x12 1 5482 1609190100000000000 1609190100007055917 1 1 0 NY~",
            "0x12 1 5482 1609190970000000000 1609190970068184258 1 1 1 NY~",
            "0x12 1 5482 1609191000000000000 1609191000007282029 6 1 0 YY~",
        ],
    },
    Sample {
        files: &[
            "test_data.definition.dbn.frag.zst",
            "test_data.definition.v1.dbn.frag",
            "test_data.definition.v1.dbn.frag.zst",
            "test_data.definition.v2.dbn.frag",
            "test_data.definition.v3.dbn.frag",
            "test_data.definition.v3.dbn.frag.zst",
        ],
        metadata: "",
        records: &[
            "0x13 1 31778 1609088526651000000 1609088526709105557 500000000 1000000000 1687168800000000000 \
             1560547800000000000 9999900000000000 250000000 9223372036854775807 2500000000000 12500000000 \
             9223372036854775807 9812500000000 2147483647 21230 0 3 50 99999 0 0 0 1 2147483647 2147483647 \
             2023 3 P Q 255 255 255 A 6 255 255 N 255 | [\"USD\", \"\", \"\", \"GEM3 P9812\", \"ZE\", \
             \"XCME\", \"GE\", \"OPAFPS\", \"OOF\", \"USD\", \"GEM3\", \"USD\"]",
            "0x13 1 688141 1609088509377000000 1609088509477772956 9223372036854775807 10000000 \
             1616160600000000000 1584735900000000000 99999000000000 50000000 9223372036854775807 \
             50000000000 0 9223372036854775807 2250000000000 2147483647 5482 0 3 54 3000 0 0 0 1 2147483647 \
             2147483647 2021 1 P F 255 255 255 A 3 255 255 N 4 | [\"USD\", \"\", \"\", \"ESH1 P2250\", \
             \"EW\", \"XCME\", \"ES\", \"OPAFPS\", \"OOF\", \"IPNT\", \"ESH1\", \"USD\"]",
        ],
    },
    Sample {
        files: &[
            "test_data.definition.dbn",
            "test_data.definition.v1.dbn.zst",
            "test_data.definition.v2.dbn.zst",
            "test_data.definition.v3.dbn.zst",
        ],
        metadata: "XNAS.ITCH Definition 1633305600000000000 Some(1641254400000000000) Some(2) [\"MSFT\"] 62 \
                   2021-10-04 2021-10-05 6819 2022-01-03 2022-01-04 7119",
        records: &[
            "0x13 2 6819 1633331241618018154 1633331241618029519 9223372036854775807 100000000000000 \
             18446744073709551615 18446744073709551615 9223372036854775807 9223372036854775807 \
             9223372036854775807 9223372036854775807 9223372036854775807 9223372036854775807 \
             9223372036854775807 2147483647 0 2147483647 2147483647 4294967295 4294967295 2147483647 \
             2147483647 100 4294967295 2147483647 2147483647 65535 0 K F 255 255 255 A 255 255 255 N 255 | \
             [\"\", \"\", \"Z \", \"MSFT\", \"pxnas-1\", \"XNAS\", \"\", \"\", \"\", \"\", \"\", \"\"]",
            "0x13 2 6830 1633417621703109854 1633417621703120931 9223372036854775807 100000000000000 \
             18446744073709551615 18446744073709551615 9223372036854775807 9223372036854775807 \
             9223372036854775807 9223372036854775807 9223372036854775807 9223372036854775807 \
             9223372036854775807 2147483647 0 2147483647 2147483647 4294967295 4294967295 2147483647 \
             2147483647 100 4294967295 2147483647 2147483647 65535 0 K F 255 255 255 A 255 255 255 N 255 | \
             [\"\", \"\", \"Z \", \"MSFT\", \"pxnas-1\", \"XNAS\", \"\", \"\", \"\", \"\", \"\", \"\"]",
        ],
    },
    Sample {
        files: &[
            "test_data.imbalance.dbn",
            "test_data.imbalance.v1.dbn.zst",
            "test_data.imbalance.v2.dbn.zst",
            "test_data.imbalance.v3.dbn.zst",
        ],
        metadata: "XNAS.ITCH Imbalance 1633305600000000000 Some(1641254400000000000) Some(2) [\"SPOT\"] 64 \
                   2021-10-04 2021-10-05 9439 2022-01-03 2022-01-04 9878",
        records: &[
            "0x14 2 9439 1633353900633854579 1633353900633864350 229430000000 0 0 0 0 0 0 0 0 2000 0 0 OB 0 \
             0 0 N~",
            "0x14 2 9439 1633353910208114778 1633353910208124734 229990000000 0 0 0 0 0 0 0 1719 281 0 0 OB \
             0 0 0 N~",
        ],
    },
    Sample {
        files: &[
            "test_data.statistics.dbn",
            "test_data.statistics.v1.dbn.zst",
            "test_data.statistics.v2.dbn.zst",
            "test_data.statistics.v3.dbn.zst",
        ],
        metadata: "GLBX.MDP3 Statistics 2814749767106560 None Some(2) [] 0",
        records: &[
            "0x18 1 146945 1682269536030443135 1682269536040124325 18446744073709551615 100000000000 \
             9223372036854775807 2 26961 7 13 1 255",
            "0x18 1 146945 1682269536071497081 1682269536121890092 18446744073709551615 100000000000 \
             9223372036854775807 7 28456 5 13 1 255",
        ],
    },
    Sample {
        files: &[
            "test_data.ohlcv-1s.dbn",
            "test_data.ohlcv-1s.v1.dbn.zst",
            "test_data.ohlcv-1s.v2.dbn.zst",
            "test_data.ohlcv-1s.v3.dbn.zst",
        ],
        metadata: "GLBX.MDP3 Ohlcv1S 1609160400000000000 Some(1609200000000000000) Some(2) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0x20 1 5482 1609160400000000000 372025000000000 372050000000000 372025000000000 \
             372050000000000 57",
            "0x20 1 5482 1609160401000000000 372050000000000 372050000000000 372050000000000 \
             372050000000000 13",
        ],
    },
    Sample {
        files: &[
            "test_data.ohlcv-1m.dbn",
            "test_data.ohlcv-1m.v1.dbn.zst",
            "test_data.ohlcv-1m.v2.dbn.zst",
            "test_data.ohlcv-1m.v3.dbn.zst",
        ],
        metadata: "GLBX.MDP3 Ohlcv1M 1609160400000000000 Some(1609200000000000000) Some(2) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0x21 1 5482 1609160400000000000 372025000000000 372150000000000 372025000000000 \
             372100000000000 353",
            "0x21 1 5482 1609160460000000000 372100000000000 372150000000000 372100000000000 \
             372150000000000 152",
        ],
    },
    Sample {
        files: &[
            "test_data.ohlcv-1h.dbn",
            "test_data.ohlcv-1h.v1.dbn.zst",
            "test_data.ohlcv-1h.v2.dbn.zst",
            "test_data.ohlcv-1h.v3.dbn.zst",
        ],
        metadata: "GLBX.MDP3 Ohlcv1H 1609160400000000000 Some(1609200000000000000) Some(2) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0x22 1 5482 1609160400000000000 372025000000000 372350000000000 372025000000000 \
             372225000000000 9385",
            "0x22 1 5482 1609164000000000000 372225000000000 372450000000000 371600000000000 \
             371950000000000 112698",
        ],
    },
    Sample {
        files: &[
            "test_data.mbo.dbn",
            "test_data.mbo.v1.dbn.zst",
            "test_data.mbo.v2.dbn.zst",
            "test_data.mbo.v3.dbn",
            "test_data.mbo.v3.dbn.zst",
        ],
        metadata: "GLBX.MDP3 Mbo 1609160400000000000 Some(1609200000000000000) Some(2) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0xa0 1 5482 1609160400000429831 647784973705 3722750000000 1 0x80 0 CA 1609160400000704060 \
             22993 1170352",
            "0xa0 1 5482 1609160400000431665 647784973631 3723000000000 1 0x80 0 CA 1609160400000711344 \
             19621 1170353",
        ],
    },
    Sample {
        files: &["test_data.cmbp-1.dbn", "test_data.cmbp-1.v2.dbn.zst", "test_data.cmbp-1.v3.dbn.zst"],
        metadata: "GLBX.MDP3 Cmbp1 1609160400000000000 Some(1609200000000000000) Some(2) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0xb1 1 5482 1609160400006001487 3720500000000 1 AA 0x80 1609160400006136329 17214 | \
             24@3720250000000p1 11@3720500000000p1",
            "0xb1 1 5482 1609160400006146661 3720500000000 1 AA 0x80 1609160400006246513 18858 | \
             24@3720250000000p1 12@3720500000000p1",
        ],
    },
    Sample {
        files: &["test_data.cbbo-1s.dbn", "test_data.cbbo-1s.v2.dbn.zst", "test_data.cbbo-1s.v3.dbn.zst"],
        metadata: "GLBX.MDP3 Cbbo1S 1609160400000000000 Some(1609200000000000000) Some(2) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0xc0 1 5482 1609160400006001487 3720500000000 1 A 0x80 1609160400006136329 | \
             24@3720250000000p1 11@3720500000000p1",
            "0xc0 1 5482 1609160400006146661 3720500000000 1 A 0x80 1609160400006246513 | \
             24@3720250000000p1 12@3720500000000p1",
        ],
    },
    Sample {
        files: &["test_data.bbo-1s.dbn", "test_data.bbo-1s.v2.dbn.zst", "test_data.bbo-1s.v3.dbn.zst"],
        metadata: "GLBX.MDP3 Bbo1S 1609113600000000000 Some(1609200000000000000) Some(4) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0xc3 1 5482 1609113599045849637 3702500000000 2 A 0xa8 1609113600000000000 145799 | \
             18@3702250000000x10 13@3702750000000x13",
            "0xc3 1 5482 1609113600986911551 3702500000000 2 B 0x82 1609113601000000000 145998 | \
             2@3702500000000x1 10@3702750000000x10",
            "0xc3 1 5482 1609113601149205775 3702500000000 1 A 0x82 1609113602000000000 146034 | \
             20@3702250000000x12 11@3702750000000x11",
            "0xc3 1 5482 1609113602738022089 3702500000000 1 B 0x82 1609113603000000000 146167 | \
             2@3702500000000x2 11@3702750000000x11",
        ],
    },
    Sample {
        files: &["test_data.bbo-1m.dbn", "test_data.bbo-1m.v2.dbn.zst", "test_data.bbo-1m.v3.dbn.zst"],
        metadata: "GLBX.MDP3 Bbo1M 1609113600000000000 Some(1609200000000000000) Some(4) [\"ESH1\"] 1 \
                   2020-12-28 2020-12-29 5482 2020-12-28 2020-12-29 5482",
        records: &[
            "0xc4 1 5482 1609113599045849637 3702500000000 2 A 0xa8 1609113600000000000 145799 | \
             18@3702250000000x10 13@3702750000000x13",
            "0xc4 1 5482 1609113659578979253 3704750000000 1 B 0x82 1609113660000000000 149903 | \
             15@3704500000000x10 22@3705000000000x22",
            "0xc4 1 5482 1609113717891106383 3704000000000 1 A 0x82 1609113720000000000 152918 | \
             7@3704000000000x4 7@3704250000000x6",
            "0xc4 1 5482 1609113779295269967 3704500000000 1 A 0x82 1609113780000000000 155213 | \
             10@3704250000000x10 18@3704750000000x13",
        ],
    },
];
