//! SoupBinTCP 3.00: a sequenced stream of messages over TCP, out of chunks cut anywhere.
//!
//! A packet is a length (u16, big-endian, of what follows), a type byte and a payload. Sequenced messages carry no
//! number: both ends count them ([`SoupSession`]). Either end sends a heartbeat after a second of its own silence and
//! gives the other up after fifteen of the other's ([`SoupTimer`]). Numbers in login packets are ASCII digits, padded
//! with spaces on the left; texts are padded on the right. Source: SoupBinTCP 3.00, 2017-02-22.

mod error;
mod session;

pub use error::SoupError;
pub use session::{HEARTBEAT_NS, PEER_LOST_NS, SoupDue, SoupSession, SoupTimer};

use core::fmt;

use super::binary_file::split_block;

/// The packet by which a client says that it lives.
pub const CLIENT_HEARTBEAT: [u8; 3] = [0, 1, b'R'];

/// The packet by which a server says that it lives.
pub const SERVER_HEARTBEAT: [u8; 3] = [0, 1, b'H'];

/// The packet by which a client takes its leave.
pub const LOGOUT: [u8; 3] = [0, 1, b'O'];

/// Bytes of a login request, length included.
pub const LOGIN_BYTES: usize = 49;

/// One packet of either direction, a view over its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `+`, both ways: text for people.
    Debug(&'a [u8]),
    /// `U`, both ways: a message outside the sequence.
    Unsequenced(&'a [u8]),
    /// `A`, from the server: the client is in.
    LoginAccepted {
        /// The session's name.
        session: [u8; 10],
        /// Number of the next sequenced message.
        sequence: u64,
    },
    /// `J`, from the server: the client is out.
    LoginRejected {
        /// `A` not authorized, `S` no such session.
        reason: u8,
    },
    /// `S`, from the server: the next message of the sequence.
    Sequenced(&'a [u8]),
    /// `H`, from the server.
    ServerHeartbeat,
    /// `Z`, from the server: no message follows in this session.
    EndOfSession,
    /// `L`, from the client.
    LoginRequest(LoginRequest),
    /// `R`, from the client.
    ClientHeartbeat,
    /// `O`, from the client.
    Logout,
}

/// How a client asks for a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LoginRequest {
    /// User, padded.
    pub user: [u8; 6],
    /// Password, padded.
    pub password: [u8; 10],
    /// The session wanted, or spaces for the one that runs.
    pub session: [u8; 10],
    /// Number of the first message wanted; 0 for the one sent last.
    pub sequence: u64,
}

/// The password stays out of logs.
impl fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequest")
            .field("session", &self.session)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

impl LoginRequest {
    /// A request from unpadded texts; `None` when one is longer than its field: 6, 10 and 10 bytes.
    #[must_use]
    pub fn new(user: &str, password: &str, session: &str, sequence: u64) -> Option<Self> {
        Some(Self { user: padded(user)?, password: padded(password)?, session: padded(session)?, sequence })
    }

    /// The packet, length included.
    #[must_use]
    pub fn encode(&self) -> [u8; LOGIN_BYTES] {
        let mut packet = [b' '; LOGIN_BYTES];
        packet[..3].copy_from_slice(&[0, LOGIN_BYTES as u8 - 2, b'L']);
        packet[3..9].copy_from_slice(&self.user);
        packet[9..19].copy_from_slice(&self.password);
        packet[19..29].copy_from_slice(&self.session);
        let mut left = self.sequence;
        for digit in packet[29..].iter_mut().rev() {
            *digit = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        packet
    }
}

/// The whole packets of a chunk. The bytes that they do not consume, 65,536 at most, go in again at the head of the
/// next chunk; what is left when the connection ends is a cut packet.
pub const fn packets(bytes: &[u8]) -> Packets<'_> {
    Packets { len: bytes.len(), rest: bytes }
}

/// Iterator over the packets of a chunk. An error concerns its packet only. Cost: constant for each.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    len: usize,
    rest: &'a [u8],
}

impl Packets<'_> {
    /// Bytes used up by the packets returned so far.
    #[inline]
    #[must_use]
    pub const fn consumed(&self) -> usize {
        self.len - self.rest.len()
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, SoupError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (block, behind) = split_block(self.rest)?;
        self.rest = behind;
        Some(decode(block))
    }
}

/// Reads one packet, from its type byte to its end. Constant time.
///
/// # Errors
/// [`SoupError`] for no bytes, an unknown type, a wrong length, a sequence that is no number.
#[inline]
pub fn decode(block: &[u8]) -> Result<Packet<'_>, SoupError> {
    let Some((&packet_type, payload)) = block.split_first() else { return Err(SoupError::Empty) };
    Ok(match packet_type {
        b'S' => Packet::Sequenced(payload),
        b'U' => Packet::Unsequenced(payload),
        b'+' => Packet::Debug(payload),
        b'H' => exact(block).map(|[]| Packet::ServerHeartbeat)?,
        b'R' => exact(block).map(|[]| Packet::ClientHeartbeat)?,
        b'Z' => exact(block).map(|[]| Packet::EndOfSession)?,
        b'O' => exact(block).map(|[]| Packet::Logout)?,
        b'J' => exact(block).map(|&[reason]| Packet::LoginRejected { reason })?,
        b'A' => {
            let (session, sequence) = exact::<30>(block)?.split_at(10);
            Packet::LoginAccepted { session: array(session), sequence: number(sequence)? }
        }
        b'L' => {
            let (user, rest) = exact::<46>(block)?.split_at(6);
            let (password, rest) = rest.split_at(10);
            let (session, sequence) = rest.split_at(10);
            Packet::LoginRequest(LoginRequest {
                user: array(user),
                password: array(password),
                session: array(session),
                sequence: number(sequence)?,
            })
        }
        got => return Err(SoupError::UnknownType { got }),
    })
}

/// The payload of a block, which must have `N` bytes.
fn exact<const N: usize>(block: &[u8]) -> Result<&[u8; N], SoupError> {
    match block {
        [_, payload @ ..] if payload.len() == N => payload.first_chunk().ok_or(SoupError::Empty),
        [packet_type, payload @ ..] => {
            Err(SoupError::WrongLength { packet_type: *packet_type, expected: N, got: payload.len() })
        }
        [] => Err(SoupError::Empty),
    }
}

/// Bytes as a field of `N`, padded with spaces should they be fewer.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut field = [b' '; N];
    field.iter_mut().zip(bytes).for_each(|(to, &from)| *to = from);
    field
}

fn padded<const N: usize>(text: &str) -> Option<[u8; N]> {
    (text.len() <= N).then(|| array(text.as_bytes()))
}

/// A number in digits, padded with spaces on either side.
fn number(text: &[u8]) -> Result<u64, SoupError> {
    let digits = text.trim_ascii();
    if digits.is_empty() {
        return Err(SoupError::BadSequence);
    }
    digits.iter().try_fold(0u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        let next = value.checked_mul(10).and_then(|value| value.checked_add(u64::from(digit)));
        next.filter(|_| digit < 10).ok_or(SoupError::BadSequence)
    })
}

#[cfg(test)]
mod tests;
