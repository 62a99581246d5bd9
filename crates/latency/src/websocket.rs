//! The client's side of a WebSocket (RFC 6455), as much of it as a subscriber needs that measures: it looks at no more than it must, so
//! that a thousand of them cost little beside a server.

use std::io::{ErrorKind, Read, Write};

use crate::fault::Fault;

/// Bytes that wait to be parsed, at most: the longest message that is taken.
const BUFFER_BYTES_MAX: usize = 64 << 20;
const BUFFER_BYTES: usize = 16 << 10;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Bytes.
    Binary(&'a [u8]),
    /// Text.
    Text(&'a [u8]),
    /// Goodbye, with its code; 1005 where there is none.
    Close(u16),
}

/// A connection over any stream that does not block, of which a read that leaves room has taken all that had come.
#[derive(Debug)]
pub struct WebSocket<S> {
    stream: S,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold something.
    filled: usize,
    is_open: bool,
}

impl<S: Read + Write> WebSocket<S> {
    /// Over a connection, of which nothing is known yet.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: vec![0; BUFFER_BYTES], filled: 0, is_open: false }
    }

    /// What it runs over.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Whether the server has agreed.
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Asks for the WebSocket. `more`: further lines of the request, each with its line end.
    ///
    /// # Errors
    /// The connection takes nothing.
    pub fn shake_hands(
        &mut self,
        host: &str,
        path: &str,
        protocol: Option<&str>,
        more: &str,
    ) -> Result<(), Fault> {
        let offered = protocol.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n")).unwrap_or_default();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n{offered}{more}\r\n"
        );
        self.write(request.as_bytes())
    }

    /// Sends a text message of up to 64 KiB.
    ///
    /// # Errors
    /// The connection does not take it at once.
    pub fn send_text(&mut self, text: &str) -> Result<(), Fault> {
        self.send(TEXT, text.as_bytes())
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// The connection does not take it at once.
    pub fn send_close(&mut self, code: u16) -> Result<(), Fault> {
        self.send(CLOSE, &code.to_be_bytes())
    }

    fn send(&mut self, opcode: u8, payload: &[u8]) -> Result<(), Fault> {
        let mut message = vec![0x80 | opcode];
        match payload.len() {
            size @ 0..=125 => message.push(0x80 | size as u8),
            size => {
                message.push(0x80 | 126);
                let size = u16::try_from(size).map_err(|_| Fault::server("a message", "64 KiB", size))?;
                message.extend_from_slice(&size.to_be_bytes());
            }
        }
        // A mask of zeros: what is sent to a server on this machine need not be disguised.
        message.extend_from_slice(&[0; 4]);
        message.extend_from_slice(payload);
        self.write(&message)
    }

    /// Messages of subscribers are short: a socket that does not take one at once is in trouble.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match self.stream.write(bytes) {
            Ok(written) if written == bytes.len() => Ok(()),
            Ok(written) => {
                Err(Fault::server("a subscriber's message was cut", "that the socket takes it", written))
            }
            Err(error) => Err(Fault::server("a subscriber cannot write", "a socket that is open", error)),
        }
    }

    /// Takes what has come and hands out each message.
    ///
    /// # Errors
    /// `bench.server`: the server refuses, closes without a goodbye, or sends what is no message.
    pub fn take(&mut self, mut on: impl FnMut(Message<'_>)) -> Result<(), Fault> {
        loop {
            if self.filled == self.buffer.len() {
                if self.filled >= BUFFER_BYTES_MAX {
                    return Err(Fault::server("a message is too long", "64 MiB at most", self.filled));
                }
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            let room = self.buffer.len() - self.filled;
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    return Err(Fault::server(
                        "the server closed a subscriber's connection",
                        "that it stays",
                        "its end",
                    ));
                }
                Ok(bytes) => {
                    self.filled += bytes;
                    self.parse(&mut on)?;
                    // A read that did not fill its room has emptied the socket.
                    if bytes < room {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(Fault::server("a subscriber cannot read", "a socket that is open", error));
                }
            }
        }
    }

    fn parse(&mut self, on: &mut impl FnMut(Message<'_>)) -> Result<(), Fault> {
        let mut at = 0;
        if !self.is_open {
            let head = &self.buffer[..self.filled];
            let Some(end) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(()) };
            if !head.starts_with(b"HTTP/1.1 101") {
                let said = String::from_utf8_lossy(&head[..head.len().min(400)]).replace(['\r', '\n'], " ");
                return Err(Fault::server("the server refuses a subscriber", "HTTP/1.1 101", said));
            }
            self.is_open = true;
            at = end + 4;
        }
        while let Some((opcode, start, end)) = message(&self.buffer[at..self.filled]) {
            let (start, end) = (at + start, at + end);
            at = end;
            match opcode {
                BINARY => on(Message::Binary(&self.buffer[start..end])),
                TEXT => on(Message::Text(&self.buffer[start..end])),
                CLOSE => {
                    let code =
                        self.buffer[start..end].first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                    on(Message::Close(code));
                }
                PING => {
                    let payload = self.buffer[start..end].to_vec();
                    self.send(PONG, &payload)?;
                }
                PONG => {}
                other => return Err(Fault::server("no message", "text, bytes, ping, pong or close", other)),
            }
        }
        self.buffer.copy_within(at..self.filled, 0);
        self.filled -= at;
        Ok(())
    }
}

