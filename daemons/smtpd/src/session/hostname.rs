//! What may stand where a host name, an address or an address literal (RFC 5321, section 4.1.3) is wanted.

use std::net::IpAddr;

use pf_text::hostaddr::{check_literal, parse_literal};
pub(crate) use pf_text::hostaddr::{valid_hostaddr, valid_literal};

/// Whether this is a host name in ASCII.
pub(crate) fn valid_hostname(name: &[u8]) -> bool {
    name.is_ascii() && pf_text::hostname::valid_hostname(name)
}

/// The bare text of an RFC 5321 address, when it is one: IPv6 needs its `IPv6:`, IPv4 has none.
pub(crate) fn bare_mailhost_address(text: &[u8]) -> Option<&[u8]> {
    check_literal(text).ok()
}

/// Which address families `inet_protocols` allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Families {
    pub(crate) v4: bool,
    pub(crate) v6: bool,
}

impl Families {
    /// Whether addresses of this kind are used.
    pub(crate) fn allow(self, ip: IpAddr) -> bool {
        if ip.is_ipv4() { self.v4 } else { self.v6 }
    }
}

/// An address in canonical form, an IPv4 address within IPv6 as plain IPv4; `None` when it is malformed, or of a family that is
/// not used.
pub(crate) fn normalize(text: &[u8], families: Families) -> Option<IpAddr> {
    let ip = parse_literal(text).ok()??;
    let ip = match ip {
        IpAddr::V6(v6) if families.v4 => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        _ => ip,
    };
    families.allow(ip).then_some(ip)
}

/// The RFC 5321 form of an address.
pub(crate) fn rfc_form(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("IPv6:{v6}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Families = Families { v4: true, v6: true };

    #[test]
    fn literals() {
        assert!(valid_literal(b"[192.0.2.1]"));
        assert!(valid_literal(b"[IPv6:2001:db8::1]"));
        assert!(!valid_literal(b"[2001:db8::1]"));
        assert!(!valid_literal(b"192.0.2.1"));
        assert_eq!(bare_mailhost_address(b"ipv6:::1"), Some(&b"::1"[..]));
    }

    #[test]
    fn addresses_are_normalized() {
        assert_eq!(
            normalize(b"IPv6:::ffff:192.0.2.1", BOTH)
                .unwrap()
                .to_string(),
            "192.0.2.1"
        );
        assert_eq!(
            normalize(b"IPv6:2001:DB8:0::1", BOTH).unwrap().to_string(),
            "2001:db8::1"
        );
        assert_eq!(
            normalize(
                b"IPv6:::1",
                Families {
                    v4: true,
                    v6: false
                }
            ),
            None
        );
        assert_eq!(normalize(b"::1", BOTH), None);
    }
}
