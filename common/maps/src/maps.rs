//! A list of tables, as the value of a parameter names them: the first table that has the key answers.

use pf_text::split::list_braces;

use crate::spec::split_form;
use crate::{Lookup, Options, Table};

/// Which tables of a list are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Not those whose keys are patterns: the key is only a part of an address.
    FixedOnly,
}

/// The tables of one parameter.
#[derive(Debug)]
pub struct Maps {
    title: String,
    tables: Vec<Table>,
}

impl Maps {
    /// Opens all tables of the list `value` of the parameter `title`. A table that cannot be opened is logged and cannot tell.
    ///
    /// # Errors
    /// A word is not `type:name`.
    pub fn open(title: &str, value: &str, options: &Options) -> Result<Self, pf_config::Error> {
        let tables = list_braces(value)
            .map(|spec| {
                split_form(spec).map_err(|err| pf_config::Error(err.0))?;
                Ok(Table::open(spec, options))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            title: title.to_owned(),
            tables,
        })
    }

    /// The parameter's name.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether there is no table at all.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The tables.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Looks a key up in all tables.
    pub async fn find(&self, key: &[u8]) -> Lookup<Vec<u8>> {
        self.find_in(key, Which::All).await
    }

    /// Looks a key up. An empty key is nowhere, and neither is an empty value, which is logged.
    pub async fn find_in(&self, key: &[u8], which: Which) -> Lookup<Vec<u8>> {
        if key.is_empty() {
            return Lookup::Missing;
        }
        for table in &self.tables {
            if which == Which::FixedOnly && table.is_pattern() {
                continue;
            }
            match table.lookup(key).await {
                Lookup::Found(value) if value.is_empty() => {
                    let key = String::from_utf8_lossy(key);
                    pf_log::warning!(
                        "{} lookup of {key} returns an empty string result",
                        self.title
                    );
                    pf_log::warning!(
                        "{} should return NO RESULT in case of NOT FOUND",
                        self.title
                    );
                    return Lookup::Unavailable(crate::LookupError(format!(
                        "{}: empty result",
                        self.title
                    )));
                }
                Lookup::Missing => {}
                Lookup::Unavailable(err) => {
                    let shown = String::from_utf8_lossy(key);
                    pf_log::warning!("{} lookup error for \"{}\"", table.title(), shown);
                    return Lookup::Unavailable(err);
                }
                found => return found,
            }
        }
        Lookup::Missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn the_first_table_that_knows_answers() {
        let maps = Maps::open(
            "test",
            "inline:{a=1}, inline:{a=2,b=3} regexp:{{/^c/ 4}}",
            &Options::default(),
        )
        .unwrap();
        assert_eq!(wait(maps.find(b"A")), Lookup::Found(b"1".to_vec()));
        assert_eq!(wait(maps.find(b"b")), Lookup::Found(b"3".to_vec()));
        assert_eq!(wait(maps.find(b"cc")), Lookup::Found(b"4".to_vec()));
        assert_eq!(wait(maps.find_in(b"cc", Which::FixedOnly)), Lookup::Missing);
    }

    #[test]
    fn trouble_is_no_answer() {
        let maps = Maps::open(
            "test",
            "inline:{a=1} fail:x inline:{b=2}",
            &Options::default(),
        )
        .unwrap();
        assert_eq!(wait(maps.find(b"a")), Lookup::Found(b"1".to_vec()));
        assert!(matches!(wait(maps.find(b"b")), Lookup::Unavailable(_)));
        let broken = Maps::open("test", "nosuchtype:x", &Options::default()).unwrap();
        assert!(matches!(wait(broken.find(b"b")), Lookup::Unavailable(_)));
        let nameless = Maps::open("test", "inline:{a=1} nosuch", &Options::default());
        assert_eq!(
            nameless.unwrap_err().0,
            "open dictionary: expecting \"type:name\" form instead of \"nosuch\""
        );
    }
}
