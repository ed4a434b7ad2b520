//! What is known about one session: the client, what it said, and the transaction it is in.

use std::net::IpAddr;

use pf_proto::cleanup::{Flags, Status};

use super::bdat::BdatState;
use super::command::Stats;
use super::content::BareLf;
use super::ehlo::Keywords;
use super::errors::Classes;
use super::history::History;
use super::mail::{Announced, Body};
use super::xforward::Forwarded;
use crate::text::text;

/// How far the name of a client can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NameStatus {
    /// Found, and it leads back to the address.
    Good,
    /// Could not be looked up just now.
    Temporary,
    /// There is none.
    Permanent,
    /// There is one, but it does not lead back to the address.
    Forged,
}

/// What stands for a name or an address that is not known.
pub(crate) const UNKNOWN: &[u8] = b"unknown";

/// The two ends of the connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// The verified name.
    pub(crate) name: Vec<u8>,
    pub(crate) name_status: NameStatus,
    /// The name as found by address only.
    pub(crate) reverse_name: Vec<u8>,
    pub(crate) reverse_name_status: NameStatus,
    pub(crate) address: Vec<u8>,
    /// With `IPv6:` where that belongs.
    pub(crate) rfc_address: Vec<u8>,
    /// The address of the socket, or what a load balancer said; `XCLIENT` does not change it.
    pub(crate) ip: Option<IpAddr>,
    /// The number of the address family: 2 for IPv4, 10 for IPv6, 0 for none.
    pub(crate) family: u32,
    pub(crate) port: Vec<u8>,
    /// `name[address]`, or `name[address]:port`.
    pub(crate) shown: Vec<u8>,
    pub(crate) server_address: Vec<u8>,
    pub(crate) server_port: Vec<u8>,
    /// The address or network by which clients are counted.
    pub(crate) range: Option<String>,
}

impl Peer {
    /// Recomputes how the client is shown in log lines.
    pub(crate) fn show(&mut self, with_port: bool) {
        self.shown = show(&self.name, &self.address, &self.port, with_port);
    }
}

/// The number of an address's family, for the `client_address_type` attribute.
pub(crate) fn family(ip: IpAddr) -> u32 {
    if ip.is_ipv4() { 2 } else { 10 }
}

/// `name[address]`, or `name[address]:port`.
pub(crate) fn show(name: &[u8], address: &[u8], port: &[u8], with_port: bool) -> Vec<u8> {
    let mut shown = text![name, "[", address, "]"];
    if with_port {
        shown.push(b':');
        shown.extend_from_slice(port);
    }
    shown
}

/// The protocol that the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Smtp,
    Esmtp,
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Protocol::Smtp => "SMTP",
            Protocol::Esmtp => "ESMTP",
        }
    }
}

/// A decision that is put off: a deferral that takes effect only if the request would otherwise be permitted (or refused).
#[derive(Debug, Clone)]
pub(crate) struct Postponed {
    pub(crate) class: Classes,
    pub(crate) code: i64,
    pub(crate) dsn: Vec<u8>,
    pub(crate) reason: Vec<u8>,
}

/// Which stages left a deferral that still stands.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PostponedBy {
    pub(crate) client: bool,
    pub(crate) helo: bool,
    pub(crate) sender: bool,
}

/// The mail transaction; what `MAIL` begins and `RSET` ends.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    /// Present while a transaction is on.
    pub(crate) sender: Option<Vec<u8>>,
    pub(crate) announced: Announced,
    /// How much had come of a piece of a chunk when the client was gone, in bytes.
    pub(crate) fragment: u64,
    pub(crate) actual_size: u64,
    pub(crate) smtputf8: bool,
    pub(crate) body: Option<Body>,
    pub(crate) ret: Option<u8>,
    pub(crate) envid: Option<Vec<u8>>,
    pub(crate) verp: Option<Vec<u8>>,
    /// Since the epoch: seconds and microseconds.
    pub(crate) arrival: (u64, u32),
    /// `local` or `remote`.
    pub(crate) rewrite_context: Option<&'static str>,
    /// The `MAIL` command as received, for a before-queue filter.
    pub(crate) proxy_mail: Option<Vec<u8>>,
    pub(crate) queue_id: Option<Vec<u8>>,
    pub(crate) status: Status,
    pub(crate) bdat: BdatState,
    /// An action said to throw the message away.
    pub(crate) discard: bool,
    /// Actions that cleanup carries out.
    pub(crate) filter: Option<Vec<u8>>,
    pub(crate) redirect: Option<Vec<u8>>,
    pub(crate) bcc: Vec<Vec<u8>>,
    pub(crate) cleanup_flags: Flags,
    pub(crate) prepend: Vec<Vec<u8>>,
}

