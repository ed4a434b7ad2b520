//! Looking an address up: as it is, without its extension, its local part alone where its domain is ours, its domain alone.

use pf_address::{quote_822, split};
use pf_config::{Config, Error, param};

use crate::match_list::LocalDomains;
use crate::{Lookup, LookupError, Maps, Which};

/// What is looked up, in this order; the manual page of each feature says what applies to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strategy {
    /// `user+extension@domain`.
    pub full: bool,
    /// `user@domain`.
    pub without_extension: bool,
    /// `user+extension` and `user`, where the domain is `myorigin`, in `mydestination`, or an address of this host.
    pub local_part: bool,
    /// `@domain`.
    pub at_domain: bool,
    /// `domain`.
    pub domain: bool,
    /// `.parent.domain` and its parents.
    pub dot_parents: bool,
    /// `parent.domain` and its parents.
    pub parents: bool,
    /// `user@` (access tables).
    pub local_part_at: bool,
}

impl Strategy {
    /// Canonical, virtual, generic, relocated: full, without extension, local part, `@domain`.
    pub const DEFAULT: Self = Self {
        full: true,
        without_extension: true,
        local_part: true,
        at_domain: true,
        domain: false,
        dot_parents: false,
        parents: false,
        local_part_at: false,
    };
    /// Full and without extension only.
    pub const ADDRESS: Self = Self {
        local_part: false,
        at_domain: false,
        ..Self::DEFAULT
    };
}

/// A hit, and what was not part of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The table's value.
    pub value: Vec<u8>,
    /// The extension, delimiter included, when the key was found without it: the result may get it back.
    pub extension: Option<Vec<u8>>,
    /// Whether the key was `@domain`.
    pub by_domain: bool,
}

/// What address lookups need to know of the system.
#[derive(Debug)]
pub struct Finder {
    delimiters: Vec<u8>,
    origin: String,
    local: LocalDomains,
    /// Whether parents match plain domains for these features (`parent_domain_matches_subdomains`).
    propagate: String,
}

impl Finder {
    /// Reads the parameters.
    ///
    /// # Errors
    /// A parameter has a bad value.
    pub fn from_config(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            delimiters: config.get(param::RECIPIENT_DELIMITER)?.into_bytes(),
            origin: config.get(param::MYORIGIN)?,
            local: LocalDomains::from_config(config)?,
            propagate: config.get(param::PROPAGATE_UNMATCHED_EXTENSIONS)?,
        })
    }

    /// The domains that are ours.
    pub fn local_domains(&self) -> &LocalDomains {
        &self.local
    }

    /// Whether results of this feature get the extension back (`propagate_unmatched_extensions`).
    pub fn propagates(&self, feature: &str) -> bool {
        pf_text::split::list(&self.propagate).any(|name| name.eq_ignore_ascii_case(feature))
    }

    /// Looks up an address in internal (unquoted) form.
    pub async fn find(&self, maps: &Maps, address: &[u8], strategy: Strategy) -> Lookup<Hit> {
        self.try_find(maps, address, strategy).await.into()
    }

    async fn try_find(
        &self,
        maps: &Maps,
        address: &[u8],
        strategy: Strategy,
    ) -> Result<Option<Hit>, LookupError> {
        let (local, domain) = split(address);
        let extension = pf_address::Delimiters::new(&self.delimiters).split(local);
        if strategy.full
            && let Some(value) = ask(maps, address, Which::All).await?
        {
            return Ok(Some(Hit {
                value,
                extension: None,
                by_domain: false,
            }));
        }
        let bare = extension.map(|(user, extension)| {
            // The extension comes with its delimiter.
            let kept = local.get(user.len()..).unwrap_or(extension);
            (user, kept)
        });
        if let (true, Some((user, kept))) = (strategy.without_extension, bare) {
            let mut key = user.to_vec();
            if let Some(domain) = domain {
                key.push(b'@');
                key.extend_from_slice(domain);
            }
            if let Some(value) = ask(maps, &key, Which::FixedOnly).await? {
                return Ok(Some(Hit {
                    value,
                    extension: Some(kept.to_vec()),
                    by_domain: false,
                }));
            }
        }
        if strategy.local_part && self.is_ours(domain).await? {
            if domain.is_some()
                && let Some(value) = ask(maps, local, Which::FixedOnly).await?
            {
                return Ok(Some(Hit {
                    value,
                    extension: None,
                    by_domain: false,
                }));
            }
            if let Some((user, kept)) = bare
                && let Some(value) = ask(maps, user, Which::FixedOnly).await?
            {
                return Ok(Some(Hit {
                    value,
                    extension: Some(kept.to_vec()),
                    by_domain: false,
                }));
            }
        }
        let Some(domain) = domain else {
            return Ok(None);
        };
        if strategy.at_domain {
            let mut key = vec![b'@'];
            key.extend_from_slice(domain);
            if let Some(value) = maps.find_in(&key, Which::FixedOnly).await.found()? {
                return Ok(Some(Hit {
                    value,
                    extension: None,
                    by_domain: true,
                }));
            }
        }
        if strategy.domain
            && let Some(value) = maps.find_in(domain, Which::FixedOnly).await.found()?
        {
            return Ok(Some(Hit {
                value,
                extension: None,
                by_domain: true,
            }));
        }
        if strategy.parents || strategy.dot_parents {
            let mut rest = domain;
            while let Some(dot) = rest.iter().position(|byte| *byte == b'.') {
                let key = rest
                    .get(if strategy.dot_parents { dot } else { dot + 1 }..)
                    .unwrap_or_default();
                if let Some(value) = maps.find_in(key, Which::FixedOnly).await.found()? {
                    return Ok(Some(Hit {
                        value,
                        extension: None,
                        by_domain: true,
                    }));
                }
                rest = rest.get(dot + 1..).unwrap_or_default();
            }
        }
        if strategy.local_part_at {
            for (user, kept) in [(local, None)]
                .into_iter()
                .chain(bare.map(|(user, kept)| (user, Some(kept))))
            {
                let key = [user, b"@"].concat();
                if let Some(value) = ask(maps, &key, Which::FixedOnly).await? {
                    return Ok(Some(Hit {
                        value,
                        extension: kept.map(<[u8]>::to_vec),
                        by_domain: false,
                    }));
                }
            }
        }
        Ok(None)
    }

    async fn is_ours(&self, domain: Option<&[u8]>) -> Result<bool, LookupError> {
        let Some(domain) = domain else {
            return Ok(true);
        };
        if domain.eq_ignore_ascii_case(self.origin.as_bytes()) {
            return Ok(true);
        }
        self.local.contains(domain).await
    }
}

