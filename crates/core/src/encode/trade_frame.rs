//! Frames of trades, of liquidations, of statistics and of whether an instrument trades.

use super::frame::{ImageBody, put_info};
use super::layout::{
    Field, Header, LONG, LONG_BODY, SHORT, SHORT_BODY, begin, finish, prelude, put, put_len, put_only_vector,
    put_vector_offsets,
};
use super::name::put_names;
use crate::types::{Ticker, TimeNs, Trade, TradingStatus};

const TRADE_BYTES: usize = 40;

const TRADES: [u8; SHORT] = prelude(108, &[(Field::Trades, SHORT_BODY)]);
const NAMED_TRADES: [u8; SHORT] = prelude(112, &[(Field::Trades, SHORT_BODY), (Field::Names, 108)]);
const TICKER: [u8; LONG] = prelude(264, &[(Field::Ticker, LONG_BODY)]);
const TICKER_IMAGE: [u8; LONG] = prelude(296, &[(Field::Info, LONG_BODY), (Field::Ticker, 152)]);
const TRADING: [u8; LONG] = prelude(136, &[(Field::Trading, LONG_BODY)]);
const TRADING_IMAGE: [u8; LONG] = prelude(168, &[(Field::Info, LONG_BODY), (Field::Trading, 152)]);

/// Statistics and what their numbers mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickerBody {
    /// The statistics.
    pub ticker: Ticker,
    /// Power of ten of prices.
    pub price_exponent: i8,
    /// Power of ten of quantities.
    pub qty_exponent: i8,
}

/// Whether an instrument trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradingBody {
    /// Whether it does.
    pub status: TradingStatus,
    /// When it began to be so, by the venue; 0 = not given.
    pub ts_event: TimeNs,
}

/// Appends a frame of trades, or of liquidations; `names`: the texts that their ids are numbers of.
pub fn write_trades<'a>(
    out: &mut Vec<u8>,
    header: &Header,
    trades: &[Trade],
    names: impl Iterator<Item = (u64, &'a [u8])>,
) {
    let start = out.len();
    let mut names = names.peekable();
    if names.peek().is_none() {
        begin(out, &TRADES, header);
        put_only_vector(out, trades.len());
        put_trades(out, trades);
    } else {
        begin(out, &NAMED_TRADES, header);
        put_vector_offsets(out, trades.len() * TRADE_BYTES);
        put_len(out, trades.len());
        put_trades(out, trades);
        put_names(out, names);
    }
    finish(out, start);
}

/// Appends a frame of statistics, or with `image` an image of them.
pub fn write_ticker(out: &mut Vec<u8>, header: &Header, image: Option<&ImageBody>, body: &TickerBody) {
    let start = out.len();
    begin_state(out, header, image, &TICKER, &TICKER_IMAGE);
    let values = body.ticker.values();
    let mask = (0..).zip(values).fold(0u32, |mask, (bit, value)| mask | u32::from(value.is_some()) << bit);
    put(out, &mask.to_le_bytes());
    put(out, &[body.price_exponent as u8, body.qty_exponent as u8, 0, 0]);
    for value in values {
        put(out, &value.unwrap_or_default().to_le_bytes());
    }
    finish(out, start);
}

/// Appends a frame of whether the instrument trades, or with `image` an image of it.
pub fn write_trading(out: &mut Vec<u8>, header: &Header, image: Option<&ImageBody>, body: &TradingBody) {
    let start = out.len();
    begin_state(out, header, image, &TRADING, &TRADING_IMAGE);
    put(out, &body.ts_event.to_le_bytes());
    put(out, &[body.status as u8, 0, 0, 0, 0, 0, 0, 0]);
    finish(out, start);
}

fn begin_state(
    out: &mut Vec<u8>,
    header: &Header,
    image: Option<&ImageBody>,
    change_prelude: &[u8; LONG],
    image_prelude: &[u8; LONG],
) {
    match image {
        None => begin(out, change_prelude, header),
        Some(body) => {
            begin(out, image_prelude, header);
            put_info(out, body, 0, 1);
        }
    }
}

fn put_trades(out: &mut Vec<u8>, trades: &[Trade]) {
    out.reserve(trades.len() * TRADE_BYTES);
    for trade in trades {
        put(out, &trade.price.0.to_le_bytes());
        put(out, &trade.qty.0.to_le_bytes());
        put(out, &trade.id.value().to_le_bytes());
        put(out, &trade.ts_event.to_le_bytes());
        put(out, &[trade.aggressor as u8, trade.id.kind(), 0, 0, 0, 0, 0, 0]);
    }
}
