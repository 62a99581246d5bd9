//! Where ITCH messages come from: a file of them, or a capture of the packets that brought them.

use std::net::SocketAddr;

use super::itch::{Itch, timestamp_ns};
use super::{FeedError, Pace, Pipelines};
use crate::decode::binary_file::{BinaryFileError, BinaryFileFramer};
use crate::decode::itch::decode;
use crate::decode::mold::{self, Packet, PacketKind};
use crate::decode::pcap::{Datagram, PcapReader};
use crate::decode::{FORMAT_BYTES, Format, detect_format};
use crate::encode::Outbox;
use crate::engine::Listed;
use crate::engine::pipeline::Place;
use crate::sequence::{MoldChain, MoldHeader, MoldOutcome};
use crate::types::{Clock, TimeNs};

/// Bytes of the length zero that ends a session.
const END_OF_SESSION_BYTES: usize = 2;

const HOUR_NS: u64 = 3_600_000_000_000;

/// The framing of a feed, told from its first bytes.
#[derive(Debug, Default)]
pub(super) enum ItchBytes {
    #[default]
    Unknown,
    /// Another format: passed over up to its end.
    Foreign,
    /// Messages are numbered by counting. The time of a file is that of its messages, since midnight.
    File { framer: BinaryFileFramer, count: u64 },
    /// Packets of one MoldUDP64 stream, over one line or two.
    Capture { reader: Box<PcapReader>, chain: MoldChain, lines: Lines },
}

impl ItchBytes {
    pub(super) fn detect(bytes: &[u8]) -> Option<Self> {
        match detect_format(bytes)? {
            Format::Pcap | Format::Pcapng => Some(Self::Capture {
                reader: Box::default(),
                chain: MoldChain::default(),
                lines: Lines::default(),
            }),
            Format::Itch(prefix) => Some(Self::File { framer: BinaryFileFramer::new(prefix), count: 0 }),
            Format::Lines | Format::Dbn | Format::Dbz | Format::Zstd | Format::Gzip => None,
        }
    }

    pub(super) fn ingest<C: Clock, D: FnMut(&mut Outbox) -> bool>(
        &mut self,
        itch: &mut Itch,
        bytes: &[u8],
        last: bool,
        listed: &[Listed],
        to: &mut Pipelines<'_, C>,
        pace: &mut Pace<'_, D>,
    ) {
        while self.ingest_one(itch, bytes, last, listed, to, pace) {
            // Files of sessions, one after the other: the next tells its books from its own first message on, or not at all.
            *self = Self::Unknown;
            itch.lose_all((0, 0), pace.progress.last_ts, to);
        }
    }

    /// One file, from what is consumed on. Whether another follows it in these bytes.
    fn ingest_one<C: Clock, D: FnMut(&mut Outbox) -> bool>(
        &mut self,
        itch: &mut Itch,
        bytes: &[u8],
        last: bool,
        listed: &[Listed],
        to: &mut Pipelines<'_, C>,
        pace: &mut Pace<'_, D>,
    ) -> bool {
        let from = pace.progress.consumed;
        let rest = bytes.get(from..).unwrap_or_default();
        if let Self::File { framer, .. } = self
            && framer.is_ended()
            && !rest.is_empty()
        {
            *self = Self::Unknown;
            itch.lose_all((0, 0), pace.progress.last_ts, to);
        }
        if let Self::Unknown = self {
            match Self::detect(rest) {
                Some(found) => *self = found,
                None => {
                    if (last && !rest.is_empty()) || rest.len() >= FORMAT_BYTES {
                        let got = rest.first().copied().unwrap_or(0);
                        pace.took(bytes.len(), Err(FeedError::UnknownFormat { got }), to);
                        *self = if last { Self::Unknown } else { Self::Foreign };
                    }
                    return false;
                }
            }
        }
        match self {
            Self::Unknown => {}
            Self::Foreign => {
                pace.progress.consumed = bytes.len();
                if last {
                    *self = Self::Unknown;
                }
            }
            Self::File { framer, count } => {
                let mut messages = if last { framer.finish(rest) } else { framer.messages(rest) };
                loop {
                    let start = from + messages.consumed();
                    let Some(message) = messages.next() else { break };
                    if let Err(BinaryFileError::TrailingBytes { .. }) = message {
                        pace.progress.consumed = start + END_OF_SESSION_BYTES;
                        return true;
                    }
                    let ts = message.map_or(0, timestamp_ns);
                    if !pace.is_due(ts, start, listed, to) {
                        return false;
                    }
                    *count += 1;
                    let at = Place { venue_seq: *count, ts_event: ts, ts_recv: ts };
                    let taken = match message {
                        Ok(message) => itch.take(message, at, listed, to).map_err(FeedError::from),
                        Err(error) => {
                            itch.lose_all((*count, 0), pace.progress.last_ts, to);
                            Err(error.into())
                        }
                    };
                    if !pace.took(from + messages.consumed(), taken, to) {
                        return false;
                    }
                }
                // The end of a session is used up without a message.
                pace.progress.consumed = from + messages.consumed();
            }
            Self::Capture { reader, chain, lines } => {
                let mut datagrams = if last { reader.finish(rest) } else { reader.datagrams(rest) };
                while let Some(datagram) = datagrams.next() {
                    let ts = datagram.as_ref().map_or(0, |datagram| datagram.ts);
                    if !pace.is_due(ts, from + datagrams.start(), listed, to) {
                        return false;
                    }
                    let taken = match datagram {
                        Ok(datagram) => take_datagram(&datagram, chain, lines, itch, listed, to),
                        Err(error) => {
                            if error.is_final() {
                                itch.lose_all((chain.next(), 0), pace.progress.last_ts, to);
                            }
                            Err(error.into())
                        }
                    };
                    if !pace.took(from + datagrams.consumed(), taken, to) {
                        return false;
                    }
                }
                pace.progress.consumed = from + datagrams.consumed();
            }
        }
        false
    }
}

