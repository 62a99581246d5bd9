//! A subscriber that looks at headers only, so that a thousand of them cost little beside a server.

use std::io::{ErrorKind, Write};

use depthwire_latency::websocket::{Message, WebSocket};
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

const TEXT: u8 = 1;
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
    socket: WebSocket<Line>,
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
            socket: WebSocket::new(line),
            taken: Taken::default(),
            acknowledged: 0,
            greetings: 0,
            closed_with: None,
            is_flooder: false,
            flooded: 0,
        }
    }

    pub fn stream(&mut self) -> &mut TcpStream {
        self.socket.stream().stream()
    }

    pub const fn is_open(&self) -> bool {
        self.socket.is_open()
    }

    /// The code of the server's closing, where it has said one.
    pub const fn closed_with(&self) -> Option<u16> {
        self.closed_with
    }

    /// Asks for the WebSocket, with the token of that number.
    pub fn shake_hands(&mut self, plan: &Plan, access: &Access, number: usize) -> Result<(), String> {
        let Plan { feed, path, protocol, .. } = plan;
        let authorization = access.authorization(number);
        let asked = self.socket.shake_hands(&feed.to_string(), path, Some(protocol), &authorization);
        asked.map_err(|fault| fault.to_string())
    }

    pub fn send_text(&mut self, text: &str) -> Result<(), String> {
        self.socket.send_text(text).map_err(|fault| fault.to_string())
    }

    /// Says goodbye.
    pub fn send_close(&mut self, code: u16) -> Result<(), String> {
        self.socket.send_close(code).map_err(|fault| fault.to_string())
    }

    /// Sends a message again and again until the connection takes no more. The close code when the server has ended it, 1006
    /// without one.
    pub fn flood(&mut self, text: &str) -> Option<u16> {
        let mut message = vec![0x80 | TEXT, 0x80 | text.len() as u8, 0, 0, 0, 0];
        message.extend_from_slice(text.as_bytes());
        let burst = message.repeat(BURST);
        self.is_flooder = true;
        for _ in 0..BURST {
            match self.socket.stream().write(&burst[self.flooded..]) {
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
        let Self { socket, taken, acknowledged, greetings, closed_with, is_flooder, .. } = self;
        let mut wrong = Ok(());
        let ended = socket.take(|message| {
            let said = match message {
                Message::Binary(bytes) => taken.frames(bytes, &mut on_book),
                Message::Text(text) => {
                    *acknowledged += usize::from(holds(text, b"\"op\":\"subscribed\""));
                    *greetings += usize::from(holds(text, b"\"op\":\"hello\""));
                    let is_error = !*is_flooder && holds(text, b"\"op\":\"error\"");
                    if is_error { Err(String::from_utf8_lossy(text).into_owned()) } else { Ok(()) }
                }
                Message::Close(code) => {
                    *closed_with = Some(code);
                    Err(format!("the server said goodbye: {code}"))
                }
            };
            if wrong.is_ok() {
                wrong = said;
            }
        });
        wrong.and_then(|()| ended.map_err(|fault| fault.to_string()))
    }
}

impl Taken {
    fn frames(&mut self, message: &[u8], on_book: &mut impl FnMut(u64)) -> Result<(), String> {
        self.messages += 1;
        self.bytes += message.len() as u64;
        let mut rest = message;
        while let Some(size) = rest.first_chunk::<4>() {
            let size = u32::from_le_bytes(*size) as usize + 4;
            if size < HEADER_END || rest.len() < size {
                return Err("a frame is cut".to_owned());
            }
            self.frames += 1;
            self.images += u64::from(rest[KIND] == IMAGE && is_last_chunk(rest));
            if rest[STREAM] == BOOK && matches!(rest[KIND], IMAGE | DELTA) {
                on_book(self.books);
                self.books += 1;
            }
            rest = &rest[size..];
        }
        Ok(())
    }
}

fn is_last_chunk(frame: &[u8]) -> bool {
    let word = |at: usize| frame.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes));
    word(CHUNK_INDEX).zip(word(CHUNK_COUNT)).is_some_and(|(index, count)| index + 1 == count)
}

fn holds(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}
