//! Instrument definitions: what a catalogue must know of an instrument.

use super::view::{Fields, versioned_view};
use super::{Text, side_of};
use crate::types::{Side, TimeNs};

versioned_view! {
    /// A definition: how an instrument is named, priced and traded. Its number is in the header.
    Definition {
        /// Version 1: symbols of 22 bytes.
        V1 360,
        /// Version 2: symbols of 71 bytes.
        V2 400,
        /// Version 3: with legs, one record each.
        V3 520,
    } numbers {
        /// The capture server's receive time.
        ts_recv: TimeNs = { V1 16, V2 16, V3 16 },
        /// The tick, at 10⁻⁹; undefined where the venue states none.
        min_price_increment: i64 = { V1 24, V2 24, V3 24 },
        /// By which a price is multiplied for display, at 10⁻⁹.
        display_factor: i64 = { V1 32, V2 32, V3 32 },
        /// Last time at which it trades; undefined for instruments that do not expire.
        expiration: TimeNs = { V1 40, V2 40, V3 40 },
        /// First time at which it trades; undefined where the venue states none.
        activation: TimeNs = { V1 48, V2 48, V3 48 },
        /// Highest price allowed, at 10⁻⁹; undefined for none.
        high_limit_price: i64 = { V1 56, V2 56, V3 56 },
        /// Lowest price allowed, at 10⁻⁹; undefined for none.
        low_limit_price: i64 = { V1 64, V2 64, V3 64 },
        /// How far a price may move, at 10⁻⁹; undefined for none.
        max_price_variation: i64 = { V1 72, V2 72, V3 72 },
        /// Contract size in [`Definition::unit_of_measure`], at 10⁻⁹; undefined for none.
        unit_of_measure_qty: i64 = { V1 88, V2 88, V3 80 },
        /// What a tick is worth, at 10⁻⁹; undefined where the venue states none.
        min_price_increment_amount: i64 = { V1 96, V2 96, V3 88 },
        /// Of the legs of a spread, at 10⁻⁹; undefined for none.
        price_ratio: i64 = { V1 104, V2 104, V3 96 },
        /// Of an option, at 10⁻⁹; undefined for all else.
        strike_price: i64 = { V1 328, V2 112, V3 104 },
        /// Number of the first underlying instrument; 0 for none.
        underlying_id: u32 = { V1 116, V2 124, V3 140 },
        /// Levels of the implied book; `i32::MAX` where the venue states none.
        market_depth_implied: i32 = { V1 124, V2 132, V3 144 },
        /// Levels of the outright book; `i32::MAX` where the venue states none.
        market_depth: i32 = { V1 128, V2 136, V3 148 },
        /// The venue's number of the market segment; `u32::MAX` for none.
        market_segment_id: u32 = { V1 132, V2 140, V3 152 },
        /// Largest order; `u32::MAX` for none.
        max_trade_vol: u32 = { V1 136, V2 144, V3 156 },
        /// Smallest order; `i32::MAX` where the venue states none.
        min_lot_size: i32 = { V1 140, V2 148, V3 160 },
        /// Smallest block trade; `i32::MAX` where the venue states none.
        min_lot_size_block: i32 = { V1 144, V2 152, V3 164 },
        /// A round lot; `i32::MAX` where the venue states none.
        min_lot_size_round_lot: i32 = { V1 148, V2 156, V3 168 },
        /// Smallest order of a session; `u32::MAX` for none.
        min_trade_vol: u32 = { V1 152, V2 160, V3 172 },
        /// Deliverables of a contract, such as days of a power contract; `i32::MAX` for none.
        contract_multiplier: i32 = { V1 160, V2 164, V3 176 },
        /// Contract size at first; `i32::MAX` for none.
        original_contract_size: i32 = { V1 168, V2 172, V3 184 },
        /// `u16::MAX` for none.
        maturity_year: u16 = { V1 180, V2 180, V3 214 },
        /// The venue's number of the channel; `u16::MAX` for none.
        channel_id: u16 = { V1 184, V2 184, V3 218 },
        /// `F` future, `C` call, `P` put, `K` stock, `B` bond, `I` index, `S` future spread, `T` option spread, `M`
        /// mixed spread, `X` spot currency, `Y` spot commodity.
        instrument_class: u8 = { V1 325, V2 374, V3 487 },
        /// How orders match, by the specification's enum `MatchAlgorithm`: `F` first in, first out.
        match_algorithm: u8 = { V1 342, V2 375, V3 488 },
        /// Denominator of the price as it is displayed; `u8::MAX` for none.
        main_fraction: u8 = { V1 344, V2 377, V3 489 },
        /// Of the venue's tick table; `u8::MAX` for none.
        price_display_format: u8 = { V1 345, V2 378, V3 490 },
        /// Denominator of the fraction as it is displayed; `u8::MAX` for none.
        sub_fraction: u8 = { V1 347, V2 380, V3 491 },
        /// `A` added, `M` changed, `D` deleted.
        security_update_action: u8 = { V1 349, V2 382, V3 493 },
        /// `u8::MAX` for none.
        maturity_month: u8 = { V1 350, V2 383, V3 494 },
        /// `u8::MAX` for none.
        maturity_day: u8 = { V1 351, V2 384, V3 495 },
        /// `u8::MAX` for none.
        maturity_week: u8 = { V1 352, V2 385, V3 496 },
        /// `Y` or `N`.
        user_defined_instrument: u8 = { V1 353, V2 386, V3 497 },
        /// The venue's number of the tick table, where the tick varies with the price; `u8::MAX` for none.
        tick_rule: u8 = { V1 356, V2 389, V3 500 },
    } texts {
        /// Of prices.
        currency = { V1 186 4, V2 186 4, V3 224 4 },
        /// Of settlement, if another.
        settl_currency = { V1 190 4, V2 190 4, V3 228 4 },
        /// The venue's strategy type of a spread.
        secsubtype = { V1 194 6, V2 194 6, V3 232 6 },
        /// The venue's symbol.
        raw_symbol = { V1 200 22, V2 200 71, V3 238 71 },
        /// The venue's product group.
        group = { V1 222 21, V2 271 21, V3 309 21 },
        /// The venue, by its MIC.
        exchange = { V1 243 5, V2 292 5, V3 330 5 },
        /// The product, such as `ES`.
        asset = { V1 248 7, V2 297 7, V3 335 11 },
        /// Classification by ISO 10962.
        cfi = { V1 255 7, V2 304 7, V3 346 7 },
        /// Such as `FUT` or `OOF`.
        security_type = { V1 262 7, V2 311 7, V3 353 7 },
        /// Of [`Definition::unit_of_measure_qty`], such as `USD` or `Bbl`.
        unit_of_measure = { V1 269 31, V2 318 31, V3 360 31 },
        /// Symbol of the first underlying instrument.
        underlying = { V1 300 21, V2 349 21, V3 391 21 },
        /// Of [`Definition::strike_price`].
        strike_price_currency = { V1 321 4, V2 370 4, V3 412 4 },
    }
}

