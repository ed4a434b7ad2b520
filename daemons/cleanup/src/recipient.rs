//! Recipients on their way into the queue file: expanded through virtual aliases, each written once.

use pf_dsn::Notify;
use pf_log::warning;
use pf_proto::bounce;
use pf_proto::cleanup::{Flags, Status};
use pf_proto::verify::AddressStatus;
use pf_record::RecordType;
use pf_text::case::fold;

use crate::message::Message;

/// Delivery flag: the mail system itself wants to know whether the address is good.
const MTA_VERIFY: i32 = 1 << 8;

impl Message<'_> {
    /// Writes a recipient, or what it expands to.
    pub(crate) async fn put_recipient(
        &mut self,
        dsn_original: &[u8],
        mut dsn_notify: i32,
        original: &[u8],
        recipient: &[u8],
    ) {
        let service = self.service;
        let Some(table) = service
            .tables
            .virtual_alias
            .as_ref()
            .filter(|_| self.flags.has(Flags::MAP_OK))
        else {
            self.put_once(dsn_original, dsn_notify, original, recipient);
            return;
        };
        let list = self.expand(table, recipient).await;
        let who = || bounce::Recipient {
            original: original.to_vec(),
            address: recipient.to_vec(),
            offset: 0,
            dsn_original: dsn_original.to_vec(),
            dsn_notify,
        };
        // Several answers to one question would overwrite each other: an alias with many recipients is good.
        if list.len() > 1 && self.trace_flags & MTA_VERIFY != 0 {
            let reason = b"aliased to multiple recipients";
            let updated = service
                .reports
                .verified(
                    self,
                    &who(),
                    AddressStatus::Ok,
                    b"2.0.0",
                    b"deliverable",
                    reason,
                )
                .await;
            if !updated {
                warning!("{}: verify service update error", self.id);
                self.errors |= Status::WRITE;
            }
            return;
        }
        let success = Notify::SUCCESS.bits();
        if dsn_notify & success != 0 && list.as_slice() != [recipient] {
            let traced = service.reports.expanded(self, &who()).await;
            self.traced = true;
            if !traced {
                warning!("{}: trace logfile update error", self.id);
                self.errors |= Status::WRITE;
            }
            dsn_notify = if dsn_notify == success {
                Notify::NEVER.bits()
            } else {
                dsn_notify & !success
            };
        }
        for address in &list {
            self.put_once(dsn_original, dsn_notify, original, address);
        }
    }

    /// Writes a recipient, unless it is there already.
    fn put_once(
        &mut self,
        dsn_original: &[u8],
        dsn_notify: i32,
        original: &[u8],
        recipient: &[u8],
    ) {
        let params = &self.service.params;
        let key = if params.enable_original_recipient {
            let notify = dsn_notify.to_string();
            [
                dsn_original,
                b"\n",
                notify.as_bytes(),
                b"\n",
                original,
                b"\n",
                recipient,
            ]
            .concat()
        } else {
            recipient.to_vec()
        };
        let key = fold(&key, params.smtputf8_enable);
        if self.seen_before.contains(&key) {
            return;
        }
        let limit = params.duplicate_filter_limit;
        if limit == 0 || self.seen_before.len() < limit {
            self.seen_before.insert(key);
        }
        if dsn_notify != 0 {
            self.put_attribute("notify_flags", dsn_notify.to_string().as_bytes());
        }
        if !dsn_original.is_empty() {
            self.put_attribute("dsn_orig_rcpt", dsn_original);
        }
        self.put(RecordType::ORCPT, original);
        self.put(RecordType::RCPT, recipient);
        self.recipients += 1;
    }
}
