//! What the venue tells beside books: trades, statistics, liquidations.

use super::{Arg, Bitget};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{
    billionths, each, exact, items, members, milliseconds, price_statistic, qty_statistic, text, unsigned,
    values,
};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Aggressor, Body, Decimal, DecimalError, Events, Price, Qty, Route, Routes, Ticker, Trade, TradeId,
};

/// Whether a channel is one that says nothing of a book.
pub(super) fn is_other(channel: &[u8]) -> bool {
    matches!(channel, b"trade" | b"publicTrade" | b"ticker" | b"liquidation")
        || channel.starts_with(b"candle")
        || channel == b"kline"
}

/// A message of a channel that tells no book.
pub(super) struct Message<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) arg: Arg<'a>,
    pub(super) is_whole: bool,
    pub(super) data: Token,
    /// When it was sent.
    pub(super) ts: Token,
}

impl Message<'_> {
    pub(super) fn read(&self, room: &Bitget, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let Self { bytes, arg, data, .. } = *self;
        let carried = || room.route(arg.inst_type, arg.name, bytes, arg.key, routes);
        match arg.channel {
            b"trade" | b"publicTrade" => {
                let route = carried()?;
                // Rule 6.
                if self.is_whole {
                    return Ok(());
                }
                out.speaks_of(route.slot);
                trades(data, bytes, route, out)
            }
            b"ticker" => {
                let route = carried()?;
                out.speaks_of(route.slot);
                items(data, bytes, "data", |scanner| self.statistics(scanner, route, out))
            }
            b"liquidation" => {
                each(data, bytes, "data", |scanner| match self.liquidation(room, scanner, routes, out) {
                    Err(DecodeError::UnknownSymbol { symbol }) => Ok(Some(symbol)),
                    read => read.map(|()| None),
                })
            }
            // Channels that are not used.
            _ => Ok(()),
        }
    }

    /// Rule 7. None of the versions' keys means two things.
    fn statistics(
        &self,
        scanner: &mut Scanner<'_>,
        route: Route,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        let bytes = self.bytes;
        let keys = [
            "last",
            "lastPr",
            "lastPrice",
            "markPrice",
            "indexPrice",
            "baseVolume",
            "volume24h",
            "holding",
            "holdingAmount",
            "openInterest",
            "capitalRate",
            "fundingRate",
            "nextSettleTime",
            "nextFundingTime",
            "systemTime",
            "ts",
        ];
        let [last_1, last_2, last_3, mark, index, tokens @ ..] = members(scanner, bytes, &keys)?;
        let [volume_1, volume_3, open_1, open_2, open_3, tokens @ ..] = tokens;
        let [rate_1, rate_2, at_1, at_2, ts_1, ts_2] = tokens;
        let one = |tokens: &[Token]| {
            tokens.iter().copied().find(|token| token.kind != Kind::Absent).unwrap_or_default()
        };
        let time = |token: Token, field| match token.of(bytes) {
            b"" => Ok(0),
            _ => milliseconds(token, bytes, field),
        };
        let price = |token, field| price_statistic(token, bytes, field, route);
        let qty = |token, field| qty_statistic(token, bytes, field, route);
        let funding_at = time(one(&[at_1, at_2]), "nextFundingTime")?;
        let ticker = Ticker {
            last: price(one(&[last_1, last_2, last_3]), "lastPrice")?,
            mark: price(mark, "markPrice")?,
            index: price(index, "indexPrice")?,
            volume: qty(one(&[volume_1, volume_3]), "volume24h")?,
            open_interest: qty(one(&[open_1, open_2, open_3]), "openInterest")?,
            funding_rate_e9: billionths(one(&[rate_1, rate_2]), bytes, "fundingRate")?,
            funding_at: Some(funding_at).filter(|at| *at > 0),
            ..Ticker::default()
        };
        let ts_event = time(one(&[ts_2, ts_1, self.ts]), "ts")?;
        let at = out.ticker_added(ticker);
        out.push(route.slot, ts_event, Body::Ticker(at));
        Ok(())
    }

    /// Rule 8.
    fn liquidation(
        &self,
        room: &Bitget,
        scanner: &mut Scanner<'_>,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        let bytes = self.bytes;
        let [name, price, amount, ts] = members(scanner, bytes, &["symbol", "price", "amount", "ts"])?;
        let route = room.route(self.arg.inst_type, name, bytes, "symbol", routes)?;
        out.speaks_of(route.slot);
        let ts_event = milliseconds(ts, bytes, "ts")?;
        let (value, of) = (exact(amount, bytes, "amount")?, exact(price, bytes, "price")?);
        if of.mantissa == 0 {
            return Err(DecodeError::ZeroPrice { at: price.start });
        }
        let cause = DecimalError::Overflow;
        let bad = DecodeError::BadNumber { at: amount.start, field: "amount", cause, scaled: Scaled::No };
        out.trades().push(Trade {
            id: TradeId::None,
            price: price_statistic(price, bytes, "price", route)?.unwrap_or(Price(0)),
            qty: Qty(quotient(value, of, route.qty_exponent).ok_or(bad)?),
            aggressor: Aggressor::Unknown,
            ts_event,
            resting: None,
        });
        let body = Body::Liquidations(out.trades_added());
        out.push(route.slot, ts_event, body);
        Ok(())
    }
}

