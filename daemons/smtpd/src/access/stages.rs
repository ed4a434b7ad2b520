//! The stages of a session at which restrictions apply.

use super::ask::{Ask, HostList, Membership};
use super::words::{About, Kind, Word};
use super::{Abort, Check, Status, Subject, class};
use crate::session::errors::Classes;
use crate::text::text;

/// What became of a stage: `None` when nothing refuses the request, else the reply.
pub(crate) type Outcome = Result<Option<Vec<u8>>, Hangup>;

/// The connection is to end without another word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hangup;

impl<A: Ask> Check<'_, A> {
    fn reset(&mut self) {
        self.depth = 0;
        self.warn_if_reject = 0;
        self.defer_if_reject = None;
    }

    /// Evaluates the list of a stage.
    async fn run(
        &mut self,
        words: &[Word],
        subject: &Subject,
        default: Option<Kind>,
    ) -> Result<Status, Hangup> {
        self.reset();
        if words.is_empty() {
            return Ok(Status::Dunno);
        }
        match self.evaluate(words, subject, default).await {
            Ok(status) => Ok(status),
            Err(Abort::Refused) => Ok(Status::Reject),
            Err(Abort::Hangup) => Err(Hangup),
        }
    }

    fn outcome(&mut self, status: Status) -> Option<Vec<u8>> {
        (status == Status::Reject).then(|| std::mem::take(&mut self.reply))
    }

    /// A check that stands outside the lists.
    fn settle(result: super::Decision) -> Result<Status, Hangup> {
        match result {
            Ok(status) => Ok(status),
            Err(Abort::Refused) => Ok(Status::Reject),
            Err(Abort::Hangup) => Err(Hangup),
        }
    }

    /// `smtpd_client_restrictions`.
    pub(crate) async fn client(&mut self) -> Outcome {
        self.session.defer_if_permit_active = false;
        let subject = Subject::new(&self.session.peer.shown, class::CLIENT);
        let words = &self.params.restrictions.client;
        let status = self
            .run(words, &subject, Some(Kind::Access(About::Client)))
            .await?;
        self.session.postponed_by.client = self.session.defer_if_permit_active;
        Ok(self.outcome(status))
    }

    /// `smtpd_helo_restrictions`; no name, no restriction.
    pub(crate) async fn helo(&mut self, helo: Option<&[u8]>) -> Outcome {
        let Some(helo) = helo else { return Ok(None) };
        let saved = self.session.helo.replace(helo.to_vec());
        self.session.defer_if_permit_active = self.session.postponed_by.client;
        let subject = Subject::new(helo, class::HELO);
        let words = &self.params.restrictions.helo;
        let status = self
            .run(words, &subject, Some(Kind::Access(About::Helo)))
            .await;
        self.session.postponed_by.helo = self.session.defer_if_permit_active;
        self.session.helo = saved;
        Ok(self.outcome(status?))
    }

    /// `smtpd_sender_restrictions`.
    pub(crate) async fn sender(&mut self, sender: Option<&[u8]>) -> Outcome {
        let Some(sender) = sender else {
            return Ok(None);
        };
        let saved = self.session.mail.sender.replace(sender.to_vec());
        let by = self.session.postponed_by;
        self.session.defer_if_permit_active = by.client || by.helo;
        self.session.sender_checked = false;
        let subject = Subject::new(sender, class::SENDER);
        let words = &self.params.restrictions.sender;
        let mut status = self
            .run(words, &subject, Some(Kind::Access(About::Sender)))
            .await;
        self.session.postponed_by.sender = self.session.defer_if_permit_active;
        if self.params.reject_unlisted_sender
            && matches!(status, Ok(Status::Dunno | Status::Permit))
            && !self.session.sender_checked
            && !self.session.mail.discard
            && !sender.is_empty()
        {
            status = Self::settle(self.reject_unlisted(&subject).await);
        }
        self.session.mail.sender = saved;
        Ok(self.outcome(status?))
    }

    /// `smtpd_relay_restrictions` and `smtpd_recipient_restrictions`, and with `smtpd_delay_reject` all earlier ones.
    pub(crate) async fn recipient(&mut self, recipient: &[u8]) -> Outcome {
        if recipient.eq_ignore_ascii_case(b"postmaster") {
            return Ok(None);
        }
        let saved = self.session.recipient.replace(recipient.to_vec());
        self.session.recipient_checked = false;
        let outcome = self.recipient_stages(recipient).await;
        self.session.recipient = saved;
        outcome
    }

    async fn recipient_stages(&mut self, recipient: &[u8]) -> Outcome {
        if self.params.delay_reject {
            let helo = self.session.helo.clone();
            let sender = self.session.mail.sender.clone();
            for stage in 0..3 {
                let outcome = match stage {
                    0 => self.client().await?,
                    1 => self.helo(helo.as_deref()).await?,
                    _ => self.sender(sender.as_deref()).await?,
                };
                if outcome.is_some() {
                    return Ok(outcome);
                }
            }
        }
        self.session.defer_if_permit_active = self.session.postponed_by.sender;
        self.reset();
        let params = self.params;
        let compatible = params.compatible.relay_restrictions;
        let relay = if compatible {
            &params.restrictions.relay_by_default
        } else {
            &params.restrictions.relay
        };
        let relay_first = params.relay_before_recipient && !compatible;
        let lists = if relay_first {
            [(relay, true), (&params.restrictions.recipient, false)]
        } else {
            [(&params.restrictions.recipient, false), (relay, true)]
        };
        let subject = Subject::new(recipient, class::RECIPIENT);
        let mut status = Status::Dunno;
        for (position, (words, is_relay)) in lists.into_iter().enumerate() {
            status = if words.is_empty() {
                Status::Dunno
            } else {
                Self::settle(
                    self.evaluate(words, &subject, Some(Kind::Access(About::Recipient)))
                        .await,
                )?
            };
            if is_relay && compatible && status == Status::Dunno {
                self.info(&text![
                    "using backwards-compatible default setting \"smtpd_relay_restrictions = (empty)\" to avoid \"Relay access denied\" error for recipient \"",
                    recipient, "\" from client \"", self.session.peer.shown, "\""
                ]);
            }
            if status == Status::Reject {
                if position == 0 && params.compatible.relay_before_recipient {
                    self.info(&text![
                        "using backwards-compatible default setting smtpd_relay_before_recipient_restrictions=no to reject recipient \"",
                        recipient, "\" from client \"", self.session.peer.shown, "\""
                    ]);
                }
                break;
            }
        }
        status = self.enforce_defer_if_permit(status);
        if params.reject_unlisted_recipient
            && status != Status::Reject
            && !self.session.recipient_checked
            && !self.session.mail.discard
        {
            status = Self::settle(self.reject_unlisted(&subject).await)?;
        }
        Ok(self.outcome(status))
    }

    /// `smtpd_etrn_restrictions`.
    pub(crate) async fn etrn(&mut self, domain: &[u8]) -> Outcome {
        let saved = self.session.etrn.replace(domain.to_vec());
        let outcome = self.etrn_stages(domain).await;
        self.session.etrn = saved;
        outcome
    }

    async fn etrn_stages(&mut self, domain: &[u8]) -> Outcome {
        if self.params.delay_reject {
            if let Some(refused) = self.client().await? {
                return Ok(Some(refused));
            }
            let helo = self.session.helo.clone();
            if let Some(refused) = self.helo(helo.as_deref()).await? {
                return Ok(Some(refused));
            }
        }
        let by = self.session.postponed_by;
        self.session.defer_if_permit_active = by.client || by.helo;
        let subject = Subject::new(domain, class::ETRN);
        let words = &self.params.restrictions.etrn;
        let status = self
            .run(words, &subject, Some(Kind::Access(About::Etrn)))
            .await?;
        let status = self.enforce_defer_if_permit(status);
        Ok(self.outcome(status))
    }

    /// `smtpd_data_restrictions`.
    pub(crate) async fn data(&mut self) -> Outcome {
        let words = &self.params.restrictions.data;
        self.message(words, Subject::new(b"DATA", class::DATA))
            .await
    }

    /// `smtpd_end_of_data_restrictions`.
    pub(crate) async fn end_of_data(&mut self) -> Outcome {
        let words = &self.params.restrictions.end_of_data;
        self.message(words, Subject::new(b"END-OF-MESSAGE", class::END_OF_DATA))
            .await
    }

    /// Restrictions on a message: when it has many recipients, none of them is the one.
    async fn message(&mut self, words: &[Word], subject: Subject) -> Outcome {
        let hidden = if self.session.recipients > 1 {
            self.session.recipient.take()
        } else {
            None
        };
        self.session.defer_if_permit_active = false;
        let status = self.run(words, &subject, None).await;
        let status = status.map(|status| self.enforce_defer_if_permit(status));
        if hidden.is_some() {
            self.session.recipient = hidden;
        }
        Ok(self.outcome(status?))
    }

    /// Refuses a message that announces too many bytes.
    pub(crate) fn size(&mut self, size: u64) -> Option<Vec<u8>> {
        self.reset();
        let limit = self.params.message_size_limit;
        if limit == 0 || size <= limit {
            return None;
        }
        let status = self.reject(
            Classes::POLICY,
            552,
            b"5.3.4",
            b"Message size exceeds fixed limit",
        );
        self.outcome(status)
    }

    /// Refuses a message when the queue has no room. `free`: bytes.
    pub(crate) fn queue_space(&mut self, free: u64) -> Option<Vec<u8>> {
        self.reset();
        let limit = self.params.message_size_limit;
        let room = free.saturating_mul(2) / 3;
        if self.params.queue_minfree < free && limit < room {
            return None;
        }
        let status = self.reject(
            Classes::RESOURCE,
            452,
            b"4.3.1",
            b"Insufficient system storage",
        );
        self.warn(format!(
            "not enough free space in mail queue: {free} bytes < 1.5*message size limit"
        ));
        self.outcome(status)
    }

    /// `local_header_rewrite_clients`: sets the context in which addresses of the message are completed.
    pub(crate) async fn rewrite_context(&mut self) -> Option<Vec<u8>> {
        let params = self.params;
        for word in &params.restrictions.local_rewrite {
            let membership = match word.kind {
                Kind::Table => match self
                    .ask
                    .table(&word.text, &self.session.peer.address, false)
                    .await
                {
                    super::ask::Answer::Found(_) => Membership::Yes,
                    super::ask::Answer::Failed { retry } => Membership::Failed { retry },
                    _ => Membership::No,
                },
                Kind::PermitInetInterfaces => {
                    if self
                        .session
                        .peer
                        .ip
                        .is_some_and(|ip| self.ask.own_address(ip))
                    {
                        Membership::Yes
                    } else {
                        Membership::No
                    }
                }
                Kind::PermitMynetworks => {
                    let peer = &self.session.peer;
                    self.ask
                        .host_in(HostList::Mynetworks, &peer.name, &peer.address)
                        .await
                }
                Kind::PermitSaslAuthenticated
                | Kind::PermitTlsAllClientcerts
                | Kind::PermitTlsClientcerts => Membership::No,
                Kind::Other if word.text.eq_ignore_ascii_case("check_address_map") => {
                    Membership::No
                }
                _ => {
                    self.warn(format!(
                        "parameter local_header_rewrite_clients: invalid request: {}",
                        word.text
                    ));
                    Membership::No
                }
            };
            match membership {
                Membership::Yes => {
                    self.session.mail.rewrite_context = Some("local");
                    return None;
                }
                Membership::No => {}
                Membership::Failed { retry } => {
                    let (class, reply) = if retry {
                        (Classes::RESOURCE, "451 4.3.0 Temporary lookup error")
                    } else {
                        (Classes::SOFTWARE, "451 4.3.5 Server configuration error")
                    };
                    self.session.classes |= class;
                    self.log_event("reject", reply.as_bytes());
                    return Some(reply.as_bytes().to_vec());
                }
            }
        }
        self.session.mail.rewrite_context = Some("remote");
        None
    }
}
