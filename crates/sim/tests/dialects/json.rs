//! Reads JSON, and decimals exactly.

/// A value. Numbers keep their text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json<'a> {
    Number(&'a str),
    Text(&'a str),
    Word(&'a str),
    List(Vec<Self>),
    Map(Vec<(&'a str, Self)>),
}

impl<'a> Json<'a> {
    pub fn read(bytes: &'a [u8]) -> Self {
        let mut rest = std::str::from_utf8(bytes).unwrap();
        let value = value(&mut rest);
        assert_eq!(rest, "", "text behind the value");
        value
    }

    /// The member of that name.
    pub fn get(&self, key: &str) -> &Self {
        self.find(key).unwrap_or_else(|| panic!("no {key} in {self:?}"))
    }

    pub fn find(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members.iter().find(|member| member.0 == key).map(|member| &member.1),
            _ => panic!("no map: {self:?}"),
        }
    }

    pub fn keys(&self) -> Vec<&'a str> {
        match self {
            Self::Map(members) => members.iter().map(|member| member.0).collect(),
            _ => panic!("no map: {self:?}"),
        }
    }

    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(values) => values,
            _ => panic!("no list: {self:?}"),
        }
    }

    pub fn text(&self) -> &'a str {
        match self {
            Self::Text(text) => text,
            _ => panic!("no text: {self:?}"),
        }
    }

    pub fn number(&self) -> &'a str {
        match self {
            Self::Number(text) => text,
            _ => panic!("no number: {self:?}"),
        }
    }

    pub fn integer(&self) -> u64 {
        self.number().parse().unwrap()
    }

    pub fn is_true(&self) -> bool {
        *self == Self::Word("true")
    }
}

fn value<'a>(rest: &mut &'a str) -> Json<'a> {
    match rest.as_bytes()[0] {
        b'{' => Json::Map(items(rest, '}', |rest| {
            let key = quoted(rest);
            took(rest, ":");
            (key, value(rest))
        })),
        b'[' => Json::List(items(rest, ']', value)),
        b'"' => Json::Text(quoted(rest)),
        b'-' | b'0'..=b'9' => Json::Number(scan(rest, |c| "+-.eE0123456789".contains(c))),
        _ => Json::Word(scan(rest, |c| c.is_ascii_lowercase())),
    }
}

fn items<'a, T>(rest: &mut &'a str, close: char, item: impl Fn(&mut &'a str) -> T) -> Vec<T> {
    *rest = &rest[1..];
    let mut items = Vec::new();
    while !rest.starts_with(close) {
        if !items.is_empty() {
            took(rest, ",");
        }
        items.push(item(rest));
    }
    *rest = &rest[1..];
    items
}

fn quoted<'a>(rest: &mut &'a str) -> &'a str {
    took(rest, "\"");
    let text = scan(rest, |c| c != '"' && c != '\\');
    took(rest, "\"");
    text
}

fn took(rest: &mut &str, literal: &str) {
    *rest = rest.strip_prefix(literal).unwrap_or_else(|| panic!("expected {literal} at {rest:.60}"));
}

fn scan<'a>(rest: &mut &'a str, is_part: impl Fn(char) -> bool) -> &'a str {
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    assert!(end > 0 || rest.starts_with('"'), "nothing at {rest:.60}");
    let (text, behind) = rest.split_at(end);
    *rest = behind;
    text
}

/// A decimal text, with or without an exponent, as a mantissa at `exponent`, exactly.
pub fn mantissa(text: &str, exponent: i8) -> i64 {
    if let Some((digits, shift)) = text.split_once('e') {
        return mantissa(digits, exponent - shift.parse::<i8>().unwrap());
    }
    let places = usize::from(exponent.unsigned_abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.get(..places).unwrap_or(fraction);
    assert!(fraction[digits.len()..].bytes().all(|digit| digit == b'0'), "{text} is off the grid");
    assert!(whole == "0" || !whole.starts_with('0'), "{text} begins with 0");
    format!("{whole}{digits:0<places$}").parse().unwrap()
}

/// CRC-32 of IEEE 802.3, a bit at a time.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut rest = u32::MAX;
    for byte in bytes {
        rest ^= u32::from(*byte);
        for _ in 0..8 {
            rest = if rest & 1 == 1 { (rest >> 1) ^ 0xEDB8_8320 } else { rest >> 1 };
        }
    }
    !rest
}

/// A printed decimal as Kraken's checksums read it.
pub fn checked_digits(text: &str) -> String {
    text.replace('.', "").trim_start_matches('0').to_owned()
}
