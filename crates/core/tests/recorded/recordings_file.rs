//! `test/recordings.json` says what it must and nothing else, and every set has a name of its own.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::expected::{read, text};

/// Calls with each value that is the file's with one change in one object.
fn each_change(whole: &Value, at: &str, change: &mut impl FnMut(&str, &Value)) {
    match whole.pointer(at).unwrap() {
        Value::Object(fields) => {
            let mut more = whole.clone();
            more.pointer_mut(at).unwrap()["notAField"] = 1.into();
            change(&format!("{at}: another field"), &more);
            for name in fields.keys() {
                let mut less = whole.clone();
                less.pointer_mut(at).unwrap().as_object_mut().unwrap().remove(name);
                change(&format!("{at}: without {name}"), &less);
                each_change(whole, &format!("{at}/{name}"), change);
            }
        }
        // Elements of a list are of one kind; lists in them may be empty in one and not in another.
        Value::Array(list) if !list.is_empty() => {
            for element in BTreeSet::from([0, list.len() - 1]) {
                each_change(whole, &format!("{at}/{element}"), change);
            }
        }
        _ => {}
    }
}

#[test]
fn an_unknown_field_or_a_missing_one_is_refused() {
    assert!(read(text()).is_ok());
    let whole: Value = serde_json::from_str(text()).unwrap();
    let mut changes = 0;
    each_change(&whole, "", &mut |what, changed| {
        let error = read(&changed.to_string()).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("unknown field") || error.contains("missing field"), "{what}: {error}");
        changes += 1;
    });
    assert!(changes > 130, "{changes}");
}

#[test]
fn every_set_has_a_name_of_its_own() {
    let whole: Value = serde_json::from_str(text()).unwrap();
    for (section, sets) in whole.as_object().unwrap() {
        let mut names = BTreeSet::new();
        for set in sets.as_array().unwrap() {
            assert!(names.insert(set["name"].as_str().unwrap()), "{section}: {} twice", set["name"]);
        }
        assert!(!names.is_empty(), "{section}");
    }
}
