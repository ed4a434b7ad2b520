//! How many recipients, or senders, of each domain are how old; and the table that shows it.

use std::collections::HashMap;
use std::fmt::Write as _;

/// The columns of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// How many ages are told apart.
    pub buckets: usize,
    /// Up to how many minutes the first one goes.
    pub minutes: f64,
    /// Each age is as long as the first one; else each is as long as all before it.
    pub linear: bool,
    /// How wide the table is, in characters.
    pub width: usize,
}

/// The fewest characters for the name of a domain.
const MIN_NAME: usize = 18;

impl Columns {
    /// The column of a message that has waited so many seconds.
    fn of(&self, age: f64) -> usize {
        let age = age / (60.0 * self.minutes);
        if age < 1.0 {
            return 1.min(self.buckets);
        }
        let bucket = if self.linear {
            (age + 1.0).floor()
        } else {
            2.0 + age.log2().floor()
        };
        (1..self.buckets)
            .find(|number| whole(*number) >= bucket)
            .unwrap_or(self.buckets)
    }

    /// What stands above the columns, the total first.
    fn heads(&self) -> Vec<String> {
        let mut heads = vec!["T".to_owned()];
        let mut limit = 0.0;
        for _ in 1..self.buckets {
            limit += if limit > 0.0 && !self.linear {
                limit
            } else {
                self.minutes
            };
            heads.push(format!("{limit}"));
        }
        heads.push(format!("{limit}+"));
        heads
    }
}

