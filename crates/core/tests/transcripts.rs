//! Every recording at hand is read to its last byte. What is expected was counted by another program.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "sets/files.rs"]
mod files;

use std::path::Path;

use depthwire_core::framing::binary_file::LengthPrefix;
use depthwire_core::recording::{Entry, Format, Heard, Transcript};
use flate2::Crc;

/// What a file tells: entries of each kind, connections, bytes received, and a checksum (IEEE) over all of it in order:
/// a letter for the kind, the address or the URL and a space, and the bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    connected: u32,
    sent: u32,
    received: u32,
    answered: u32,
    /// Connections that spoke, were spoken to or made; 1 for a form that knows of none.
    lines: u32,
    received_bytes: u64,
    crc: u32,
    /// Receive times of the first entry and the last.
    first: u64,
    last: u64,
    errors: Vec<&'static str>,
    files_began: u32,
    /// Metadata, counted with the bytes received.
    heads: u32,
    closed: u32,
}

impl Told {
    /// Reads a file in chunks of a size that has nothing to do with it.
    fn of(transcript: &mut Transcript, file: &[u8], chunk: usize) -> Self {
        let (mut told, mut crc) = (Self { lines: 1, ..Self::default() }, Crc::new());
        let mut pending = Vec::new();
        let mut pieces = file.chunks(chunk).peekable();
        while let Some(piece) = pieces.next() {
            pending.extend_from_slice(piece);
            let (mut at, last) = (0, pieces.peek().is_none());
            let used = loop {
                match transcript.next(&pending, at, last) {
                    Ok(entry) => {
                        told.add(&entry, &mut crc);
                        at = entry.end;
                    }
                    Err(used) => break used,
                }
            };
            pending.drain(..used);
        }
        assert!(pending.is_empty());
        transcript.file_ended();
        told.crc = crc.sum();
        told
    }

    fn add(&mut self, entry: &Entry<'_>, crc: &mut Crc) {
        let mut parts = |parts: [&[u8]; 3]| parts.iter().for_each(|part| crc.update(part));
        match entry.heard {
            Ok(Heard::Began) => self.files_began += 1,
            Ok(Heard::Closed { .. }) => self.closed += 1,
            Ok(Heard::Connected { line, address }) => {
                self.connected += 1;
                self.lines = self.lines.max(line + 1);
                parts([b"C", address, b""]);
            }
            Ok(Heard::Sent { line, bytes }) => {
                self.sent += 1;
                self.lines = self.lines.max(line + 1);
                parts([b"S", bytes, b""]);
            }
            Ok(Heard::Head { bytes }) => {
                self.heads += 1;
                self.received_bytes += bytes.len() as u64;
                parts([b"R", bytes, b""]);
            }
            Ok(Heard::Received { line, bytes }) => {
                self.received += 1;
                self.lines = self.lines.max(line + 1);
                self.received_bytes += bytes.len() as u64;
                parts([b"R", bytes, b""]);
            }
            Ok(Heard::Answered { url, bytes }) => {
                self.answered += 1;
                parts([b"A", url, b" "]);
                parts([bytes, b"", b""]);
            }
            Err(error) => {
                assert!(error.loses_bytes());
                self.errors.push(error.code());
            }
        }
        if self.first == 0 {
            self.first = entry.ts;
        }
        if entry.ts > 0 {
            self.last = entry.ts;
        }
    }
}

/// What one file is expected to tell.
struct Row {
    file: &'static str,
    format: Format,
    connected: u32,
    sent: u32,
    received: u32,
    answered: u32,
    lines: u32,
    received_bytes: u64,
    crc: u32,
    first: u64,
    last: u64,
    errors: &'static [&'static str],
}

/// A row: entries connected, sent, received and answered, connections, bytes received, checksum, first and last time.
#[allow(clippy::too_many_arguments, reason = "a row of a table")]
const fn row(
    file: &'static str,
    format: Format,
    [connected, sent, received, answered]: [u32; 4],
    lines: u32,
    received_bytes: u64,
    crc: u32,
    [first, last]: [u64; 2],
    errors: &'static [&'static str],
) -> Row {
    Row { file, format, connected, sent, received, answered, lines, received_bytes, crc, first, last, errors }
}

