//! Who the client is: its address, its name, and whether the two belong together.

use std::net::{IpAddr, SocketAddr};

use crate::access::ask::{Ask, Severity};
use crate::params::Params;
use crate::session::hostname::{Families, rfc_form};
use crate::session::state::{NameStatus, Peer, UNKNOWN, family};
use crate::text::text;

/// The address or network by which a client is counted: `192.0.2.1`, `2001:db8::/64`.
pub(crate) fn range(ip: IpAddr, v4_prefix: u8, v6_prefix: u8) -> String {
    match ip {
        IpAddr::V4(_) if v4_prefix >= 32 => ip.to_string(),
        IpAddr::V6(_) if v6_prefix >= 128 => ip.to_string(),
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(v4_prefix)).unwrap_or(0);
            format!(
                "{}/{v4_prefix}",
                std::net::Ipv4Addr::from_bits(v4.to_bits() & mask)
            )
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX
                .checked_shl(128 - u32::from(v6_prefix))
                .unwrap_or(0);
            format!(
                "{}/{v6_prefix}",
                std::net::Ipv6Addr::from_bits(v6.to_bits() & mask)
            )
        }
    }
}

/// An IPv4 client on an IPv6 socket is an IPv4 client.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// A client that has no network address: a local program.
pub(crate) fn local(params: &Params) -> Peer {
    let (address, rfc) = if params.families.v6 && !params.families.v4 {
        ("::1", "IPv6:::1")
    } else {
        ("127.0.0.1", "127.0.0.1")
    };
    let mut peer = Peer {
        name: b"localhost".to_vec(),
        name_status: NameStatus::Good,
        reverse_name: b"localhost".to_vec(),
        reverse_name_status: NameStatus::Good,
        address: address.into(),
        rfc_address: rfc.into(),
        ip: None,
        family: 0,
        port: b"0".to_vec(),
        shown: Vec::new(),
        server_address: address.into(),
        server_port: b"0".to_vec(),
        range: None,
    };
    peer.show(params.client_port_logging);
    peer
}

/// A client of whom nothing is known: it is gone, or what was said about it makes no sense.
pub(crate) fn unknown(params: &Params) -> Peer {
    let unknown = UNKNOWN.to_vec();
    let mut peer = Peer {
        name: unknown.clone(),
        name_status: NameStatus::Permanent,
        reverse_name: unknown.clone(),
        reverse_name_status: NameStatus::Permanent,
        address: unknown.clone(),
        rfc_address: unknown.clone(),
        ip: None,
        family: 0,
        port: unknown.clone(),
        shown: Vec::new(),
        server_address: unknown.clone(),
        server_port: unknown,
        range: None,
    };
    peer.show(params.client_port_logging);
    peer
}

/// A client from the network.
pub(crate) async fn network(
    params: &Params,
    ask: &impl Ask,
    client: SocketAddr,
    server: SocketAddr,
) -> Peer {
    let (client, server) = (plain(client), plain(server));
    let ip = client.ip();
    let mut peer = Peer {
        address: ip.to_string().into_bytes(),
        rfc_address: rfc_form(ip).into_bytes(),
        ip: Some(ip),
        family: family(ip),
        port: client.port().to_string().into_bytes(),
        server_address: server.ip().to_string().into_bytes(),
        server_port: server.port().to_string().into_bytes(),
        range: Some(range(ip, params.rates.v4_prefix, params.rates.v6_prefix)),
        ..unknown(params)
    };
    if params.peername_lookup {
        name(ask, &mut peer, ip, params.families).await;
    }
    peer.show(params.client_port_logging);
    peer
}

/// Looks the name up; it counts only when it leads back to the address.
async fn name(ask: &impl Ask, peer: &mut Peer, ip: IpAddr, families: Families) {
    let status = |temporary| {
        if temporary {
            NameStatus::Temporary
        } else {
            NameStatus::Permanent
        }
    };
    let name = match ask.host_name(ip).await {
        Ok(name) => name,
        Err(err) => {
            peer.name_status = status(err.temporary);
            peer.reverse_name_status = status(err.temporary);
            return;
        }
    };
    peer.reverse_name = name.clone().into_bytes();
    peer.reverse_name_status = NameStatus::Good;
    let warn = |why: &str| {
        let line = text![
            "hostname ",
            name,
            " does not resolve to address ",
            ip.to_string(),
            why
        ];
        ask.log(Severity::Warning, &line);
    };
    match ask.host_addresses(name.as_bytes()).await {
        Ok(addresses) => {
            if addresses
                .iter()
                .any(|address| families.allow(*address) && *address == ip)
            {
                peer.name = name.into_bytes();
                peer.name_status = NameStatus::Good;
            } else {
                warn("");
                peer.name_status = NameStatus::Forged;
            }
        }
        Err(err) => {
            warn(&format!(": {}", err.text));
            peer.name_status = if err.temporary {
                NameStatus::Temporary
            } else {
                NameStatus::Forged
            };
        }
    }
}

