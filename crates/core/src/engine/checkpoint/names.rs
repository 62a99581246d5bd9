//! What rooms remember has places of instruments in it, which are of one engine: kept are their names.

use serde_json::{Map, Value, json};

use crate::types::Slot;

/// Keys under which [`Slot`](crate::types::Slot) and [`BySlot`](crate::types::BySlot) stand.
const SLOT: &str = "slot";
const BY_SLOT: &str = "by_slot";

/// Names in the place of places. A place without a name is nobody's.
pub(super) fn named(value: Value, name: &impl Fn(Slot) -> Option<String>) -> Value {
    renamed(value, &|place| {
        let slot = u32::try_from(place.as_u64()?).ok()?;
        name(Slot(slot)).map(Value::String)
    })
}

/// Places in the place of names. A name of an instrument that is not there is nobody's.
pub(super) fn placed(value: Value, place: &impl Fn(&str) -> Option<Slot>) -> Value {
    renamed(value, &|name| place(name.as_str()?).map(|slot| Value::from(slot.0)))
}

fn renamed(value: Value, rename: &impl Fn(&Value) -> Option<Value>) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| renamed(item, rename)).collect(),
        Value::Object(members) => members_renamed(members, rename),
        other => other,
    }
}

fn members_renamed(mut members: Map<String, Value>, rename: &impl Fn(&Value) -> Option<Value>) -> Value {
    if members.len() == 1 {
        if let Some(slot) = members.get(SLOT) {
            return rename(slot).map_or(Value::Null, |to| json!({ SLOT: to }));
        }
        if let Some(Value::Array(pairs)) = members.get_mut(BY_SLOT) {
            let pairs = std::mem::take(pairs);
            let pair = |pair: Value| {
                let Value::Array(mut pair) = pair else { return None };
                let (value, slot) = (pair.pop()?, pair.pop()?);
                Some(json!([rename(&slot)?, renamed(value, rename)]))
            };
            return json!({ BY_SLOT: pairs.into_iter().filter_map(pair).collect::<Vec<_>>() });
        }
    }
    Value::Object(members.into_iter().map(|(key, value)| (key, renamed(value, rename))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_reader() {
        let kept =
            json!({ "a": { "by_slot": [[0, { "slot": 1 }], [1, null], [2, 7]] }, "b": [{ "slot": 2 }] });
        let names = ["x:A", "x:B"];
        let name = |slot: Slot| names.get(slot.0 as usize).map(|name| (*name).to_owned());
        let by_name = named(kept, &name);
        assert_eq!(
            by_name,
            json!({ "a": { "by_slot": [["x:A", { "slot": "x:B" }], ["x:B", null]] }, "b": [null] })
        );
        let place = |name: &str| (name == "x:B").then_some(Slot(5));
        let placed = placed(by_name, &place);
        assert_eq!(placed, json!({ "a": { "by_slot": [[5, null]] }, "b": [null] }));
    }
}