/// Looks up an address in quoted form, as sources have it, and then, for old tables, unquoted.
async fn ask(maps: &Maps, address: &[u8], which: Which) -> Result<Option<Vec<u8>>, LookupError> {
    let quoted = quote_822(address);
    if let Some(value) = maps.find_in(&quoted, which).await.found()? {
        return Ok(Some(value));
    }
    if *quoted != *address {
        maps.find_in(address, which).await.found()
    } else {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    fn find(tables: &str, address: &str, strategy: Strategy) -> Option<(String, Option<String>)> {
        let config = Config::for_tests(&[
            ("mydestination", "here.example"),
            ("myorigin", "origin.example"),
            ("recipient_delimiter", "+-"),
            ("inet_interfaces", "127.0.0.1"),
        ]);
        let finder = Finder::from_config(&config).unwrap();
        let maps = Maps::open("test", tables, &Options::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        match runtime.block_on(finder.find(&maps, address.as_bytes(), strategy)) {
            Lookup::Found(hit) => Some((
                String::from_utf8(hit.value).unwrap(),
                hit.extension
                    .map(|extension| String::from_utf8(extension).unwrap()),
            )),
            Lookup::Missing => None,
            Lookup::Unavailable(err) => panic!("{err}"),
        }
    }

    #[test]
    fn from_the_whole_address_to_its_domain() {
        let all =
            "inline:{a+x@d.example=1, a@d.example=2, b=3, @d.example=4, {\"q r\"@d.example=5}}";
        let hit = |address| find(all, address, Strategy::DEFAULT);
        assert_eq!(hit("A+X@d.example"), Some(("1".into(), None)));
        assert_eq!(hit("a+y@d.example"), Some(("2".into(), Some("+y".into()))));
        assert_eq!(
            hit("b+y@here.example"),
            Some(("3".into(), Some("+y".into())))
        );
        assert_eq!(hit("b@origin.example"), Some(("3".into(), None)));
        assert_eq!(hit("b"), Some(("3".into(), None)));
        assert_eq!(hit("z@d.example"), Some(("4".into(), None)));
        assert_eq!(hit("q r@d.example"), Some(("5".into(), None)));
        assert_eq!(hit("b@elsewhere.example"), None);
    }

    #[test]
    fn patterns_see_whole_addresses_only() {
        assert_eq!(
            find("regexp:{{/^a@/ x}}", "a+b@d.example", Strategy::DEFAULT),
            None
        );
        assert_eq!(
            find("regexp:{{/^a/ x}}", "a+b@d.example", Strategy::DEFAULT),
            Some(("x".into(), None))
        );
    }

    #[test]
    fn parents() {
        let dots = Strategy {
            dot_parents: true,
            domain: true,
            ..Strategy::ADDRESS
        };
        assert_eq!(
            find("inline:{.example=x}", "a@b.c.example", dots),
            Some(("x".into(), None))
        );
        assert_eq!(find("inline:{example=x}", "a@b.c.example", dots), None);
        let plain = Strategy {
            parents: true,
            domain: true,
            ..Strategy::ADDRESS
        };
        assert_eq!(
            find("inline:{example=x}", "a@b.c.example", plain),
            Some(("x".into(), None))
        );
        // The local part alone comes last, and may lose its extension.
        let access = Strategy {
            local_part_at: true,
            ..dots
        };
        for (tables, value) in [
            ("inline:{{a@=user} {c.example=domain}}", "domain"),
            ("inline:{{a@=user} {.example=parent}}", "parent"),
            ("inline:{a@=user}", "user"),
        ] {
            let hit = find(tables, "a+x@c.example", access);
            assert_eq!(hit.unwrap().0, value);
        }
    }
}