#[rustfmt::skip]
const ROWS: [Row; 54] = [
    row("binance/cm_btcusd_perp_20240808.gz", Format::Collector, [0, 0, 48_270, 0], 1, 14_390_016, 0x2fe6_eafb, [1_723_161_256_172_216_566, 1_723_161_599_994_891_784], &[]),
    row("binance/cm_btcusd_perp_20240809.gz", Format::Collector, [0, 0, 50_116, 0], 1, 15_808_413, 0xa521_c6c8, [1_723_161_600_002_201_584, 1_723_161_903_531_356_026], &[]),
    row("binance/spot_btcusdt_20240808.gz", Format::Collector, [0, 0, 41_249, 0], 1, 10_238_624, 0xb64e_10ef, [1_723_161_253_937_085_768, 1_723_161_599_999_231_384], &[]),
    row("binance/spot_btcusdt_20240809.gz", Format::Collector, [0, 0, 58_325, 0], 1, 14_280_637, 0x1eca_a4df, [1_723_161_600_001_658_384, 1_723_161_904_535_092_233], &[]),
    row("binance/usdm_btcusdt_20240808.gz", Format::Collector, [0, 0, 93_954, 0], 1, 25_784_516, 0xf776_4043, [1_723_161_255_030_314_667, 1_723_161_599_833_492_584], &[]),
    row("binance/usdm_ethusdt_20240718.gz", Format::Collector, [0, 0, 14_003, 0], 1, 4_009_800, 0x04d6_37ce, [1_721_347_021_080_838_061, 1_721_347_198_987_374_658], &[]),
    row("binance/usdm_ethusdt_20240719.gz", Format::Collector, [0, 0, 55_910, 0], 1, 15_426_008, 0x4c1c_056c, [1_721_347_200_395_884_595, 1_721_347_500_768_973_065], &[]),
    row("bitstamp/bitstamp_live_orders_20150501.log.xz", Format::NamedCollector, [0, 0, 56_000, 0], 1, 11_312_175, 0x95ce_87fb, [1_430_438_404_518_000_000, 1_430_456_682_957_000_000], &[]),
    row("hyperliquid/btcusd_20250126.gz", Format::Collector, [0, 0, 55, 0], 1, 92_950, 0x75a5_7bc6, [1_737_918_843_893_903_000, 1_737_918_869_246_864_000], &[]),
    row("bitfinex/bitfinex_p0_20210405.txt.zst", Format::CaptureText, [1, 25, 22_675, 0], 1, 807_288, 0xd37b_78b9, [1_617_643_606_805_714_000, 1_617_643_726_793_268_000], &[]),
    row("kraken/kraken_v1_20210405.txt.zst", Format::CaptureText, [1, 1, 14_636, 0], 1, 1_935_539, 0x200d_31c0, [1_617_666_422_653_664_000, 1_617_666_542_641_578_000], &[]),
    row("okx/okx_20220227.txt.zst", Format::CaptureText, [1, 3, 3_777, 0], 1, 955_116, 0x6fbe_4280, [1_646_003_666_640_868_200, 1_646_003_697_648_410_000], &[]),
    row("okx/okx_20220227_http.txt.zst", Format::CaptureText, [0, 0, 0, 5], 1, 0, 0xb3bc_9dfa, [1_646_003_664_399_105_000, 1_646_003_666_631_317_000], &[]),
    row("binance/spot_20211012.jsonl.zst", Format::CaptureJsonl, [1, 0, 265, 5], 1, 49_190, 0x7ea5_7213, [1_633_998_511_132_921_000, 1_633_998_542_077_861_800], &[]),
    row("bitget/bitget_20220407.jsonl.zst", Format::CaptureJsonl, [2, 2, 1_157, 3], 2, 2_183_517, 0xd645_eab8, [1_649_290_075_876_819_000, 1_649_290_107_628_789_000], &[]),
    row("bitstamp/bitstamp_20220105.jsonl.zst", Format::CaptureJsonl, [1, 20, 747, 11], 1, 155_594, 0xb60b_07f6, [1_641_343_690_596_035_000, 1_641_343_721_617_897_000], &[]),
    row("bybit/bybit_v5_20260809.jsonl.zst", Format::CaptureJsonl, [2, 24, 3_227, 2], 2, 1_012_076, 0x389b_7159, [1_786_310_817_601_629_000, 1_786_310_862_023_875_000], &[]),
    row("coinbase/coinbase_advanced_20260809.jsonl.zst", Format::CaptureJsonl, [1, 5, 1_030, 1], 1, 8_404_671, 0x2af1_4557, [1_786_309_548_026_294_000, 1_786_309_572_876_037_800], &[]),
    row("deribit/deribit_options_20210722.jsonl.zst", Format::CaptureJsonl, [1, 1, 136, 4], 1, 81_610, 0x8822_b6c1, [1_626_993_723_131_184_800, 1_626_993_754_165_582_200], &[]),
    row("fixtures/crypto-msg-parser-messages.jsonl.zst", Format::Json, [0, 0, 503, 0], 1, 201_926, 0x3493_bb63, [0, 0], &[]),
    row("fixtures/tardis-mapper-messages.jsonl.zst", Format::Json, [0, 0, 736, 0], 1, 233_562, 0x4aa3_a229, [0, 0], &[]),
    row("kraken-futures/kraken_futures_20210722.jsonl.zst", Format::CaptureJsonl, [1, 3, 7_175, 1], 1, 1_125_345, 0x957e_e4e6, [1_626_994_927_137_682_000, 1_626_994_958_156_211_900], &[]),
    row("kucoin/kucoin_20210425.jsonl.zst", Format::CaptureJsonl, [1, 13, 4_721, 10], 1, 1_124_037, 0xa175_ccb1, [1_619_378_325_093_176_100, 1_619_378_356_393_499_900], &[]),
    row("okx/okx_20220513.jsonl.zst", Format::CaptureJsonl, [1, 3, 410, 25], 1, 284_735, 0x6b1a_538c, [1_652_458_996_256_593_000, 1_652_459_236_341_644_500], &[]),
    row("kraken/kraken_btcusd_l2.cbcap", Format::Cbcap, [1, 0, 377, 0], 1, 65_242, 0xe4e7_03fc, [1_785_552_832_693_693_000, 1_785_552_892_932_768_200], &[]),
    row("kraken/kraken_btcusd_sample.cbcap", Format::Cbcap, [1, 0, 2_104, 0], 1, 409_540, 0xe8d1_11af, [1_785_641_750_295_158_100, 1_785_641_800_947_908_500], &[]),
    row("tickvault/binance_us_depth.jsonl", Format::Json, [0, 0, 25, 0], 1, 6_274, 0x2381_c5c7, [0, 0], &[]),
    row("tickvault/bitstamp_diff.jsonl", Format::Json, [0, 0, 12, 0], 1, 6_578, 0x76a0_27f1, [0, 0], &[]),
    row("tickvault/bitstamp_live_orders.jsonl", Format::Json, [0, 0, 501, 0], 1, 249_033, 0x6f69_8cf5, [0, 0], &[]),
    row("tickvault/bybit_orderbook.jsonl", Format::Json, [0, 0, 10, 0], 1, 4_009, 0xd526_7c24, [0, 0], &[]),
    row("tickvault/coinbase_l2.jsonl", Format::Json, [0, 0, 12, 0], 1, 6_532, 0x8c72_cfa7, [0, 0], &[]),
    row("tickvault/kraken_book.jsonl", Format::Json, [0, 0, 8, 0], 1, 1_840, 0x106e_d6ad, [0, 0], &[]),
    row("tickvault/okx_books.jsonl", Format::Json, [0, 0, 8, 0], 1, 29_323, 0xffca_4efa, [0, 0], &[]),
    row("binance/ethbtc_20201101/ETHBTC-2020-11-01T09-snapshot.json.gz", Format::Json, [0, 0, 0, 1], 1, 0, 0x4a20_f0bf, [0, 0], &[]),
    row("binance/ethbtc_20201101/ETHBTC-2020-11-01T09-trades.json.gz", Format::Json, [0, 0, 1_736, 0], 1, 313_413, 0x1648_df47, [0, 0], &[]),
    row("binance/ethbtc_20201101/ETHBTC-2020-11-01T09-update.json.gz", Format::Json, [0, 0, 3_600, 0], 1, 2_424_097, 0x1820_3c3f, [0, 0], &[]),
    row("binance/ethbtc_20201101/ETHBTC-2020-11-01T10-snapshot.json.gz", Format::Json, [0, 0, 0, 1], 1, 0, 0x6dc5_5b45, [0, 0], &[]),
    row("binance/ethbtc_20201101/ETHBTC-2020-11-01T10-trades.json.gz", Format::Json, [0, 0, 1_765, 0], 1, 318_657, 0x3eb9_8be1, [0, 0], &[]),
    row("binance/ethbtc_20201101/ETHBTC-2020-11-01T10-update.json.gz", Format::Json, [0, 0, 3_599, 0], 1, 2_557_054, 0xc496_a3fe, [0, 0], &[]),
    row("bitfinex/bitfinex_raw_l3_202103.json.zst", Format::Json, [0, 0, 100_001, 0], 1, 3_504_125, 0xce56_6b79, [0, 0], &[]),
    row("lighter/lighter-public_mainnet.json.zst", Format::Json, [0, 0, 20, 0], 1, 645_785, 0x03cd_d705, [0, 0], &[]),
    row("tickvault/binance_us_snapshot.json", Format::Json, [0, 0, 0, 1], 1, 0, 0x28f5_667f, [0, 0], &[]),
    row("tickvault/bitstamp_snapshot.json", Format::Json, [0, 0, 0, 1], 1, 0, 0x9174_bb39, [0, 0], &[]),
    row("tickvault/bitstamp_snapshot_l3.json", Format::Json, [0, 0, 0, 1], 1, 0, 0x5372_525e, [0, 0], &[]),
    row("vectors/bybit-sbe-bbo.json", Format::Json, [0, 0, 0, 1], 1, 0, 0x93b4_50a0, [0, 0], &[]),
    row("vectors/kraken-l3-crc32.json", Format::Json, [0, 0, 0, 1], 1, 0, 0xa070_1601, [0, 0], &[]),
    row("vectors/kraken-v2-book-crc32.json", Format::Json, [0, 0, 0, 1], 1, 0, 0xed04_9a25, [0, 0], &[]),
    row("cme-mdp3/Cme.Mdp3.Sbe.v6.1.pcap", Format::Packets, [0, 0, 10_000, 0], 2, 1_621_556, 0xae45_a60e, [1_478_961_025_968_272_358, 1_478_961_329_537_015_773], &[]),
    row("deribit/sample_capture_v1_6.pcapng", Format::Packets, [0, 0, 5_066, 0], 29, 876_151, 0x50b4_6943, [1_686_858_149_957_011_749, 1_686_858_230_688_954_258], &[]),
    row("iex/DEEP10.pcap.gz", Format::Packets, [0, 0, 121_314, 0], 1, 15_159_512, 0x8e8e_5fca, [1_493_132_598_746_881_000, 1_493_149_909_897_850_000], &["pcap.truncated"]),
    row("iex/TOPS16.pcapng.gz", Format::Packets, [0, 0, 13_022, 0], 1, 2_534_328, 0xdd97_2719, [1_499_697_138_433_824_000, 1_499_697_538_888_647_000], &[]),
    row("cme-mbo/esh4-glbx-mdp3-20231224.mbo.dbn.zst", Format::Dbn, [0, 0, 8_725, 0], 1, 488_806, 0x25f2_a4f4, [0, 0], &[]),
    row("cme-mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst", Format::Dbn, [0, 0, 68_792, 0], 1, 3_852_558, 0x6f5b_3aee, [0, 0], &[]),
    row("nasdaq-itch/ex20101224.TEST_ITCH_50", Format::BinaryFile(LengthPrefix::Zero), [0, 0, 12_012, 0], 1, 441_024, 0x3cfa_6b9c, [0, 0], &[]),
];

