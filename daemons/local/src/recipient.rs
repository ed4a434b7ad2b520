//! A recipient: an alias, a user with or without a `.forward` file, or nobody.

use pf_dsn::{Dsn, Status};
use pf_log::warning;
use pf_sys::identity::EffectiveIdentity;

use crate::delivery::{Delivery, Step};
use crate::params::Expansion;
use crate::state::{Attributes, MAX_LEVEL, Rights};

impl Delivery<'_> {
    /// Delivers to one address that is local.
    pub(crate) fn recipient(&self, state: Attributes, rights: Rights) -> Step<'_> {
        Box::pin(self.recipient_steps(state.deeper(), rights))
    }

    async fn recipient_steps(&self, mut state: Attributes, rights: Rights) -> bool {
        let address = state.recipient.address.clone();
        let shown = String::from_utf8_lossy(&address);
        if state.level > MAX_LEVEL {
            warning!("recipient nesting limit exceeded for {shown}");
            return self
                .bounce(
                    &state,
                    Dsn::new(5, 4, 6),
                    "recipient nesting limit exceeded",
                )
                .await;
        }
        let level = state.level.to_string();
        if self.before(&[b"recipient", level.as_bytes(), &address]) {
            return false;
        }
        if self.loops.contains(&address) {
            let reason = [b"mail forwarding loop for ", address.as_slice()].concat();
            return self
                .fail_to_owner(state, Status::new(Dsn::new(5, 4, 6), reason))
                .await;
        }
        if state.delivered.is_none() {
            state.delivered = Some(address.clone());
        }
        let folded = pf_text::case::fold(&address, true);
        let (local, domain) = pf_address::split(&folded);
        if domain.is_none() {
            warning!("no @ in recipient address: {shown}");
        }
        state.local = local.to_vec();
        state.domain = domain.unwrap_or_default().to_vec();
        state.user = state.local.clone();
        state.extension = None;
        if let Some((user, extension)) = self.params().extensions().split(local) {
            state.user = user.to_vec();
            if extension.contains(&b'/') {
                warning!(
                    "{}: address with illegal extension: {}",
                    self.job.queue_id(),
                    String::from_utf8_lossy(local)
                );
                state.local = state.user.clone();
            } else {
                state.extension = Some(extension.to_vec());
            }
        }
        state.unmatched = state.extension.clone();
        if state.user.is_empty() {
            let reason = format!("null username in \"{shown}\"");
            return self.bounce(&state, Dsn::new(5, 1, 3), reason).await;
        }
        Box::pin(self.switch(state.deeper(), rights)).await
    }

    /// Aliases first, then what is the user's.
    async fn switch(&self, mut state: Attributes, rights: Rights) -> bool {
        // `\user`: no expansion.
        if state.recipient.address.first() == Some(&b'\\') {
            state.recipient.address.remove(0);
            state.local.remove(0);
            state.user.remove(0);
            return match Box::pin(self.mailbox(state.clone())).await {
                Some(later) => later,
                None => Box::pin(self.unknown(state, rights)).await,
            };
        }
        state.unmatched = None;
        let local = state.local.clone();
        if let Some(later) = Box::pin(self.alias(state.clone(), &local)).await {
            return later;
        }
        if state.extension.is_some() {
            if self.params().propagate.has(Expansion::Alias) {
                state.unmatched = state.extension.clone();
            }
            let user = state.user.clone();
            if let Some(later) = Box::pin(self.alias(state.clone(), &user)).await {
                return later;
            }
            state.unmatched = state.extension.clone();
        }
        // What somebody's expansion yields is delivered from a message of its own, so that each recipient is marked done by
        // itself; the loops that this can make are found by `Delivered-To:`.
        let foreign = state
            .owner
            .as_ref()
            .is_some_and(|owner| !owner.eq_ignore_ascii_case(&state.user));
        if foreign || state.expansion == Expansion::Include {
            return Box::pin(self.indirect(&state)).await;
        }
        if self.params().require_home {
            match self.account(&state).await {
                Err(later) => return later,
                Ok(None) => {}
                Ok(Some(user)) => {
                    let found = EffectiveIdentity::switch(user.uid, user.gid)
                        .and_then(|_as_user| std::fs::metadata(&user.home));
                    if let Err(err) = found {
                        let reason = format!(
                            "cannot access home directory {}: {}",
                            user.home.display(),
                            pf_config::system::reason(&err)
                        );
                        return self.defer(&state, Dsn::new(4, 3, 0), reason).await;
                    }
                }
            }
        }
        if let Some(later) = Box::pin(self.dot_forward(state.clone())).await {
            return later;
        }
        match Box::pin(self.mailbox(state.clone())).await {
            Some(later) => later,
            None => Box::pin(self.unknown(state, rights)).await,
        }
    }
}
