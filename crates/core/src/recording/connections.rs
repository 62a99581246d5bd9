//! The connections of a recording, numbered in the order of first sight.

use core::net::SocketAddr;
use std::io::Write as _;

use super::error::RecordingError;

/// Most connections of a recording: the multicast groups of the largest feeds are some hundreds.
pub const CONNECTIONS_MAX: usize = 1_024;

/// Longest address of a connection, in bytes: a WebSocket address may list hundreds of streams.
pub const ADDRESS_BYTES_MAX: usize = 16 << 10;

/// What tells a connection from the others of its recording.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    /// The recorder's name for it, or its address where the recorder has none.
    Name(Vec<u8>),
    /// Where its datagrams went.
    Destination(SocketAddr),
}

#[derive(Clone, Debug)]
struct Connection {
    key: Key,
    address: Vec<u8>,
}

/// The table of connections. Cost of a look-up: one compare where it is the one of the look-up before, else up to
/// [`CONNECTIONS_MAX`]. It allocates for connections that were not there before, and for nothing else.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections {
    known: Vec<Connection>,
    /// The connection that was looked up last.
    current: u32,
}

impl Connections {
    /// Where a connection leads; empty where the recording does not say.
    pub(super) fn address(&self, line: u32) -> &[u8] {
        self.known.get(line as usize).map_or(&[], |connection| &connection.address)
    }

    /// The connection that was looked up last, or the first.
    pub(super) const fn current(&self) -> u32 {
        self.current
    }

    /// The number of the connection that its recorder calls so.
    pub(super) fn named(&mut self, name: &[u8]) -> Result<u32, RecordingError> {
        let is_it = |connection: &Connection| matches!(&connection.key, Key::Name(known) if known == name);
        if let Some(line) = self.find(is_it) {
            return Ok(line);
        }
        if name.len() > ADDRESS_BYTES_MAX {
            return Err(RecordingError::AddressTooLong { max: ADDRESS_BYTES_MAX, len: name.len() });
        }
        self.add(Key::Name(name.to_vec()), Vec::new())
    }

    /// The number of the connection whose datagrams go there.
    pub(super) fn destined(&mut self, destination: SocketAddr) -> Result<u32, RecordingError> {
        let key = Key::Destination(destination);
        if let Some(line) = self.find(|connection| connection.key == key) {
            return Ok(line);
        }
        let mut address = Vec::new();
        // Writing to memory cannot fail.
        let _ = write!(address, "{destination}");
        self.add(key, address)
    }

    /// Knows a connection by the number that its recorder gave it, and those below.
    pub(super) fn numbered(&mut self, line: u32) -> Result<(), RecordingError> {
        if line as usize >= CONNECTIONS_MAX {
            return Err(RecordingError::TooManyConnections { max: CONNECTIONS_MAX });
        }
        while self.known.len() <= line as usize {
            let key = Key::Name(self.known.len().to_le_bytes().to_vec());
            self.known.push(Connection { key, address: Vec::new() });
        }
        self.current = line;
        Ok(())
    }

    /// Says where a connection leads, which may have changed.
    pub(super) fn set_address(&mut self, line: u32, address: &[u8]) -> Result<(), RecordingError> {
        if address.len() > ADDRESS_BYTES_MAX {
            return Err(RecordingError::AddressTooLong { max: ADDRESS_BYTES_MAX, len: address.len() });
        }
        if let Some(connection) = self.known.get_mut(line as usize) {
            connection.address.clear();
            connection.address.extend_from_slice(address);
        }
        Ok(())
    }

    fn find(&mut self, is_it: impl Fn(&Connection) -> bool) -> Option<u32> {
        if !self.known.get(self.current as usize).is_some_and(&is_it) {
            self.current = self.known.iter().position(is_it)? as u32;
        }
        Some(self.current)
    }

    fn add(&mut self, key: Key, address: Vec<u8>) -> Result<u32, RecordingError> {
        if self.known.len() == CONNECTIONS_MAX {
            return Err(RecordingError::TooManyConnections { max: CONNECTIONS_MAX });
        }
        self.current = self.known.len() as u32;
        self.known.push(Connection { key, address });
        Ok(self.current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_numbered_in_the_order_of_first_sight() {
        let mut connections = Connections::default();
        assert_eq!((connections.current(), connections.address(0)), (0, &b""[..]));
        for (name, line) in [(&b"a"[..], 0), (b"b", 1), (b"a", 0), (b"a", 0), (b"c", 2), (b"b", 1)] {
            assert_eq!(connections.named(name), Ok(line));
            assert_eq!(connections.current(), line);
        }
        connections.set_address(1, b"wss://x").unwrap();
        connections.set_address(1, b"wss://y").unwrap();
        assert_eq!((connections.address(1), connections.address(2)), (&b"wss://y"[..], &b""[..]));
        let group: SocketAddr = "224.0.31.64:14340".parse().unwrap();
        assert_eq!((connections.destined(group), connections.destined(group)), (Ok(3), Ok(3)));
        assert_eq!(connections.address(3), b"224.0.31.64:14340");
    }

    #[test]
    fn a_recorder_may_number_them_itself() {
        let mut connections = Connections::default();
        for line in [2, 0, 2, CONNECTIONS_MAX as u32 - 1] {
            assert_eq!(connections.numbered(line), Ok(()));
            assert_eq!(connections.current(), line);
        }
        let full = Err(RecordingError::TooManyConnections { max: CONNECTIONS_MAX });
        assert_eq!(connections.numbered(CONNECTIONS_MAX as u32), full);
    }

    #[test]
    fn the_table_has_an_end() {
        let mut connections = Connections::default();
        for nth in 0..CONNECTIONS_MAX as u32 {
            assert_eq!(connections.named(&nth.to_le_bytes()), Ok(nth));
        }
        assert_eq!(
            connections.named(b"more"),
            Err(RecordingError::TooManyConnections { max: CONNECTIONS_MAX })
        );
        assert_eq!(connections.named(&7u32.to_le_bytes()), Ok(7), "those within are still known");
        let long = vec![b'x'; ADDRESS_BYTES_MAX + 1];
        let too_long = RecordingError::AddressTooLong { max: ADDRESS_BYTES_MAX, len: long.len() };
        assert_eq!(connections.set_address(0, &long), Err(too_long));
        assert_eq!(Connections::default().named(&long), Err(too_long));
    }
}
