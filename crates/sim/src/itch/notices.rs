//! Messages that touch no book: the directory before trading, hidden trades, imbalances, and the rare types.

use super::wire::Stock;
use super::{ItchDay, Phase, SYSTEM_START_NS};

/// Participants that are named.
const PARTICIPANTS: [&[u8; 4]; 4] = [b"NITE", b"CDRG", b"GSCO", b"VIRT"];

impl ItchDay {
    /// Start of messages, directory and state of each symbol, start of the system.
    pub(super) fn list(&mut self, at: usize, out: &mut Vec<u8>) {
        let len = self.symbols.len();
        self.time_ns += 1_000;
        match at.checked_sub(1) {
            None => self.message(b'S', None).text(b"O").end(out),
            Some(at) if at < len => {
                let stock = self.symbols[at].stock;
                // Category, financial status, round lot, lots only, class, subtype, authenticity, short-sale
                // threshold, IPO, LULD tier, ETP, leverage, inverse.
                self.message(b'R', Some(at))
                    .text(&stock)
                    .text(b"Q ")
                    .u32(100)
                    .text(b"NCZ PN 2N")
                    .u32(0)
                    .text(b"N")
                    .end(out);
            }
            Some(at) if at < 2 * len => {
                let stock = self.symbols[at - len].stock;
                self.message(b'H', Some(at - len)).text(&stock).text(b"T     ").end(out);
            }
            Some(_) => {
                self.time_ns = SYSTEM_START_NS;
                self.message(b'S', None).text(b"S").end(out);
                self.phase = Phase::Opening;
                return;
            }
        }
        self.phase = Phase::Listing(at + 1);
    }

    /// A symbol, its name and a price of the wire near its fair one.
    fn about(&mut self) -> (usize, Stock, u32) {
        let at = self.activity.draw(&mut self.rng);
        let symbol = &self.symbols[at];
        (at, symbol.stock, (symbol.fair / 256) as u32 * symbol.tick)
    }

    pub(super) fn participant(&mut self) -> &'static [u8; 4] {
        PARTICIPANTS[self.rng.below(PARTICIPANTS.len() as u64) as usize]
    }

    /// Two orders traded of which none was displayed.
    pub(super) fn hidden_trade(&mut self, out: &mut Vec<u8>) {
        let (at, stock, price) = self.about();
        let (shares, match_number) = (self.shares(), self.next_match());
        // The venue tells neither the reference nor the side any more: 0 and B.
        self.message(b'P', Some(at))
            .u64(0)
            .text(b"B")
            .u32(shares)
            .text(&stock)
            .u32(price)
            .u64(match_number)
            .end(out);
    }

    pub(super) fn imbalance(&mut self, out: &mut Vec<u8>) {
        let (at, stock, price) = self.about();
        let (paired, imbalance) = (u64::from(self.shares()) * 10, u64::from(self.shares()));
        // Far, near and reference price; the closing cross; within 1 percent.
        self.message(b'I', Some(at))
            .u64(paired)
            .u64(imbalance)
            .text(if imbalance.is_multiple_of(200) { b"B" } else { b"S" })
            .text(&stock)
            .u32(price)
            .u32(price)
            .u32(price)
            .text(b"CL")
            .end(out);
    }

    /// The rare types, each in its turn.
    pub(super) fn other(&mut self, out: &mut Vec<u8>) {
        let (at, stock, price) = self.about();
        let about = |day: &Self, kind| day.message(kind, Some(at)).text(&stock);
        let message = match self.other {
            0 => {
                let (shares, match_number) = (u64::from(self.shares()), self.next_match());
                self.message(b'Q', Some(at)).u64(shares).text(&stock).u32(price).u64(match_number).text(b"C")
            }
            1 => self.message(b'B', Some(at)).u64(self.match_number),
            2 => about(self, b'Y').text(b"1"),
            3 => {
                let participant = self.participant();
                self.message(b'L', Some(at)).text(participant).text(&stock).text(b"YNA")
            }
            4 => self.message(b'V', None).u64(300_000_000_000).u64(280_000_000_000).u64(260_000_000_000),
            5 => self.message(b'W', None).text(b"1"),
            6 => about(self, b'K').u32(34_200).text(b"A").u32(price),
            7 => about(self, b'J').u32(price).u32(price / 100 * 105).u32(price / 100 * 95).u32(1),
            8 => about(self, b'h').text(b"QT"),
            9 => about(self, b'H').text(b"T     "),
            10 => about(self, b'N').text(b"A"),
            _ => about(self, b'O')
                .text(b"Y")
                .u32(price / 100 * 90)
                .u32(price / 100 * 110)
                .u32(price)
                .u64(self.time_ns)
                .u32(price / 100 * 95)
                .u32(price / 100 * 105),
        };
        message.end(out);
        self.other = (self.other + 1) % 12;
    }
}
