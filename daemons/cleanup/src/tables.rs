//! The tables that messages are looked up in.

use pf_config::{Config, Param, param};
use pf_maps::addr_find::{Finder, Hit, Strategy};
use pf_maps::match_list::{MatchList, Subdomains};
use pf_maps::{Lookup, Maps, Options};
use pf_mime::Class;

/// The outcome of a lookup; trouble was logged where it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// It is there.
    Found(T),
    /// It is not.
    Missing,
    /// It cannot be told.
    Unavailable,
}

/// What an address is mapped to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The table's value.
    pub value: Vec<u8>,
    /// The extension that the table does not know, with its delimiter.
    pub extension: Vec<u8>,
}

impl From<Lookup<Hit>> for Answer<Mapped> {
    fn from(lookup: Lookup<Hit>) -> Self {
        match lookup {
            Lookup::Found(hit) => Answer::Found(Mapped {
                value: hit.value,
                extension: hit.extension.unwrap_or_default(),
            }),
            Lookup::Missing => Answer::Missing,
            Lookup::Unavailable(_) => Answer::Unavailable,
        }
    }
}

/// Tables of addresses.
pub struct AddressTable {
    name: &'static str,
    maps: Maps,
    finder: std::rc::Rc<Finder>,
}

impl AddressTable {
    /// The parameter's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Looks up an address in internal form, by its parts.
    pub async fn find(&self, address: &[u8]) -> Answer<Mapped> {
        self.finder
            .find(&self.maps, address, Strategy::DEFAULT)
            .await
            .into()
    }
}

/// Header or body checks.
pub struct Checks {
    name: &'static str,
    maps: Maps,
}

impl Checks {
    /// The parameter's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Looks up a header or a body line.
    pub async fn find(&self, text: &[u8]) -> Answer<Vec<u8>> {
        match self.maps.find(text).await {
            Lookup::Found(value) => Answer::Found(value),
            Lookup::Missing => Answer::Missing,
            Lookup::Unavailable(_) => Answer::Unavailable,
        }
    }
}

/// `masquerade_exceptions`
pub struct Exceptions(MatchList);

impl Exceptions {
    /// Whether a user is an exception.
    pub async fn matches(&self, user: &[u8]) -> Answer<()> {
        match self.0.matches(user).await {
            Ok(true) => Answer::Found(()),
            Ok(false) => Answer::Missing,
            Err(_) => Answer::Unavailable,
        }
    }
}

/// The tables; those that are not configured are not there.
pub struct Tables {
    pub sender_canonical: Option<AddressTable>,
    pub recipient_canonical: Option<AddressTable>,
    pub canonical: Option<AddressTable>,
    pub virtual_alias: Option<AddressTable>,
    pub sender_bcc: Option<AddressTable>,
    pub recipient_bcc: Option<AddressTable>,
    pub body_checks: Option<Checks>,
    pub masquerade_exceptions: Option<Exceptions>,
    primary: Option<Checks>,
    multipart: Option<Checks>,
    nested: Option<Checks>,
}

impl Tables {
    /// Opens the tables.
    ///
    /// # Errors
    /// A parameter is malformed.
    pub fn open(config: &Config) -> Result<Self, pf_config::Error> {
        let options = Options::from_config(config)?;
        let finder = std::rc::Rc::new(Finder::from_config(config)?);
        let addresses = |key: Param<String>| {
            let value = config.get(key)?;
            let maps = Maps::open(key.name(), &value, &options);
            let finder = std::rc::Rc::clone(&finder);
            Ok::<_, pf_config::Error>((!maps.is_empty()).then_some(AddressTable {
                name: key.name(),
                maps,
                finder,
            }))
        };
        // Text is matched as it is.
        let exact = Options {
            utf8: false,
            ..options.clone().exact()
        };
        let checks = |key: Param<String>| {
            let value = config.get(key)?;
            let maps = Maps::open(key.name(), &value, &exact);
            Ok::<_, pf_config::Error>((!maps.is_empty()).then_some(Checks {
                name: key.name(),
                maps,
            }))
        };
        let exceptions = config.get(param::MASQUERADE_EXCEPTIONS)?;
        let exceptions = MatchList::parse(
            "masquerade_exceptions",
            &exceptions,
            Subdomains::Never,
            &options,
        );
        Ok(Self {
            sender_canonical: addresses(param::SENDER_CANONICAL_MAPS)?,
            recipient_canonical: addresses(param::RECIPIENT_CANONICAL_MAPS)?,
            canonical: addresses(param::CANONICAL_MAPS)?,
            virtual_alias: addresses(param::VIRTUAL_ALIAS_MAPS)?,
            sender_bcc: addresses(param::SENDER_BCC_MAPS)?,
            recipient_bcc: addresses(param::RECIPIENT_BCC_MAPS)?,
            body_checks: checks(param::BODY_CHECKS)?,
            masquerade_exceptions: (!exceptions.is_empty()).then_some(Exceptions(exceptions)),
            primary: checks(param::HEADER_CHECKS)?,
            multipart: checks(param::MIME_HEADER_CHECKS)?,
            nested: checks(param::NESTED_HEADER_CHECKS)?,
        })
    }

    /// The checks for a header at this place.
    pub fn header_checks(&self, class: Class) -> Option<&Checks> {
        match class {
            Class::Primary => self.primary.as_ref(),
            Class::Multipart => self.multipart.as_ref(),
            Class::Nested => self.nested.as_ref(),
        }
    }
}
