//! The sequence rules of MoldUDP64, for one feed that comes over one line or over two equal ones (A and B).
//!
//! Every message of a session has a number, the first is 1. A packet states the number of its first message and how
//! many it has; heartbeats and the end of the session have none and state the number that would be next, so that a
//! loss shows even in silence. Source: MoldUDP64 protocol specification 1.00.
//! * M1. What lies below the next number is old: a duplicate of the other line, or of a retransmission. A packet that
//!   reaches across the next number is old up to it and new from there on.
//! * M2. A first number above the next one is a gap, in messages, heartbeats and the end alike.
//! * M3. Another session begins anew. Stragglers of the session before are old.

/// The header of a packet, as far as the order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoldHeader {
    /// The session's name.
    pub session: [u8; 10],
    /// Number of the first message, or of the one that would be next.
    pub sequence: u64,
    /// Messages in the packet, 0 in a heartbeat and at the end.
    pub count: u16,
    /// Whether it ends the session.
    pub is_end: bool,
}

/// What a packet is to a stream at a known place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoldOutcome {
    /// It continues the stream: apply its messages behind the first `skip`. A heartbeat in its place has none.
    Next {
        /// Messages at its head that the stream already holds.
        skip: u16,
    },
    /// The stream already holds it: ignore it.
    Old,
    /// Messages between the stream and it are missing.
    Gap {
        /// The number that was due, from which on to ask for retransmission.
        expected: u64,
        /// The one that came.
        received: u64,
    },
    /// It is of a session that the stream does not follow: [`MoldChain::begin`] follows it.
    NewSession,
    /// The session is over and the stream holds all of it. The sender repeats this for a while.
    End,
}

/// A stream's place in its session. Follows no session until [`MoldChain::begin`].
#[derive(Clone, Copy, Debug, Default)]
pub struct MoldChain {
    session: Option<[u8; 10]>,
    previous_session: Option<[u8; 10]>,
    next: u64,
}

impl MoldChain {
    /// Follows a session from `next` on: 1 for the whole of it, the number behind a snapshot, or the one at which a
    /// gap is given up.
    pub fn begin(&mut self, session: [u8; 10], next: u64) {
        if self.session != Some(session) {
            self.previous_session = self.session;
        }
        self.session = Some(session);
        self.next = next;
    }

    /// The session that the stream follows.
    #[must_use]
    pub const fn session(&self) -> Option<[u8; 10]> {
        self.session
    }

    /// The number of the message that is due.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Judges a packet. Changes nothing. Constant time.
    #[inline]
    #[must_use]
    pub fn check(&self, header: &MoldHeader) -> MoldOutcome {
        let MoldHeader { session, sequence, count, is_end } = *header;
        if self.session != Some(session) {
            let straggles = self.previous_session == Some(session);
            return if straggles { MoldOutcome::Old } else { MoldOutcome::NewSession };
        }
        let gap = MoldOutcome::Gap { expected: self.next, received: sequence };
        // Numbers beyond 64 bits cannot be continued from; the decoder refuses such packets.
        let Some(behind) = sequence.checked_add(u64::from(count)) else { return gap };
        if sequence > self.next {
            gap
        } else if sequence == self.next {
            if is_end { MoldOutcome::End } else { MoldOutcome::Next { skip: 0 } }
        } else if behind <= self.next {
            MoldOutcome::Old
        } else {
            // Below `count`, since the packet reaches across `next`.
            MoldOutcome::Next { skip: (self.next - sequence) as u16 }
        }
    }

    /// Moves on behind a packet that [`MoldChain::check`] called `Next`.
    #[inline]
    pub fn advance(&mut self, header: &MoldHeader) {
        debug_assert!(matches!(self.check(header), MoldOutcome::Next { .. }));
        self.next = header.sequence.saturating_add(u64::from(header.count));
    }
}

#[cfg(test)]
mod tests {
    use super::MoldOutcome::{End, Gap, NewSession, Next, Old};
    use super::*;

    const SESSION: [u8; 10] = *b"000010059B";
    const LATER: [u8; 10] = *b"000010060B";

    fn data(sequence: u64, count: u16) -> MoldHeader {
        MoldHeader { session: SESSION, sequence, count, is_end: false }
    }

    fn end(sequence: u64) -> MoldHeader {
        MoldHeader { is_end: true, ..data(sequence, 0) }
    }

    fn at(next: u64) -> MoldChain {
        let mut chain = MoldChain::default();
        chain.begin(SESSION, next);
        chain
    }

