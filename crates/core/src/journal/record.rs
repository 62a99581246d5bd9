//! A record: one thing that was heard, sent or missed, and when.
//!
//! A byte says what it is and which of the following are there: the connection where it is another than that of the
//! record before, the time likewise, as the difference; then the bytes behind their number. Each block begins with
//! connection 0 and the time of its head.

use super::varint::{put, take, unzigzag, zigzag};

const KIND: u8 = 0b0000_1111;
const HAS_LINE: u8 = 0b0001_0000;
const HAS_TS: u8 = 0b0010_0000;
/// Of kinds that have no number of their own below.
const IS_OTHER: u8 = 0b0100_0000;

/// One thing that happened. What it says is as it was received, byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// What is numbered anew by its form begins anew: another file of a recording.
    Began,
    /// What was said of all that follows: DBN's metadata.
    Head(&'a [u8]),
    /// A connection was made; where it leads.
    Connected(&'a [u8]),
    /// A connection ended.
    Closed,
    /// Something was sent.
    Sent(&'a [u8]),
    /// Something was received.
    Received(&'a [u8]),
    /// A datagram was received.
    Datagram(&'a [u8]),
    /// Something was asked for over HTTP, and answered.
    Answered {
        /// The address.
        url: &'a [u8],
        /// The answer.
        body: &'a [u8],
    },
    /// Something is missing from here on: the code of the error that said so, and whether it may have been a message.
    Missed {
        /// Whether messages may be missing.
        loses: bool,
        /// The code, some text.
        code: &'a [u8],
    },
    /// Where a connection leads of which nobody said that it was made.
    Named(&'a [u8]),
    /// How the engine was told to take a connection, from here on.
    Setup {
        /// What it was told.
        kind: SetupKind,
        /// Of what.
        text: &'a [u8],
    },
    /// An engine was told that time has passed.
    Ticked,
}

/// What an engine is told of a connection beside what comes on it. A journal of a live server has all of them, so that what is
/// read back is taken as it was then: whose frames they are, which books they bring, and whose place a connection takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetupKind {
    /// The product whose frames come on the connection: `venue`.
    Venue,
    /// It brings books, and all else of them: names (`venue:SYMBOL`), one a line.
    Carries,
    /// It brings all of instruments but their books: names, one a line.
    CarriesBesideBooks,
    /// It brings an instrument no more: its name.
    Drops,
    /// It takes the place of another connection: that one's number, in decimal digits.
    Succeeds,
    /// An instrument as the catalogue has it: in the words of `engine/listing.rs`. A segment says it again.
    Instrument,
    /// An instrument as its venue's list defines it anew, in the same words: told where it happened, and only there.
    Defined,
    /// What its room remembers of the connection: `engine/checkpoint.rs`. A segment says it again.
    Session,
    /// A book that is synced, with its place in the venue's numbering, likewise.
    Book,
    /// What somebody notes of the recording, as JSON: what was looked into here, and what was found.
    Note,
}

impl SetupKind {
    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Venue => "venue",
            Self::Carries => "carries",
            Self::CarriesBesideBooks => "carries_beside_books",
            Self::Drops => "drops",
            Self::Succeeds => "succeeds",
            Self::Instrument => "instrument",
            Self::Defined => "defined",
            Self::Session => "session",
            Self::Book => "book",
            Self::Note => "note",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// All, in the order of their tags.
    const ALL: [Self; 10] = [
        Self::Venue,
        Self::Carries,
        Self::CarriesBesideBooks,
        Self::Drops,
        Self::Succeeds,
        Self::Instrument,
        Self::Defined,
        Self::Session,
        Self::Book,
        Self::Note,
    ];
}

/// The tag of the first kind of setup, how many have tags from there on, and the tag of the first of the others.
const SETUP: u8 = 10;
const FIRST_SETUPS: u8 = KIND + 1 - SETUP;
const LATER_SETUP: u8 = 1 | IS_OTHER;
const DATAGRAM: u8 = 5 | IS_OTHER;

/// What the next record is told by its difference from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) line: u32,
    pub(super) ts: u64,
}

impl Input<'_> {
    const fn tag(&self) -> u8 {
        match self {
            Self::Began => 0,
            Self::Head(_) => 1,
            Self::Connected(_) => 2,
            Self::Closed => 3,
            Self::Sent(_) => 4,
            Self::Received(_) => 5,
            Self::Datagram(_) => DATAGRAM,
            Self::Ticked => IS_OTHER,
            Self::Answered { .. } => 6,
            Self::Missed { loses: false, .. } => 7,
            Self::Missed { loses: true, .. } => 8,
            Self::Named(_) => 9,
            Self::Setup { kind, .. } => match *kind as u8 {
                kind @ ..FIRST_SETUPS => SETUP + kind,
                kind => LATER_SETUP + kind - FIRST_SETUPS,
            },
        }
    }

    /// Bytes of a text in a record, its length in front.
    #[must_use]
    pub(crate) const fn bytes_of_text(text: &[u8]) -> usize {
        super::varint::len(text.len() as u64) + text.len()
    }

    /// Most bytes that it takes as a record.
    pub(super) const fn bytes_max(&self) -> usize {
        const AROUND_MAX: usize = 32;
        AROUND_MAX
            + match self {
                Self::Began | Self::Closed | Self::Ticked => 0,
                Self::Head(bytes)
                | Self::Connected(bytes)
                | Self::Sent(bytes)
                | Self::Received(bytes)
                | Self::Datagram(bytes)
                | Self::Missed { code: bytes, .. }
                | Self::Named(bytes)
                | Self::Setup { text: bytes, .. } => bytes.len(),
                Self::Answered { url, body } => url.len() + body.len(),
            }
    }

    /// Appends it as the record that follows `last`.
    #[inline]
    pub(super) fn write(&self, line: u32, ts: u64, last: &mut Last, out: &mut Vec<u8>) {
        let (has_line, has_ts) = (line != last.line, ts != last.ts);
        out.push(self.tag() | if has_line { HAS_LINE } else { 0 } | if has_ts { HAS_TS } else { 0 });
        if has_line {
            put(out, line.into());
        }
        if has_ts {
            put(out, zigzag(ts.wrapping_sub(last.ts) as i64));
        }
        *last = Last { line, ts };
        match self {
            Self::Began | Self::Closed | Self::Ticked => {}
            Self::Head(bytes)
            | Self::Connected(bytes)
            | Self::Sent(bytes)
            | Self::Received(bytes)
            | Self::Datagram(bytes)
            | Self::Missed { code: bytes, .. }
            | Self::Named(bytes)
            | Self::Setup { text: bytes, .. } => put_bytes(out, bytes),
            Self::Answered { url, body } => {
                put_bytes(out, url);
                put_bytes(out, body);
            }
        }
    }
}

/// Takes a record off the front of some bytes. None where they are none.
#[inline]
pub(super) fn read<'a>(bytes: &mut &'a [u8], last: &mut Last) -> Option<Input<'a>> {
    let (&tag, rest) = bytes.split_first()?;
    *bytes = rest;
    if tag & HAS_LINE != 0 {
        last.line = u32::try_from(take(bytes)?).ok()?;
    }
    if tag & HAS_TS != 0 {
        last.ts = last.ts.wrapping_add(unzigzag(take(bytes)?) as u64);
    }
    Some(match tag & !(HAS_LINE | HAS_TS) {
        0 => Input::Began,
        1 => Input::Head(take_bytes(bytes)?),
        2 => Input::Connected(take_bytes(bytes)?),
        3 => Input::Closed,
        4 => Input::Sent(take_bytes(bytes)?),
        5 => Input::Received(take_bytes(bytes)?),
        6 => Input::Answered { url: take_bytes(bytes)?, body: take_bytes(bytes)? },
        7 => Input::Missed { loses: false, code: take_bytes(bytes)? },
        8 => Input::Missed { loses: true, code: take_bytes(bytes)? },
        9 => Input::Named(take_bytes(bytes)?),
        IS_OTHER => Input::Ticked,
        DATAGRAM => Input::Datagram(take_bytes(bytes)?),
        tag => {
            let kind = match tag {
                SETUP..=KIND => tag - SETUP,
                LATER_SETUP.. => tag - LATER_SETUP + FIRST_SETUPS,
                _ => return None,
            };
            Input::Setup { kind: *SetupKind::ALL.get(usize::from(kind))?, text: take_bytes(bytes)? }
        }
    })
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(take(bytes)?).ok()?;
    let (taken, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}

// A kind has its bits, and none of the others.
const _: () = assert!(KIND & (HAS_LINE | HAS_TS | IS_OTHER) == 0);
const _: () =
    assert!(LATER_SETUP as usize + SetupKind::ALL.len() - FIRST_SETUPS as usize <= DATAGRAM as usize);

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A thing that happened, with bytes of its own.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(in crate::journal) struct Told {
        pub(in crate::journal) line: u32,
        pub(in crate::journal) ts: u64,
        kind: u8,
        first: Vec<u8>,
        second: Vec<u8>,
    }

    impl Told {
        pub(in crate::journal) fn input(&self) -> Input<'_> {
            let bytes = self.first.as_slice();
            match self.kind {
                0 => Input::Began,
                1 => Input::Head(bytes),
                2 => Input::Connected(bytes),
                3 => Input::Closed,
                4 => Input::Sent(bytes),
                5 => Input::Received(bytes),
                6 => Input::Datagram(bytes),
                7 => Input::Answered { url: bytes, body: &self.second },
                8 => Input::Missed { loses: self.second.is_empty(), code: bytes },
                9 => Input::Named(bytes),
                16 => Input::Ticked,
                kind @ 17.. => Input::Setup { kind: SetupKind::ALL[usize::from(kind) - 11], text: bytes },
                kind => Input::Setup { kind: SetupKind::ALL[usize::from(kind) - 10], text: bytes },
            }
        }
    }

    pub(in crate::journal) fn told() -> impl Strategy<Value = Told> {
        let line = prop_oneof![4 => Just(0_u32), 2 => 0_u32..9, 1 => any::<u32>()];
        let ts = prop_oneof![2 => Just(5_u64), 2 => 0_u64..100, 1 => any::<u64>()];
        let bytes = || prop::collection::vec(any::<u8>(), 0..40);
        (line, ts, 0_u8..21, bytes(), bytes()).prop_map(|(line, ts, kind, first, second)| Told {
            line,
            ts,
            kind,
            first,
            second,
        })
    }

    proptest! {
        #[test]
        fn records_come_back(all in prop::collection::vec(told(), 0..20)) {
            let (mut out, mut last) = (Vec::new(), Last::default());
            for told in &all {
                let before = out.len();
                told.input().write(told.line, told.ts, &mut last, &mut out);
                prop_assert!(out.len() - before <= told.input().bytes_max());
            }
            let (mut bytes, mut last) = (out.as_slice(), Last::default());
            for told in &all {
                prop_assert_eq!(read(&mut bytes, &mut last), Some(told.input()));
                prop_assert_eq!(last, Last { line: told.line, ts: told.ts });
            }
            prop_assert!(bytes.is_empty());
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let (mut rest, mut last) = (bytes.as_slice(), Last::default());
            while read(&mut rest, &mut last).is_some() {}
        }
    }

    /// Two bytes around a message that comes on the line of the one before, at its time.
    #[test]
    fn what_is_as_before_takes_no_bytes() {
        let (mut out, mut last) = (Vec::new(), Last { line: 3, ts: 9 });
        Input::Received(b"abc").write(3, 9, &mut last, &mut out);
        assert_eq!(out, b"\x05\x03abc");
        Input::Received(b"abc").write(3, 8, &mut last, &mut out);
        assert_eq!(out[5..], *b"\x25\x01\x03abc");
    }

    #[test]
    fn what_no_record_is_none() {
        for bytes in [
            &b""[..],
            b"\x0a\x01",
            b"\x80",
            b"\x4f",
            b"\x45",
            b"\x05\x02a",
            b"\x06\x00",
            b"\x15",
            b"\x25",
            b"\x13\xff\xff\xff\xff\xff\x01",
        ] {
            assert_eq!(read(&mut &*bytes, &mut Last::default()), None, "{bytes:?}");
        }
    }
}