/// Where the packets of the followed stream go to. A capture may hold other feeds: their sessions are not this one's next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lines {
    /// Two lines, each with its retransmissions. Further ones bring packets but begin no session.
    known: [Option<SocketAddr>; 4],
}

impl Lines {
    /// Whether a session that comes there may be followed: on one of the lines, or when there is none yet.
    fn may_begin(&self, destination: SocketAddr) -> bool {
        self.known[0].is_none() || self.known.contains(&Some(destination))
    }

    /// Notes where a packet of the followed session went to.
    fn note(&mut self, destination: SocketAddr) {
        if !self.known.contains(&Some(destination))
            && let Some(free) = self.known.iter_mut().find(|line| line.is_none())
        {
            *free = Some(destination);
        }
    }
}

/// One packet, whole or not at all.
fn take_datagram<C: Clock>(
    datagram: &Datagram<'_>,
    chain: &mut MoldChain,
    lines: &mut Lines,
    itch: &mut Itch,
    listed: &[Listed],
    to: &mut Pipelines<'_, C>,
) -> Result<(), FeedError> {
    let packet = mold::decode(datagram.payload)?;
    let Packet { session, sequence, count, kind, .. } = packet;
    let header = MoldHeader { session, sequence, count, is_end: kind == PacketKind::EndOfSession };
    let mut outcome = chain.check(&header);
    if outcome == MoldOutcome::NewSession {
        let begins = packet.messages().next().is_some_and(|first| decode(first).is_ok());
        if !begins || !lines.may_begin(datagram.destination) {
            to.cx.stats.ignored += 1;
            return Ok(());
        }
        // The whole of a session is wanted: one that is met in its middle shows as a gap.
        chain.begin(session, 1);
        itch.lose_all((1, sequence), datagram.ts, to);
        outcome = chain.check(&header);
    }
    lines.note(datagram.destination);
    let skip = match outcome {
        MoldOutcome::Next { skip } => skip,
        MoldOutcome::Gap { expected, received } => {
            to.cx.stats.gaps += 1;
            itch.lose_all((expected, received), datagram.ts, to);
            chain.begin(session, sequence);
            0
        }
        MoldOutcome::Old | MoldOutcome::End | MoldOutcome::NewSession => {
            to.cx.stats.ignored += 1;
            return Ok(());
        }
    };
    let mut refused = Ok(());
    // Messages first: there is no number behind the last one of 64 bits.
    for (message, venue_seq) in packet.messages().zip(sequence..).skip(usize::from(skip)) {
        let ts_event = on_the_day(timestamp_ns(message), datagram.ts);
        let at = Place { venue_seq, ts_event, ts_recv: datagram.ts };
        if let Err(error) = itch.take(message, at, listed, to) {
            refused = Err(error.into());
        }
    }
    if !header.is_end {
        chain.advance(&header);
    }
    refused
}

/// A time of day, told in the venue's time zone, as a time since the epoch: of the whole hours that midnight may have
/// been at, the one that brings it nearest to the packet's time.
const fn on_the_day(time_of_day_ns: u64, received_at: TimeNs) -> TimeNs {
    let midnight = received_at.saturating_sub(time_of_day_ns).saturating_add(HOUR_NS / 2) / HOUR_NS * HOUR_NS;
    midnight.saturating_add(time_of_day_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_gets_the_day_of_its_packet() {
        // 2024-01-02 14:30:00.000150 UTC is 09:30 in New York.
        let received_at = 1_704_205_800_000_150_000;
        let time_of_day_ns = 34_200_000_100_000;
        assert_eq!(on_the_day(time_of_day_ns, received_at), received_at - 50_000);
        // A capture clock behind the venue's.
        assert_eq!(on_the_day(time_of_day_ns + 900_000_000, received_at), received_at + 899_950_000);
    }
}
