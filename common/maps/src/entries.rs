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
}

/// Keys and values in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    index: HashTable<usize>,
    hasher: DefaultHashBuilder,
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

    /// The number of the first entry with this key.
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        let hash = self.hasher.hash_one(key);
        self.index.find(hash, |at| self.key(*at) == key).copied()
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
        }
    }

    /// Adds an entry behind the others. Of entries with one key, the first one is found.
    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) {
        let known = self.find(key).is_some();
        let span = self.append(key, value);
        self.spans.push(span);
        if !known {
            let Self {
                bytes,
                spans,
                index,
                hasher,
            } = self;
            let hash_of = |at: &usize| {
                let span = spans.get(*at);
                hasher.hash_one(span.map_or(&[][..], |span| slice(bytes, span.start, span.key)))
            };
            index.insert_unique(hasher.hash_one(key), spans.len() - 1, hash_of);
        }
    }

    /// Gives an entry another value.
    pub(crate) fn set(&mut self, at: usize, value: &[u8]) {
        let key = self.key(at).to_vec();
        let span = self.append(&key, value);
        if let Some(place) = self.spans.get_mut(at) {
            *place = span;
        }
    }

    /// Removes an entry and puts one with the same key behind the others.
    pub(crate) fn put_last(&mut self, at: usize, key: &[u8], value: &[u8]) {
        let span = self.append(key, value);
        let last = self.spans.len();
        self.spans.push(span);
        if let Some(old) = self.spans.get_mut(at) {
            old.removed = true;
        }
        let hash = self.hasher.hash_one(key);
        if let Some(place) = self.index.find_mut(hash, |known| *known == at) {
            *place = last;
        }
    }

    /// Keys and values in order, with a NUL byte behind each if so wanted.
    pub(crate) fn iter(&self, null: bool) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.of(self.spans.iter(), null)
    }

    /// The same, by key.
    pub(crate) fn sorted(&self, null: bool) -> impl Iterator<Item = (&[u8], &[u8])> {
        let key = |span: &&Span| slice(&self.bytes, span.start, span.key);
        let mut spans: Vec<&Span> = self.spans.iter().collect();
        if !spans.is_sorted_by_key(key) {
            spans.sort_unstable_by(|a, b| key(a).cmp(key(b)));
        }
        self.of(spans.into_iter(), null)
    }

    fn of<'a>(
        &'a self,
        spans: impl Iterator<Item = &'a Span>,
        null: bool,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let end = usize::from(null);
        spans.filter(|span| !span.removed).map(move |span| {
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
            entries.push(key.as_bytes(), value.as_bytes());
        }
        assert_eq!(entries.find(b"b"), Some(0));
        assert_eq!(entries.find(b"c"), None);
        assert_eq!(all(entries.iter(false)), "b=1 a=2 b=3 ");
        entries.set(1, b"two");
        entries.put_last(0, b"b", b"4");
        assert_eq!(
            all(entries.iter(true)),
            "a\\x00=two\\x00 b\\x00=3\\x00 b\\x00=4\\x00 "
        );
        assert_eq!(entries.find(b"b"), Some(3));
        entries.push(b"A", b"");
        assert_eq!(all(entries.sorted(false)), "A= a=two b=3 b=4 ");
    }
}
