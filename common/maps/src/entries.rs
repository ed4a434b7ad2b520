//! The entries of a table in the making: all bytes in one place, found by key.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Where an entry is: the key, a NUL byte, the value, another one.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    key: usize,
    value: usize,
    removed: bool,
    /// Never ends in a NUL byte.
    plain: bool,
}

/// Keys and values in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    /// The hash of a key, and the number of its entry.
    index: HashTable<(u64, usize)>,
    hasher: DefaultHashBuilder,
    /// Whether entries that are added never end in a NUL byte.
    plain: bool,
}

/// What is known of a key: its hash, and the number of its first entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    hash: u64,
    /// The number of the first entry with this key.
    pub(crate) at: Option<usize>,
}

fn slice(bytes: &[u8], start: usize, length: usize) -> &[u8] {
    bytes.get(start..start + length).unwrap_or_default()
}

impl Entries {
    fn key(&self, at: usize) -> &[u8] {
        self.spans
            .get(at)
            .map_or(&[], |span| slice(&self.bytes, span.start, span.key))
    }

    /// Looks for an entry with this key.
    pub(crate) fn find(&self, key: &[u8]) -> Known {
        let hash = self.hasher.hash_one(key);
        let same = |(other, at): &(u64, usize)| *other == hash && self.key(*at) == key;
        Known {
            hash,
            at: self.index.find(hash, same).map(|(_, at)| *at),
        }
    }

    fn append(&mut self, key: &[u8], value: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.bytes.push(0);
        self.bytes.extend_from_slice(value);
        self.bytes.push(0);
        Span {
            start,
            key: key.len(),
            value: value.len(),
            removed: false,
            plain: self.plain,
        }
    }

    /// Adds an entry behind the others. Of entries with one key, the first one is found.
    pub(crate) fn push(&mut self, known: Known, key: &[u8], value: &[u8]) {
        let span = self.append(key, value);
        if known.at.is_none() {
            let place = (known.hash, self.spans.len());
            self.index
                .insert_unique(known.hash, place, |(hash, _)| *hash);
        }
        self.spans.push(span);
    }

    /// From now on entries never end in a NUL byte.
    pub(crate) fn end_nulls(&mut self) {
        self.plain = true;
    }

    /// Gives an entry another value.
    pub(crate) fn set(&mut self, at: usize, value: &[u8]) {
        let key = self.key(at).to_vec();
        let span = self.append(&key, value);
        if let Some(place) = self.spans.get_mut(at) {
            *place = span;
        }
    }

    /// Adds an entry behind the others, and removes the one with the same key.
    pub(crate) fn put_last(&mut self, known: Known, key: &[u8], value: &[u8]) {
        let last = self.spans.len();
        if let Some(at) = known.at {
            if let Some(old) = self.spans.get_mut(at) {
                old.removed = true;
            }
            let place = self.index.find_mut(known.hash, |(_, found)| *found == at);
            if let Some((_, found)) = place {
                *found = last;
            }
        }
        self.push(known, key, value);
    }

    /// About how many bytes a file of pages needs for old and new entries.
    pub(crate) fn room(&self) -> usize {
        const EACH: usize = 16;
        let bytes = self.bytes.len() + self.spans.len() * EACH;
        bytes.saturating_mul(3)
    }

    /// Keys and values in order, with a NUL byte behind each if so wanted.
    pub(crate) fn iter(&self, null: bool) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.of(self.spans.iter(), null)
    }

    /// The same, by key.
    pub(crate) fn sorted(&self, null: bool) -> impl Iterator<Item = (&[u8], &[u8])> {
        let key = |span: &Span| slice(&self.bytes, span.start, span.key);
        // Most comparisons are decided by the first bytes, which need no look elsewhere.
        let first = |span: &Span| {
            let mut bytes = [0; 16];
            for (place, byte) in bytes.iter_mut().zip(key(span)) {
                *place = *byte;
            }
            u128::from_be_bytes(bytes)
        };
        let mut spans: Vec<(u128, &Span)> =
            self.spans.iter().map(|span| (first(span), span)).collect();
        spans.sort_unstable_by(|(a, one), (b, other)| {
            a.cmp(b).then_with(|| key(one).cmp(key(other)))
        });
        self.of(spans.into_iter().map(|(_, span)| span), null)
    }

    fn of<'a>(
        &'a self,
        spans: impl Iterator<Item = &'a Span>,
        null: bool,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        spans.filter(|span| !span.removed).map(move |span| {
            let end = usize::from(null && !span.plain);
            (
                slice(&self.bytes, span.start, span.key + end),
                slice(&self.bytes, span.start + span.key + 1, span.value + end),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<'a>(entries: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> String {
        entries
            .map(|(key, value)| format!("{}={} ", key.escape_ascii(), value.escape_ascii()))
            .collect()
    }

    #[test]
    fn order_and_replacement() {
        let mut entries = Entries::default();
        for (key, value) in [("b", "1"), ("a", "2"), ("b", "3")] {
            entries.push(
                entries.find(key.as_bytes()),
                key.as_bytes(),
                value.as_bytes(),
            );
        }
        assert_eq!(entries.find(b"b").at, Some(0));
        assert_eq!(entries.find(b"c").at, None);
        assert_eq!(all(entries.iter(false)), "b=1 a=2 b=3 ");
        entries.set(1, b"two");
        entries.put_last(entries.find(b"b"), b"b", b"4");
        assert_eq!(
            all(entries.iter(true)),
            "a\\x00=two\\x00 b\\x00=3\\x00 b\\x00=4\\x00 "
        );
        assert_eq!(entries.find(b"b").at, Some(3));
        entries.push(entries.find(b"A"), b"A", b"");
        assert_eq!(all(entries.sorted(false)), "A= a=two b=3 b=4 ");
    }
}
