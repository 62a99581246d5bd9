//! What a plain subscriber of Bitfinex's raw books keeps: orders, in queues as they were told.

use std::collections::BTreeMap;

use depthwire_sim::dialects::{TrueOrders, Truth};

use super::json::{Json, mantissa};

/// Number and quantity.
type Queue = Vec<(u64, i64)>;

#[derive(Default)]
pub struct OrderBook {
    /// Bids and asks, by a key that rises away from the best.
    sides: [BTreeMap<i64, Queue>; 2],
    /// Keys of the orders' queues.
    keys: [BTreeMap<u64, i64>; 2],
    /// Amounts as they are printed, those of asks below zero.
    amounts: BTreeMap<u64, String>,
    /// New orders, moves, other changes, removals.
    pub met: [u64; 4],
}

impl OrderBook {
    fn remove(&mut self, side: usize, id: u64) {
        let key = self.keys[side].remove(&id).unwrap_or_else(|| panic!("{id} does not stand"));
        let queue = self.sides[side].get_mut(&key).unwrap();
        queue.retain(|order| order.0 != id);
        if queue.is_empty() {
            self.sides[side].remove(&key);
        }
    }

    pub fn row(&mut self, row: &[Json<'_>], exponents: (i8, i8), len: usize) {
        let [id, price, amount] = row else { panic!("a row of three") };
        let id = id.integer();
        self.amounts.insert(id, amount.number().to_owned());
        let (side, amount) = match amount.number().strip_prefix('-') {
            Some(amount) => (1, amount),
            None => (0, amount.number()),
        };
        if price.number() == "0" {
            assert_eq!(amount, "1");
            self.met[3] += 1;
            return self.remove(side, id);
        }
        let (price, qty) = (mantissa(price.number(), exponents.0), mantissa(amount, exponents.1));
        assert!(price > 0 && qty > 0);
        let key = if side == 0 { -price } else { price };
        match self.keys[side].get(&id).copied() {
            Some(at) if at == key => {
                let queue = self.sides[side].get_mut(&key).unwrap();
                let place = queue.iter().position(|order| order.0 == id).unwrap();
                assert_ne!(queue[place].1, qty, "{id} is told as it was");
                self.met[2] += 1;
                if qty < queue[place].1 {
                    queue[place].1 = qty;
                    return;
                }
                self.remove(side, id);
            }
            Some(_) => {
                self.met[1] += 1;
                self.remove(side, id);
            }
            None => self.met[0] += 1,
        }
        self.sides[side].entry(key).or_default().push((id, qty));
        self.keys[side].insert(id, key);
        assert!(self.keys[side].len() <= len, "more orders than its length");
    }

    /// Numbers and amounts of both sides, by price and then by number.
    pub fn checked(&self) -> [Vec<[String; 2]>; 2] {
        self.keys.each_ref().map(|side| {
            let mut ids: Vec<_> = side.iter().map(|(id, key)| (*key, *id)).collect();
            ids.sort_unstable();
            ids.into_iter().map(|(_, id)| [id.to_string(), self.amounts[&id].clone()]).collect()
        })
    }

    pub fn compare(&self, truth: &Truth, orders: &TrueOrders) {
        for (side, levels, orders, sign) in
            [(0, &truth.bids, &orders.bids, -1), (1, &truth.asks, &orders.asks, 1)]
        {
            let own = self.sides[side].iter();
            let sums = own.clone().map(|(key, queue)| (key * sign, queue.iter().map(|order| order.1).sum()));
            assert!(sums.eq(levels.iter().copied()), "levels of side {side}");
            let own = own.flat_map(|(key, queue)| queue.iter().map(move |(id, qty)| (*id, key * sign, *qty)));
            assert!(own.eq(orders.iter().map(|order| (order.id, order.price, order.qty))), "side {side}");
        }
    }
}