/// Everything about one session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) peer: Peer,
    /// Not a network client: `sendmail -bs`.
    pub(crate) stand_alone: bool,
    pub(crate) protocol: Protocol,
    pub(crate) helo: Option<Vec<u8>>,
    pub(crate) etrn: Option<Vec<u8>>,
    /// The last recognised stage, for log lines.
    pub(crate) stage: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) errors: i64,
    pub(crate) junk: i64,
    pub(crate) classes: Classes,
    pub(crate) history: History,
    pub(crate) stats: Stats,
    pub(crate) access_denied: Option<Vec<u8>>,
    pub(crate) hangup: bool,
    pub(crate) ill_pipelining: bool,
    /// Whether the dialogue is logged (`debug_peer_list`).
    pub(crate) debugged: bool,
    pub(crate) bare_lf_noted: bool,
    pub(crate) bare_lf: BareLf,
    pub(crate) discard_keywords: Keywords,
    /// Nobody knows which keywords to leave out.
    pub(crate) keywords_unknown: bool,
    /// postscreen handed this client over.
    pub(crate) passed: bool,
    pub(crate) verp_allowed: bool,
    pub(crate) xclient_allowed: bool,
    pub(crate) xforward_allowed: bool,
    /// Set by `XCLIENT LOGIN`: method and user name.
    pub(crate) login: Option<Vec<u8>>,
    pub(crate) forwarded: Option<Box<Forwarded>>,
    pub(crate) mail: Transaction,
    /// The first recipient.
    pub(crate) recipient: Option<Vec<u8>>,
    pub(crate) recipients: i64,
    pub(crate) overshoot: i64,
    pub(crate) sender_checked: bool,
    pub(crate) recipient_checked: bool,
    pub(crate) defer_if_permit: Option<Postponed>,
    pub(crate) defer_if_permit_active: bool,
    pub(crate) postponed_by: PostponedBy,
    /// For the `instance` of policy requests.
    pub(crate) sequence: u32,
}

/// The stages that are no command.
pub(crate) mod stage {
    pub(crate) const CONNECT: &str = "CONNECT";
    pub(crate) const DATA_CONTENT: &str = "DATA content";
    pub(crate) const BDAT_CONTENT: &str = "BDAT content";
    pub(crate) const END: &str = "END-OF-MESSAGE";
}

impl Session {
    pub(crate) fn new(peer: Peer, stand_alone: bool) -> Self {
        Self {
            peer,
            stand_alone,
            protocol: Protocol::Smtp,
            helo: None,
            etrn: None,
            stage: stage::CONNECT,
            reason: None,
            errors: 0,
            junk: 0,
            classes: Classes::NONE,
            history: History::default(),
            stats: Stats::default(),
            access_denied: None,
            hangup: false,
            ill_pipelining: false,
            debugged: false,
            bare_lf_noted: false,
            bare_lf: BareLf::default(),
            discard_keywords: Keywords::default(),
            keywords_unknown: false,
            passed: false,
            verp_allowed: false,
            xclient_allowed: false,
            xforward_allowed: false,
            login: None,
            forwarded: None,
            mail: Transaction::default(),
            recipient: None,
            recipients: 0,
            overshoot: 0,
            sender_checked: false,
            recipient_checked: false,
            defer_if_permit: None,
            defer_if_permit_active: false,
            postponed_by: PostponedBy::default(),
            sequence: 0,
        }
    }

    /// Whether `MAIL` was accepted and not yet ended.
    pub(crate) fn in_transaction(&self) -> bool {
        self.mail.sender.is_some()
    }

    /// Whether a message in chunks is on.
    pub(crate) fn in_bdat(&self) -> bool {
        self.mail.bdat != BdatState::None
    }

    /// The queue id, or what stands for one in log lines.
    pub(crate) fn queue_id(&self) -> &[u8] {
        self.mail.queue_id.as_deref().unwrap_or(b"NOQUEUE")
    }

    /// Forgets what `MAIL` and everything behind it left, except the recipients.
    pub(crate) fn reset_mail(&mut self) {
        self.mail = Transaction::default();
        self.forwarded = None;
    }

    pub(crate) fn reset_recipients(&mut self) {
        self.recipient = None;
        self.recipients = 0;
        self.overshoot = 0;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn peer() -> Peer {
        let mut peer = Peer {
            name: b"host.example".to_vec(),
            name_status: NameStatus::Good,
            reverse_name: b"host.example".to_vec(),
            reverse_name_status: NameStatus::Good,
            address: b"192.0.2.1".to_vec(),
            rfc_address: b"192.0.2.1".to_vec(),
            ip: Some(IpAddr::from([192, 0, 2, 1])),
            family: 2,
            port: b"1025".to_vec(),
            shown: Vec::new(),
            server_address: b"192.0.2.2".to_vec(),
            server_port: b"25".to_vec(),
            range: Some("192.0.2.1".to_owned()),
        };
        peer.show(false);
        peer
    }

    #[test]
    fn clients_are_shown_with_their_port_on_demand() {
        let mut peer = peer();
        assert_eq!(peer.shown, b"host.example[192.0.2.1]");
        peer.show(true);
        assert_eq!(peer.shown, b"host.example[192.0.2.1]:1025");
        assert_eq!(family(IpAddr::from([192, 0, 2, 1])), 2);
    }
}
