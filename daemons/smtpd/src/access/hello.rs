//! Restrictions on the client's names: the one that its address has, and the one that it gives itself.

use super::ask::{Ask, Dns, RecordType};
use super::{Check, Decision, Status, class};
use crate::session::errors::Classes;
use crate::session::hostname::{bare_mailhost_address, valid_hostaddr, valid_hostname};
use crate::session::state::NameStatus;
use crate::text::text;

/// A name without the dot at its end, unless there are two.
pub(super) fn without_final_dot(name: &[u8]) -> &[u8] {
    match name {
        [start @ .., last, b'.'] if *last != b'.' => name.get(..start.len() + 1).unwrap_or(name),
        _ => name,
    }
}

impl<A: Ask> Check<'_, A> {
    pub(super) fn reject_unknown_client(&mut self) -> Status {
        let peer = &self.session.peer;
        let code = match peer.name_status {
            NameStatus::Good => return Status::Dunno,
            NameStatus::Temporary => 450,
            NameStatus::Permanent | NameStatus::Forged => self.params.codes.unknown_client,
        };
        let reason = text![
            "Client host rejected: cannot find your hostname, [",
            peer.address,
            "]"
        ];
        self.reject(Classes::POLICY, code, b"4.7.25", &reason)
    }

    pub(super) fn reject_unknown_reverse_client(&mut self) -> Status {
        let peer = &self.session.peer;
        let code = match peer.reverse_name_status {
            NameStatus::Good => return Status::Dunno,
            NameStatus::Permanent => self.params.codes.unknown_client,
            NameStatus::Temporary | NameStatus::Forged => 450,
        };
        let reason = text![
            "Client host rejected: cannot find your reverse hostname, [",
            peer.address,
            "]"
        ];
        self.reject(Classes::POLICY, code, b"4.7.1", &reason)
    }

    fn reject_helo(&mut self, helo: &[u8], code: i64, dsn: &str, why: &str) -> Status {
        let reason = text!["<", helo, ">: ", class::HELO, " rejected: ", why];
        self.reject(Classes::POLICY, code, dsn.as_bytes(), &reason)
    }

    /// The name given with `HELO`; an address literal is judged here, and is then nobody else's business.
    fn helo_name(&mut self) -> Result<Vec<u8>, Status> {
        let Some(helo) = self.session.helo.clone() else {
            return Err(Status::Dunno);
        };
        if helo.first() != Some(&b'[') {
            return Ok(helo);
        }
        let bare = match helo.as_slice() {
            [b'[', inner @ .., b']'] if !inner.is_empty() => inner,
            other => other,
        };
        if bare_mailhost_address(bare).is_some() {
            return Err(Status::Dunno);
        }
        let code = self.params.codes.bad_name;
        Err(self.reject_helo(&helo, code, "5.5.2", "invalid ip address"))
    }

    pub(super) fn reject_invalid_helo(&mut self) -> Status {
        let helo = match self.helo_name() {
            Ok(helo) => helo,
            Err(status) => return status,
        };
        let name = without_final_dot(&helo);
        if valid_hostname(name) || valid_hostaddr(name) {
            return Status::Dunno;
        }
        let code = self.params.codes.bad_name;
        self.reject_helo(&helo, code, "5.5.2", "Invalid name")
    }

    pub(super) fn reject_non_fqdn_helo(&mut self) -> Status {
        let helo = match self.helo_name() {
            Ok(helo) => helo,
            Err(status) => return status,
        };
        if self.is_qualified(without_final_dot(&helo)) {
            return Status::Dunno;
        }
        let code = self.params.codes.non_fqdn;
        self.reject_helo(&helo, code, "5.5.2", "need fully-qualified hostname")
    }

    /// A well-formed name with a dot; beyond ASCII only where the client asked for SMTPUTF8.
    pub(super) fn is_qualified(&self, name: &[u8]) -> bool {
        let valid = if self.session.mail.smtputf8 && !name.is_ascii() {
            pf_address::idn::to_ascii(name).is_some_and(|ascii| valid_hostname(ascii.as_bytes()))
        } else {
            valid_hostname(name)
        };
        valid && name.contains(&b'.')
    }

    pub(super) async fn reject_unknown_helo(&mut self) -> Decision {
        let helo = match self.helo_name() {
            Ok(helo) => helo,
            Err(status) => return Ok(status),
        };
        let kinds = [RecordType::A, RecordType::Aaaa, RecordType::Mx];
        let found = self
            .first_found(&helo, &kinds, |dns| matches!(dns, Dns::Found(_)))
            .await;
        Ok(match found {
            // A host that sends mail need not take any.
            Dns::Found(_) | Dns::NullMx => Status::Dunno,
            Dns::Filtered => {
                self.warn(text![
                    helo,
                    ": address or MX lookup error: DNS reply filter drops all results"
                ]);
                Status::Dunno
            }
            Dns::Retry(_) => {
                let reason = text!["<", helo, ">: ", class::HELO, " rejected: Host not found"];
                self.defer_if_permit(self.params.unknown_helo_tempfail, 450, b"4.7.1", reason)
            }
            Dns::NotFound(_) | Dns::Failed(_) => {
                let code = self.params.codes.unknown_name;
                self.reject_helo(&helo, code, "4.7.1", "Host not found")
            }
        })
    }

    /// Asks for one type of record after the other until `stop`; the weightiest answer counts, and of those the last.
    pub(super) async fn first_found(
        &self,
        name: &[u8],
        kinds: &[RecordType],
        stop: impl Fn(&Dns) -> bool,
    ) -> Dns {
        let mut best = Dns::NotFound(String::new());
        for (at, kind) in kinds.iter().enumerate() {
            let found = self.ask.dns(name, *kind).await;
            if stop(&found) {
                return found;
            }
            if at == 0 || weight(&found) >= weight(&best) {
                best = found;
            }
        }
        best
    }
}

/// What counts when several lookups had different ends.
fn weight(dns: &Dns) -> u8 {
    match dns {
        Dns::NotFound(_) => 0,
        Dns::NullMx => 1,
        Dns::Failed(_) => 2,
        Dns::Retry(_) => 3,
        Dns::Filtered => 4,
        Dns::Found(_) => 5,
    }
}