fn whole(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The counts of one domain.
#[derive(Debug, Clone, Default)]
struct Row {
    /// All, then those of each age.
    counts: Vec<u64>,
    /// Subdomains of a parent domain.
    below: u64,
}

/// The counts.
#[derive(Debug)]
pub struct Table {
    columns: Columns,
    /// Parent domains have rows of their own, when they have so many subdomains.
    parents: Option<u64>,
    total: Row,
    rows: HashMap<Vec<u8>, Row>,
}

impl Table {
    /// An empty one.
    pub fn new(columns: Columns, parents: Option<u64>) -> Self {
        let total = Row {
            counts: vec![0; columns.buckets + 1],
            below: 0,
        };
        Self {
            columns,
            parents,
            total,
            rows: HashMap::new(),
        }
    }

    /// Counts an address of a message that has waited so many seconds.
    pub fn count(&mut self, address: &[u8], age: f64) {
        let bucket = self.columns.of(age);
        add(&mut self.total.counts, bucket);
        let mut name = domain(address);
        let mut met = false;
        loop {
            let row = self.rows.entry(name.clone()).or_insert_with(|| Row {
                counts: vec![0; self.columns.buckets + 1],
                below: 0,
            });
            let known = row.counts.first().is_some_and(|count| *count > 0);
            add(&mut row.counts, bucket);
            row.below += u64::from(met);
            met = !known;
            match parent(&name) {
                Some(above) if self.parents.is_some() => name = above,
                _ => return,
            }
        }
    }

    /// The lines of the table; of the domains, only so many of the first (0: all).
    pub fn show(&self, most: usize) -> Vec<u8> {
        let heads = self.columns.heads();
        let widths: Vec<usize> = heads
            .iter()
            .zip(&self.total.counts)
            .map(
                |(head, count)| match head.len().max(count.to_string().len()) {
                    width @ 3.. => width + 1,
                    _ => 3,
                },
            )
            .collect();
        let room = self.columns.width.saturating_sub(widths.iter().sum());
        let room = room.max(MIN_NAME);
        let mut out = Vec::new();
        line(&mut out, b"", room, heads.iter().zip(&widths));
        let mut rows: Vec<(&[u8], &Row)> = self
            .rows
            .iter()
            .map(|(name, row)| (name.as_slice(), row))
            .filter(|(name, row)| {
                !name.starts_with(b".") || self.parents.is_none_or(|least| row.below >= least)
            })
            .collect();
        rows.push((b"TOTAL", &self.total));
        rows.sort_by_key(|(name, row)| {
            let count = row.counts.first().copied().unwrap_or_default();
            (std::cmp::Reverse(count), name.len(), name.to_vec())
        });
        let most = if most == 0 { rows.len() } else { most };
        for (name, row) in rows.into_iter().take(most) {
            line(&mut out, name, room, row.counts.iter().zip(&widths));
        }
        out
    }
}

fn add(counts: &mut [u64], bucket: usize) {
    for place in [0, bucket] {
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
}

/// The domain by which an address is counted.
fn domain(address: &[u8]) -> Vec<u8> {
    if address.is_empty() {
        return b"MAILER-DAEMON".to_vec();
    }
    let behind = address.iter().rposition(|byte| *byte == b'@');
    let name = address
        .get(behind.map_or(0, |at| at + 1)..)
        .unwrap_or_default();
    let mut plain: Vec<u8> = Vec::with_capacity(name.len());
    let mut pairs = name.iter().peekable();
    while let Some(byte) = pairs.next() {
        // Each two dots are one.
        if *byte == b'.' && pairs.peek() == Some(&&b'.') {
            pairs.next();
        }
        plain.push(byte.to_ascii_lowercase());
    }
    let inner = plain.strip_prefix(b".").filter(|rest| !rest.is_empty());
    let inner = inner.unwrap_or(&plain);
    let inner = inner
        .strip_suffix(b".")
        .filter(|rest| !rest.is_empty())
        .unwrap_or(inner);
    inner.to_vec()
}

/// The parent of a domain, with a dot before it; none for what stands directly below the top.
fn parent(name: &[u8]) -> Option<Vec<u8>> {
    let name = name.strip_prefix(b".").unwrap_or(name);
    let dot = name
        .iter()
        .position(|byte| *byte == b'.')
        .filter(|at| *at > 0)?;
    let above = name.get(dot..)?;
    above.get(1..)?.contains(&b'.').then(|| above.to_vec())
}

/// A line of the table: a name, cut at its beginning when there is no room for it, and numbers.
fn line<'a, T: std::fmt::Display + 'a>(
    out: &mut Vec<u8>,
    name: &[u8],
    room: usize,
    numbers: impl Iterator<Item = (&'a T, &'a usize)>,
) {
    let mark: &[u8] = if name.starts_with(b".") { b".+" } else { b"+" };
    match name.len().checked_sub(room) {
        Some(over @ 1..) => {
            out.extend_from_slice(mark);
            out.extend_from_slice(name.get(over + mark.len()..).unwrap_or_default());
        }
        _ => {
            out.resize(out.len() + room - name.len(), b' ');
            out.extend_from_slice(name);
        }
    }
    let mut text = String::new();
    for (number, width) in numbers {
        let _fits = write!(text, "{number:>width$}");
    }
    out.extend_from_slice(text.as_bytes());
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(buckets: usize, minutes: f64, linear: bool) -> Columns {
        Columns {
            buckets,
            minutes,
            linear,
            width: 80,
        }
    }

    #[test]
    fn ages_double_or_go_on() {
        let doubling = columns(5, 5.0, false);
        for (minutes, column) in [
            (0.0, 1),
            (4.9, 1),
            (5.0, 2),
            (10.0, 3),
            (39.0, 4),
            (40.0, 5),
            (9e9, 5),
        ] {
            assert_eq!(doubling.of(minutes * 60.0), column, "{minutes}");
        }
        assert_eq!(doubling.heads(), ["T", "5", "10", "20", "40", "40+"]);
        let even = columns(3, 2.5, true);
        assert_eq!(
            [0.0, 2.5, 6.0].map(|minutes| even.of(minutes * 60.0)),
            [1, 2, 3]
        );
        assert_eq!(even.heads(), ["T", "2.5", "5", "5+"]);
    }

    #[test]
    fn domains_and_their_parents() {
        for (address, expected) in [
            ("A@X.Example", "x.example"),
            ("a@b@.c..d.", "c.d"),
            ("", "MAILER-DAEMON"),
            ("root", "root"),
            ("a@.", "."),
        ] {
            assert_eq!(domain(address.as_bytes()), expected.as_bytes(), "{address}");
        }
        assert_eq!(parent(b"a.b.c"), Some(b".b.c".to_vec()));
        assert_eq!(parent(b".b.c"), None);
        assert_eq!(parent(b"c"), None);
    }

    #[test]
    fn the_table_ends_at_its_width() {
        let mut table = Table::new(columns(2, 5.0, false), Some(2));
        for host in ["a", "b", "c"] {
            table.count(format!("u@{host}.example.com").as_bytes(), 0.0);
        }
        table.count(format!("u@{}.org", "x".repeat(90)).as_bytes(), 900.0);
        let text = String::from_utf8(table.show(0)).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.iter().all(|line| line.len() == 80));
        assert!(lines[2].ends_with(" .example.com  3  3  0"), "{text}");
        assert!(lines[6].starts_with("+xxx"), "{text}");
        assert_eq!(table.show(1).split(|byte| *byte == b'\n').count(), 3);
    }
}
