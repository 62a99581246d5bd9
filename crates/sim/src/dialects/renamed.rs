//! Another instrument of the same kind: a dialect whose frames have another code in place of its own.

use super::{Counts, Dialect, Frames, TrueOrders, Truth};

/// A dialect of text under another code. Where the venue writes codes in lower case, the other is in lower case, too.
/// Costs a search of each frame.
pub struct Renamed {
    dialect: Box<dyn Dialect>,
    code: String,
    /// What is replaced, with what.
    names: [(Vec<u8>, Vec<u8>); 2],
    /// Frames under the dialect's own code.
    heard: Frames,
    answer: Vec<u8>,
}

impl Renamed {
    /// The dialect under another code.
    #[must_use]
    pub fn new(dialect: Box<dyn Dialect>, code: &str) -> Self {
        let names = [dialect.code(), &dialect.code().to_lowercase()].map(|name| name.as_bytes().to_vec());
        let [own, lower] = names;
        Self {
            names: [(own, code.as_bytes().to_vec()), (lower, code.to_lowercase().into_bytes())],
            code: code.to_owned(),
            dialect,
            heard: Frames::new(),
            answer: Vec::new(),
        }
    }

    fn hand_on(&mut self, out: &mut Frames) {
        for frame in self.heard.iter() {
            out.push(frame.time_ns, frame.channel, |out| rename(&self.names, frame.bytes, out));
        }
        self.heard.clear();
    }
}

/// Appends `bytes`. A code counts where neither a letter nor a digit stands on either side of it; one that is a number, where
/// it is the whole value of a member or the end of a channel's name: `"market_id":1,`, `trade:1"`.
fn rename(names: &[(Vec<u8>, Vec<u8>); 2], bytes: &[u8], out: &mut Vec<u8>) {
    let stands_alone = |own: &[u8], before: Option<&u8>, behind: Option<&u8>| {
        if own.iter().all(u8::is_ascii_digit) {
            return matches!(before, Some(b':' | b'/')) && matches!(behind, None | Some(b'"' | b',' | b'}'));
        }
        let is_part = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        !is_part(before) && !is_part(behind)
    };
    let mut rest = bytes;
    let mut before = None;
    while let Some(byte) = rest.first() {
        let found = names
            .iter()
            .find(|(own, _)| rest.starts_with(own) && stands_alone(own, before, rest.get(own.len())));
        let (taken, written) =
            found.map_or((1, std::slice::from_ref(byte)), |(own, other)| (own.len(), other));
        out.extend_from_slice(written);
        before = rest.get(taken - 1);
        rest = &rest[taken..];
    }
}

impl Clone for Renamed {
    fn clone(&self) -> Self {
        Self {
            dialect: self.dialect.fork(),
            code: self.code.clone(),
            names: self.names.clone(),
            heard: self.heard.clone(),
            answer: self.answer.clone(),
        }
    }
}

impl Dialect for Renamed {
    fn venue(&self) -> &'static str {
        self.dialect.venue()
    }

    fn code(&self) -> &str {
        &self.code
    }

    fn depth(&self) -> Option<usize> {
        self.dialect.depth()
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        self.dialect.open(now_ns, &mut self.heard);
        self.hand_on(out);
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        self.dialect.step(now_ns, &mut self.heard);
        self.hand_on(out);
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        let has_one = self.dialect.snapshot(&mut self.answer);
        rename(&self.names, &self.answer, out);
        has_one
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.dialect.resubscribe(now_ns, &mut self.heard);
        self.hand_on(out);
    }

    fn cut(&self, depth: usize) -> Option<Box<dyn Dialect>> {
        Some(Box::new(Self { dialect: self.dialect.cut(depth)?, heard: Frames::new(), ..self.clone() }))
    }

    fn truth(&self, out: &mut Truth) {
        self.dialect.truth(out);
    }

    fn orders(&self, out: &mut TrueOrders) -> bool {
        self.dialect.orders(out)
    }

    fn exponents(&self) -> (i8, i8) {
        self.dialect.exponents()
    }

    fn sent(&self) -> Counts {
        self.dialect.sent()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Binance, BinanceProduct};
    use super::*;

    #[test]
    fn a_code_is_replaced_where_it_stands_alone() {
        let number = [(b"1".to_vec(), b"70".to_vec()), (b"1".to_vec(), b"70".to_vec())];
        let mut out = Vec::new();
        rename(&number, br#""trade:1","market_id":1,"price":"5.1","size":1.5,"1":[1,1]"#, &mut out);
        assert_eq!(
            String::from_utf8_lossy(&out),
            r#""trade:70","market_id":70,"price":"5.1","size":1.5,"1":[1,1]"#
        );
        let names = [(b"BTC/USD".to_vec(), b"A1/USD".to_vec()), (b"btc/usd".to_vec(), b"a1/usd".to_vec())];
        for (own, other) in [
            ("", ""),
            ("BTC/USD", "A1/USD"),
            ("\"BTC/USD\",XBTC/USD,BTC/USDT,BTC/USD,BTC/US", "\"A1/USD\",XBTC/USD,BTC/USDT,A1/USD,BTC/US"),
            ("btc/usd@depth BTC/USDBTC/USD", "a1/usd@depth BTC/USDBTC/USD"),
        ] {
            let mut out = Vec::new();
            rename(&names, own.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), other);
        }
    }

    #[test]
    fn frames_and_answers_differ_in_the_code_alone() {
        let [mut own, other] = [1, 1].map(|seed| Binance::new(seed, BinanceProduct::Spot));
        let mut other = Renamed::new(Box::new(other), "A1USDT");
        let (mut heard, mut renamed) = (Frames::new(), Frames::new());
        own.open(1_000_000_000, &mut heard);
        other.open(1_000_000_000, &mut renamed);
        while heard.len() < 300 {
            own.step(u64::MAX, &mut heard);
            other.step(u64::MAX, &mut renamed);
        }
        let back = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            assert!(!text.contains("BTCUSDT") && !text.contains("btcusdt"));
            text.replace("A1USDT", "BTCUSDT").replace("a1usdt", "btcusdt")
        };
        for (own, other) in heard.iter().zip(renamed.iter()) {
            assert_eq!((own.time_ns, own.channel), (other.time_ns, other.channel));
            assert_eq!(String::from_utf8_lossy(own.bytes), back(other.bytes));
        }
        let (mut answer, mut renamed) = (Vec::new(), Vec::new());
        assert!(own.snapshot(&mut answer) && other.snapshot(&mut renamed));
        assert_eq!(answer, renamed);
    }
}