/// What postscreen says about a client that it hands over; the error is what to log.
pub(crate) fn passed(
    attributes: &[(Vec<u8>, Vec<u8>)],
) -> Result<(SocketAddr, SocketAddr), String> {
    let endpoint = |address: &str, port: &str, who: &str| {
        let find = |name: &str| {
            attributes
                .iter()
                .find(|(found, _)| found == name.as_bytes())
                .and_then(|(_, value)| std::str::from_utf8(value).ok())
        };
        let ip = find(address).ok_or_else(|| format!("missing {who} address from proxy"))?;
        let ip: IpAddr = ip
            .parse()
            .map_err(|_| format!("bad {who} address syntax from proxy: {ip}"))?;
        let port = find(port).ok_or_else(|| format!("missing {who} port from proxy"))?;
        let port: u16 = port
            .parse()
            .map_err(|_| format!("bad TCP {who} port number syntax from proxy: {port}"))?;
        Ok::<_, String>(SocketAddr::new(ip, port))
    };
    Ok((
        endpoint("client_address", "client_port", "client")?,
        endpoint("server_address", "server_port", "server")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_counted_by_network() {
        let ip = |text: &str| text.parse().unwrap();
        assert_eq!(range(ip("192.0.2.77"), 32, 84), "192.0.2.77");
        assert_eq!(range(ip("192.0.2.77"), 24, 84), "192.0.2.0/24");
        assert_eq!(range(ip("192.0.2.77"), 0, 84), "0.0.0.0/0");
        assert_eq!(
            range(ip("2001:db8:1:2:3:4:5:6"), 32, 64),
            "2001:db8:1:2::/64"
        );
    }

    #[test]
    fn postscreen_must_tell_everything() {
        let mut attributes = vec![
            (b"client_address".to_vec(), b"192.0.2.1".to_vec()),
            (b"client_port".to_vec(), b"99".to_vec()),
            (b"server_address".to_vec(), b"192.0.2.2".to_vec()),
            (b"server_port".to_vec(), b"25".to_vec()),
        ];
        assert_eq!(passed(&attributes).unwrap().0.to_string(), "192.0.2.1:99");
        attributes[0].1 = b"x".to_vec();
        assert_eq!(
            passed(&attributes).unwrap_err(),
            "bad client address syntax from proxy: x"
        );
        attributes.remove(0);
        assert_eq!(
            passed(&attributes).unwrap_err(),
            "missing client address from proxy"
        );
    }

    #[tokio::test]
    async fn names_must_lead_back_to_the_address() {
        use crate::access::ask::Record;
        use crate::fake::Fake;
        let params = crate::params::tests::params(&[("smtpd_client_port_logging", "yes")]);
        let client: SocketAddr = "[::ffff:192.0.2.1]:99".parse().unwrap();
        let server: SocketAddr = "192.0.2.2:25".parse().unwrap();
        let mut fake = Fake::new();
        let peer = network(&params, &fake, client, server).await;
        assert_eq!(peer.shown, b"unknown[192.0.2.1]:99");
        assert_eq!(peer.reverse_name, b"host.example");
        assert_eq!(peer.name_status, NameStatus::Forged);
        assert_eq!(
            fake.log_lines(),
            [
                "warning: hostname host.example does not resolve to address 192.0.2.1: Name or service not known"
            ]
        );
        fake.dns.insert(
            "A host.example".to_owned(),
            vec![Record::A("192.0.2.1".parse().unwrap())],
        );
        let peer = network(&params, &fake, client, server).await;
        assert_eq!(peer.shown, b"host.example[192.0.2.1]:99");
        assert_eq!(peer.range.as_deref(), Some("192.0.2.1"));
    }
}
