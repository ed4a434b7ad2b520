//! `XCLIENT`: a trusted client tells who the client is to be taken for.

use super::errors::Classes;
use super::hostname::{Families, normalize, rfc_form, valid_hostname};
use super::reply::Refusal;
use super::state::{NameStatus, Protocol, Session, UNKNOWN, family};
use super::token::{Token, attribute};
use crate::text::{all_digits, neuter, text};

/// The longest value of an attribute.
const MAX_VALUE: usize = 255;

/// What a value says when there is none.
pub(super) const UNAVAILABLE: &str = "[UNAVAILABLE]";

/// How attributes are read and shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) families: Families,
    /// Whether text beyond ASCII is kept.
    pub(crate) utf8: bool,
    pub(crate) show_port: bool,
}

/// Splits and decodes one `name=value`.
pub(super) fn read<'a>(word: &Token<'a>, manner: Manner) -> Result<(&'a [u8], Vec<u8>), Refusal> {
    let refuse = |reply: &str| Refusal::new(Classes::PROTOCOL, reply);
    let (name, raw) =
        attribute(word.text).ok_or_else(|| refuse("501 5.5.4 Error: attribute=value expected"))?;
    if raw.len() > MAX_VALUE {
        return Err(refuse("501 5.5.4 Error: attribute value too long"));
    }
    let value = pf_text::xtext::decode(raw).unwrap_or_else(|| raw.to_vec());
    let value = crate::text::until_nul(&value);
    Ok((
        name,
        crate::text::printable(value, manner.utf8).into_owned(),
    ))
}

/// Refuses the value of an attribute.
pub(super) fn bad(name: &str, value: &[u8]) -> Refusal {
    Refusal::new(
        Classes::PROTOCOL,
        text!["501 5.5.4 Bad ", name, " syntax: ", value],
    )
}

/// Whether this is a port number, as far as anybody cares.
pub(super) fn port(value: &[u8]) -> bool {
    all_digits(value) && value.len() <= "65535".len()
}