/// `value` / `price` as a mantissa at the exponent. The product that `value` is was cut, so the nearest is the quantity.
fn quotient(value: Decimal, price: Decimal, exponent: i8) -> Option<i64> {
    let power = |shift: i32| 10i128.checked_pow(shift.max(0).unsigned_abs());
    let shift = i32::from(value.exponent) - i32::from(price.exponent) - i32::from(exponent);
    let above = i128::from(value.mantissa).checked_mul(power(shift)?)?;
    let below = i128::from(price.mantissa).checked_mul(power(-shift)?)?;
    i64::try_from(above.checked_add(below / 2)?.checked_div(below)?).ok()
}

/// Rule 6. The oldest first.
fn trades(data: Token, bytes: &[u8], route: Route, out: &mut Events) -> Result<(), DecodeError> {
    let begun = out.trades().len();
    items(data, bytes, "data", |scanner| {
        let trade = trade(scanner, bytes, route)?;
        out.trades().push(trade);
        Ok(())
    })?;
    let trades = out.trades().get_mut(begun..).unwrap_or_default();
    trades.reverse();
    let Some(last) = trades.last() else { return Ok(()) };
    let ts_event = last.ts_event;
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, ts_event, body);
    Ok(())
}

fn trade(scanner: &mut Scanner<'_>, bytes: &[u8], route: Route) -> Result<Trade, DecodeError> {
    let is_list = scanner.peek()? == b'[';
    let [ts, price, qty, side, id] = if is_list {
        let ([ts, price, qty, side], _) = values(scanner)?;
        [ts, price, qty, side, Token::default()]
    } else {
        let keys = ["ts", "price", "size", "side", "tradeId", "T", "p", "v", "S", "i"];
        let [ts, price, qty, side, id, short @ ..] = members(scanner, bytes, &keys)?;
        if id.kind == Kind::Absent { short } else { [ts, price, qty, side, id] }
    };
    Ok(Trade {
        id: if is_list { TradeId::None } else { TradeId::Number(unsigned(id, bytes, "tradeId")?) },
        price: price_above_zero(price, bytes, "price", route.price_exponent)?,
        qty: Qty(decimal(qty, bytes, "size", route.qty_exponent, Scaled::Qty)?),
        aggressor: match text(side, bytes, "side")? {
            b"buy" => Aggressor::Buy,
            b"sell" => Aggressor::Sell,
            _ => Aggressor::Unknown,
        },
        ts_event: milliseconds(ts, bytes, "ts")?,
        resting: None,
    })
}
