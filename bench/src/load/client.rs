//! A subscriber that looks at headers only, so that a thousand of them cost little beside a server.

use std::io::{ErrorKind, Read, Write};

use mio::net::TcpStream;

use super::line::Line;
use super::plan::{Access, Plan};

/// Offsets in a frame of the feed.
const KIND: usize = 100;
const STREAM: usize = 101;
const HEADER_END: usize = 104;
const CHUNK_INDEX: usize = 120;
const CHUNK_COUNT: usize = 124;
const BOOK: u8 = 1;
const IMAGE: u8 = 1;
const DELTA: u8 = 2;

const OPCODE_TEXT: u8 = 1;
const OPCODE_BINARY: u8 = 2;
const OPCODE_CLOSE: u8 = 8;
const OPCODE_PING: u8 = 9;
/// Messages that a flooder writes at once, and how often it does so before others have their turn.
const BURST: usize = 64;

/// What a subscriber has got.
#[derive(Clone, Copy, Default)]
pub struct Taken {
    /// Frames of the book's stream: image or delta.
    pub books: u64,
    /// Images, at their last chunk.
    pub images: u64,
    pub frames: u64,
    pub messages: u64,
    pub bytes: u64,
}

pub struct Client {
    line: Line,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold something.
    filled: usize,
    is_open: bool,
    pub taken: Taken,
    /// Acknowledged subscriptions.
    pub acknowledged: usize,
    /// Greetings of the server.
    pub greetings: usize,
    /// The code of the server's closing.
    closed_with: Option<u16>,
    /// Whether it floods, and so is told of it before it is ended.
    is_flooder: bool,
    /// Bytes of the burst under way that are written.
    flooded: usize,
}

impl Client {
    /// Begins a connection.
    pub fn connect(plan: &Plan, access: &Access) -> Result<Self, String> {
        let stream = TcpStream::connect(plan.feed).map_err(|error| error.to_string())?;
        Ok(Self::new(Line::new(stream, access.tls.as_ref())?))
    }

    pub fn new(line: Line) -> Self {
        Self {
            line,
            buffer: vec![0; 16 << 10],
            filled: 0,
            is_open: false,
            taken: Taken::default(),
            acknowledged: 0,
            greetings: 0,
            closed_with: None,
            is_flooder: false,
            flooded: 0,
        }
    }

    pub fn stream(&mut self) -> &mut TcpStream {
        self.line.stream()
    }

    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// The code of the server's closing, where it has said one.
    pub const fn closed_with(&self) -> Option<u16> {
        self.closed_with
    }

