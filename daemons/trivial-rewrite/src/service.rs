//! Requests and replies.

use std::rc::Rc;
use std::time::Duration;

use anyhow::bail;
use pf_attr::{Encoder, Error, Message, aio};
use pf_config::param;
use pf_log::{info, verbose, warning};
use pf_proto::resolve::{Personality, Resolve};
use pf_proto::rewrite::{PROTOCOL, REQUEST, Rewrite, Rewritten};
use pf_service::event::EventService;
use pf_service::{Client, Context, Share};
use pf_text::Show;

use crate::params;
use crate::resolve::{Settings, resolve};
use crate::tables::{Answer, DomainList, Lists, Tables as _};

/// The service.
pub struct TrivialRewrite {
    settings: Settings,
    tables: Lists,
    ipc_timeout: Duration,
}

impl EventService for TrivialRewrite {
    const SHARE: Share = Share::Many;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        if let Some(word) = context.argv.first() {
            bail!("unexpected command-line argument: {word}");
        }
        Ok(Self {
            settings: params::read(&context.config)?,
            tables: Lists::open(&context.config)?,
            ipc_timeout: context.config.get(param::IPC_TIMEOUT)?,
        })
    }

    async fn serve(self: Rc<Self>, client: Client) {
        let Some(stream) = client.stream.into_unix() else {
            return;
        };
        let mut stream = aio::Stream::new(stream, self.ipc_timeout);
        if stream.send(&pf_attr::announcement(PROTOCOL)).await.is_err() {
            return;
        }
        while let Ok(request) = stream.recv_unbounded().await {
            match self.answer(&request).await {
                Ok(reply) => {
                    if let Err(err) = stream.send(&reply).await {
                        warning!("write resolver reply: {err}");
                        return;
                    }
                }
                Err(err) => {
                    if let Some(err) = err {
                        warning!("malformed address rewriting request: {err}");
                    }
                    return;
                }
            }
        }
    }
}

impl TrivialRewrite {
    /// Answers one request; an error ends the connection, `None` when it was logged already.
    async fn answer(&self, request: &Message) -> Result<Vec<u8>, Option<Error>> {
        let mut list = request.decoder();
        let command = list.str("request").map_err(Some)?;
        if command == REQUEST.as_bytes() {
            return self
                .rewrite(&Rewrite::decode(&mut list).map_err(Some)?)
                .await;
        }
        let Some(personality) = Personality::from_name(command) else {
            warning!("bad command {:.30}", Show(command));
            return Err(None);
        };
        let request = Resolve::decode(personality, &mut list).map_err(Some)?;
        let (sender, address) = (request.sender, request.address);
        let answer = resolve(&self.settings, &self.tables, personality, sender, address).await;
        if verbose() > 0 {
            info!(
                "`{}' -> `{}' -> (`{}' `{}' `{}' `{}')",
                Show(sender),
                Show(address),
                Show(&answer.transport),
                Show(&answer.nexthop),
                Show(&answer.recipient),
                answer.flags.0
            );
        }
        Ok(answer.encode(Encoder::new()).end())
    }

    async fn rewrite(&self, request: &Rewrite<'_>) -> Result<Vec<u8>, Option<Error>> {
        let rules = &self.settings.rules;
        let Some(context) = rules.context(request.rule) else {
            warning!("unknown context: {}", Show(request.rule));
            return Err(None);
        };
        let address = if request.address.is_empty() {
            warning!("rewrite_addr: null address");
            Vec::new()
        } else {
            let (address, bare) = rules.rewrite(context, request.address);
            if let Some(bare) = bare.filter(|_| self.settings.legacy_append_dot) {
                self.tell_legacy(&bare).await;
            }
            address
        };
        if verbose() > 0 {
            info!(
                "`{}' `{}' -> `{}'",
                Show(request.rule),
                Show(request.address),
                Show(&address)
            );
        }
        let reply = Rewritten {
            server_flags: 0,
            address,
        };
        Ok(reply.encode(Encoder::new()).end())
    }

    /// An old default had an effect: the operator should decide on it.
    async fn tell_legacy(&self, bare: &[u8]) {
        let bare = Show(bare);
        let domain = Show(&self.settings.rules.local.domain);
        let what = format!(
            "using backwards-compatible default setting append_dot_mydomain=yes to rewrite \"{bare}\" to \"{bare}.{domain}\""
        );
        if !bare.0.eq_ignore_ascii_case(b"localhost") {
            info!("{what}");
        } else if !self.is_known(b"localhost").await {
            info!("{what}; please add \"localhost\" to mydestination or other address class");
        }
    }

    /// Whether a domain is in a list of ours.
    async fn is_known(&self, domain: &[u8]) -> bool {
        if !matches!(self.tables.is_local(domain).await, Answer::Missing) {
            return true;
        }
        for list in [
            DomainList::VirtualAlias,
            DomainList::VirtualMailbox,
            DomainList::Relay,
        ] {
            if !matches!(self.tables.is_listed(list, domain).await, Answer::Missing) {
                return true;
            }
        }
        false
    }
}
