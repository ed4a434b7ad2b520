//! The SMTP and LMTP client: takes a delivery request, finds the servers of its destination, and tries one after another until
//! each recipient is delivered, refused, or left for later (smtp(8)).
//!
//! In reading order: [`params`], [`deliver`] (one request), [`naming`], [`hosts`], [`order`], [`server`] (which servers), [`kept`],
//! [`reuse`], [`passive`] (sessions that are used again), [`connect`], [`session`], [`greeting`] (one server), [`exchange`] (one
//! message), [`features`], [`envelope`] (replies, features, commands; pure), [`body`], [`content`], [`generic`] (content as
//! lines), [`connection`] (bytes), [`trouble`], [`notify`] (the postmaster).

mod body;
mod connect;
mod connection;
mod content;
mod deliver;
mod envelope;
mod exchange;
mod features;
mod generic;
mod greeting;
mod hosts;
mod kept;
mod naming;
mod notify;
mod order;
mod params;
mod passive;
mod reuse;
mod server;
mod session;
mod trouble;

use std::path::Path;
use std::rc::Rc;

use pf_attr::aio;
use pf_config::param;
use pf_delivery::{Agent, receive};
use pf_proto::scache::Scache;
use pf_proto::{Address, Class};
use pf_queue::Queue;
use pf_service::event::EventService;
use pf_service::{Client, Context, Share};

use crate::naming::Naming;
use crate::params::Params;
use crate::reuse::Store;

/// The service.
pub struct Smtp {
    params: Params,
    agent: Agent,
    queue: Queue,
    naming: Naming,
    store: Store,
}

impl EventService for Smtp {
    const SHARE: Share = Share::One;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        let params = Params::read(
            &context.config,
            context.process_name == "lmtp",
            &context.argv,
            &context.service,
        )?;
        let agent = Agent::new(
            &context.config,
            Some(&params.name("delivery_status_filter")),
        )?;
        Ok(Self {
            agent,
            queue: Queue::new(&context.config)?,
            naming: Naming::read(&context.config, if params.lmtp { "lmtp" } else { "smtp" })?,
            store: Store::new(Scache::new(
                Address::new(
                    Path::new("."),
                    Class::Private,
                    &context.config.get(param::CONNECTION_CACHE_SERVICE_NAME)?,
                ),
                context
                    .config
                    .get(param::CONNECTION_CACHE_PROTOCOL_TIMEOUT)?,
            )),
            params,
        })
    }

    async fn serve(self: Rc<Self>, client: Client) {
        let mut stream = aio::Stream::new(client.stream, self.params.ipc_timeout);
        let Some(mut job) = receive(&mut stream, &self.queue).await else {
            return;
        };
        let deferred = deliver::deliver(&self, &mut job).await;
        job.finish(&mut stream, deferred).await;
    }

    async fn stop(self: Rc<Self>) {
        self.store.close_all(&self.params).await;
    }
}
