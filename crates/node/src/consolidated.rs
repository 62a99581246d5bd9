//! Books that are made of several venues' books: made, and asked whose their levels are.

use depthwire_core::engine::Standing;
use depthwire_core::types::{InstrumentId, Side};
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use crate::argument::Argument;
use crate::engine::{Engine, unknown};
use crate::guard::Result;
use crate::state::{State, engine_error};

/// A member of a consolidated book.
#[napi(object)]
pub struct MemberInfo {
    /// Which.
    pub instrument: u32,
    /// Whether it counts.
    pub is_in: bool,
    /// Why it does not: a reason of a stale book, `syncing`, `absent`, `unit`, `asset` or `range`; `none` where it does.
    pub reason: String,
}

/// What a member has at a price.
#[napi(object)]
pub struct PartInfo {
    /// Whose.
    pub instrument: u32,
    /// Price mantissa, at the exponent of the consolidated instrument, as the quantity.
    pub price: BigInt,
    /// Quantity mantissa.
    pub qty: BigInt,
    /// When the message arrived that told it last, ns since the epoch.
    pub told_ns: BigInt,
}

/// What the members have at the best prices.
#[napi(object)]
pub struct VenueParts {
    /// Best price first, at one price in the order of the members.
    pub bids: Vec<PartInfo>,
    /// Likewise.
    pub asks: Vec<PartInfo>,
}

#[napi]
impl Engine {
    /// Makes `consolidated:SYMBOL` of the books of these instruments. `same`: pairs of words that mean one asset, as `USD=USDT`,
    /// with a space between two pairs. Throws `consolidated.*`.
    #[napi(ts_args_type = "symbol: string, members: Uint32Array, same: string")]
    pub fn consolidate(&self, symbol: Argument, members: Argument, same: Argument) -> Result<u32> {
        self.run(|state| {
            let members: Vec<_> = members.numbers("members")?.into_iter().map(InstrumentId).collect();
            let (symbol, same) = (symbol.text("symbol")?, same.text("same")?);
            let same: Vec<_> = same.split_whitespace().filter_map(|pair| pair.split_once('=')).collect();
            let id = state.engine.consolidate(&symbol, &members, &same).map_err(engine_error)?;
            state.add_books(&[id]);
            Ok(id.0)
        })
    }

    /// Who is in a consolidated book and who is not, in the order of its members; null for any other instrument.
    #[napi(ts_args_type = "instrument: number")]
    pub fn members(&self, instrument: Argument) -> Result<Option<Vec<MemberInfo>>> {
        self.run(|State { engine, .. }| {
            let members = engine.members(InstrumentId(instrument.u32("instrument")?));
            let told = |of: depthwire_core::engine::Membership| MemberInfo {
                instrument: of.instrument.0,
                is_in: of.standing == Standing::In,
                reason: of.standing.reason_name().to_owned(),
            };
            Ok(members.map(|members| members.into_iter().map(told).collect()))
        })
    }

    /// What the members of a consolidated book have at its best `depth` prices a side; nothing of any other instrument.
    #[napi(ts_args_type = "instrument: number, depth: number")]
    pub fn venue_parts(&self, instrument: Argument, depth: Argument) -> Result<VenueParts> {
        self.run(|State { engine, .. }| {
            let id = InstrumentId(instrument.u32("instrument")?);
            let depth = depth.u32("depth")? as usize;
            let book = engine.book(id).ok_or_else(|| unknown(id))?;
            let side = |side: Side| {
                let prices = book.levels(side).take(depth).map(|level| level.price);
                let parts = prices.flat_map(|price| {
                    engine.venue_parts(id, side, price).map(move |part| PartInfo {
                        instrument: part.instrument.0,
                        price: BigInt::from(price.0),
                        qty: BigInt::from(part.qty.0),
                        told_ns: BigInt::from(part.told_at),
                    })
                });
                parts.collect()
            };
            Ok(VenueParts { bids: side(Side::Bid), asks: side(Side::Ask) })
        })
    }
}
