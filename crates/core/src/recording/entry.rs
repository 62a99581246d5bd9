//! One thing that a recording says, and the form in which the readers of the forms hand it over.

use core::ops::Range;

use super::error::RecordingError;
use crate::journal::SetupKind;
use crate::types::TimeNs;

/// One thing that a recording says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// Another file begins behind one that has ended. What its form numbers anew begins anew; connections keep their
    /// numbers.
    Began,
    /// What a file says of what follows: DBN's metadata, from their magic bytes on.
    Head {
        /// It.
        bytes: &'a [u8],
    },
    /// A connection was made. One that is open already was closed and made anew; few forms tell of a close otherwise.
    Connected {
        /// Its number within the recording, dense from 0, the same when it is made anew.
        line: u32,
        /// Where it leads, as the recording writes it.
        address: &'a [u8],
    },
    /// A connection ended.
    Closed {
        /// Its number.
        line: u32,
    },
    /// Something was sent.
    Sent {
        /// On which connection.
        line: u32,
        /// What.
        bytes: &'a [u8],
    },
    /// Something was received. A connection of which nobody said that it was made may speak, too.
    Received {
        /// On which connection. 0 where the form knows of one only; of a packet capture one for each destination.
        line: u32,
        /// A frame, a datagram's payload, an ITCH message or a DBN record.
        bytes: &'a [u8],
    },
    /// Something was asked for over HTTP, and answered.
    Answered {
        /// The address that was asked; empty where the recording does not say.
        url: &'a [u8],
        /// The answer.
        bytes: &'a [u8],
    },
    /// How an engine was told to take a connection, which journals of live servers say.
    Setup {
        /// Of which connection.
        line: u32,
        /// What.
        kind: SetupKind,
        /// Of what.
        bytes: &'a [u8],
    },
    /// An engine was told that time has passed, which journals of live servers say.
    Ticked,
    /// An engine published a frame, which journals of frames say. Its time of sending is 0.
    Published {
        /// The frame, its size in front.
        frame: &'a [u8],
    },
}

/// An entry and where it stands in the bytes given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Offset of its first byte. A caller that does not want it yet says [`put_back`](super::Transcript::put_back), has
    /// consumed the bytes before it, and gets it again from there; what has no time of its own (an error, [`Heard::Began`], [`Heard::Head`]) cannot be given back so.
    pub start: usize,
    /// Offset after its last byte. A caller that took it has consumed the bytes before that.
    pub end: usize,
    /// When it was heard; 0 = the recording does not say, and what stands in it must tell.
    pub ts: TimeNs,
    /// Whether what came is a datagram's payload.
    pub is_datagram: bool,
    /// What; or why it is nothing.
    pub heard: Result<Heard<'a>, RecordingError>,
}

/// An entry before its bytes are taken from where they stand. Its end is the offset that the reader has moved on.
pub(super) struct Step {
    pub(super) start: usize,
    pub(super) ts: TimeNs,
    pub(super) what: Result<What, RecordingError>,
}

impl Step {
    pub(super) const fn refused(start: usize, error: RecordingError) -> Self {
        Self { start, ts: 0, what: Err(error) }
    }
}

/// [`Heard`], by places.
pub(super) enum What {
    Began,
    Head(Span),
    Connected(u32),
    Closed(u32),
    Sent(u32, Span),
    Received(u32, Span),
    Answered {
        url: Span,
        body: Span,
    },
    Setup(u32, SetupKind, Span),
    Ticked,
    /// What a journal of frames has told last.
    Listed,
    Published,
}

/// A place in the bytes given, or in the transcript's own.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) is_scratch: bool,
}

impl Span {
    pub(super) const EMPTY: Self = Self { start: 0, end: 0, is_scratch: false };

    pub(super) const fn given(place: Range<usize>) -> Self {
        Self { start: place.start, end: place.end, is_scratch: false }
    }

    pub(super) const fn scratch(place: Range<usize>) -> Self {
        Self { start: place.start, end: place.end, is_scratch: true }
    }

    pub(super) fn of<'a>(&self, given: &'a [u8], scratch: &'a [u8]) -> &'a [u8] {
        let whole = if self.is_scratch { scratch } else { given };
        whole.get(self.start..self.end).unwrap_or_default()
    }
}