/// Carries out the attributes of an `XCLIENT` command, left to right; then the session is as after connecting.
pub(crate) fn apply(
    session: &mut Session,
    words: &[Token<'_>],
    manner: Manner,
) -> Result<(), Refusal> {
    let (mut got_helo, mut got_protocol, mut got_login) = (false, false, false);
    for word in words {
        let (name, value) = read(word, manner)?;
        let unavailable = value.eq_ignore_ascii_case(UNAVAILABLE.as_bytes());
        match name.to_ascii_uppercase().as_slice() {
            b"NAME" => {
                let (status, value) = host(value, "NAME")?;
                session.peer.name_status = status;
                if status == NameStatus::Good {
                    session.peer.reverse_name.clone_from(&value);
                    session.peer.reverse_name_status = status;
                }
                session.peer.name = value;
            }
            b"REVERSE_NAME" => {
                let (status, value) = host(value, "REVERSE_NAME")?;
                session.peer.reverse_name_status = status;
                session.peer.reverse_name = value;
            }
            b"ADDR" if unavailable => {
                session.peer.address = UNKNOWN.to_vec();
                session.peer.rfc_address = UNKNOWN.to_vec();
            }
            b"ADDR" => {
                let value = neuter(value);
                let ip = normalize(&value, manner.families).ok_or_else(|| bad("ADDR", &value))?;
                session.peer.address = ip.to_string().into_bytes();
                session.peer.rfc_address = rfc_form(ip).into_bytes();
                session.peer.family = family(ip);
            }
            b"PORT" if unavailable => session.peer.port = UNKNOWN.to_vec(),
            b"PORT" if !port(&value) => return Err(bad("PORT", &value)),
            b"PORT" => session.peer.port = value,
            b"HELO" => {
                if !unavailable && value.len() > MAX_VALUE {
                    return Err(bad("HELO", &value));
                }
                session.helo = (!unavailable).then(|| neuter(value));
                got_helo = true;
            }
            b"PROTO" => {
                session.protocol = match value.to_ascii_uppercase().as_slice() {
                    b"SMTP" => Protocol::Smtp,
                    b"ESMTP" => Protocol::Esmtp,
                    _ => return Err(bad("PROTO", &value)),
                };
                got_protocol = true;
            }
            b"LOGIN" => {
                if !unavailable {
                    session.login = Some(value);
                    got_login = true;
                }
            }
            b"DESTADDR" if unavailable => session.peer.server_address = UNKNOWN.to_vec(),
            b"DESTADDR" => {
                let value = neuter(value);
                let ip =
                    normalize(&value, manner.families).ok_or_else(|| bad("DESTADDR", &value))?;
                session.peer.server_address = ip.to_string().into_bytes();
            }
            b"DESTPORT" if unavailable => session.peer.server_port = UNKNOWN.to_vec(),
            b"DESTPORT" if !port(&value) => return Err(bad("DESTPORT", &value)),
            b"DESTPORT" => session.peer.server_port = value,
            _ => {
                return Err(Refusal::new(
                    Classes::PROTOCOL,
                    text!["501 5.5.4 Bad XCLIENT attribute name: ", name],
                ));
            }
        }
    }
    session.peer.show(manner.show_port);
    if !got_helo {
        session.helo = None;
    }
    if !got_protocol {
        session.protocol = Protocol::Smtp;
    }
    if !got_login {
        session.login = None;
    }
    Ok(())
}

fn host(value: Vec<u8>, name: &str) -> Result<(NameStatus, Vec<u8>), Refusal> {
    if value.eq_ignore_ascii_case(UNAVAILABLE.as_bytes()) {
        Ok((NameStatus::Permanent, UNKNOWN.to_vec()))
    } else if value.eq_ignore_ascii_case(b"[TEMPUNAVAIL]") {
        Ok((NameStatus::Temporary, UNKNOWN.to_vec()))
    } else if valid_hostname(&value) {
        Ok((NameStatus::Good, value))
    } else {
        Err(bad(name, &value))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::state::tests::peer;
    use super::super::token::tokens;
    use super::*;

    pub(in crate::session) const MANNER: Manner = Manner {
        families: Families { v4: true, v6: true },
        utf8: true,
        show_port: false,
    };

    fn run(attributes: &str) -> (Session, Result<(), String>) {
        let mut session = Session::new(peer(), false);
        let words = tokens(attributes.as_bytes());
        let result = apply(&mut session, &words, MANNER)
            .map_err(|refusal| String::from_utf8(refusal.reply).unwrap());
        (session, result)
    }

    #[test]
    fn client_is_replaced() {
        let (session, result) =
            run("NAME=[TEMPUNAVAIL] ADDR=IPv6:2001:db8::1 PROTO=esmtp HELO=a;b LOGIN=me PORT=77");
        result.unwrap();
        assert_eq!(session.peer.shown, b"unknown[2001:db8::1]");
        assert_eq!(session.peer.rfc_address, b"IPv6:2001:db8::1");
        assert_eq!(session.peer.name_status, NameStatus::Temporary);
        assert_eq!(session.peer.reverse_name, b"host.example");
        assert_eq!(session.protocol, Protocol::Esmtp);
        assert_eq!(session.helo.as_deref(), Some(&b"a?b"[..]));
        assert_eq!(session.login.as_deref(), Some(&b"me"[..]));
    }

    #[test]
    fn refusals() {
        for (attributes, reply) in [
            ("NAME", "501 5.5.4 Error: attribute=value expected"),
            ("NAME=", "501 5.5.4 Error: attribute=value expected"),
            ("NAME=a..b", "501 5.5.4 Bad NAME syntax: a..b"),
            ("ADDR=1.2.3", "501 5.5.4 Bad ADDR syntax: 1.2.3"),
            ("PORT=123456", "501 5.5.4 Bad PORT syntax: 123456"),
            ("PROTO=x", "501 5.5.4 Bad PROTO syntax: x"),
            ("FOO=x", "501 5.5.4 Bad XCLIENT attribute name: FOO"),
        ] {
            assert_eq!(run(attributes).1, Err(reply.to_owned()));
        }
        let long = format!("HELO={}", "x".repeat(256));
        assert_eq!(
            run(&long).1,
            Err("501 5.5.4 Error: attribute value too long".to_owned())
        );
    }
}
