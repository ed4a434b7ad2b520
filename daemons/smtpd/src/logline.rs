//! The log lines of this daemon that analysers read, to the letter.

use std::borrow::Cow;

use crate::params::Params;
use crate::session::state::Session;
use crate::text::text;

/// How addresses look in log lines, `info_log_address_format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressForm {
    /// As in a message header.
    External,
    /// As in the queue.
    Internal,
}

impl AddressForm {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "external" => Some(Self::External),
            "internal" => Some(Self::Internal),
            _ => None,
        }
    }

    fn show(self, address: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::External if !address.is_empty() => pf_address::quote_822(address),
            _ => Cow::Borrowed(address),
        }
    }
}

/// ` from=<> to=<> proto= helo=<> sasl_username=`: what is known about the request.
fn context(session: &Session, params: &Params) -> Vec<u8> {
    let mut line = Vec::new();
    let form = params.address_form;
    if let Some(sender) = &session.mail.sender {
        line.extend(text![" from=<", form.show(sender), ">"]);
    }
    if let Some(recipient) = &session.recipient {
        line.extend(text![" to=<", form.show(recipient), ">"]);
    }
    line.extend(text![" proto=", session.protocol.name()]);
    if let Some(helo) = &session.helo {
        line.extend(text![" helo=<", helo, ">"]);
    }
    line
}

/// `QUEUEID: what: STAGE from host[addr]: text; from=<> to=<> proto=ESMTP helo=<>`.
pub(crate) fn event(session: &Session, params: &Params, what: &str, text: &[u8]) -> Vec<u8> {
    let mut line = text![
        session.queue_id(),
        ": ",
        what,
        ": ",
        session.stage,
        " from ",
        session.peer.shown,
        ": ",
        text,
        ";",
        context(session, params)
    ];
    if let Some(login) = &session.login {
        line.extend(text![" sasl_method=XCLIENT sasl_username=", login]);
    }
    if let Some(sender) = &session.mail.announced.auth_sender {
        line.extend(text![" sasl_sender=", sender]);
    }
    line
}

/// `QUEUEID: client=host[addr], ...`.
pub(crate) fn client(session: &Session) -> Vec<u8> {
    let mut line = text![session.queue_id(), ": client=", session.peer.shown];
    if let Some(login) = &session.login {
        line.extend(text![", sasl_method=XCLIENT, sasl_username=", login]);
    }
    if let Some(sender) = &session.mail.announced.auth_sender {
        line.extend(text![", sasl_sender=", sender]);
    }
    if let Some(forwarded) = &session.forwarded {
        if let Some(ident) = &forwarded.ident {
            line.extend(text![", orig_queue_id=", ident]);
        }
        if forwarded.has_client {
            line.extend(text![", orig_client=", forwarded.shown]);
        }
    }
    line
}

/// `connect from host[addr]`.
pub(crate) fn connect(session: &Session) -> Vec<u8> {
    text!["connect from ", session.peer.shown]
}

/// `disconnect from host[addr] ehlo=1 ... commands=5`.
pub(crate) fn disconnect(session: &Session) -> Vec<u8> {
    text![
        "disconnect from ",
        session.peer.shown,
        session.stats.summary(),
        if session.bare_lf_noted {
            " notes=bare_lf"
        } else {
            ""
        }
    ]
}

/// `proxy-accept: STAGE: reply; from=<> ...`.
pub(crate) fn proxy(session: &Session, params: &Params, accepted: bool, reply: &[u8]) -> Vec<u8> {
    text![
        if accepted {
            "proxy-accept: "
        } else {
            "proxy-reject: "
        },
        session.stage,
        ": ",
        reply,
        ";",
        context(session, params)
    ]
}

/// `NOQUEUE: lost connection after DATA (10 bytes) from host[addr]`; `None` where that is not worth a line. `bytes`: what
/// arrived of a message.
pub(crate) fn lost(session: &Session, bytes: u64) -> Option<Vec<u8>> {
    use crate::session::state::stage;
    let reason = session.reason?;
    let start = text![session.queue_id(), ": ", reason, " after "];
    let end = text![" from ", session.peer.shown];
    Some(match session.stage {
        stage::DATA_CONTENT => text![start, "DATA (", bytes.to_string(), " bytes)", end],
        stage::BDAT_CONTENT => text![start, "BDAT (", bytes.to_string(), " bytes)", end],
        stage::END if reason == "lost connection" => return None,
        other => text![start, other, end],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::tests::params;
    use crate::session::command::Command;
    use crate::session::state::{Protocol, stage, tests::peer};

    fn session() -> Session {
        let mut session = Session::new(peer(), false);
        session.protocol = Protocol::Esmtp;
        session.helo = Some(b"client.example".to_vec());
        session.mail.sender = Some(b"a b@c".to_vec());
        session.recipient = Some(b"x@y".to_vec());
        session.stage = "RCPT";
        session
    }

    fn shown(line: Vec<u8>) -> String {
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn events() {
        let params = params(&[]);
        let mut session = session();
        assert_eq!(
            shown(event(
                &session,
                &params,
                "reject",
                b"554 5.7.1 <x@y>: Relay access denied"
            )),
            "NOQUEUE: reject: RCPT from host.example[192.0.2.1]: 554 5.7.1 <x@y>: Relay access denied; from=<\"a b\"@c> to=<x@y> proto=ESMTP helo=<client.example>"
        );
        session.mail.sender = Some(Vec::new());
        session.login = Some(b"me".to_vec());
        assert_eq!(
            shown(event(&session, &params, "warn", b"")),
            "NOQUEUE: warn: RCPT from host.example[192.0.2.1]: ; from=<> to=<x@y> proto=ESMTP helo=<client.example> sasl_method=XCLIENT sasl_username=me"
        );
    }

    #[test]
    fn clients_and_ends() {
        let mut session = session();
        session.mail.queue_id = Some(b"4XyZ".to_vec());
        assert_eq!(
            shown(client(&session)),
            "4XyZ: client=host.example[192.0.2.1]"
        );
        session.stats.came(Command::Quit);
        session.stats.succeeded(Command::Quit);
        session.bare_lf_noted = true;
        assert_eq!(
            shown(disconnect(&session)),
            "disconnect from host.example[192.0.2.1] quit=1 commands=1 notes=bare_lf"
        );
        session.reason = Some("lost connection");
        session.stage = stage::DATA_CONTENT;
        assert_eq!(
            shown(lost(&session, 12).unwrap()),
            "4XyZ: lost connection after DATA (12 bytes) from host.example[192.0.2.1]"
        );
        session.stage = stage::END;
        assert_eq!(lost(&session, 0), None);
        session.stage = "EHLO";
        assert_eq!(
            shown(lost(&session, 0).unwrap()),
            "4XyZ: lost connection after EHLO from host.example[192.0.2.1]"
        );
    }
}
