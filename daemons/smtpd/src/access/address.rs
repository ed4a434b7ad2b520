//! Restrictions on the domains and the existence of mail addresses.

use std::rc::Rc;

use pf_proto::resolve::{ResolveFlags, Resolved};
use pf_proto::verify::{self, AddressStatus};

use super::ask::{Ask, Dns, RecordType};
use super::hello::without_final_dot;
use super::{Check, Decision, Status, Subject};
use crate::session::errors::Classes;
use crate::text::text;

/// How much is shown of why an address could not be verified.
const MAX_WHY: usize = 250;

impl<A: Ask> Check<'_, A> {
    /// Resolves a sender as a reply from the recipient would go, and a recipient as mail from the sender goes.
    pub(super) async fn resolve_for(&self, subject: &Subject, address: &[u8]) -> Rc<Resolved> {
        let other = if subject.is_sender() {
            self.session.recipient.as_deref()
        } else {
            self.session.mail.sender.as_deref()
        };
        self.ask.resolve(other.unwrap_or_default(), address).await
    }

    fn rejected(subject: &Subject, why: &[u8]) -> Vec<u8> {
        text!["<", subject.name, ">: ", subject.class, " rejected: ", why]
    }

    pub(super) fn reject_non_fqdn_address(&mut self, subject: &Subject) -> Status {
        let domain = pf_address::domain(&subject.name).unwrap_or_default();
        if is_literal(domain) || self.is_qualified(without_final_dot(domain)) {
            return Status::Dunno;
        }
        let code = self.params.codes.non_fqdn;
        let reason = Self::rejected(subject, b"need fully-qualified address");
        self.reject(Classes::POLICY, code, b"4.5.2", &reason)
    }

    pub(super) async fn reject_unknown_domain(&mut self, subject: &Subject) -> Decision {
        let resolved = self.resolve_for(subject, &subject.name).await;
        if resolved.flags.has(ResolveFlags::FAIL) {
            return Err(self.lookup_failure(&subject.name));
        }
        let Some(domain) = pf_address::domain(&resolved.recipient) else {
            return Ok(Status::Dunno);
        };
        if resolved.flags.has(ResolveFlags::CLASS_FINAL) || is_literal(domain) {
            return Ok(Status::Dunno);
        }
        let domain = ascii(domain);
        let kinds = [RecordType::Mx, RecordType::A, RecordType::Aaaa];
        let first = std::cell::Cell::new(true);
        let found = self
            .first_found(&domain, &kinds, |dns| {
                let mx = first.replace(false);
                match dns {
                    Dns::Found(_) | Dns::NullMx => true,
                    Dns::Filtered => mx,
                    _ => false,
                }
            })
            .await;
        Ok(self.judge_domain(subject, &domain, &found))
    }

    fn judge_domain(&mut self, subject: &Subject, domain: &[u8], found: &Dns) -> Status {
        let dsn: &[u8] = if subject.is_sender() {
            b"4.1.8"
        } else {
            b"4.1.2"
        };
        let code = self.params.codes.unknown_address;
        match found {
            Dns::Found(_) => Status::Dunno,
            Dns::Filtered => {
                self.warn(text![
                    domain,
                    ": MX or address lookup error: DNS reply filter drops all results"
                ]);
                Status::Dunno
            }
            Dns::NullMx => {
                let (code, dsn) = if subject.is_sender() {
                    (550, "4.7.27")
                } else {
                    (556, "4.1.10")
                };
                let why = text!["Domain ", domain, " does not accept mail (nullMX)"];
                self.reject(
                    Classes::POLICY,
                    code,
                    dsn.as_bytes(),
                    &Self::rejected(subject, &why),
                )
            }
            Dns::Retry(_) => {
                let reason = Self::rejected(subject, b"Domain not found");
                self.defer_if_permit(self.params.unknown_address_tempfail, 450, dsn, reason)
            }
            Dns::NotFound(_) | Dns::Failed(_) => {
                let reason = Self::rejected(subject, b"Domain not found");
                self.reject(Classes::POLICY, code, dsn, &reason)
            }
        }
    }

    pub(super) async fn reject_unverified(&mut self, subject: &Subject) -> Decision {
        let rules = if subject.is_sender() {
            &self.params.unverified_sender
        } else {
            &self.params.unverified_recipient
        };
        let dsn: &[u8] = if subject.is_sender() {
            b"4.1.7"
        } else {
            b"4.1.1"
        };
        let mut tries = 0;
        let known = loop {
            let known = self.ask.verify(&subject.name).await;
            tries += 1;
            let pending = known.as_ref().is_some_and(|known| {
                known.status == verify::OK && known.address_status == AddressStatus::Todo
            });
            if !pending || tries >= self.params.verify_poll_count {
                break known;
            }
            self.ask.sleep(self.params.verify_poll_delay).await;
        };
        let Some(known) = known.filter(|known| known.status == verify::OK) else {
            self.warn(format!("{} service failure", self.params.verify_service));
            let reason = Self::rejected(subject, b"address verification problem");
            return Ok(self.defer_if_permit(rules.tempfail, 450, dsn, reason));
        };
        let code = match known.address_status {
            AddressStatus::Ok => return Ok(Status::Dunno),
            AddressStatus::Todo | AddressStatus::Defer => rules.defer_code,
            AddressStatus::Bounce => rules.reject_code,
        };
        let why = if code >= 400 && !rules.reason.is_empty() {
            rules.reason.as_bytes()
        } else {
            known.reason.as_slice()
        };
        Ok(match code / 100 {
            2 => Status::Dunno,
            4 => {
                let why = why.get(..MAX_WHY).unwrap_or(why);
                let reason = Self::rejected(subject, &text!["unverified address: ", why]);
                self.defer_if_permit(rules.tempfail, code, dsn, reason)
            }
            _ => {
                let reason = Self::rejected(subject, &text!["undeliverable address: ", why]);
                self.reject(Classes::POLICY, code, dsn, &reason)
            }
        })
    }
}

/// Whether a domain is an address literal.
pub(super) fn is_literal(domain: &[u8]) -> bool {
    domain.first() == Some(&b'[') && domain.last() == Some(&b']')
}

/// A domain as DNS knows it.
pub(super) fn ascii(domain: &[u8]) -> Vec<u8> {
    if domain.is_ascii() {
        return domain.to_vec();
    }
    pf_address::idn::to_ascii(domain).map_or_else(|| domain.to_vec(), String::into_bytes)
}
