//! A plain subscriber of Kraken's `book`, versions 1 and 2.

use std::collections::BTreeMap;

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth};

use super::json::{Json, checked_digits, crc32, mantissa};

/// By a key that rises away from the best: the texts of price and quantity, and the quantity.
type Texts = BTreeMap<i64, (String, String, i64)>;

pub struct Client {
    code: String,
    exponents: (i8, i8),
    depth: usize,
    is_v2: bool,
    /// Bids and asks.
    sides: [Texts; 2],
    is_whole: bool,
    trade_id: u64,
    /// Decimals of prices and quantities that the `instrument` channel told.
    places: Option<(usize, usize)>,
    twice_in_a_message: u64,
    /// The same, never cut, and how often its checksum is right too.
    uncut: [Texts; 2],
    uncut_matches: u64,
    republished: u64,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8), depth: usize, is_v2: bool) -> Self {
        Self {
            code: code.to_owned(),
            exponents,
            depth,
            is_v2,
            sides: [Texts::new(), Texts::new()],
            is_whole: false,
            trade_id: 0,
            places: None,
            twice_in_a_message: 0,
            uncut: [Texts::new(), Texts::new()],
            uncut_matches: 0,
            republished: 0,
            counts: Counts::default(),
        }
    }

    fn set(&mut self, side: usize, price: &str, qty: &str) {
        let mantissa_of_price = mantissa(price, self.exponents.0);
        let key = if side == 0 { -mantissa_of_price } else { mantissa_of_price };
        let mantissa_of_qty = mantissa(qty, self.exponents.1);
        if mantissa_of_qty == 0 {
            assert!(self.sides[side].remove(&key).is_some(), "removes {price}, which does not stand");
            self.uncut[side].remove(&key);
        } else {
            self.uncut[side].insert(key, (price.to_owned(), qty.to_owned(), mantissa_of_qty));
            self.sides[side].insert(key, (price.to_owned(), qty.to_owned(), mantissa_of_qty));
        }
        self.counts.levels += 1;
    }

    fn cut(&mut self) {
        for side in &mut self.sides {
            while side.len() > self.depth {
                side.pop_last();
            }
        }
    }

    fn checksum([bids, asks]: &[Texts; 2]) -> u32 {
        let mut text = String::new();
        for side in [asks, bids] {
            for (price, qty, _) in side.values().take(10) {
                text += &checked_digits(price);
                text += &checked_digits(qty);
            }
        }
        crc32(text.as_bytes())
    }

    fn v2(&mut self, message: &Json<'_>) {
        if message.find("method").is_some() {
            assert!(message.get("success").is_true());
            self.counts.control += 1;
            return;
        }
        match message.get("channel").text() {
            "status" => self.counts.control += 1,
            "heartbeat" => self.counts.heartbeats += 1,
            "instrument" => {
                let pairs = message.get("data").get("pairs").list();
                let pair = pairs.iter().find(|pair| pair.get("symbol").text() == self.code).unwrap();
                assert_eq!(pair.get("status").text(), "online");
                let precision = |key| pair.get(key).integer() as usize;
                self.places = Some((precision("price_precision"), precision("qty_precision")));
                assert_eq!(mantissa(pair.get("price_increment").number(), self.exponents.0), 1);
                self.counts.definitions += 1;
            }
            "book" => self.v2_book(message.get("type").text() == "snapshot", &message.get("data").list()[0]),
            "trade" => {
                for trade in message.get("data").list() {
                    let id = trade.get("trade_id").integer();
                    assert!(
                        self.trade_id == 0 || id > self.trade_id || message.get("type").text() == "snapshot"
                    );
                    self.trade_id = id;
                    assert!(mantissa(trade.get("qty").number(), self.exponents.1) > 0);
                    self.counts.trades += 1;
                }
            }
            "ticker" => self.counts.tickers += 1,
            channel => panic!("unknown channel {channel}"),
        }
    }

    fn v2_book(&mut self, is_snapshot: bool, data: &Json<'_>) {
        assert_eq!(data.keys(), ["symbol", "bids", "asks", "checksum", "timestamp"]);
        assert_eq!(data.get("symbol").text(), self.code);
        if is_snapshot {
            self.sides.iter_mut().chain(&mut self.uncut).for_each(BTreeMap::clear);
            self.is_whole = true;
            self.counts.snapshots += 1;
        } else {
            assert!(self.is_whole, "a snapshot comes first");
            self.counts.updates += 1;
        }
        let places = self.places.unwrap();
        for (side, key) in ["bids", "asks"].into_iter().enumerate() {
            let mut prices = Vec::new();
            for level in data.get(key).list() {
                let (price, qty) = (level.get("price").number(), level.get("qty").number());
                for (text, places) in [(price, places.0), (qty, places.1)] {
                    assert_eq!(text.split_once('.').unwrap().1.len(), places, "{text}");
                }
                self.set(side, price, qty);
                self.twice_in_a_message += u64::from(prices.contains(&price));
                prices.push(price);
            }
        }
        self.cut();
        let checksum = data.get("checksum").integer();
        assert_eq!(u64::from(Self::checksum(&self.sides)), checksum);
        self.uncut_matches += u64::from(u64::from(Self::checksum(&self.uncut)) == checksum);
        self.counts.checksums += 1;
    }

    fn v1(&mut self, message: &Json<'_>) {
        let Json::List(parts) = message else {
            match message.get("event").text() {
                "heartbeat" => self.counts.heartbeats += 1,
                "systemStatus" | "subscriptionStatus" => self.counts.control += 1,
                event => panic!("unknown event {event}"),
            }
            return;
        };
        assert_eq!(parts[parts.len() - 1].text(), self.code);
        if parts[parts.len() - 2].text() == "trade" {
            self.counts.trades += parts[1].list().len() as u64;
            return;
        }
        assert_eq!(parts[parts.len() - 2].text(), format!("book-{}", self.depth));
        let is_snapshot = parts[1].find("as").is_some();
        if is_snapshot {
            assert_eq!(parts[1].keys(), ["as", "bs"]);
            self.sides.iter_mut().chain(&mut self.uncut).for_each(BTreeMap::clear);
            self.is_whole = true;
            self.counts.snapshots += 1;
        } else {
            self.counts.updates += 1;
        }
        let sides = &parts[1..parts.len() - 2];
        for object in sides {
            for (side, keys) in [["b", "bs"], ["a", "as"]].into_iter().enumerate() {
                for key in keys {
                    for level in object.find(key).map_or(&[][..], Json::list) {
                        self.v1_level(side, level.list());
                    }
                }
            }
        }
        self.cut();
        if !is_snapshot {
            assert_eq!(Self::checksum(&self.sides).to_string(), sides[sides.len() - 1].get("c").text());
            self.counts.checksums += 1;
        }
    }

    fn v1_level(&mut self, side: usize, level: &[Json<'_>]) {
        assert_eq!(level[1].text().split_once('.').unwrap().1.len(), 8);
        assert_eq!(level[2].text().split_once('.').unwrap().1.len(), 6);
        self.set(side, level[0].text(), level[1].text());
        if let Some(mark) = level.get(3) {
            assert_eq!(mark.text(), "r");
            self.republished += 1;
        }
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        let before = self.counts;
        if self.is_v2 {
            self.v2(&message)
        } else {
            self.v1(&message)
        }
        let now = self.counts;
        assert!(match frame.channel {
            Channel::Control => now.control > before.control,
            Channel::Definition => now.definitions > before.definitions,
            Channel::Book => now.snapshots + now.updates > before.snapshots + before.updates,
            Channel::Trade => now.trades > before.trades,
            Channel::Ticker => now.tickers > before.tickers,
            Channel::Heartbeat => now.heartbeats > before.heartbeats,
            Channel::Orders => false,
        });
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert!(orders.is_none());
        for (side, levels, sign) in [(0, &truth.bids, -1), (1, &truth.asks, 1)] {
            let own = self.sides[side].iter().map(|(key, level)| (key * sign, level.2));
            assert!(own.eq(levels.iter().copied()), "side {side}");
        }
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !std::thread::panicking() && self.counts.updates > 1_000 {
            assert_eq!(self.republished > 0, !self.is_v2);
            assert_eq!(self.twice_in_a_message > 0, self.is_v2);
            if self.is_v2 && self.depth == 10 {
                assert!(
                    self.uncut_matches * 4 < self.counts.checksums,
                    "{} without a cut",
                    self.uncut_matches
                );
            }
        }
    }
}
