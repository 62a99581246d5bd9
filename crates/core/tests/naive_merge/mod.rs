//! A consolidated book as anybody would make it: all levels of all members that are synced, sorted and summed, in exact integers
//! of 128 bits.

use depthwire_core::engine::{Engine, Standing};
use depthwire_core::types::{BookState, InstrumentId, Level, NoClock, Price, QtyUnit, Side};

/// Power of ten that holds every number of a member.
const EXPONENT: i32 = -18;

fn scaled(mantissa: i64, exponent: i32) -> i128 {
    i128::from(mantissa) * 10i128.pow(u32::try_from(exponent - EXPONENT).unwrap())
}

/// Levels of an instrument in units of the base asset.
fn levels(engine: &Engine<NoClock>, id: InstrumentId, side: Side) -> impl Iterator<Item = (i128, i128)> + '_ {
    let listed = engine.catalogue().get(id).unwrap();
    let (price, qty) = (i32::from(listed.price_exponent), i32::from(listed.qty_exponent));
    let size = listed.contract_size;
    let contract = match listed.qty_unit {
        QtyUnit::Contracts => (i128::from(size.mantissa), i32::from(size.exponent)),
        _ => (1, 0),
    };
    engine
        .book(id)
        .unwrap()
        .levels(side)
        .map(move |level| (scaled(level.price.0, price), scaled(level.qty.0, qty + contract.1) * contract.0))
}

/// What a consolidated book should be: of each side prices in rising order.
fn expected(engine: &Engine<NoClock>, members: &[InstrumentId], side: Side) -> Vec<(i128, i128)> {
    let synced = members.iter().filter(|&&id| is_synced(engine, id));
    let mut all: Vec<_> = synced.flat_map(|&id| levels(engine, id, side)).collect();
    all.sort_by_key(|level| level.0);
    all.dedup_by(|next, first| {
        let is_same = next.0 == first.0;
        if is_same {
            first.1 += next.1;
        }
        is_same
    });
    all
}

fn is_synced(engine: &Engine<NoClock>, id: InstrumentId) -> bool {
    engine.book_info(id, 0).is_some_and(|info| info.state == BookState::Synced)
}

/// Holds a consolidated book to its members. Returns how many of them are in.
pub fn assert_merged(engine: &Engine<NoClock>, book: InstrumentId, members: &[InstrumentId]) -> usize {
    let told = engine.members(book).unwrap();
    assert!(told.iter().map(|member| member.instrument).eq(members.iter().copied()));
    for member in &told {
        assert_eq!(member.standing == Standing::In, is_synced(engine, member.instrument), "{member:?}");
    }
    let count = told.iter().filter(|member| member.standing == Standing::In).count();
    assert_eq!(is_synced(engine, book), count > 0);
    if count == 0 {
        return 0;
    }
    for side in [Side::Bid, Side::Ask] {
        let mut is: Vec<_> = levels(engine, book, side).collect();
        if side == Side::Bid {
            is.reverse();
        }
        assert!(is == expected(engine, members, side), "{side:?} is another than the sum of the members");
    }
    assert_parts(engine, book);
    count
}

/// Holds the best levels of a consolidated book to what its members are said to have of them.
fn assert_parts(engine: &Engine<NoClock>, book: InstrumentId) {
    for side in [Side::Bid, Side::Ask] {
        for Level { price, qty } in engine.book(book).unwrap().levels(side).take(5) {
            let mut sum = 0;
            for part in engine.venue_parts(book, side, price) {
                assert!(is_synced(engine, part.instrument) && part.qty.0 > 0 && part.told_at > 0);
                sum += part.qty.0;
            }
            assert_eq!(sum, qty.0, "{side:?} {price:?}");
        }
        assert_eq!(engine.venue_parts(book, side, Price(i64::MAX)).count(), 0);
    }
}
