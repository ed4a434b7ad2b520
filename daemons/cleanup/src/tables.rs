//! The tables that messages are looked up in.

use pf_checks::{Checks, Party};
use pf_config::{Config, Param, param};
use pf_maps::addr_find::{Finder, Hit, Strategy};
use pf_maps::match_list::{MatchList, Subdomains};
use pf_maps::{Lookup, Maps, Options};

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
    pub checks: Checks,
    pub masquerade_exceptions: Option<Exceptions>,
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
            let maps = Maps::open(key.name(), &value, &options)?;
            let finder = std::rc::Rc::clone(&finder);
            Ok::<_, pf_config::Error>((!maps.is_empty()).then_some(AddressTable {
                name: key.name(),
                maps,
                finder,
            }))
        };
        let keys = [
            param::HEADER_CHECKS,
            param::MIME_HEADER_CHECKS,
            param::NESTED_HEADER_CHECKS,
            param::BODY_CHECKS,
        ];
        let [primary, multipart, nested, body] = keys.map(|key| config.get(key));
        let (primary, multipart, nested, body) = (primary?, multipart?, nested?, body?);
        let checks = Checks::open(
            Party::Cleanup,
            [
                (param::HEADER_CHECKS.name(), &primary),
                (param::MIME_HEADER_CHECKS.name(), &multipart),
                (param::NESTED_HEADER_CHECKS.name(), &nested),
                (param::BODY_CHECKS.name(), &body),
            ],
            &options,
        )?;
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
            checks,
            masquerade_exceptions: (!exceptions.is_empty()).then_some(Exceptions(exceptions)),
        })
    }
}
