//! What a venue sends, in order, in reused memory, and how much of it.

/// What a frame tells, for tests that damage one kind of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The connection itself: its state, acknowledgements.
    Control,
    /// What an instrument is.
    Definition,
    /// Levels: a snapshot in the stream or an update.
    Book,
    /// Orders: a snapshot in the stream, an update, or a packet of them.
    Orders,
    /// Trades.
    Trade,
    /// The best prices, or a summary of the day.
    Ticker,
    /// Life, and nothing else.
    Heartbeat,
}

/// One message as it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When it arrives, in nanoseconds since the epoch. Never before the frame that came before it.
    pub time_ns: u64,
    /// What it tells.
    pub channel: Channel,
    /// The message: JSON text, or a datagram.
    pub bytes: &'a [u8],
}

/// A list of frames in one reusable buffer. Cleared and filled again, it allocates nothing once warm.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    /// Time, channel, and where the frame ends in `bytes`.
    marks: Vec<(u64, Channel, usize)>,
}

impl Frames {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), marks: Vec::new() }
    }

    /// Empties the list and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.marks.clear();
    }

    /// Number of frames.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Bytes of all frames.
    #[must_use]
    pub const fn bytes_len(&self) -> usize {
        self.bytes.len()
    }

    /// The frames in the order of their arrival.
    pub fn iter(&self) -> impl Iterator<Item = Frame<'_>> {
        let mut from = 0;
        self.marks.iter().map(move |&(time_ns, channel, end)| {
            let bytes = &self.bytes[from..end];
            from = end;
            Frame { time_ns, channel, bytes }
        })
    }

    /// Appends what `write` appends to the buffer as one frame.
    pub fn push(&mut self, time_ns: u64, channel: Channel, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.marks.push((time_ns, channel, self.bytes.len()));
    }
}

/// What was sent so far, snapshots by request included. Frames, where nothing else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Acknowledgements and states of the connection.
    pub control: u64,
    /// Definitions of instruments.
    pub definitions: u64,
    /// Snapshots of the book, in the stream or by request.
    pub snapshots: u64,
    /// Updates of the book.
    pub updates: u64,
    /// Entries of levels in snapshots and updates.
    pub levels: u64,
    /// Events of single orders, each order of a snapshot included.
    pub orders: u64,
    /// Executions, each by itself.
    pub trades: u64,
    /// What stands among the trades and is no execution on the book.
    pub not_executions: u64,
    /// Messages of the best prices.
    pub tickers: u64,
    /// Messages of life alone.
    pub heartbeats: u64,
    /// Checksums of the book.
    pub checksums: u64,
}