#[test]
fn every_recording_is_read_to_its_last_byte() {
    let Some(root) = files::root("every_recording_is_read_to_its_last_byte") else { return };
    for row in &ROWS {
        let Some(file) = files::read(&root.join(row.file)) else { continue };
        let expected = Told {
            connected: row.connected,
            sent: row.sent,
            received: row.received,
            answered: row.answered,
            lines: row.lines,
            received_bytes: row.received_bytes,
            crc: row.crc,
            first: row.first,
            last: row.last,
            errors: row.errors.to_vec(),
            files_began: 0,
            heads: u32::from(row.format == Format::Dbn),
            closed: 0,
        };
        assert_eq!(Format::detect(&file), Some(row.format), "{}", row.file);
        assert_eq!(Told::of(&mut Transcript::default(), &file, 61_441), expected, "{}", row.file);
    }
}

/// Files of a folder and of those in it, by the end of their names.
fn all_in(folder: &Path, ends: &[&str]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(all_in(&path, ends));
        } else if ends.iter().any(|end| path.to_string_lossy().ends_with(end)) {
            found.extend(files::read(&path));
        }
    }
    found
}

/// Single messages and samples, by folder: files, entries received and answered, bytes received.
#[test]
fn every_sample_is_read_to_its_last_byte() {
    let Some(root) = files::root("every_sample_is_read_to_its_last_byte") else { return };
    for (folder, ends, expected) in [
        ("fixtures/adapters", &[".json"][..], (129, 6, 126, 1_930)),
        ("nasdaq-itch/omi-captures", &[".pcap"], (81, 247, 0, 14_614)),
        ("dbn", &[".dbn", ".dbn.zst"], (64, 138, 0, 67_970)),
    ] {
        let files = all_in(&root.join(folder), ends);
        let told: Vec<_> = files.iter().map(|file| Told::of(&mut Transcript::default(), file, 97)).collect();
        assert!(told.iter().all(|told| told.errors.is_empty()), "{folder}");
        let sum = |of: fn(&Told) -> u64| told.iter().map(of).sum::<u64>();
        let got = (
            files.len(),
            sum(|told| told.received.into()),
            sum(|told| told.answered.into()),
            sum(|told| told.received_bytes),
        );
        assert_eq!(got, expected, "{folder}");
    }
}

