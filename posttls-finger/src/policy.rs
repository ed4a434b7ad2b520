//! The security level of one server: what was asked for, unless TLSA records say otherwise.

use pf_dns::BadProbe;
use pf_log::{info, verbose};

use crate::hosts::{Exchangers, Host};
use crate::level::Level;
use crate::options::Options;
use crate::tlsa::{Records, Tlsa};

/// The level of a server; `None`: nobody could tell, and to guess would be to give up what TLSA records are for.
///
/// # Errors
/// `dnssec_probe` is malformed.
pub async fn level(
    options: &Options,
    tlsa: &Tlsa<'_>,
    exchangers: Option<Exchangers>,
    host: &Host,
    port: u16,
) -> Result<Option<Level>, BadProbe> {
    let wanted = options.level;
    if !wanted.is_dane() {
        return Ok(Some(wanted));
    }
    let insecure = exchangers.is_some_and(|exchangers| !exchangers.authentic);
    if insecure && options.insecure_mx == Level::May {
        info!("MX RRset is insecure: try to encrypt");
        return Ok(Some(Level::May));
    }
    Ok(match tlsa.of(host, port).await? {
        Records::Unknown => None,
        records @ (Records::None | Records::Unusable) => {
            if wanted == Level::DaneOnly || verbose() > 0 {
                let usable = match records {
                    Records::Unusable => "usable ",
                    _ => "",
                };
                info!("no {usable}TLSA records found, resorting to \"secure\"");
            }
            Some(Level::Secure)
        }
        Records::Usable if insecure && options.insecure_mx == Level::Encrypt => {
            info!("TLSA RRs found, MX RRset insecure: just encrypt");
            Some(Level::Encrypt)
        }
        Records::Usable if insecure => {
            info!("MX RRset insecure: log verified as trusted");
            Some(Level::HalfDane)
        }
        Records::Usable => Some(wanted),
    })
}
