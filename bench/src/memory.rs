//! Bytes that books occupy at the end of a workload, beside those of the ordered maps that hold the same. A book says its
//! own memory, which is what it has reserved; that of the maps is what they have allocated.

use depthwire_core::book::l3::{L3Books, NaiveL3};
use depthwire_core::book::{L2Book, NaiveBook};

use crate::allocations::{bytes, is_counting};
use crate::l3_answer::{self, OrderBooks};
use crate::report::Row;
use crate::workload::{LevelStream, Size, Workload};

/// Rows of what a workload fills: bytes a book of price levels, bytes a resting order.
#[must_use]
pub fn rows(workload: &Workload, _: Size) -> Option<Result<Vec<Row>, String>> {
    if !is_counting() {
        return Some(Err("this program does not count its allocations".to_owned()));
    }
    let mut rows = Vec::new();
    if let Some(stream) = &workload.levels {
        rows.push(level_books(workload.name, stream));
    }
    if let Some(stream) = &workload.itch {
        rows.push(order_books(
            workload.name,
            || {
                let mut books = NaiveL3::open_all(&stream.spec, &stream.books)?;
                l3_answer::replay_itch(&mut books, &stream.bytes);
                Ok(books)
            },
            || {
                let mut books = L3Books::open_all(&stream.spec, &stream.books)?;
                l3_answer::replay_itch(&mut books, &stream.bytes);
                Ok(books)
            },
        ));
    } else if let Some(stream) = &workload.orders {
        rows.push(order_books(
            workload.name,
            || {
                let mut books = NaiveL3::open_all(&stream.spec, &stream.books)?;
                l3_answer::replay(&mut books, &stream.changes);
                Ok(books)
            },
            || {
                let mut books = L3Books::open_all(&stream.spec, &stream.books)?;
                l3_answer::replay(&mut books, &stream.changes);
                Ok(books)
            },
        ));
    }
    if rows.is_empty() {
        return None;
    }
    Some(rows.into_iter().collect::<Result<Vec<_>, _>>().map(|rows| rows.concat()))
}

fn level_books(workload: &'static str, stream: &LevelStream) -> Result<Vec<Row>, String> {
    let before = bytes();
    let mut maps = stream.load::<NaiveBook>()?;
    stream.replay(&mut maps);
    let in_maps = bytes() - before;
    let mut books = stream.load::<L2Book>()?;
    stream.replay(&mut books);
    let digest = stream.digest_of(&books);
    if digest != stream.digest {
        return Err(format!("expected digest {}, got {digest}", stream.digest));
    }
    let each: Vec<_> = books.iter().map(L2Book::memory_bytes).collect();
    let count = each.len().max(1) as f64;
    let empty = stream.books.first().map_or(0, |book| L2Book::new(book.spec).memory_bytes());
    let levels = maps.iter().map(|book| {
        use depthwire_core::types::Side::{Ask, Bid};
        book.len(Bid) + book.len(Ask)
    });
    let answer = format!("levels {}", levels.sum::<usize>());
    let row = |contender, bytes: f64| {
        Row::counted(("memory", workload), contender, ("bytes/book", bytes), answer.clone())
    };
    let mut rows = vec![
        row("ordered map", in_maps as f64 / count),
        row("ladder", each.iter().sum::<usize>() as f64 / count),
    ];
    if each.len() > 1 {
        rows.push(row("ladder, largest", each.iter().copied().max().unwrap_or_default() as f64));
    }
    rows.push(row("ladder, empty", empty as f64));
    Ok(rows)
}

fn order_books(
    workload: &'static str,
    fill_maps: impl Fn() -> Result<NaiveL3, String>,
    fill: impl Fn() -> Result<L3Books, String>,
) -> Result<Vec<Row>, String> {
    let before = bytes();
    let maps = fill_maps()?;
    let in_maps = bytes() - before;
    let books = fill()?;
    if books.orders_len() != maps.orders_len() {
        return Err(format!("expected {} orders, got {}", maps.orders_len(), books.orders_len()));
    }
    let orders = maps.orders_len().max(1) as f64;
    let row = |contender, bytes: f64| {
        let answer = format!("orders {}", maps.orders_len());
        Row::counted(("memory", workload), contender, ("bytes/order", bytes / orders), answer)
    };
    Ok(vec![row("map + list", in_maps as f64), row("L3Books", books.memory_bytes() as f64)])
}
