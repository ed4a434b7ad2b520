//! Envelope addresses: rewritten, mapped, masqueraded, and written.

use std::rc::Rc;

use pf_address::{quote_822, unquote_822};
use pf_proto::cleanup::Flags;
use pf_record::{POINTER_SIZE, RecordType, sendopts};

use crate::message::{Context, Message};
use crate::params::Classes;
use crate::tables::{AddressTable, Answer};

/// DSN NOTIFY=NEVER: automatic copies cause no reports.
const NOTIFY_NEVER: i32 = 1;

impl Message<'_> {
    /// Rewrites an address in external form.
    pub(crate) async fn rewrite(&mut self, context: Context, external: &[u8]) -> Rc<[u8]> {
        match self.service.trivial.rewrite(context.rule(), external).await {
            Ok(rewritten) => rewritten,
            // The client tries for ever; this is a client that was told not to.
            Err(err) => {
                pf_log::warning!("{}: address rewriting: {err}", self.id);
                self.errors |= pf_proto::cleanup::Status::WRITE;
                external.into()
            }
        }
    }

    /// Rewrites an address in internal form, as one from here.
    pub(crate) async fn rewrite_internal(&mut self, internal: &[u8]) -> Vec<u8> {
        let external = quote_822(internal).into_owned();
        unquote_822(&self.rewrite(Context::Local, &external).await)
    }

    /// Rewrites and maps an envelope address.
    async fn clean(&mut self, internal: &[u8], class: Classes) -> Vec<u8> {
        let mut clean = self.rewrite_internal(internal).await;
        if class == Classes::ENVELOPE_SENDER && self.is_mailer_daemon(&clean).await {
            clean.clear();
        }
        self.map_internal(clean, class).await
    }

    /// Our own mailer daemon stands for the null sender.
    async fn is_mailer_daemon(&mut self, address: &[u8]) -> bool {
        const NAME: &[u8] = b"MAILER-DAEMON";
        let begins = address
            .get(..NAME.len() + 1)
            .is_some_and(|head| head.eq_ignore_ascii_case(b"MAILER-DAEMON@"));
        begins
            && self
                .rewrite_internal(NAME)
                .await
                .eq_ignore_ascii_case(address)
    }

    /// The envelope sender.
    pub(crate) async fn sender_record(&mut self, data: &[u8]) {
        let clean = self.clean(data, Classes::ENVELOPE_SENDER).await;
        if self.is_utf8(&clean) {
            self.note_utf8(sendopts::SMTPUTF8_SENDER);
        }
        self.put(RecordType::FROM, &clean);
        if self.service.params.leave_room && clean.len() < POINTER_SIZE {
            self.put_padding(RecordType::POINTER, POINTER_SIZE - clean.len());
        }
        self.sender = Some(clean.clone());
        let service = self.service;
        self.mapped_bcc(service.tables.sender_bcc.as_ref(), &clean)
            .await;
    }

    /// An envelope recipient; what belongs to it is known already.
    pub(crate) async fn recipient_address(&mut self, data: &[u8]) {
        let service = self.service;
        let given = if data.is_empty() {
            &service.params.empty_address_recipient
        } else {
            data
        };
        let clean = self.clean(given, Classes::ENVELOPE_RECIPIENT).await;
        if self.is_utf8(&clean) {
            self.note_utf8(0);
        }
        if self.dsn_original.is_none() && !clean.is_empty() {
            let utf8 = !clean.is_ascii() && self.sendopts & sendopts::SMTPUTF8_REQUESTED != 0;
            let kind: &[u8] = if utf8 { b"utf-8;" } else { b"rfc822;" };
            self.dsn_original = Some([kind, &clean].concat());
        }
        let dsn_original = self.dsn_original.clone().unwrap_or_default();
        let original = self.original.clone().unwrap_or_default();
        self.put_recipient(&dsn_original, self.dsn_notify, &original, &clean)
            .await;
        self.recipient = Some(clean.clone());
        self.mapped_bcc(service.tables.recipient_bcc.as_ref(), &clean)
            .await;
    }

    /// An automatic copy that a table asks for.
    async fn mapped_bcc(&mut self, table: Option<&AddressTable>, address: &[u8]) {
        let Some(table) = table else { return };
        if !self.flags.has(Flags::BCC_OK) || address.is_empty() {
            return;
        }
        match table.find(address).await {
            Answer::Found(found) => {
                self.bcc_address(&found.value).await;
            }
            Answer::Missing => {}
            Answer::Unavailable => self.unavailable(table.name(), None),
        }
    }

    /// A recipient of an automatic copy.
    pub(crate) async fn bcc_address(&mut self, address: &[u8]) {
        let clean = self.clean(address, Classes::ENVELOPE_RECIPIENT).await;
        if self.is_utf8(&clean) {
            self.note_utf8(0);
        }
        self.put_recipient(b"", NOTIFY_NEVER, &clean, &clean).await;
    }
}
