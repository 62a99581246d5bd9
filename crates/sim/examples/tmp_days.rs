//! temp
use depthwire_sim::*;
fn main() {
    let mut m = Market::new(5, 0); let mut f = Vec::new();
    let t = std::time::Instant::now();
    for h in 1..=96u64 {
        let mut lo=[i64::MAX;4]; let mut hi=[0;4];
        for s in 0..1800 { let now=(h-1)*1_800_000+s*1000; while m.next(now, &mut f) {}
          for (i,y) in SYMBOLS.iter().enumerate() { let p=m.true_book(y).unwrap().bids().next().unwrap().0; lo[i]=lo[i].min(p); hi[i]=hi[i].max(p);} }
        if h%8==1 { for (i,y) in SYMBOLS.iter().enumerate() { let b=m.true_book(y).unwrap(); print!("{} {}/{} o{} [{} {}]  ", &y[..3], b.bids().count(), b.asks().count(), b.orders_len(), lo[i],hi[i]); } println!("{}h {:?} dropped {}", h/2, t.elapsed(), m.dropped_ms()); }
    }
}
