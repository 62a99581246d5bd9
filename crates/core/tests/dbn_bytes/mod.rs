//! DBN bytes for tests: made by hand, and the recorded samples where they are present.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part; a failed unwrap is a failed test"
)]

use std::path::PathBuf;

use depthwire_core::framing::dbn::{DbnFramer, Entry};

/// From a day up to another, the symbol.
pub type Interval<'a> = (u32, u32, &'a str);

/// Metadata with the lists given.
pub struct Meta<'a> {
    pub version: u8,
    pub ts_out: bool,
    pub symbol_len: u16,
    pub symbols: &'a [&'a str],
    pub partial: &'a [&'a str],
    pub not_found: &'a [&'a str],
    pub mappings: &'a [(&'a str, &'a [Interval<'a>])],
}

impl Meta<'_> {
    pub const fn new(version: u8) -> Self {
        let symbol_len = if version == 1 { 22 } else { 71 };
        Self { version, ts_out: false, symbol_len, symbols: &[], partial: &[], not_found: &[], mappings: &[] }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut body = text("GLBX.MDP3", 16);
        body.extend(0u16.to_le_bytes());
        body.extend(1_700_000_000_000_000_000u64.to_le_bytes());
        body.extend(u64::MAX.to_le_bytes());
        body.extend(7u64.to_le_bytes());
        if self.version == 1 {
            body.extend(u64::MAX.to_le_bytes());
        }
        body.extend([1, 0, u8::from(self.ts_out)]);
        if self.version > 1 {
            body.extend(self.symbol_len.to_le_bytes());
        }
        body.resize(100, 0);
        body.extend(0u32.to_le_bytes());
        let width = usize::from(self.symbol_len);
        for list in [self.symbols, self.partial, self.not_found] {
            body.extend((list.len() as u32).to_le_bytes());
            list.iter().for_each(|symbol| body.extend(text(symbol, width)));
        }
        body.extend((self.mappings.len() as u32).to_le_bytes());
        for (symbol, intervals) in self.mappings {
            body.extend(text(symbol, width));
            body.extend((intervals.len() as u32).to_le_bytes());
            for (start, end, symbol) in *intervals {
                body.extend(start.to_le_bytes());
                body.extend(end.to_le_bytes());
                body.extend(text(symbol, width));
            }
        }
        if self.version == 3 {
            body.resize(body.len().next_multiple_of(8), 0);
        }
        let mut bytes = b"DBN".to_vec();
        bytes.push(self.version);
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(body);
        bytes
    }
}

/// A text padded with NULs.
pub fn text(text: &str, width: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    assert!(bytes.len() <= width);
    bytes.resize(width, 0);
    bytes
}

/// A record of that type and length with a header of its own, and these bytes at these offsets.
pub fn record(rtype: u8, len: usize, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; len];
    bytes[0] = (len / 4) as u8;
    bytes[1] = rtype;
    bytes[2..4].copy_from_slice(&1u16.to_le_bytes());
    bytes[4..8].copy_from_slice(&17_077u32.to_le_bytes());
    bytes[8..16].copy_from_slice(&1_703_422_805_243_925_307u64.to_le_bytes());
    for (at, field) in fields {
        bytes[*at..at + field.len()].copy_from_slice(field);
    }
    bytes
}

/// An order record.
pub fn mbo(action: u8, side: u8, order_id: u64, price: i64, size: u32, flags: u8) -> Vec<u8> {
    record(
        0xa0,
        56,
        &[
            (16, &order_id.to_le_bytes()),
            (24, &price.to_le_bytes()),
            (32, &size.to_le_bytes()),
            (36, &[flags, 3, action, side]),
            (40, &1_703_422_805_718_200_244u64.to_le_bytes()),
            (48, &(-5i32).to_le_bytes()),
            (52, &682u32.to_le_bytes()),
        ],
    )
}

/// Each type with its bytes in that version.
pub fn lengths(version: u8) -> Vec<(u8, usize)> {
    let by_version = |lens: [usize; 3]| lens[usize::from(version) - 1];
    let mut all = vec![(0xa0, 56), (0x00, 48), (0x01, 80), (0x0a, 368), (0x12, 40), (0x14, 112)];
    all.extend([0xc3, 0xc4, 0xb1, 0xc2, 0xc0, 0xc1].map(|rtype| (rtype, 80)));
    all.extend([0x11, 0x20, 0x21, 0x22, 0x23, 0x24].map(|rtype| (rtype, 56)));
    all.push((0x13, by_version([360, 400, 520])));
    all.extend([0x15, 0x17].map(|rtype| (rtype, by_version([80, 320, 320]))));
    all.push((0x16, by_version([80, 176, 176])));
    all.push((0x18, by_version([64, 64, 80])));
    all
}

/// Feeds a stream in chunks of `chunk` bytes and hands each entry on. Returns the framer.
pub fn feed(
    mut framer: DbnFramer,
    stream: &[u8],
    chunk: usize,
    mut take: impl FnMut(Entry<'_>),
) -> DbnFramer {
    let mut pending = Vec::new();
    let mut pieces = stream.chunks(chunk.max(1)).peekable();
    loop {
        pending.extend_from_slice(pieces.next().unwrap_or_default());
        let last = pieces.peek().is_none();
        let mut records = if last { framer.finish(&pending) } else { framer.records(&pending) };
        let mut until = 0;
        for entry in records.by_ref() {
            let whole = entry.end > entry.start || entry.record.is_err();
            assert!(entry.start >= until && whole, "entries follow one another");
            until = entry.end;
            take(entry);
        }
        let consumed = records.consumed();
        assert!(until == 0 || consumed == until, "what was returned is used up");
        pending.drain(..consumed);
        if last {
            assert!(pending.is_empty(), "finish uses everything up");
            return framer;
        }
    }
}

/// What a stream says, in words: for comparisons.
pub fn words(framer: DbnFramer, stream: &[u8], chunk: usize) -> Vec<String> {
    let mut all = Vec::new();
    feed(framer, stream, chunk, |entry| {
        let said = match entry.record {
            Ok(record) => format!("{record:?} {}", entry.ts_out),
            Err(error) => error.to_string(),
        };
        all.push(said);
    });
    all
}

/// A folder of recordings, which need not be there.
fn folder(name: &str) -> PathBuf {
    let root = match std::env::var_os("DEPTHWIRE_DATA") {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    root.join(name)
}

/// The names of a folder's files.
pub fn files(name: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder(name)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A recorded file, decompressed; `None`, said on standard error as `test`'s skip, where it is not to be had.
pub fn load(test: &str, name: &str, file: &str) -> Option<Vec<u8>> {
    let folder = folder(name);
    if !folder.is_dir() {
        eprintln!("SKIPPED: {test}: {file}: no recordings here (set DEPTHWIRE_DATA)");
        return None;
    }
    let packed = std::fs::read(folder.join(file)).unwrap();
    Some(if file.ends_with(".zst") { zstd::decode_all(&packed[..]).unwrap() } else { packed })
}

/// The splitmix64 generator.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
