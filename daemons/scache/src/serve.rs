//! The agents' requests.

use std::cell::RefCell;
use std::os::fd::{AsFd as _, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use pf_attr::{Encoder, Error, aio};
use pf_config::param;
use pf_log::{info, warning};
use pf_proto::scache::{BAD, FAIL, OK, PROTOCOL, Refused, Request, encode_reply, ready};
use pf_service::event::EventService;
use pf_service::{Client, Context, Limit, Share};
use pf_smtp::idle::{Found, Idle};
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::statistics::Statistics;

/// The service.
#[derive(Debug)]
pub struct Scache {
    /// Nothing is kept longer.
    limit: Duration,
    report: Duration,
    ipc_timeout: Duration,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    idle: Idle<OwnedFd>,
    statistics: Statistics,
}

impl EventService for Scache {
    const SHARE: Share = Share::Many;
    const LIMIT: Limit = Limit::One;
    const MAX_USE: bool = false;

    async fn start(context: &Context) -> Result<Self> {
        if let Some(word) = context.argv.first() {
            bail!("unexpected command-line argument: {word}");
        }
        let config = &context.config;
        Ok(Self {
            limit: config.get(param::CONNECTION_CACHE_TTL_LIMIT)?,
            report: config.get(param::CONNECTION_CACHE_STATUS_UPDATE_TIME)?,
            ipc_timeout: config.get(param::IPC_TIMEOUT)?,
            state: RefCell::new(State {
                idle: Idle::default(),
                statistics: Statistics::new(),
            }),
        })
    }

    async fn ready(self: &Rc<Self>, _context: &Context) -> Result<()> {
        let this = self.clone();
        tokio::task::spawn_local(async move {
            loop {
                tokio::time::sleep(this.report).await;
                this.log();
            }
        });
        Ok(())
    }

    async fn serve(self: Rc<Self>, client: Client) {
        let Some(stream) = client.stream.into_unix() else {
            return;
        };
        let mut stream = aio::Stream::new(stream, self.ipc_timeout);
        let announcement = Encoder::new().str("protocol", PROTOCOL).end();
        // An agent that goes away is only disconnected.
        if stream.send(&announcement).await.is_ok() {
            let _ = self.requests(&mut stream).await;
        }
    }

    async fn stop(self: Rc<Self>) {
        self.log();
    }
}

impl Scache {
    fn log(&self) {
        for line in self.state.borrow_mut().statistics.take_lines() {
            info!("{line}");
        }
    }

    async fn requests(self: &Rc<Self>, stream: &mut aio::Stream<UnixStream>) -> Result<(), Error> {
        loop {
            let message = stream.recv_unbounded().await?;
            match Request::decode(&message) {
                Ok(request) => self.request(stream, request).await?,
                Err(Refused::Unknown(name)) => {
                    warning!(
                        "unrecognized request: \"{}\", ignored",
                        pf_text::Show(&name)
                    );
                    stream.send(&encode_reply(BAD, &[])).await?;
                }
                Err(Refused::Incomplete(kind, properties)) => {
                    warning!("scache_{kind}_service: bad or missing request parameter");
                    let none: [&[u8]; 2] = [b"", b""];
                    let none = none.get(..properties).unwrap_or_default();
                    stream.send(&encode_reply(BAD, none)).await?;
                }
                Err(Refused::Nameless) => {}
            }
        }
    }

    async fn request(
        self: &Rc<Self>,
        stream: &mut aio::Stream<UnixStream>,
        request: Request,
    ) -> Result<(), Error> {
        match request {
            Request::SaveEndpoint {
                ttl,
                label,
                property,
            } => {
                stream.send(&ready()).await?;
                let socket = stream.get_ref();
                let receive = socket.async_io(Interest::READABLE, || pf_sys::fd::recv_fd(socket));
                let fd = tokio::time::timeout(self.ipc_timeout, receive).await;
                let fd = match fd.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())) {
                    Ok(fd) => fd,
                    Err(err) => {
                        warning!(
                            "scache_save_endp_service: unable to receive file descriptor: {err}"
                        );
                        return stream.send(&encode_reply(FAIL, &[])).await;
                    }
                };
                let until = self.until(ttl);
                self.keep(|idle| idle.save(label, property, fd, until));
                stream.send(&encode_reply(OK, &[])).await
            }
            Request::SaveDestination {
                ttl,
                label,
                property,
                endpoint,
            } => {
                let until = self.until(ttl);
                self.keep(|idle| idle.bind(label, property, endpoint, until));
                stream.send(&encode_reply(OK, &[])).await
            }
            Request::FindEndpoint { label } => {
                let found = {
                    let mut state = self.state.borrow_mut();
                    let found = state.idle.find(&label);
                    state.statistics.endpoint(found.is_some());
                    found
                };
                match found {
                    Some(found) => {
                        let reply = encode_reply(OK, &[&found.endpoint]);
                        give(stream, &reply, "endp", found).await
                    }
                    None => stream.send(&encode_reply(FAIL, &[b""])).await,
                }
            }
            Request::FindDestination { label } => {
                let found = {
                    let mut state = self.state.borrow_mut();
                    let found = state.idle.find_bound(&label);
                    state.statistics.destination(found.is_some());
                    found
                };
                match found {
                    Some(found) => {
                        let reply = encode_reply(OK, &[&found.destination, &found.endpoint]);
                        give(stream, &reply, "dest", found).await
                    }
                    None => stream.send(&encode_reply(FAIL, &[b"", b""])).await,
                }
            }
        }
    }

    /// When something ends that is kept from now on; it is looked for again then.
    fn until(self: &Rc<Self>, ttl: i32) -> Instant {
        let wanted = Duration::from_secs(u64::try_from(ttl).unwrap_or(0));
        let until = Instant::now() + wanted.min(self.limit);
        let this = Rc::downgrade(self);
        tokio::task::spawn_local(async move {
            tokio::time::sleep_until(until.into()).await;
            if let Some(this) = this.upgrade() {
                // Without them, connections are closed.
                drop(this.state.borrow_mut().idle.expire(Instant::now()));
            }
        });
        until
    }

    fn keep(&self, save: impl FnOnce(&mut Idle<OwnedFd>)) {
        let mut state = self.state.borrow_mut();
        save(&mut state.idle);
        let size = state.idle.size();
        state.statistics.see(size);
    }
}

/// Hands a connection over; what the agent does not take is closed.
async fn give(
    stream: &mut aio::Stream<UnixStream>,
    reply: &[u8],
    kind: &str,
    found: Found<OwnedFd>,
) -> Result<(), Error> {
    let mut hand_over = async || -> Result<(), Error> {
        stream.send(reply).await?;
        stream.recv().await?.decoder().str("dummy")?;
        let socket = stream.get_ref();
        socket
            .async_io(Interest::WRITABLE, || {
                pf_sys::fd::send_fd(socket, found.connection.as_fd())
            })
            .await?;
        stream.recv().await?.decoder().str("dummy")?;
        Ok(())
    };
    let done = hand_over().await;
    if let Err(err) = &done {
        warning!("scache_find_{kind}_service: cannot send file descriptor: {err}");
    }
    done
}
