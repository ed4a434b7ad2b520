//! `XFORWARD`: a content filter passes on, for the log, where a message came from.

use super::errors::Classes;
use super::hostname::{normalize, rfc_form, valid_hostname};
use super::reply::Refusal;
use super::state::{Session, UNKNOWN, show};
use super::token::Token;
use super::xclient::{Manner, UNAVAILABLE, bad, port, read};
use crate::text::{neuter, text};

/// What was forwarded about the original client.
#[derive(Debug, Clone)]
pub(crate) struct Forwarded {
    /// Any attribute of the client itself was given; then all others count as unknown.
    pub(crate) has_client: bool,
    pub(crate) name: Vec<u8>,
    pub(crate) address: Vec<u8>,
    pub(crate) rfc_address: Vec<u8>,
    pub(crate) port: Vec<u8>,
    pub(crate) shown: Vec<u8>,
    pub(crate) protocol: Vec<u8>,
    pub(crate) helo: Option<Vec<u8>>,
    pub(crate) ident: Option<Vec<u8>>,
    /// `local` or `remote`.
    pub(crate) context: Option<&'static str>,
}

impl Default for Forwarded {
    fn default() -> Self {
        Self {
            has_client: false,
            name: UNKNOWN.to_vec(),
            address: UNKNOWN.to_vec(),
            rfc_address: UNKNOWN.to_vec(),
            port: UNKNOWN.to_vec(),
            shown: UNKNOWN.to_vec(),
            protocol: UNKNOWN.to_vec(),
            helo: None,
            ident: None,
            context: None,
        }
    }
}

/// Carries out the attributes of an `XFORWARD` command, left to right.
pub(crate) fn apply(
    session: &mut Session,
    words: &[Token<'_>],
    manner: Manner,
) -> Result<(), Refusal> {
    let forwarded = session.forwarded.get_or_insert_default();
    let mut client = false;
    let mut shown = false;
    for word in words {
        let (name, value) = read(word, manner)?;
        let unavailable = value.eq_ignore_ascii_case(UNAVAILABLE.as_bytes());
        let name = name.to_ascii_uppercase();
        match name.as_slice() {
            b"NAME" => {
                forwarded.name = if unavailable {
                    UNKNOWN.to_vec()
                } else {
                    let value = neuter(value);
                    if !valid_hostname(&value) {
                        return Err(bad("NAME", &value));
                    }
                    value
                };
                shown = true;
            }
            b"ADDR" => {
                if unavailable {
                    forwarded.address = UNKNOWN.to_vec();
                } else {
                    let value = neuter(value);
                    let ip =
                        normalize(&value, manner.families).ok_or_else(|| bad("ADDR", &value))?;
                    forwarded.address = ip.to_string().into_bytes();
                    forwarded.rfc_address = rfc_form(ip).into_bytes();
                }
                shown = true;
            }
            b"PORT" => {
                forwarded.port = if unavailable {
                    UNKNOWN.to_vec()
                } else if port(&value) {
                    value
                } else {
                    return Err(bad("PORT", &value));
                };
                shown = true;
            }
            b"HELO" => forwarded.helo = (!unavailable).then(|| neuter(value)),
            b"PROTO" => {
                forwarded.protocol = if unavailable {
                    UNKNOWN.to_vec()
                } else if value.len() > 64 {
                    return Err(bad("PROTO", &value));
                } else {
                    neuter(value)
                };
            }
            b"IDENT" => forwarded.ident = (!unavailable).then(|| neuter(value)),
            b"SOURCE" => {
                forwarded.context = if unavailable || value.eq_ignore_ascii_case(b"LOCAL") {
                    Some("local")
                } else if value.eq_ignore_ascii_case(b"REMOTE") {
                    Some("remote")
                } else {
                    return Err(bad("SOURCE", &value));
                };
            }
            _ => {
                return Err(Refusal::new(
                    Classes::PROTOCOL,
                    text!["501 5.5.4 Bad XFORWARD attribute name: ", name],
                ));
            }
        }
        client |= !matches!(name.as_slice(), b"IDENT" | b"SOURCE");
    }
    forwarded.has_client |= client;
    if shown {
        forwarded.shown = if forwarded.address == UNKNOWN {
            forwarded.name.clone()
        } else {
            show(
                &forwarded.name,
                &forwarded.address,
                &forwarded.port,
                manner.show_port,
            )
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::state::tests::peer;
    use super::super::token::tokens;
    use super::super::xclient::tests::MANNER;
    use super::*;

    #[test]
    fn one_client_attribute_hides_the_real_client() {
        let mut session = Session::new(peer(), false);
        let words = tokens(b"IDENT=4Xyz SOURCE=remote");
        apply(&mut session, &words, MANNER).unwrap();
        assert!(!session.forwarded.as_ref().unwrap().has_client);
        let words = tokens(b"NAME=spike.example ADDR=192.0.2.9");
        apply(&mut session, &words, MANNER).unwrap();
        let forwarded = session.forwarded.unwrap();
        assert!(forwarded.has_client);
        assert_eq!(forwarded.shown, b"spike.example[192.0.2.9]");
        assert_eq!(forwarded.protocol, UNKNOWN);
        assert_eq!(forwarded.context, Some("remote"));
    }

    #[test]
    fn refusals() {
        let mut session = Session::new(peer(), false);
        for (attributes, reply) in [
            ("SOURCE=x", "501 5.5.4 Bad SOURCE syntax: x"),
            ("NAME=a@b", "501 5.5.4 Bad NAME syntax: a?b"),
            ("X=y", "501 5.5.4 Bad XFORWARD attribute name: X"),
        ] {
            let refusal = apply(&mut session, &tokens(attributes.as_bytes()), MANNER).unwrap_err();
            assert_eq!(refusal.reply, reply.as_bytes());
        }
    }
}