    /// Asks for the WebSocket, with the token of that number.
    pub fn shake_hands(&mut self, plan: &Plan, access: &Access, number: usize) -> Result<(), String> {
        let Plan { feed: host, path, protocol, .. } = plan;
        let authorization = access.authorization(number);
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: {protocol}\r\n{authorization}\r\n"
        );
        self.write(request.as_bytes())
    }

    /// Sends a text message, masked with zeros.
    pub fn send_text(&mut self, text: &str) -> Result<(), String> {
        self.send(OPCODE_TEXT, text.as_bytes())
    }

    /// Says goodbye.
    pub fn send_close(&mut self, code: u16) -> Result<(), String> {
        self.send(OPCODE_CLOSE, &code.to_be_bytes())
    }

    fn send(&mut self, opcode: u8, payload: &[u8]) -> Result<(), String> {
        let mut message = vec![0x80 | opcode];
        match payload.len() {
            size @ 0..=125 => message.push(0x80 | size as u8),
            size => {
                message.push(0x80 | 126);
                message
                    .extend_from_slice(&u16::try_from(size).map_err(|_| "too long a message")?.to_be_bytes());
            }
        }
        message.extend_from_slice(&[0; 4]);
        message.extend_from_slice(payload);
        self.write(&message)
    }

    /// Messages of subscribers are short: a socket that does not take one at once is in trouble.
    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        match self.line.write(bytes) {
            Ok(written) if written == bytes.len() => Ok(()),
            Ok(_) => Err("a subscriber's message was cut".to_owned()),
            Err(error) => Err(format!("a subscriber cannot write: {error}")),
        }
    }

    /// Sends a message again and again until the connection takes no more. The close code when the server has ended it, 1006
    /// without one.
    pub fn flood(&mut self, text: &str) -> Option<u16> {
        let mut message = vec![0x80 | OPCODE_TEXT, 0x80 | text.len() as u8, 0, 0, 0, 0];
        message.extend_from_slice(text.as_bytes());
        let burst = message.repeat(BURST);
        self.is_flooder = true;
        for _ in 0..BURST {
            match self.line.write(&burst[self.flooded..]) {
                // What was cut goes on where it was.
                Ok(written) => self.flooded = (self.flooded + written) % burst.len(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // What the server said before it ended the connection may still be there.
                Err(_) => {
                    let _ = self.take(|_| {});
                    return Some(self.closed_with.unwrap_or(1006));
                }
            }
        }
        self.take(|_| {}).is_err().then(|| self.closed_with.unwrap_or(1006))
    }

    /// Takes what has come; calls `on_book` with the number of each frame of the book's stream, from 0.
    pub fn take(&mut self, mut on_book: impl FnMut(u64)) -> Result<(), String> {
        loop {
            if self.filled == self.buffer.len() {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            let room = self.buffer.len() - self.filled;
            match self.line.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Err("the server closed a subscriber's connection".to_owned()),
                Ok(bytes) => {
                    self.filled += bytes;
                    self.parse(&mut on_book)?;
                    // A read that did not fill its room has emptied the socket.
                    if bytes < room && self.line.is_plain() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("a subscriber cannot read: {error}")),
            }
        }
    }

    fn parse(&mut self, on_book: &mut impl FnMut(u64)) -> Result<(), String> {
        let mut at = 0;
        if !self.is_open {
            let Some(end) = find(&self.buffer[..self.filled], b"\r\n\r\n") else { return Ok(()) };
            if !self.buffer.starts_with(b"HTTP/1.1 101") {
                return Err(String::from_utf8_lossy(&self.buffer[..self.filled.min(400)]).into_owned());
            }
            self.is_open = true;
            at = end + 4;
        }
        while let Some((opcode, start, end)) = message(&self.buffer[at..self.filled]) {
            let (start, end) = (at + start, at + end);
            at = end;
            match opcode {
                OPCODE_BINARY => self.frames(start, end, on_book)?,
                OPCODE_TEXT => self.text(start, end)?,
                OPCODE_CLOSE => {
                    let code = self.buffer[start..end]
                        .first_chunk::<2>()
                        .map_or(1005, |code| u16::from_be_bytes(*code));
                    self.closed_with = Some(code);
                    return Err(format!("the server said goodbye: {code}"));
                }
                OPCODE_PING => {
                    let payload = self.buffer[start..end].to_vec();
                    self.send(10, &payload)?;
                }
                _ => {}
            }
        }
        self.buffer.copy_within(at..self.filled, 0);
        self.filled -= at;
        Ok(())
    }

    fn frames(&mut self, start: usize, end: usize, on_book: &mut impl FnMut(u64)) -> Result<(), String> {
        self.taken.messages += 1;
        self.taken.bytes += (end - start) as u64;
        let mut rest = &self.buffer[start..end];
        while let Some(size) = rest.first_chunk::<4>() {
            let size = u32::from_le_bytes(*size) as usize + 4;
            if size < HEADER_END || rest.len() < size {
                return Err("a frame is cut".to_owned());
            }
            self.taken.frames += 1;
            self.taken.images += u64::from(rest[KIND] == IMAGE && is_last_chunk(rest));
            if rest[STREAM] == BOOK && matches!(rest[KIND], IMAGE | DELTA) {
                on_book(self.taken.books);
                self.taken.books += 1;
            }
            rest = &rest[size..];
        }
        Ok(())
    }

    fn text(&mut self, start: usize, end: usize) -> Result<(), String> {
        let text = &self.buffer[start..end];
        if find(text, b"\"op\":\"subscribed\"").is_some() {
            self.acknowledged += 1;
        }
        if find(text, b"\"op\":\"hello\"").is_some() {
            self.greetings += 1;
        }
        if !self.is_flooder && find(text, b"\"op\":\"error\"").is_some() {
            return Err(String::from_utf8_lossy(text).into_owned());
        }
        Ok(())
    }
}

/// Opcode, and where the payload lies, of the first message if it is whole. Servers send no masks.
fn message(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (opcode, short) = (bytes.first()? & 15, bytes.get(1)? & 127);
    let (start, size) = match short {
        126 => (4, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk::<2>()?))),
        127 => (10, u64::from_be_bytes(*bytes.get(2..)?.first_chunk::<8>()?) as usize),
        size => (2, usize::from(size)),
    };
    (bytes.len() >= start + size).then_some((opcode, start, start + size))
}

fn is_last_chunk(frame: &[u8]) -> bool {
    let word = |at: usize| frame.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes));
    word(CHUNK_INDEX).zip(word(CHUNK_COUNT)).is_some_and(|(index, count)| index + 1 == count)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