/// Opcode, and where the payload lies, of the first message if it is whole. Servers send no masks.
fn message(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (opcode, short) = (bytes.first()? & 15, bytes.get(1)? & 127);
    let (start, size) = match short {
        126 => (4_usize, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
        127 => (10, u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?) as usize),
        size => (2, usize::from(size)),
    };
    let end = start.checked_add(size)?;
    (bytes.len() >= end).then_some((opcode, start, end))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io::Result;

    use super::*;

    /// Hands out bytes in parts.
    struct Parts(VecDeque<Vec<u8>>, Vec<u8>);

    impl Read for Parts {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            let Some(part) = self.0.pop_front() else { return Err(ErrorKind::WouldBlock.into()) };
            buffer[..part.len()].copy_from_slice(&part);
            Ok(part.len())
        }
    }

    impl Write for Parts {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            self.1.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    fn heard(bytes: &[u8], part: usize) -> (Vec<String>, std::result::Result<(), Fault>, Vec<u8>) {
        let parts = bytes.chunks(part).map(<[u8]>::to_vec).collect();
        let mut socket = WebSocket::new(Parts(parts, Vec::new()));
        let (mut heard, mut ended) = (Vec::new(), Ok(()));
        while !socket.stream.0.is_empty() && ended.is_ok() {
            ended = socket.take(|message| heard.push(format!("{message:?}")));
        }
        (heard, ended, socket.stream.1)
    }

    #[test]
    fn messages_are_the_same_however_they_are_cut() {
        let mut bytes = b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n".to_vec();
        bytes.extend_from_slice(&[0x81, 2, b'h', b'i', 0x82, 1, 7, 0x89, 1, 9, 0x82, 126, 1, 0]);
        bytes.extend_from_slice(&[5; 256]);
        bytes.extend_from_slice(&[0x88, 2, 0x03, 0xe8]);
        let (whole, ended, pong) = heard(&bytes, bytes.len());
        assert_eq!(ended, Ok(()));
        assert_eq!(
            (whole.len(), whole[0].as_str(), whole[3].as_str()),
            (4, "Text([104, 105])", "Close(1000)")
        );
        assert_eq!(pong, [0x8a, 0x81, 0, 0, 0, 0, 9]);
        for part in 1..40 {
            assert_eq!(heard(&bytes, part).0, whole, "parts of {part}");
        }
    }

    #[test]
    fn a_refusal_is_told() {
        let ended = heard(b"HTTP/1.1 503 Busy\r\n\r\n", 100).1;
        assert!(ended.unwrap_err().got.contains("503 Busy"));
    }

    #[test]
    fn what_is_no_message_ends_it() {
        let ended = heard(b"HTTP/1.1 101 S\r\n\r\n\x83\x00", 100).1;
        assert_eq!(ended.unwrap_err().code, "bench.server");
    }
}