impl<'a> Definition<'a> {
    /// The instrument's number as the venue gives it, where that differs from the header's.
    #[must_use]
    pub fn raw_instrument_id(self) -> u64 {
        match self {
            Self::V1(bytes) => u64::from(bytes.number::<u32, 120>()),
            Self::V2(bytes) => u64::from(bytes.number::<u32, 128>()),
            Self::V3(bytes) => bytes.number::<u64, 112>(),
        }
    }

    /// The leg that this record is of; `None` for an instrument without legs and before version 3. A spread comes as
    /// one record for each leg.
    #[must_use]
    pub fn leg(self) -> Option<Leg<'a>> {
        let Self::V3(bytes) = self else { return None };
        let count = bytes.number::<u16, 220>();
        (count > 0).then(|| Leg {
            count,
            index: bytes.number::<u16, 222>(),
            instrument_id: bytes.number::<u32, 188>(),
            raw_symbol: bytes.text::<416, 71>(),
            class: bytes.number::<u8, 501>(),
            side: side_of(bytes.number::<u8, 502>()),
            price: bytes.number::<i64, 120>(),
            delta: bytes.number::<i64, 128>(),
            qty_numerator: bytes.number::<i32, 200>(),
            qty_denominator: bytes.number::<i32, 204>(),
        })
    }
}

/// One leg of a spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg<'a> {
    /// How many the spread has.
    pub count: u16,
    /// Which this one is, from 0.
    pub index: u16,
    /// Its instrument's number.
    pub instrument_id: u32,
    /// Its instrument's symbol.
    pub raw_symbol: Text<'a>,
    /// Its class, as [`Definition::instrument_class`].
    pub class: u8,
    /// What who buys the spread does in it: bid to buy, ask to sell.
    pub side: Option<Side>,
    /// Price of a tied leg, at 10⁻⁹; undefined for none.
    pub price: i64,
    /// Delta of a tied leg, at 10⁻⁹; undefined for none.
    pub delta: i64,
    /// With the denominator, how many of it go to one spread.
    pub qty_numerator: i32,
    /// See [`Leg::qty_numerator`].
    pub qty_denominator: i32,
}
