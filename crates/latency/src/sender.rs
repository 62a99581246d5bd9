//! The venue's side: messages on one TCP connection, each behind its size as a little-endian u32, and which of them the system has taken.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write};

use mio::net::TcpStream;

use crate::fault::Fault;

/// Bytes that may wait because the server does not take them; a server this far behind has missed the rate.
pub const WAITING_BYTES_MAX: usize = 64 << 20;

/// The connection and what is still to be written.
#[derive(Debug)]
pub struct Sender {
    stream: TcpStream,
    waiting: Vec<u8>,
    written: usize,
    /// Ends of the messages that wait, in `waiting`.
    ends: VecDeque<usize>,
}

impl Sender {
    /// Over a connection.
    #[must_use]
    pub const fn new(stream: TcpStream) -> Self {
        Self { stream, waiting: Vec::new(), written: 0, ends: VecDeque::new() }
    }

    /// Whether another message may wait.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.waiting.len() - self.written < WAITING_BYTES_MAX
    }

    /// Adds a message to what is to be written.
    pub fn push(&mut self, message: &[u8]) {
        self.waiting.extend_from_slice(&(message.len() as u32).to_le_bytes());
        self.waiting.extend_from_slice(message);
        self.ends.push_back(self.waiting.len());
    }

    /// Writes as much as the connection takes. Returns how many messages the system has taken to their end.
    ///
    /// # Errors
    /// `bench.server`: the connection is gone.
    pub fn flush(&mut self) -> Result<u64, Fault> {
        while self.written < self.waiting.len() {
            match self.stream.write(&self.waiting[self.written..]) {
                Ok(0) => {
                    return Err(Fault::server("the server closed its input", "that it stays", "its end"));
                }
                Ok(bytes) => self.written += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(Fault::server("the server's input is gone", "a socket that is open", error));
                }
            }
        }
        let mut taken = 0;
        while self.ends.front().is_some_and(|&end| end <= self.written) {
            self.ends.pop_front();
            taken += 1;
        }
        if self.written == self.waiting.len() {
            self.waiting.clear();
            self.written = 0;
        } else if self.written > WAITING_BYTES_MAX {
            self.waiting.drain(..self.written);
            for end in &mut self.ends {
                *end -= self.written;
            }
            self.written = 0;
        }
        Ok(taken)
    }
}
