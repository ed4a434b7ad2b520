//! Whether a sender or recipient of one of our domains exists: `reject_unlisted_*`.

use pf_dsn::Dsn;
use pf_proto::resolve::ResolveFlags;

use super::ask::{AddressTable, Answer, Ask};
use super::{Abort, Check, Decision, Status, Subject};
use crate::session::errors::Classes;
use crate::text::text;

impl<A: Ask> Check<'_, A> {
    /// Checks once for each address, however often it is asked for.
    pub(super) async fn reject_unlisted(&mut self, subject: &Subject) -> Decision {
        if self.params.transparency.unknown_recipients {
            return Ok(Status::Dunno);
        }
        let only_warn = self.warn_if_reject > 0;
        let checked = if subject.is_sender() {
            &mut self.session.sender_checked
        } else {
            &mut self.session.recipient_checked
        };
        if *checked {
            return Ok(Status::Dunno);
        }
        *checked = !only_warn;
        self.check_listed(subject).await
    }

    async fn is_in(
        &mut self,
        table: AddressTable,
        subject: &Subject,
        address: &[u8],
    ) -> Result<bool, Abort> {
        match self.ask.address(table, address).await {
            Answer::Found(_) => Ok(true),
            Answer::Missing | Answer::Unopened => Ok(false),
            Answer::Failed { retry } => Err(self.failure(retry, &subject.name)),
        }
    }

    async fn check_listed(&mut self, subject: &Subject) -> Decision {
        let resolved = self.resolve_for(subject, &subject.name).await;
        if resolved.flags.has(ResolveFlags::FAIL) {
            return Err(self.lookup_failure(&subject.name));
        }
        let address = &resolved.recipient;
        // What is mapped to something else need not exist itself.
        if self
            .is_in(AddressTable::RecipientCanonical, subject, address)
            .await?
            || (subject.is_sender()
                && self
                    .is_in(AddressTable::SenderCanonical, subject, address)
                    .await?)
            || self
                .is_in(AddressTable::Canonical, subject, address)
                .await?
            || self
                .is_in(AddressTable::VirtualAlias, subject, address)
                .await?
        {
            return Ok(Status::Dunno);
        }
        match resolved.transport.as_slice() {
            b"error" => {
                let code = if resolved.flags.has(ResolveFlags::ALIAS) {
                    self.params.codes.unknown_virtual_alias
                } else {
                    550
                };
                return Ok(self.reject_undeliverable(subject, code, 5, &resolved.nexthop));
            }
            b"retry" => return Ok(self.reject_undeliverable(subject, 450, 4, &resolved.nexthop)),
            _ => {}
        }
        let tables = &self.params.recipient_tables;
        let (table, code, named) = if resolved.flags.has(ResolveFlags::LOCAL) {
            if !tables.local || self.is_reserved(address) {
                return Ok(Status::Dunno);
            }
            (
                AddressTable::LocalRecipient,
                self.params.codes.unknown_local,
                "local recipient",
            )
        } else if resolved.flags.has(ResolveFlags::VIRTUAL) {
            if !tables.virtual_mailbox {
                return Ok(Status::Dunno);
            }
            (
                AddressTable::VirtualMailbox,
                self.params.codes.unknown_virtual_mailbox,
                "virtual mailbox",
            )
        } else if resolved.flags.has(ResolveFlags::RELAY) {
            if !tables.relay {
                return Ok(Status::Dunno);
            }
            (
                AddressTable::RelayRecipient,
                self.params.codes.unknown_relay,
                "relay recipient",
            )
        } else {
            return Ok(Status::Dunno);
        };
        if self.is_in(table, subject, address).await? {
            return Ok(Status::Dunno);
        }
        let dsn: &[u8] = if subject.is_sender() {
            b"5.1.0"
        } else {
            b"5.1.1"
        };
        let table = if self.params.show_unknown_table {
            format!(" in {named} table")
        } else {
            String::new()
        };
        let reason = text![
            "<",
            subject.name,
            ">: ",
            subject.class,
            " rejected: User unknown",
            table
        ];
        Ok(self.reject(Classes::BOUNCE, code, dsn, &reason))
    }

    /// The transport says why there is no delivery.
    fn reject_undeliverable(
        &mut self,
        subject: &Subject,
        code: i64,
        class: u8,
        nexthop: &[u8],
    ) -> Status {
        let detail = u8::from(!subject.is_sender());
        let default = Dsn::new(class, 1, u16::from(detail));
        let (dsn, why) = pf_dsn::split_text(nexthop, default);
        let dsn = self.fix_dsn(dsn, subject.class);
        let reason = text!["<", subject.name, ">: ", subject.class, " rejected: ", why];
        self.reject(Classes::BOUNCE, code, &dsn, &reason)
    }

    /// Addresses that the mail system itself takes in.
    fn is_reserved(&self, address: &[u8]) -> bool {
        let (local, domain) = pf_address::split(address);
        domain.is_some()
            && [
                self.params.double_bounce_sender.as_str(),
                "postmaster",
                "mailer-daemon",
            ]
            .iter()
            .any(|name| local.eq_ignore_ascii_case(name.as_bytes()))
    }
}
