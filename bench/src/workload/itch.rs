//! Synthetic NASDAQ days as BinaryFILE bytes.

use depthwire_core::book::BookSpec;
use depthwire_core::book::l3::{BookIndex, IdOrder, L3Spec, NaiveL3};
use depthwire_core::framing::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::itch;
use depthwire_sim::itch::{ItchConfig, ItchDay};

use super::Size;
use super::orders::OrderStream;
use crate::l3_answer::{OrderBooks, answer_of, replay_itch};

/// Messages of a day after its opening, which fills the books.
#[derive(Debug)]
pub struct ItchStream {
    /// Symbols of the market.
    pub symbols: usize,
    /// Length, message, length, message.
    pub bytes: Vec<u8>,
    /// Where the opening ends in it.
    pub lead_bytes: usize,
    /// Messages after the opening.
    pub messages: u64,
    /// What the feed's books have to know.
    pub spec: L3Spec,
    /// What each book has to know; the number of a book is its locate code.
    pub books: Vec<BookSpec>,
    /// The oracle's answer of the messages after the opening.
    pub answer: String,
}

/// A size of market.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    /// Symbols.
    pub symbols: usize,
    /// Whether the changes are wanted decoded, too.
    pub decoded: bool,
}

/// Most levels of a book, and the tick of nearly all of them: a cent, in ten-thousandths of a dollar.
const BOOK: BookSpec = BookSpec { tick_size: 100, levels_max: 1 << 20 };

impl Market {
    /// A day of it, and its changes decoded where they are wanted.
    pub(super) fn load(self, size: Size) -> Result<(ItchStream, Option<OrderStream>), String> {
        let whole = ItchConfig::new(7, self.symbols);
        let (orders, messages) = match size {
            Size::Gate => (whole.orders.min(5_000), 20_000),
            Size::Tiny => (whole.orders.min(20_000), 20_000),
            Size::Quick => (whole.orders.min(80_000), 100_000),
            Size::Full => (whole.orders, 2_000_000),
        };
        let mut day = ItchDay::new(ItchConfig { orders, ..whole }).map_err(|error| error.to_string())?;
        let mut bytes = Vec::with_capacity((orders * 2 + messages) * 36);
        while !day.is_open() {
            day.next(&mut bytes);
        }
        let lead_bytes = bytes.len();
        for _ in 0..messages {
            day.next(&mut bytes);
        }
        // Twice what rests: the day keeps its number of orders, and a few more come before others leave.
        let orders_max = (orders * 2).max(1 << 16) as u32;
        let books_max = self.symbols as u32 + 1;
        let spec = L3Spec { orders_max, books_max, ids: IdOrder::Ascending, hash_seed: 0 };
        let books = vec![BOOK; books_max as usize];
        let messages = messages as u64;
        let mut stream = ItchStream {
            symbols: self.symbols,
            bytes,
            lead_bytes,
            messages,
            spec,
            books,
            answer: String::new(),
        };
        let mut oracle = NaiveL3::open_all(&stream.spec, &stream.books)?;
        replay_itch(&mut oracle, stream.lead());
        let (tops, _) = replay_itch(&mut oracle, stream.measured());
        stream.answer = stream.answer_of(&oracle, tops);
        let decoded = self.decoded.then(|| stream.decoded()).transpose()?;
        Ok((stream, decoded))
    }
}

impl ItchStream {
    /// The opening.
    #[must_use]
    pub fn lead(&self) -> &[u8] {
        self.bytes.get(..self.lead_bytes).unwrap_or_default()
    }

    /// What is measured.
    #[must_use]
    pub fn measured(&self) -> &[u8] {
        self.bytes.get(self.lead_bytes..).unwrap_or_default()
    }

    /// The text by which finished passes are compared.
    pub fn answer_of<B: OrderBooks>(&self, books: &B, tops: u64) -> String {
        answer_of(books, tops, self.books.len())
    }

    fn decoded(&self) -> Result<OrderStream, String> {
        let lead = changes(self.lead());
        let lead_len = lead.len();
        let all = lead.into_iter().chain(changes(self.measured())).collect();
        OrderStream::new(self.spec, self.books.clone(), lead_len, all)
    }
}

fn changes(bytes: &[u8]) -> Vec<(BookIndex, depthwire_core::types::OrderChange)> {
    let mut framer = BinaryFileFramer::new(LengthPrefix::Stated);
    let decoded =
        framer.messages(bytes).filter_map(|message| itch::decode(message.ok()?).ok()?.order_change());
    decoded.map(|(locate, change)| (BookIndex(locate.into()), change)).collect()
}
