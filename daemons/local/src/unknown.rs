//! A recipient that is neither an alias nor a user.

use pf_dsn::Dsn;
use pf_log::warning;
use pf_maps::Lookup;
use pf_proto::rewrite;

use crate::delivery::Delivery;
use crate::expand::expansion;
use crate::state::{Attributes, Rights};

impl Delivery<'_> {
    /// Another transport, another address, or back to the sender.
    pub(crate) async fn unknown(&self, state: Attributes, rights: Rights) -> bool {
        let mut state = state.deeper();
        if self.before(&[b"deliver_unknown", &state.local]) {
            return false;
        }
        match self.local.fallback_transports.find(&state.user).await {
            Lookup::Found(transport) => return self.pass(&state, &transport).await,
            Lookup::Unavailable(_) => return self.table_trouble(&state).await,
            Lookup::Missing => {}
        }
        let params = self.params();
        if !params.fallback_transport.is_empty() {
            return self
                .pass(&state, params.fallback_transport.as_bytes())
                .await;
        }
        let shown = String::from_utf8_lossy(&state.user).into_owned();
        if !params.luser_relay.is_empty() {
            state.unmatched = None;
            let relay = match expansion(
                &params.luser_relay,
                &state,
                &rights,
                &params.delimiters,
                None,
            ) {
                Ok((expanded, _)) => expanded.text,
                Err(err) => {
                    warning!("{err}");
                    return self
                        .defer(&state, Dsn::new(4, 3, 5), "mail system configuration error")
                        .await;
                }
            };
            let canonical = match self.local.trivial.rewrite(rewrite::LOCAL, &relay).await {
                Ok(text) => text.to_vec(),
                Err(_) => relay.clone(),
            };
            if !canonical.eq_ignore_ascii_case(&state.recipient.address) {
                return self.resolve(state, rights, relay).await;
            }
        } else if ["mailer-daemon", "postmaster"].contains(&shown.to_ascii_lowercase().as_str()) {
            warning!("required alias not found: {shown}");
            return self.sent(&state, "discarded").await;
        }
        self.bounce(
            &state,
            Dsn::new(5, 1, 1),
            format!("unknown user: \"{shown}\""),
        )
        .await
    }

    /// Passes the recipient in hand to another transport.
    pub(crate) async fn pass(&self, state: &Attributes, transport: &[u8]) -> bool {
        let passing = Box::pin(pf_delivery::pass(
            &self.local.agent,
            self.job,
            &state.recipient,
            transport,
            self.params().ipc_timeout,
        ));
        passing.await.is_later()
    }

    /// The trouble with tables that cannot tell.
    pub(crate) async fn table_trouble(&self, state: &Attributes) -> bool {
        self.defer(state, Dsn::new(4, 3, 0), "table lookup failure")
            .await
    }
}
