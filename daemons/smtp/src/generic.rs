//! `smtp_generic_maps`: addresses of this system as the outside world knows them.

use pf_address::{
    Address, Token, addresses, externalize_header, parse, parse_limited, quote_822, unquote_822,
};
use pf_config::{Config, Error, param};
use pf_maps::addr_find::{Finder, Strategy};
use pf_maps::{Lookup, Maps};
use pf_mime::{Class, Header, HeaderFlags};

/// Addresses on a line of a rewritten header end before this column.
const FOLD_WIDTH: usize = 70;

/// The tables cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

/// The tables, and how addresses are looked up in them.
pub struct Generic {
    maps: Maps,
    finder: Finder,
    propagate: bool,
    token_limit: usize,
}

impl Generic {
    /// With these tables.
    ///
    /// # Errors
    /// A parameter has a bad value.
    pub fn new(config: &Config, maps: Maps) -> Result<Self, Error> {
        let finder = Finder::from_config(config)?;
        let propagate = finder.propagates("generic");
        Ok(Self {
            maps,
            finder,
            propagate,
            token_limit: config.count(param::HEADER_ADDRESS_TOKEN_LIMIT)?,
        })
    }

    /// Whether there are no tables.
    pub fn is_empty(&self) -> bool {
        self.maps.is_empty()
    }

    /// The address in internal form that stands for this one.
    ///
    /// # Errors
    /// A table cannot tell.
    pub async fn map(&self, internal: &[u8]) -> Result<Vec<u8>, Unavailable> {
        Ok(self
            .find(internal)
            .await?
            .unwrap_or_else(|| internal.to_vec()))
    }

    async fn find(&self, internal: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        if self.maps.is_empty() || internal.is_empty() {
            return Ok(None);
        }
        let hit = match self
            .finder
            .find(&self.maps, internal, Strategy::DEFAULT)
            .await
        {
            Lookup::Found(hit) => hit,
            Lookup::Missing => return Ok(None),
            Lookup::Unavailable(_) => return Err(Unavailable),
        };
        let extension = hit.extension.unwrap_or_default();
        let mut value = hit.value;
        // "@otherdomain" keeps the user.
        if value.first() == Some(&b'@') {
            let (user, _) = pf_address::split(internal);
            let user = user.strip_suffix(extension.as_slice()).unwrap_or(user);
            value = quote_822(&[user, &value].concat()).into_owned();
        }
        let tokens = parse(&value);
        let Some(first) = addresses(&tokens).next() else {
            return Err(Unavailable);
        };
        let mut result = first.internal();
        if self.propagate && !extension.is_empty() {
            let at = pf_address::domain_at(&result).unwrap_or(result.len());
            result.splice(at..at, extension);
        }
        Ok(Some(result))
    }

    /// A header with its addresses rewritten; `None` when nothing changes.
    ///
    /// # Errors
    /// A table cannot tell.
    pub async fn header(
        &self,
        class: Class,
        header: Option<Header>,
        text: &[u8],
    ) -> Result<Option<Vec<u8>>, Unavailable> {
        let Some(header) = header.filter(|header| {
            class == Class::Primary
                && (header.flags.has(HeaderFlags::SENDER)
                    || header.flags.has(HeaderFlags::RECIPIENT))
        }) else {
            return Ok(None);
        };
        let value = text.get(header.name.len() + 1..).unwrap_or_default();
        let mut tokens = parse_limited(value, self.token_limit);
        let mut changed = false;
        for token in &mut tokens {
            if let Token::Address(address) = token {
                let old = address.external();
                if let Some(new) = self.find(&unquote_822(&old)).await? {
                    let new = quote_822(&new);
                    if *new != *old {
                        changed = true;
                        *address = Address::scan(&new);
                    }
                }
            }
        }
        if !changed {
            return Ok(None);
        }
        let name = text.get(..header.name.len()).unwrap_or_default();
        let printed = externalize_header(&tokens).text;
        Ok(Some(folded([name, b": ", &printed].concat())))
    }
}

/// Puts as many addresses on a line as fit; the text has one on each line.
fn folded(mut text: Vec<u8>) -> Vec<u8> {
    let (mut start, mut line) = (0, 0);
    let mut kept = Vec::new();
    loop {
        let end = text
            .get(line..)
            .and_then(|rest| memchr::memchr(b'\n', rest))
            .map_or(text.len(), |at| line + at);
        if line > start {
            if end - start < FOLD_WIDTH {
                if let Some(newline) = text.get_mut(line - 1) {
                    *newline = b' ';
                }
            } else {
                kept.push(line);
                start = line;
            }
        }
        if end == text.len() {
            break;
        }
        line = end + 1;
    }
    let mut out = Vec::with_capacity(text.len() + kept.len());
    for (at, byte) in text.iter().enumerate() {
        if kept.contains(&at) && !matches!(byte, b' ' | b'\t') {
            out.push(b'\t');
        }
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_maps::Options;
    use pf_mime::HeaderTable;

    fn generic(table: &str) -> Generic {
        let config =
            Config::for_tests(&[("myorigin", "local.example"), ("recipient_delimiter", "+")]);
        let maps = Maps::open("smtp_generic_maps", table, &Options::default()).unwrap();
        Generic::new(&config, maps).unwrap()
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn addresses_and_headers() {
        let generic =
            generic("inline:{{a@local.example=alice@out.example},{@b.example=@c.example}}");
        assert_eq!(
            run(generic.map(b"a@local.example")).unwrap(),
            b"alice@out.example"
        );
        assert_eq!(run(generic.map(b"x@b.example")).unwrap(), b"x@c.example");
        assert_eq!(run(generic.map(b"x@y.example")).unwrap(), b"x@y.example");
        let table = HeaderTable::new([]);
        let header =
            |text: &[u8]| run(generic.header(Class::Primary, table.find(text), text)).unwrap();
        assert_eq!(
            header(b"From: A <a@local.example>").unwrap(),
            b"From: A <alice@out.example>"
        );
        assert_eq!(header(b"From: A <b@local.example>"), None);
        assert_eq!(header(b"Subject: a@local.example"), None);
    }

    #[test]
    fn trouble_is_no_answer() {
        assert!(run(generic("fail:x").map(b"a@b")).is_err());
    }

    #[test]
    fn lists_are_folded() {
        let long = format!(
            "To: {},\n{},\n{}",
            "a".repeat(40),
            "b".repeat(40),
            "c".repeat(10)
        );
        let folded = String::from_utf8(folded(long.into_bytes())).unwrap();
        assert_eq!(
            folded,
            format!(
                "To: {},\n\t{}, {}",
                "a".repeat(40),
                "b".repeat(40),
                "c".repeat(10)
            )
        );
    }
}