/// The day files of one set, one file after the other in one transcript, and the same in one stream.
#[test]
fn files_that_follow_one_another_are_one_recording() {
    let Some(root) = files::root("files_that_follow_one_another_are_one_recording") else { return };
    let days = ["binance/spot_btcusdt_20240808.gz", "binance/spot_btcusdt_20240809.gz"];
    let days = days.map(|day| files::read(&root.join(day)).unwrap());
    let mut transcript = Transcript::default();
    let [first, second] = days.each_ref().map(|day| Told::of(&mut transcript, day, 1 << 20));
    assert_eq!((first.received, second.received), (41_249, 58_325));
    assert_eq!((first.files_began, second.files_began), (0, 1));
    let stream = Told::of(&mut transcript, &days.concat(), 1 << 20);
    assert_eq!((stream.received, stream.first, stream.last), (99_574, first.first, second.last));

    let days = ["cme-mbo/esh4-glbx-mdp3-20231224.mbo.dbn.zst", "cme-mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst"];
    let stream = days.map(|day| files::read(&root.join(day)).unwrap()).concat();
    let told = Told::of(&mut transcript, &stream, 1 << 20);
    assert_eq!((told.received, told.heads, told.errors.len()), (8_725 + 68_792, 2, 0));

    // Two captures in one stream: the destinations of the first keep their numbers.
    let captures = ["cme-mdp3/Cme.Mdp3.Sbe.v6.1.pcap", "iex/TOPS16.pcapng.gz"];
    let stream = captures.map(|file| files::read(&root.join(file)).unwrap()).concat();
    let told = Told::of(&mut Transcript::default(), &stream, 1 << 20);
    assert_eq!((told.received, told.lines, told.files_began), (10_000 + 13_022, 3, 1));
    assert_eq!(told.errors, [""; 0]);
}

/// A file out of an archive in which nothing is packed.
#[test]
fn frames_a_line_out_of_an_archive_are_read() {
    let Some(root) = files::root("frames_a_line_out_of_an_archive_are_read") else { return };
    let archive = files::read(&root.join("bybit/xrpusdt-ob500.data.zip")).unwrap();
    let number = |at: usize| u32::from_le_bytes(*archive[at..].first_chunk().unwrap()) as usize;
    let begin = 30 + (number(26) & 0xFFFF) + (number(26) >> 16);
    let file = &archive[begin..begin + number(22)];
    let told = Told::of(&mut Transcript::default(), file, 1_000);
    assert_eq!((told.received, told.received_bytes, told.crc), (50, 80_282, 0xe80c_5022));
}
