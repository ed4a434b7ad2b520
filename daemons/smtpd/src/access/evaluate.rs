//! One restriction list, word by word.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::action::MAX_DEPTH;
use super::ask::{Ask, HostList, Membership};
use super::reject::TempfailAction;
use super::tables::Lookup;
use super::words::{Kind, Word};
use super::{Abort, Check, Decision, Status, Subject, class};
use crate::session::errors::Classes;
use crate::text::text;

/// The words of a list, and how far the evaluation has come.
pub(super) struct Cursor<'a> {
    words: &'a [Word],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<&'a Word> {
        self.words.get(self.at)
    }

    fn next(&mut self) -> Option<&'a Word> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }
}

impl<A: Ask> Check<'_, A> {
    /// Evaluates a list for a subject. `default`: what a bare table name stands for.
    pub(super) fn evaluate<'b>(
        &'b mut self,
        words: &'b [Word],
        subject: &'b Subject,
        default: Option<Kind>,
    ) -> Pin<Box<dyn Future<Output = Decision> + 'b>> {
        Box::pin(async move {
            let outer_depth = self.depth;
            // A class that names itself must not take all of the stack. Where a table is part of the circle, its complaint comes first.
            if outer_depth > MAX_DEPTH + 10 {
                self.warn("restriction classes name each other without end");
                return Err(self.server_error());
            }
            self.depth += 1;
            let result = self.evaluate_words(words, subject, default).await;
            self.depth = outer_depth;
            if self.warn_if_reject >= self.depth {
                self.warn_if_reject = 0;
            }
            result
        })
    }

    async fn evaluate_words(
        &mut self,
        words: &[Word],
        subject: &Subject,
        default: Option<Kind>,
    ) -> Decision {
        let mut cursor = Cursor { words, at: 0 };
        let mut status = Status::Dunno;
        while let Some(word) = cursor.next() {
            if self.session.mail.discard {
                break;
            }
            if word.kind == Kind::WarnIfReject {
                if self.warn_if_reject == 0 {
                    self.warn_if_reject = self.depth;
                }
                continue;
            }
            let mut kind = word.kind;
            let mut name = word.text.as_str();
            if kind == Kind::Table {
                let Some(access) = default else {
                    self.warn(format!(
                        "specify one of (check_client_access, check_reverse_client_hostname_access, check_helo_access, check_sender_access, check_recipient_access, check_etrn_access) before {} restriction \"{name}\"",
                        subject.class
                    ));
                    return Err(self.server_error());
                };
                kind = access;
                name = "";
                cursor.at -= 1;
            }
            status = self.one(kind, name, &mut cursor, subject, default).await?;
            if self.warn_if_reject >= self.depth {
                self.warn_if_reject = 0;
            }
            if status != Status::Dunno {
                break;
            }
            if self.session.defer_if_permit_active && self.refusal_postponed() {
                break;
            }
        }
        Ok(status)
    }

    /// The table that must follow a `check_*_access`.
    pub(super) fn table_argument<'b>(
        &mut self,
        name: &str,
        cursor: &mut Cursor<'b>,
    ) -> Result<&'b str, Abort> {
        match cursor.next() {
            Some(word) if word.kind == Kind::Table => Ok(&word.text),
            other => {
                let argument = other.map_or(name, |word| word.text.as_str());
                self.warn(format!(
                    "restriction {name}: bad argument \"{argument}\": need maptype:mapname"
                ));
                Err(self.server_error())
            }
        }
    }

    fn domain_argument<'b>(&self, name: &str, cursor: &mut Cursor<'b>) -> Option<&'b str> {
        let word = cursor.next();
        if word.is_none() {
            self.warn(format!("restriction {name} requires domain name argument"));
        }
        word.map(|word| word.text.as_str())
    }

    fn warn_ignored(&self, cursor: &Cursor<'_>, after: &str) {
        if let Some(next) = cursor.peek() {
            self.warn(format!(
                "restriction `{}' after `{after}' is ignored",
                next.text
            ));
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each restriction; what they do is elsewhere"
    )]
    async fn one(
        &mut self,
        kind: Kind,
        name: &str,
        cursor: &mut Cursor<'_>,
        subject: &Subject,
        default: Option<Kind>,
    ) -> Decision {
        let rejected =
            |end: &str| text!["<", subject.name, ">: ", subject.class, " rejected: ", end];
        let dunno = Ok(Status::Dunno);
        match kind {
            Kind::Permit => {
                let status = self.permit(name.as_bytes(), subject.class, &subject.name, None)?;
                self.warn_ignored(cursor, "permit");
                Ok(status)
            }
            Kind::Defer => {
                let warn_only = self.warn_if_reject > 0;
                let code = self.params.codes.defer;
                let status = self.reject(
                    Classes::POLICY,
                    code,
                    b"4.3.2",
                    &rejected("Try again later"),
                );
                if !warn_only {
                    self.warn_ignored(cursor, "defer");
                }
                Ok(status)
            }
            Kind::Reject => {
                let warn_only = self.warn_if_reject > 0;
                let code = self.params.codes.reject;
                let status =
                    self.reject(Classes::POLICY, code, b"5.7.1", &rejected("Access denied"));
                if !warn_only {
                    self.warn_ignored(cursor, "reject");
                }
                Ok(status)
            }
            Kind::RejectUnauthPipelining => {
                if !self.session.ill_pipelining {
                    return dunno;
                }
                let reason = rejected("Improper use of SMTP command pipelining");
                Ok(self.reject(Classes::PROTOCOL, 503, b"5.5.0", &reason))
            }
            Kind::CheckPolicyService => match cursor.next() {
                Some(server) if server.kind == Kind::Table => {
                    self.policy_service(&server.text, subject, default).await
                }
                _ => {
                    self.warn(
                        "restriction check_policy_service must be followed by transport:server",
                    );
                    Err(self.server_error())
                }
            },
            Kind::DeferIfPermit => Ok(self.defer_if_permit(
                TempfailAction::DeferIfPermit,
                450,
                b"4.7.0",
                rejected("defer_if_permit requested"),
            )),
            Kind::DeferIfReject => {
                self.defer_if_reject(450, "4.7.0", rejected("defer_if_reject requested"));
                dunno
            }
            Kind::Sleep => match cursor.next().map(|word| word.text.parse::<u32>()) {
                Some(Ok(seconds)) => {
                    self.ask
                        .sleep(Duration::from_secs(u64::from(seconds)))
                        .await;
                    dunno
                }
                _ => {
                    self.warn("restriction sleep must be followed by number");
                    Err(self.server_error())
                }
            },
            Kind::RejectPlaintextSession => {
                let code = self.params.codes.plaintext;
                Ok(self.reject(
                    Classes::POLICY,
                    code,
                    b"4.7.1",
                    b"Session encryption is required",
                ))
            }
            Kind::RejectUnknownClient => Ok(self.reject_unknown_client()),
            Kind::RejectUnknownReverseClient => Ok(self.reject_unknown_reverse_client()),
            Kind::PermitInetInterfaces => {
                if self
                    .session
                    .peer
                    .ip
                    .is_some_and(|ip| self.ask.own_address(ip))
                {
                    self.permit_client(name)
                } else {
                    dunno
                }
            }
            Kind::PermitMynetworks => match self.in_mynetworks().await {
                Membership::Yes => self.permit_client(name),
                Membership::No => dunno,
                Membership::Failed { retry } => Err(self.failure(retry, &subject.name)),
            },
            Kind::Access(about) => self.check_about(about, name, cursor, default).await,
            Kind::ServerAccess(about, servers) => {
                let restriction = name;
                let table = self.table_argument(name, cursor)?;
                let Some((what, subject)) = self.server_subject(about) else {
                    return dunno;
                };
                let lookup = Lookup {
                    table,
                    subject: &subject,
                    default,
                };
                let status = self.check_servers(lookup, &what, servers).await?;
                self.forbid_allowing(restriction, status, &what)
            }
            Kind::CheckCcertAccess => {
                self.table_argument(name, cursor)?;
                if !self.params.tls_ask_ccert {
                    self.warn("check_ccert_access is requested, but \"smtpd_tls_ask_ccert = no\"");
                }
                dunno
            }
            Kind::CheckSaslAccess => {
                let table = self.table_argument(name, cursor)?;
                self.check_sasl_access(name, table, default).await
            }
            Kind::RejectMapsRbl => {
                self.warn(format!(
                    "support for restriction \"reject_maps_rbl\" has been removed in {} 3.9; instead, specify \"reject_rbl_client domain-name\"",
                    self.params.mail_name
                ));
                Err(self.server_error())
            }
            Kind::RejectRblClient => {
                let Some(domain) = self.domain_argument(name, cursor) else {
                    return dunno;
                };
                self.reject_listed_client(domain).await
            }
            Kind::PermitDnswlClient => {
                let Some(domain) = self.domain_argument(name, cursor) else {
                    return dunno;
                };
                match self.allowed_client_address(domain).await? {
                    true => self.permit_client(name),
                    false => dunno,
                }
            }
            Kind::RejectRhsbl(about) => {
                let Some(domain) = self.domain_argument(name, cursor) else {
                    return dunno;
                };
                match self.rhsbl_subject(about) {
                    Some((what, class)) => self.reject_listed_domain(domain, &what, class).await,
                    None => dunno,
                }
            }
            Kind::PermitRhswlClient => {
                let Some(domain) = self.domain_argument(name, cursor) else {
                    return dunno;
                };
                match self.allowed_client_name(domain).await? {
                    true => self.permit_client(name),
                    false => dunno,
                }
            }
            Kind::RejectInvalidHelo => Ok(self.reject_invalid_helo()),
            Kind::RejectUnknownHelo => self.reject_unknown_helo().await,
            Kind::RejectNonFqdnHelo => Ok(self.reject_non_fqdn_helo()),
            Kind::PermitNakedIpAddress => {
                self.warn(format!(
                    "support for restriction \"permit_naked_ip_address\" has been removed in {} 3.9; instead, specify \"permit_mynetworks\" or \"permit_sasl_authenticated\"",
                    self.params.mail_name
                ));
                Err(self.server_error())
            }
            Kind::RejectUnknownDomain(about) => match self.address_about(about, false) {
                Some(subject) => self.reject_unknown_domain(&subject).await,
                None => dunno,
            },
            Kind::RejectUnverified(about) => match self.address_about(about, true) {
                Some(subject) => self.reject_unverified(&subject).await,
                None => dunno,
            },
            Kind::RejectNonFqdn(about) => match self.address_about(about, false) {
                Some(subject) => Ok(self.reject_non_fqdn_address(&subject)),
                None => dunno,
            },
            Kind::RejectUnlisted(about) => match self.address_about(about, true) {
                Some(subject) => self.reject_unlisted(&subject).await,
                None => dunno,
            },
            Kind::RejectAuthenticatedSenderLoginMismatch
            | Kind::RejectKnownSenderLoginMismatch
            | Kind::RejectUnauthenticatedSenderLoginMismatch => {
                self.login_mismatch(kind, name).await
            }
            Kind::PermitMxBackup => self.permit_mx_backup(name).await,
            Kind::PermitAuthDestination => {
                let Some(recipient) = self.session.recipient.clone() else {
                    return dunno;
                };
                match self.authorized_destination(&recipient).await? {
                    true => self.permit(name.as_bytes(), class::RECIPIENT, &recipient, None),
                    false => dunno,
                }
            }
            Kind::RejectUnauthDestination => {
                self.reject_unauth_destination(self.params.codes.relay, "5.7.1")
                    .await
            }
            Kind::DeferUnauthDestination => {
                self.reject_unauth_destination(self.params.codes.relay - 100, "4.7.1")
                    .await
            }
            Kind::CheckRelayDomains => {
                if self.session.recipient.is_none() {
                    return dunno;
                }
                self.warn(format!(
                    "support for restriction \"check_relay_domains\" has been removed in {} 3.9; instead, specify \"reject_unauth_destination\"",
                    self.params.mail_name
                ));
                Err(self.server_error())
            }
            Kind::PermitSaslAuthenticated => match self.session.login {
                Some(_) => self.permit_client(name),
                None => dunno,
            },
            // Certificates come with TLS.
            Kind::PermitTlsAllClientcerts | Kind::PermitTlsClientcerts => dunno,
            Kind::RejectMultiRecipientBounce => {
                let counted = i64::from(self.session.stage != "RCPT");
                let bounce = self.session.mail.sender.as_ref().is_some_and(Vec::is_empty);
                if bounce && self.session.recipients > counted {
                    let code = self.params.codes.multi_recipient_bounce;
                    let reason = rejected("Multi-recipient bounce");
                    return Ok(self.reject(Classes::POLICY, code, b"5.5.3", &reason));
                }
                dunno
            }
            Kind::Table | Kind::WarnIfReject | Kind::Other => {
                let Some(class) = self.params.restrictions.class(name) else {
                    self.warn(format!("unknown smtpd restriction: \"{name}\""));
                    return Err(self.server_error());
                };
                self.evaluate(&class, subject, default).await
            }
        }
    }

    fn permit_client(&mut self, name: &str) -> Decision {
        let shown = self.session.peer.shown.clone();
        self.permit(name.as_bytes(), class::CLIENT, &shown, None)
    }

    pub(super) async fn in_mynetworks(&self) -> Membership {
        let peer = &self.session.peer;
        self.ask
            .host_in(HostList::Mynetworks, &peer.name, &peer.address)
            .await
    }
}
