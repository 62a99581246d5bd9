//! A client's side of a SoupBinTCP session: which number a message has, and what silence means.

use super::{Packet, SoupError};
use crate::types::TimeNs;

/// After this long without sending, an end sends a heartbeat: one second.
pub const HEARTBEAT_NS: TimeNs = 1_000_000_000;

/// After this long without hearing, an end gives the other one up: fifteen seconds.
pub const PEER_LOST_NS: TimeNs = 15 * HEARTBEAT_NS;

/// Counts the sequenced messages of one connection. The first message of a session has the number 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoupSession {
    state: State,
    session: [u8; 10],
    next: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    LoggingIn,
    Open,
    Rejected,
    Ended,
}

impl SoupSession {
    /// Takes note of a packet of the server and gives the number of its message, if it is a sequenced one.
    ///
    /// # Errors
    /// [`SoupError::Unexpected`] for a client's packet, a message before the login is accepted or after the end, a
    /// second answer to the login, or a message beyond the last number.
    pub fn note(&mut self, packet: &Packet<'_>) -> Result<Option<u64>, SoupError> {
        let (state, got) = (self.state, name(packet));
        match (state, packet) {
            (_, Packet::LoginRequest(_) | Packet::ClientHeartbeat | Packet::Logout) => {
                Err(SoupError::Unexpected { expected: "a packet of a server", got })
            }
            (_, Packet::Debug(_) | Packet::ServerHeartbeat) => Ok(None),
            (State::LoggingIn, Packet::LoginAccepted { session, sequence }) => {
                *self = Self { state: State::Open, session: *session, next: *sequence };
                Ok(None)
            }
            (State::LoggingIn, Packet::LoginRejected { .. }) => {
                self.state = State::Rejected;
                Ok(None)
            }
            (State::LoggingIn, _) => Err(SoupError::Unexpected { expected: "the answer to the login", got }),
            (State::Open, Packet::Unsequenced(_)) => Ok(None),
            (State::Open, Packet::Sequenced(_)) => {
                let number = self.next;
                let expected = "no message beyond the last number";
                self.next = number.checked_add(1).ok_or(SoupError::Unexpected { expected, got })?;
                Ok(Some(number))
            }
            (State::Open, Packet::EndOfSession) => {
                self.state = State::Ended;
                Ok(None)
            }
            (State::Open, _) => Err(SoupError::Unexpected { expected: "messages", got }),
            (State::Rejected | State::Ended, _) => {
                Err(SoupError::Unexpected { expected: "the end of the connection", got })
            }
        }
    }

    /// The session's name, once the login is accepted. To resume, log in with it and [`SoupSession::next`].
    #[must_use]
    pub fn session(&self) -> Option<[u8; 10]> {
        matches!(self.state, State::Open | State::Ended).then_some(self.session)
    }

    /// The number of the message that comes next; 0 before the login is accepted.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Whether the server has said that no message follows.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }
}

const fn name(packet: &Packet<'_>) -> &'static str {
    match packet {
        Packet::Debug(_) => "debug text",
        Packet::Unsequenced(_) => "an unsequenced message",
        Packet::LoginAccepted { .. } => "an accepted login",
        Packet::LoginRejected { .. } => "a rejected login",
        Packet::Sequenced(_) => "a sequenced message",
        Packet::ServerHeartbeat => "a server's heartbeat",
        Packet::EndOfSession => "the end of the session",
        Packet::LoginRequest(_) => "a login request",
        Packet::ClientHeartbeat => "a client's heartbeat",
        Packet::Logout => "a logout",
    }
}

/// What is to be done at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoupDue {
    /// Nothing before this time, unless something is sent or heard until then.
    Nothing {
        /// When to ask again.
        until: TimeNs,
    },
    /// Send a heartbeat.
    Heartbeat,
    /// The other end is silent for too long: close the connection and log in anew.
    PeerLost,
}

/// The two rules of silence, for either end. Time comes in with each call; a clock that steps back counts as standing.
#[derive(Clone, Copy, Debug)]
pub struct SoupTimer {
    sent: TimeNs,
    heard: TimeNs,
}

impl SoupTimer {
    /// A timer that starts when the connection does.
    #[must_use]
    pub const fn new(now: TimeNs) -> Self {
        Self { sent: now, heard: now }
    }

    /// Something was sent, a heartbeat included.
    pub fn sent(&mut self, now: TimeNs) {
        self.sent = self.sent.max(now);
    }

    /// Something was heard: any bytes.
    pub fn heard(&mut self, now: TimeNs) {
        self.heard = self.heard.max(now);
    }

    /// What is to be done now. Changes nothing.
    #[must_use]
    pub fn due(&self, now: TimeNs) -> SoupDue {
        let (beat_at, lost_at) =
            (self.sent.saturating_add(HEARTBEAT_NS), self.heard.saturating_add(PEER_LOST_NS));
        if now >= lost_at {
            SoupDue::PeerLost
        } else if now >= beat_at {
            SoupDue::Heartbeat
        } else {
            SoupDue::Nothing { until: beat_at.min(lost_at) }
        }
    }
}
