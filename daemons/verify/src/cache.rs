//! Where entries are kept: in memory, or in a database that only this process has open. It is a cache: a damaged one is
//! thrown away and built again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use pf_log::warning;

/// Database memory, in bytes: addresses and texts are short.
const MEMORY: u64 = 1 << 20;

/// The cache.
pub struct Cache {
    title: String,
    store: Store,
}

enum Store {
    Memory(HashMap<Vec<u8>, Vec<u8>>),
    Database(sled::Db),
}

impl Cache {
    /// Opens the cache that `address_verify_map` names; empty: in memory. Whatever type of file is named, the file is ours
    /// alone, and `sled` is what we keep in it (under a name of its own, beside one that Postfix may have left).
    ///
    /// # Errors
    /// The type cannot be written to, or the database cannot be made.
    pub fn open(map: &str) -> anyhow::Result<Self> {
        let map = map.trim();
        let (kind, name) = match map.split_once(':') {
            Some((kind, name)) if !name.is_empty() => (kind, name),
            _ if map.is_empty() => ("internal", "verify"),
            _ => bail!("unsupported dictionary specification: {map}: expecting \"type:name\""),
        };
        let title = format!("{kind}:{name}");
        let store = match kind {
            "internal" => Store::Memory(HashMap::new()),
            "sled" | "lmdb" | "btree" | "hash" => Store::Database(open(&file_name(name))?),
            "proxy" => return Self::open(name),
            _ => bail!("dictionary type {kind} does not support update operations: {title}"),
        };
        Ok(Self { title, store })
    }

    /// Whether the cache that `address_verify_map` names is lost when the process ends.
    pub fn is_volatile(map: &str) -> bool {
        let map = map.trim();
        map.is_empty() || map.starts_with("internal:")
    }

    /// `type:name`, for log lines.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What is kept under a key.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn get(&self, key: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
        match &self.store {
            Store::Memory(map) => Ok(map.get(key).cloned()),
            Store::Database(db) => Ok(db.get(key)?.map(|value| value.to_vec())),
        }
    }

    /// Keeps a value, or forgets it. Trouble is logged: nothing of value is lost.
    pub fn set(&mut self, key: &[u8], value: Option<Vec<u8>>) {
        let result = match (&mut self.store, value) {
            (Store::Memory(map), Some(value)) => {
                map.insert(key.to_vec(), value);
                return;
            }
            (Store::Memory(map), None) => {
                map.remove(key);
                return;
            }
            (Store::Database(db), Some(value)) => db.insert(key, value),
            (Store::Database(db), None) => db.remove(key),
        };
        if let Err(err) = result {
            warning!("{}: update: {err}", self.title);
        }
    }

    /// Keeps the entries that `keep` accepts; gives how many were kept and dropped.
    pub fn clean(&mut self, keep: impl Fn(&[u8], &[u8]) -> bool) -> (usize, usize) {
        match &mut self.store {
            Store::Memory(map) => {
                let before = map.len();
                map.retain(|key, value| keep(key, value));
                (map.len(), before - map.len())
            }
            Store::Database(db) => {
                let (mut kept, mut dropped) = (0, 0);
                for (key, value) in db.iter().flatten() {
                    if keep(&key, &value) {
                        kept += 1;
                    } else if db.remove(&key).is_ok() {
                        dropped += 1;
                    }
                }
                (kept, dropped)
            }
        }
    }

    /// Makes what was kept durable.
    pub fn flush(&self) {
        if let Store::Database(db) = &self.store
            && let Err(err) = db.flush()
        {
            warning!("{}: flush: {err}", self.title);
        }
    }
}

fn file_name(name: &str) -> PathBuf {
    PathBuf::from(format!("{name}.sled"))
}

fn open(path: &Path) -> anyhow::Result<sled::Db> {
    let config = sled::Config::default()
        .path(path)
        .cache_capacity(MEMORY)
        .mode(sled::Mode::LowSpace)
        .flush_every_ms(Some(1000));
    match config.open() {
        Ok(db) => Ok(db),
        Err(err @ (sled::Error::Corruption { .. } | sled::Error::Unsupported(_))) => {
            warning!("{}: {err}; the cache is built again", path.display());
            std::fs::remove_dir_all(path).with_context(|| format!("remove {}", path.display()))?;
            config
                .open()
                .with_context(|| format!("open {}", path.display()))
        }
        Err(err) => Err(err).with_context(|| format!("open {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exercise(cache: &mut Cache) {
        cache.set(b"a", Some(b"1".to_vec()));
        cache.set(b"b", Some(b"2".to_vec()));
        cache.set(b"c", Some(b"3".to_vec()));
        cache.set(b"c", None);
        assert_eq!(cache.get(b"a").unwrap().unwrap(), b"1");
        assert_eq!(cache.get(b"c").unwrap(), None);
        assert_eq!(cache.clean(|key, _| key == b"a"), (1, 1));
        assert_eq!(cache.get(b"b").unwrap(), None);
    }

    #[test]
    fn memory_and_database_do_the_same() {
        exercise(&mut Cache::open("").unwrap());
        let dir = tempfile::tempdir().unwrap();
        let map = format!("sled:{}/verify_cache", dir.path().display());
        let mut cache = Cache::open(&map).unwrap();
        exercise(&mut cache);
        cache.flush();
        drop(cache);
        assert_eq!(Cache::open(&map).unwrap().get(b"a").unwrap().unwrap(), b"1");
        assert!(Cache::open("regexp:/x").is_err());
    }
}
