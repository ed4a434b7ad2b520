//! What a restriction looks at: the client, a name, an address, or the servers of its domain.

use super::ask::Ask;
use super::evaluate::Cursor;
use super::tables::Lookup;
use super::words::{About, Kind};
use super::{Check, Decision, Status, Subject, class};
use crate::session::state::UNKNOWN;
use crate::text::text;

impl<A: Ask> Check<'_, A> {
    /// `check_*_access` of the plain kind.
    pub(super) async fn check_about(
        &mut self,
        about: About,
        name: &str,
        cursor: &mut Cursor<'_>,
        default: Option<Kind>,
    ) -> Decision {
        let table = self.table_argument(access_name(about, name), cursor)?;
        let session = &self.session;
        match about {
            About::Client => {
                let peer = session.peer.clone();
                let subject = Subject::new(&peer.shown, class::CLIENT);
                let lookup = Lookup {
                    table,
                    subject: &subject,
                    default,
                };
                self.check_host(lookup, &peer.name, &peer.address).await
            }
            About::ReverseClient => {
                let peer = session.peer.clone();
                let subject = Subject::new(&peer.reverse_name, class::REVERSE_CLIENT);
                let lookup = Lookup {
                    table,
                    subject: &subject,
                    default,
                };
                let status = self
                    .check_host(lookup, &peer.reverse_name, &peer.address)
                    .await?;
                self.forbid_allowing(access_name(about, name), status, &peer.reverse_name)
            }
            About::Helo => {
                let Some(helo) = session.helo.clone() else {
                    return Ok(Status::Dunno);
                };
                let subject = Subject::new(&helo, class::HELO);
                let lookup = Lookup {
                    table,
                    subject: &subject,
                    default,
                };
                Ok(self.check_domain(lookup, &helo).await?.0)
            }
            About::Sender => {
                let Some(sender) = session.mail.sender.clone() else {
                    return Ok(Status::Dunno);
                };
                let subject = Subject::new(&sender, class::SENDER);
                let lookup = Lookup {
                    table,
                    subject: &subject,
                    default,
                };
                if sender.is_empty() {
                    let key = self.params.null_access_key.clone();
                    self.check_exact(lookup, key.as_bytes()).await
                } else {
                    self.check_mail_address(lookup, &sender).await
                }
            }
            About::Recipient => {
                let Some(recipient) = session.recipient.clone() else {
                    return Ok(Status::Dunno);
                };
                let subject = Subject::new(&recipient, class::RECIPIENT);
                let lookup = Lookup {
                    table,
                    subject: &subject,
                    default,
                };
                self.check_mail_address(lookup, &recipient).await
            }
            About::Etrn => {
                let Some(domain) = session.etrn.clone() else {
                    return Ok(Status::Dunno);
                };
                let subject = Subject::new(&domain, class::ETRN);
                let lookup = Lookup {
                    table,
                    subject: &subject,
                    default,
                };
                Ok(self.check_domain(lookup, &domain).await?.0)
            }
        }
    }

    /// What `check_*_{mx,ns,a}_access` looks at, if it is known.
    pub(super) fn server_subject(&self, about: About) -> Option<(Vec<u8>, Subject)> {
        let session = &self.session;
        let known = |name: &Vec<u8>| (!name.eq_ignore_ascii_case(UNKNOWN)).then(|| name.clone());
        let filled = |name: &Option<Vec<u8>>| name.clone().filter(|name| !name.is_empty());
        match about {
            About::Client => {
                let subject = Subject::new(&session.peer.shown, class::CLIENT);
                known(&session.peer.name).map(|name| (name, subject))
            }
            About::ReverseClient => known(&session.peer.reverse_name)
                .map(|name| (name.clone(), Subject::new(&name, class::REVERSE_CLIENT))),
            About::Helo => session
                .helo
                .clone()
                .map(|name| (name.clone(), Subject::new(&name, class::HELO))),
            About::Sender => filled(&session.mail.sender)
                .map(|name| (name.clone(), Subject::new(&name, class::SENDER))),
            About::Recipient => filled(&session.recipient)
                .map(|name| (name.clone(), Subject::new(&name, class::RECIPIENT))),
            About::Etrn => None,
        }
    }

    pub(super) fn rhsbl_subject(&self, about: About) -> Option<(Vec<u8>, &'static str)> {
        let session = &self.session;
        let known = |name: &Vec<u8>| (!name.eq_ignore_ascii_case(UNKNOWN)).then(|| name.clone());
        match about {
            About::Client => known(&session.peer.name).map(|name| (name, class::CLIENT)),
            About::ReverseClient => {
                known(&session.peer.reverse_name).map(|name| (name, class::REVERSE_CLIENT))
            }
            About::Helo => session.helo.clone().map(|name| (name, class::HELO)),
            About::Sender => session
                .mail
                .sender
                .clone()
                .filter(|sender| !sender.is_empty())
                .map(|name| (name, class::SENDER)),
            About::Recipient => session
                .recipient
                .clone()
                .map(|name| (name, class::RECIPIENT)),
            About::Etrn => None,
        }
    }

    /// The sender or the recipient, when there is one. The null sender never counts; the empty recipient only where `strict` is
    /// not set.
    pub(super) fn address_about(&self, about: About, strict: bool) -> Option<Subject> {
        let (address, class) = match about {
            About::Sender => (self.session.mail.sender.as_ref()?, class::SENDER),
            _ => (self.session.recipient.as_ref()?, class::RECIPIENT),
        };
        let counts = !address.is_empty() || (about == About::Recipient && !strict);
        counts.then(|| Subject::new(address, class))
    }

    /// Some tables must not let anybody in: whoever owns the name could put himself on the list.
    pub(super) fn forbid_allowing(
        &mut self,
        name: &str,
        status: Status,
        target: &[u8],
    ) -> Decision {
        if status == Status::Permit && !self.session.mail.discard {
            self.warn(text!["restriction ", name, " returns OK for ", target]);
            self.warn("this is not allowed for security reasons");
            self.warn("use DUNNO instead of OK if you want to make an exception");
            return Err(self.server_error());
        }
        Ok(status)
    }
}

/// The name of a `check_*_access`, also where a bare table stands for it.
fn access_name(about: About, name: &str) -> &str {
    if !name.is_empty() {
        return name;
    }
    match about {
        About::Client => "check_client_access",
        About::ReverseClient => "check_reverse_client_hostname_access",
        About::Helo => "check_helo_access",
        About::Sender => "check_sender_access",
        About::Recipient => "check_recipient_access",
        About::Etrn => "check_etrn_access",
    }
}
