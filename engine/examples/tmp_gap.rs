//! Temporary.
#![allow(warnings, clippy::all, reason = "x")]
use footfall_engine::{encoding::*, segment::*, store::Store};
use std::collections::BTreeMap;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let store = Store::open(a[1].as_ref()).unwrap();
    let v = store.view().unwrap();
    let mut h = [0u64; 33];
    let mut enc: BTreeMap<u8, (u64, u64)> = BTreeMap::new();
    let mut planes = vec![[0u64; 256]; 4];
    let mut ctx = vec![[0u64; 33]; 33];
    let mut cond = vec![vec![0u64; 256]; 33];
    let mut total_len = 0u64;
    for p in v.manifest().partitions.iter().step_by(10) {
        let s = v.segment(p).unwrap();
        let n = s.len(column::ROW_GAP);
        let mut g = vec![];
        s.read(column::ROW_GAP, 0..n, &mut g).unwrap();
        let mut prev = 0usize;
        for &x in &g {
            let l = (32 - x.leading_zeros()) as usize;
            h[l] += 1;
            ctx[prev][l] += 1;
            prev = l;
            for k in 0..4 {
                planes[k][(x >> (8 * k)) as usize & 255] += 1;
            }
            total_len += l.saturating_sub(1) as u64;
            if l > 8 {
                cond[l][(x >> (l - 8)) as usize & 127] += 1;
            }
        }
        for c in g.chunks(16384) {
            let mut o = vec![];
            encode_page(c, Choice::Any, &mut o).unwrap();
            let e = enc.entry(o[0]).or_default();
            e.0 += c.len() as u64;
            e.1 += o.len() as u64;
        }
    }
    let ent = |t: &[u64]| {
        let s: u64 = t.iter().sum();
        t.iter()
            .filter(|x| **x > 0)
            .map(|x| -(*x as f64) * ((*x as f64) / (s as f64)).log2())
            .sum::<f64>()
    };
    let n: u64 = h.iter().sum();
    println!("n {n} hist {:?}", h);
    println!(
        "class entropy {:.3} + mantissa {:.3}",
        ent(&h) / n as f64,
        total_len as f64 / n as f64
    );
    println!(
        "class|prev entropy {:.3}",
        ctx.iter().map(|c| ent(c)).sum::<f64>() / n as f64
    );
    println!(
        "planes {:?}",
        planes.iter().map(|p| ent(p) / n as f64).collect::<Vec<_>>()
    );
    let save: f64 = (9..33)
        .map(|l| {
            let s: u64 = cond[l].iter().sum();
            7.0 * s as f64 - ent(&cond[l])
        })
        .sum::<f64>()
        / n as f64;
    println!("top-7 mantissa saving {save:.3}");
    println!("enc {:?}", enc);
}
