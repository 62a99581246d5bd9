use super::decoder::{Decoder, What};
use super::encoder::{Encoder, without_sending};

#[test]
fn sizes() {
    for name in ["l2", "l3"] {
        let bytes = std::fs::read(format!("/tmp/normal/{name}.frames")).unwrap();
        let mut frames = Vec::new();
        let mut rest = &bytes[..];
        while let Some(size) = rest.first_chunk::<4>() {
            let (frame, behind) = rest.split_at(4 + u32::from_le_bytes(*size) as usize);
            frames.push(frame);
            rest = behind;
        }
        let mut encoder = Encoder::default();
        let mut out = Vec::new();
        let mut blocks = Vec::new();
        for frame in &frames {
            encoder.frame(frame);
            if encoder.count() == 1 << 18 {
                out.clear();
                encoder.finish(&mut out);
                blocks.push(out.clone());
            }
        }
        out.clear();
        encoder.finish(&mut out);
        blocks.push(out);
        let total: usize = blocks.iter().map(|b| zstd::bulk::compress(b, 3).unwrap().len()).sum();
        println!("{name}: {} frames {} plain {:?} packed {total}", frames.len(), bytes.len(), blocks.iter().map(Vec::len).collect::<Vec<_>>());
        let mut decoder = Decoder::default();
        let mut frames = frames.iter();
        let (mut back, mut expected) = (Vec::new(), Vec::new());
        for block in &blocks {
            decoder.open(block).unwrap();
            decoder.report(block);
            while !decoder.is_read() {
                back.clear();
                expected.clear();
                assert_eq!(decoder.next(block, &mut back), Some(What::Frame));
                without_sending(frames.next().unwrap(), &mut expected);
                assert_eq!(back, expected);
            }
        }
        assert_eq!(frames.next(), None);
        for _ in 0..3 {
        let t = std::time::Instant::now();
        let mut n = 0;
        for block in &blocks {
            decoder.open(block).unwrap();
            while !decoder.is_read() { back.clear(); for _ in 0..64 { if decoder.is_read() { break } decoder.next(block, &mut back).unwrap(); n += 1; } }
        }
        println!("{} ns a frame", t.elapsed().as_nanos() / n);
        }
    }
}