    #[test]
    fn each_packet_is_judged_by_its_numbers() {
        for (next, header, outcome) in [
            (1, data(1, 5), Next { skip: 0 }),
            (1, data(2, 5), Gap { expected: 1, received: 2 }),
            (100, data(100, 1), Next { skip: 0 }),
            (100, data(90, 10), Old),
            (100, data(90, 11), Next { skip: 10 }),
            (100, data(99, 0xFFFE), Next { skip: 1 }),
            (100, data(1, 1), Old),
            (100, data(101, 1), Gap { expected: 100, received: 101 }),
            // Heartbeats carry the number that would be next.
            (100, data(100, 0), Next { skip: 0 }),
            (100, data(99, 0), Old),
            (100, data(101, 0), Gap { expected: 100, received: 101 }),
            (100, end(100), End),
            (100, end(99), Old),
            (100, end(101), Gap { expected: 100, received: 101 }),
            // The captures of one message carry number 0.
            (0, data(0, 1), Next { skip: 0 }),
            // The end of the numbers.
            (u64::MAX - 1, data(u64::MAX - 1, 1), Next { skip: 0 }),
            (u64::MAX, data(u64::MAX - 1, 1), Old),
            (u64::MAX, data(u64::MAX, 0), Next { skip: 0 }),
            (u64::MAX, end(u64::MAX), End),
            (u64::MAX - 1, data(u64::MAX - 3, 3), Next { skip: 2 }),
            (u64::MAX, data(u64::MAX, 1), Gap { expected: u64::MAX, received: u64::MAX }),
            (7, data(u64::MAX, 0xFFFE), Gap { expected: 7, received: u64::MAX }),
            (0, data(u64::MAX, 0), Gap { expected: 0, received: u64::MAX }),
        ] {
            assert_eq!(at(next).check(&header), outcome, "{header:?} at {next}");
        }
    }

    #[test]
    fn the_stream_moves_behind_what_is_applied() {
        let mut chain = at(1);
        for (header, next) in [(data(1, 3), 4), (data(4, 0), 4), (data(2, 5), 7), (data(7, 1), 8)] {
            assert!(matches!(chain.check(&header), Next { .. }), "{header:?}");
            chain.advance(&header);
            assert_eq!(chain.next(), next);
        }
        assert_eq!(chain.check(&data(7, 1)), Old, "the other line's copy");
    }

    #[test]
    fn a_gap_is_filled_by_retransmission_or_given_up() {
        let mut chain = at(10);
        assert_eq!(chain.check(&data(15, 2)), Gap { expected: 10, received: 15 });
        assert_eq!(chain.check(&data(15, 2)), Gap { expected: 10, received: 15 }, "judging changes nothing");
        chain.advance(&data(10, 6));
        assert_eq!(chain.check(&data(15, 2)), Next { skip: 1 });
        assert_eq!(chain.check(&data(20, 1)), Gap { expected: 16, received: 20 });
        chain.begin(SESSION, 20);
        assert_eq!(chain.check(&data(20, 1)), Next { skip: 0 });
    }

    #[test]
    fn another_session_begins_anew_and_its_forerunner_is_old() {
        let later = MoldHeader { session: LATER, ..data(1, 1) };
        let mut chain = MoldChain::default();
        assert_eq!((chain.check(&data(1, 1)), chain.session()), (NewSession, None));
        chain.begin(SESSION, 500);
        assert_eq!(chain.check(&later), NewSession);
        chain.begin(LATER, 1);
        assert_eq!((chain.check(&later), chain.session()), (Next { skip: 0 }, Some(LATER)));
        assert_eq!(chain.check(&data(500, 1)), Old, "a straggler");
        chain.begin(LATER, 7);
        assert_eq!(chain.check(&data(500, 1)), Old, "giving a gap up keeps the forerunner");
        assert_eq!(chain.check(&MoldHeader { session: *b"ANOTHER   ", ..data(1, 1) }), NewSession);
    }

    /// Two lines that each lose and delay packets differently give every message once and in order, or a gap.
    #[test]
    fn two_lines_make_one_stream() {
        for seed in 1..200u64 {
            let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut random = |below: u64| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state % below
            };
            let mut packets = Vec::new();
            let mut next = 1;
            for _ in 0..200 {
                let count = random(5);
                packets.push(data(next, count as u16));
                next += count;
            }
            let (mut chain, mut held) = (at(1), Vec::new());
            let (mut a, mut b) = (0, 0);
            while a < packets.len() || b < packets.len() {
                let line = if random(2) == 0 { &mut a } else { &mut b };
                let Some(header) = packets.get(*line) else { continue };
                *line += 1;
                let lost = random(10) == 0;
                if lost {
                    continue;
                }
                match chain.check(header) {
                    Next { skip } => {
                        held.extend(
                            header.sequence + u64::from(skip)..header.sequence + u64::from(header.count),
                        );
                        chain.advance(header);
                    }
                    Old => assert!(held.len() as u64 >= header.sequence - 1 + u64::from(header.count)),
                    Gap { expected, received } => {
                        assert_eq!(expected, held.len() as u64 + 1, "seed {seed}");
                        assert!(received > expected, "seed {seed}");
                        held.extend(expected..received);
                        chain.begin(SESSION, received);
                    }
                    outcome => panic!("{outcome:?}, seed {seed}"),
                }
            }
            assert_eq!(held, (1..=held.len() as u64).collect::<Vec<_>>(), "seed {seed}");
        }
    }
}
