//! Restrictions that look at who logged in: the login that a trusted client passed on with `XCLIENT`.

use super::ask::{AddressTable, Answer, Ask};
use super::tables::Lookup;
use super::words::Kind;
use super::{Abort, Check, Decision, Status, Subject, class};
use crate::session::errors::Classes;
use crate::text::text;

impl<A: Ask> Check<'_, A> {
    pub(super) async fn check_sasl_access(
        &mut self,
        name: &str,
        table: &str,
        default: Option<Kind>,
    ) -> Decision {
        if !self.params.sasl_enable {
            self.warn(format!("restriction `{name}' ignored: no SASL support"));
            return Ok(Status::Dunno);
        }
        match self.session.login.clone() {
            Some(login) if !login.is_empty() => {
                let subject = Subject::new(&pf_text::printable(&login, b'_'), class::SASL_USER);
                self.check_exact(
                    Lookup {
                        table,
                        subject: &subject,
                        default,
                    },
                    &login,
                )
                .await
            }
            _ => Ok(Status::Dunno),
        }
    }

    /// Who may use a sender address.
    async fn owners(&mut self, sender: &[u8]) -> Result<Option<Vec<u8>>, Abort> {
        let subject = Subject::new(sender, class::SENDER);
        let resolved = self.resolve_for(&subject, sender).await;
        if resolved.flags.has(pf_proto::resolve::ResolveFlags::FAIL) {
            return Err(self.lookup_failure(sender));
        }
        match self
            .ask
            .address(AddressTable::SenderLogin, &resolved.recipient)
            .await
        {
            Answer::Found(owners) => Ok(Some(owners)),
            Answer::Missing | Answer::Unopened => Ok(None),
            Answer::Failed { retry } => Err(self.failure(retry, sender)),
        }
    }

    pub(super) async fn login_mismatch(&mut self, kind: Kind, name: &str) -> Decision {
        if !self.params.sasl_enable {
            self.warn(format!("restriction `{name}' ignored: no SASL support"));
            return Ok(Status::Dunno);
        }
        let Some(sender) = self
            .session
            .mail
            .sender
            .clone()
            .filter(|sender| !sender.is_empty())
        else {
            return Ok(Status::Dunno);
        };
        let login = self.session.login.clone();
        let applies = match kind {
            Kind::RejectAuthenticatedSenderLoginMismatch => login.is_some(),
            Kind::RejectUnauthenticatedSenderLoginMismatch => login.is_none(),
            _ => true,
        };
        if !applies {
            return Ok(Status::Dunno);
        }
        let owners = self.owners(&sender).await?;
        let Some(login) = login else {
            return Ok(if owners.is_some() {
                let reason = text!["<", sender, ">: Sender address rejected: not logged in"];
                self.reject(Classes::POLICY, 553, b"5.7.1", &reason)
            } else {
                Status::Dunno
            });
        };
        let owned = match &owners {
            None if kind == Kind::RejectKnownSenderLoginMismatch => return Ok(Status::Dunno),
            None => false,
            Some(owners) => {
                let login = pf_text::case::fold(&login, true);
                owners
                    .split(|byte| b", \t\r\n".contains(byte))
                    .any(|owner| !owner.is_empty() && pf_text::case::fold(owner, true) == login)
            }
        };
        if owned {
            return Ok(Status::Dunno);
        }
        let reason = text![
            "<",
            sender,
            ">: Sender address rejected: not owned by user ",
            login
        ];
        Ok(self.reject(Classes::POLICY, 553, b"5.7.1", &reason))
    }
}
