//! The venue's side: records on one connection, as their time comes.

use std::io::{ErrorKind, Write};

use mio::net::TcpStream;

/// Bytes that may wait because the server does not take them; a server this far behind has missed the rate.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// The connection and what is still to be written.
pub struct Input {
    stream: TcpStream,
    records: Vec<Vec<u8>>,
    next: usize,
    waiting: Vec<u8>,
    written: usize,
}

impl Input {
    /// Reads the file of records. `stream` is connected or about to be.
    pub fn new(stream: TcpStream, file: &str) -> Result<Self, String> {
        let bytes = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
        let mut records = Vec::new();
        let mut rest = bytes.as_slice();
        while let Some((size, after)) = rest.split_first_chunk::<4>() {
            let size = u32::from_le_bytes(*size) as usize;
            if after.len() < size {
                return Err(format!("{file}: the last record is cut"));
            }
            records.push(rest[..4 + size].to_vec());
            rest = &after[size..];
        }
        if records.is_empty() {
            return Err(format!("{file}: no records"));
        }
        Ok(Self { stream, records, next: 0, waiting: Vec::new(), written: 0 })
    }

    /// Adds the next record to what is to be written.
    pub fn push(&mut self) -> Result<(), String> {
        if self.waiting.len() - self.written > WAITING_BYTES_MAX {
            return Err("the server does not take its input".to_owned());
        }
        self.waiting.extend_from_slice(&self.records[self.next]);
        self.next = (self.next + 1) % self.records.len();
        Ok(())
    }

    /// Writes as much as the connection takes.
    pub fn flush(&mut self) -> Result<(), String> {
        while self.written < self.waiting.len() {
            match self.stream.write(&self.waiting[self.written..]) {
                Ok(0) => return Err("the server closed its input".to_owned()),
                Ok(bytes) => self.written += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("input: {error}")),
            }
        }
        self.waiting.clear();
        self.written = 0;
        Ok(())
    }
}
