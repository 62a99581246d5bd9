//! A plain subscriber of OKX: by the chain of numbers where there are any, else by checksums.

use std::collections::BTreeMap;

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth};

use super::json::{Json, crc32, mantissa};

/// A price and a size as printed.
type Texts = (String, String);

pub struct Client {
    code: String,
    exponents: (i8, i8),
    depth: usize,
    /// Bids and asks, by a key that rises away from the best: the texts of price and size, and the size.
    sides: [BTreeMap<i64, (String, String, i64)>; 2],
    is_whole: bool,
    number: u64,
    top: Option<(u64, [Option<Texts>; 2])>,
    compared_tops: u64,
    begun_anew: u64,
    kept_alive: u64,
    trade_id: u64,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8), depth: usize) -> Self {
        Self {
            code: code.to_owned(),
            exponents,
            depth,
            sides: [BTreeMap::new(), BTreeMap::new()],
            is_whole: false,
            number: 0,
            top: None,
            compared_tops: 0,
            begun_anew: 0,
            kept_alive: 0,
            trade_id: 0,
            counts: Counts::default(),
        }
    }

    fn book(&mut self, action: &str, data: &Json<'_>) {
        let keys = data.keys();
        let is_numbered = keys == ["asks", "bids", "ts", "checksum", "seqId", "prevSeqId"];
        assert!(is_numbered || keys == ["asks", "bids", "ts", "checksum"], "{keys:?}");
        let is_snapshot = action == "snapshot";
        if is_snapshot {
            self.sides.iter_mut().for_each(BTreeMap::clear);
            self.is_whole = true;
            self.counts.snapshots += 1;
        } else {
            assert!(self.is_whole && action == "update");
            self.counts.updates += 1;
        }
        let mut named = 0;
        for (side, key) in ["bids", "asks"].into_iter().enumerate() {
            for level in data.get(key).list() {
                named += 1;
                let [price, size, zero, orders] = [0, 1, 2, 3].map(|at| level.list()[at].text());
                assert!(zero == "0" && (orders == "0") == (size == "0"));
                for text in [price, size] {
                    assert!(!text.contains('.') || !text.ends_with('0'), "{text}");
                }
                let price_mantissa = mantissa(price, self.exponents.0);
                let place = if side == 0 { -price_mantissa } else { price_mantissa };
                if size == "0" {
                    assert!(self.sides[side].remove(&place).is_some(), "removes {price}");
                } else {
                    let qty = mantissa(size, self.exponents.1);
                    self.sides[side].insert(place, (price.to_owned(), size.to_owned(), qty));
                }
            }
            assert!(self.sides[side].len() <= self.depth, "what falls behind the depth is removed");
        }
        self.counts.levels += named;
        if is_numbered {
            self.number(data, is_snapshot, named == 0);
        } else {
            let text = data.get("checksum").number();
            assert_eq!(text, crc32(self.text().as_bytes()).cast_signed().to_string());
            self.counts.checksums += 1;
        }
    }

    fn number(&mut self, data: &Json<'_>, is_snapshot: bool, is_empty: bool) {
        assert_eq!(data.get("checksum").number(), "0");
        let (number, before) = (data.get("seqId").integer(), data.get("prevSeqId").number());
        if is_snapshot {
            assert_eq!(before, "-1");
        } else {
            assert_eq!(before, self.number.to_string());
            assert_eq!(number == self.number, is_empty);
            self.begun_anew += u64::from(number < self.number);
            self.kept_alive += u64::from(is_empty);
        }
        self.number = number;
        let Some((at, tops)) = &self.top else { return };
        if *at == number {
            let best =
                |side: usize| self.sides[side].first_key_value().map(|(_, (p, q, _))| (p.clone(), q.clone()));
            assert_eq!(*tops, [best(0), best(1)]);
            self.compared_tops += 1;
        }
    }

    fn text(&self) -> String {
        let mut sides = self.sides.each_ref().map(|side| side.values().take(25));
        let mut rows = Vec::new();
        for _ in 0..25 {
            for side in &mut sides {
                rows.extend(side.next().map(|(price, size, _)| format!("{price}:{size}")));
            }
        }
        rows.join(":")
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        if let Some(event) = message.find("event") {
            assert!(["subscribe", "unsubscribe"].contains(&event.text()));
            self.counts.control += 1;
            return;
        }
        let (arg, data) = (message.get("arg"), &message.get("data").list()[0]);
        match arg.get("channel").text() {
            "instruments" => {
                assert_eq!(data.get("instId").text(), self.code);
                assert_eq!(mantissa(data.get("tickSz").text(), self.exponents.0), 1);
                assert_eq!(mantissa(data.get("lotSz").text(), self.exponents.1), 1);
                self.counts.definitions += 1;
                return;
            }
            "trades" => {
                let id: u64 = data.get("tradeId").text().parse().unwrap();
                assert!(id > self.trade_id);
                self.trade_id = id;
                self.counts.trades += 1;
            }
            "bbo-tbt" => {
                let top = |key| {
                    let level = data.get(key).list().first().map(Json::list);
                    level.map(|level| (level[0].text().to_owned(), level[1].text().to_owned()))
                };
                if let Some(number) = data.find("seqId") {
                    self.top = Some((number.integer(), [top("bids"), top("asks")]));
                }
                self.counts.tickers += 1;
            }
            "tickers" | "mark-price" => self.counts.tickers += 1,
            _ => {
                assert_eq!(frame.channel, Channel::Book);
                self.book(message.get("action").text(), data);
            }
        }
        assert_eq!(arg.get("instId").text(), self.code);
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert!(orders.is_none());
        assert_eq!(self.number, truth.seq);
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
        if !std::thread::panicking() && self.counts.updates > 200 && self.number > 0 {
            println!("{} {} {}", self.compared_tops, self.begun_anew, self.kept_alive);
            assert!(self.compared_tops > 3 && self.begun_anew > 0);
        }
    }
}
