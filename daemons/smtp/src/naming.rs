//! How names are looked up: `smtp_dns_support_level`, `smtp_host_lookup`, `smtp_dns_resolver_options`, `smtp_dns_reply_filter`,
//! `smtp_cname_overrides_servername`.

use pf_config::{Config, Error, param};
use pf_dns::{Answer, Appending, Kind, Resolver};
use pf_maps::dns_filter::DnsFilter;
use pf_maps::{Maps, Options};

/// Whom to ask for names, and what to make of the answers.
pub struct Naming {
    pub resolver: Resolver,
    /// DNS may be asked at all.
    pub dns_enabled: bool,
    /// Hosts are looked up in DNS.
    pub use_dns: bool,
    /// Hosts are looked up as any other program of the system does.
    pub use_native: bool,
    /// A server is called what its address belongs to, and not by its alias.
    pub cname_overrides: bool,
    appending: Appending,
    filter: DnsFilter,
}

impl Naming {
    /// Reads the parameters that begin with `smtp` or `lmtp`.
    ///
    /// # Errors
    /// One has a bad value.
    pub fn read(config: &Config, prefix: &str) -> Result<Self, Error> {
        let name = |suffix: &str| format!("{prefix}_{suffix}");
        let text = |suffix: &str| Ok::<_, Error>(config.string(&name(suffix))?.unwrap_or_default());
        let level = text("dns_support_level")?;
        let dns_enabled = match level.to_ascii_lowercase().as_str() {
            "" => !config.get(param::DISABLE_DNS_LOOKUPS)?,
            "disabled" => false,
            "enabled" | "dnssec" => true,
            _ => {
                let name = name("dns_support_level");
                return Err(Error(format!("invalid {name}: \"{level}\"")));
            }
        };
        let [use_dns, use_native] = if dns_enabled {
            words(
                &name("host_lookup"),
                &text("host_lookup")?,
                ["dns", "native"],
            )?
        } else {
            [false, true]
        };
        let options = text("dns_resolver_options")?;
        let [to_short, to_dotted] = words(
            &name("dns_resolver_options"),
            &options,
            ["res_defnames", "res_dnsrch"],
        )?;
        let cname_overrides = config
            .bool(&name("cname_overrides_servername"))?
            .unwrap_or(false);
        let filter = name("dns_reply_filter");
        let tables = text("dns_reply_filter")?;
        Ok(Self {
            resolver: Resolver::system(),
            dns_enabled,
            use_dns,
            use_native,
            cname_overrides,
            appending: Appending {
                to_short,
                to_dotted,
            },
            filter: DnsFilter::new(Maps::open(
                &filter,
                &tables,
                &Options::from_config(config)?,
            )?),
        })
    }

    /// The records of a domain.
    pub async fn record(&self, name: &str, kind: Kind) -> Answer {
        let answer = self.resolver.lookup(name, kind).await;
        self.filter.filter(name, kind, answer).await
    }

    /// The addresses of one family that a host has in DNS; its name may be short.
    pub async fn host(&self, name: &str, kind: Kind) -> Answer {
        let answer = self.resolver.search(name, kind, self.appending).await;
        self.filter.filter(name, kind, answer).await
    }
}

/// Which of some words a parameter lists.
fn words<const N: usize>(
    parameter: &str,
    value: &str,
    known: [&str; N],
) -> Result<[bool; N], Error> {
    let mut listed = [false; N];
    for word in pf_text::split::list(value) {
        let mut found = false;
        for (name, listed) in known.iter().zip(&mut listed) {
            if *name == word {
                (*listed, found) = (true, true);
            }
        }
        if !found {
            return Err(Error(format!(
                "unknown {parameter} value \"{word}\" in \"{value}\""
            )));
        }
    }
    Ok(listed)
}
