//! What a before-queue filter is told about the client (`XFORWARD`).

use crate::session::state::{Session, UNKNOWN};
use crate::text::text;

/// The longest `XFORWARD` command, without its name.
const MAX_COMMAND: usize = 512 - "250 XFORWARD\r\n".len();

/// An attribute's name and value; no value: it is not known.
pub(super) type Attribute = (&'static str, Option<Vec<u8>>);

/// The commands that tell a filter what its reply to `EHLO` asks for.
pub(super) fn commands(hello: &[u8], attributes: Vec<Attribute>) -> Vec<Vec<u8>> {
    let wanted = features(hello);
    let mut commands = Vec::new();
    let mut line = Vec::new();
    for (name, value) in attributes {
        if !wanted
            .iter()
            .any(|feature| feature.eq_ignore_ascii_case(name.as_bytes()))
        {
            continue;
        }
        let value = value.as_deref().unwrap_or(b"[UNAVAILABLE]");
        let attribute = text![" ", name, "=", pf_text::xtext::encode(value)];
        if !line.is_empty() && line.len() + attribute.len() > MAX_COMMAND {
            commands.push(text!["XFORWARD", std::mem::take(&mut line)]);
        }
        line.extend_from_slice(&attribute);
    }
    if !line.is_empty() {
        commands.push(text!["XFORWARD", line]);
    }
    commands
}

/// What the filter wants to know about the client.
fn features(reply: &[u8]) -> Vec<Vec<u8>> {
    bstr::ByteSlice::lines(reply)
        .filter_map(|line| {
            let mut words = line.get(4..)?.split(|byte| matches!(byte, b' ' | b'\t'));
            words
                .next()?
                .eq_ignore_ascii_case(b"XFORWARD")
                .then(|| words.map(<[u8]>::to_vec).collect::<Vec<_>>())
        })
        .flatten()
        .collect()
}

pub(super) fn attributes(session: &Session) -> Vec<Attribute> {
    let known = |value: &[u8]| (value != UNKNOWN).then(|| value.to_vec());
    let peer = &session.peer;
    let forwarded = session.forwarded.as_deref();
    let context = forwarded
        .and_then(|forwarded| forwarded.context)
        .or(session.mail.rewrite_context);
    let source = if context == Some("local") {
        "LOCAL"
    } else {
        "REMOTE"
    };
    let ident = forwarded
        .and_then(|forwarded| forwarded.ident.clone())
        .or_else(|| session.mail.queue_id.clone());
    let mut list = match forwarded.filter(|forwarded| forwarded.has_client) {
        Some(forwarded) => vec![
            ("NAME", known(&forwarded.name)),
            ("ADDR", known(&forwarded.rfc_address)),
            ("PORT", known(&forwarded.port)),
            ("HELO", forwarded.helo.clone()),
            ("IDENT", ident),
            ("PROTO", known(&forwarded.protocol)),
        ],
        None => vec![
            ("NAME", known(&peer.name)),
            ("ADDR", known(&peer.rfc_address)),
            ("PORT", known(&peer.port)),
            ("HELO", session.helo.clone()),
            ("IDENT", ident),
            ("PROTO", Some(session.protocol.name().as_bytes().to_vec())),
        ],
    };
    list.push(("SOURCE", Some(source.as_bytes().to_vec())));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_of_a_filter() {
        let reply = b"250-filter\r\n250-XFORWARD NAME ADDR\r\n250 8BITMIME";
        assert_eq!(features(reply), [b"NAME".to_vec(), b"ADDR".to_vec()]);
        let attributes = vec![
            ("NAME", Some(b"a b".to_vec())),
            ("PORT", None),
            ("ADDR", None),
        ];
        assert_eq!(
            commands(reply, attributes),
            [b"XFORWARD NAME=a+20b ADDR=[UNAVAILABLE]".to_vec()]
        );
    }
}
