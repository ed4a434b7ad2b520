//! The connections of servers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};
use pf_config::param;
use pf_proto::anvil::{self, Event, Malformed, announcement, encode_reply, value};
use pf_service::event::EventService;
use pf_service::{Client, Context, Limit, Share, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::counters::{Counters, Numbers};
use crate::peaks::Peaks;

/// The service.
#[derive(Debug)]
pub struct Anvil {
    unit: Duration,
    report: Duration,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    counters: Counters,
    peaks: Peaks,
    unit: i64,
}

impl EventService for Anvil {
    const SHARE: Share = Share::Many;
    const LIMIT: Limit = Limit::One;
    const MAX_USE: bool = false;

    async fn start(context: &Context) -> Result<Self> {
        if let Some(word) = context.argv.first() {
            bail!("unexpected command-line argument: {word}");
        }
        let unit = context.config.get(param::ANVIL_RATE_TIME_UNIT)?;
        let seconds = i64::try_from(unit.as_secs())?;
        Ok(Self {
            unit,
            report: context.config.get(param::ANVIL_STATUS_UPDATE_TIME)?,
            state: RefCell::new(State {
                counters: Counters::new(seconds),
                peaks: Peaks::default(),
                unit: seconds,
            }),
        })
    }

    async fn ready(self: &Rc<Self>, _context: &Context) -> Result<()> {
        let (one, other) = (self.clone(), self.clone());
        tokio::task::spawn_local(async move {
            loop {
                tokio::time::sleep(one.report).await;
                one.state.borrow_mut().report();
            }
        });
        tokio::task::spawn_local(async move {
            loop {
                tokio::time::sleep(other.unit).await;
                other.state.borrow_mut().counters.expire(now());
            }
        });
        Ok(())
    }

    /// What was counted must not be forgotten before its time is over.
    fn idle_limit(&self, max_idle: Duration) -> Duration {
        if max_idle.is_zero() {
            max_idle
        } else {
            max_idle.max(self.unit)
        }
    }

    async fn serve(self: Rc<Self>, client: Client) {
        let mut linked = None;
        // A server that goes away, or talks nonsense, is only disconnected.
        let _ = self.requests(client.stream, &mut linked).await;
        if let Some(ident) = linked {
            self.state.borrow_mut().counters.disconnect(&ident, now());
        }
    }

    async fn stop(self: Rc<Self>) {
        self.state.borrow_mut().report();
    }
}

impl Anvil {
    /// Answers the requests of one server; `linked` is the remote client it has told to be connected.
    async fn requests(&self, mut io: Stream, linked: &mut Option<Vec<u8>>) -> std::io::Result<()> {
        io.write_all(&announcement()).await?;
        let mut pending = Vec::new();
        loop {
            let reply = match anvil::take(&mut pending) {
                Ok(None) => {
                    pending.reserve(256);
                    if io.read_buf(&mut pending).await? == 0 {
                        return Ok(());
                    }
                    continue;
                }
                Ok(Some(list)) => match (value(&list, "request"), value(&list, "ident")) {
                    (Some(request), Some(ident)) if list.len() == 2 => {
                        self.state.borrow_mut().answer(request, ident, linked)
                    }
                    _ => return Ok(()),
                },
                Err(Malformed::Garbage | Malformed::TooLong) => return Ok(()),
            };
            io.write_all(&reply).await?;
        }
    }
}

impl State {
    fn answer(&mut self, request: &[u8], ident: &[u8], linked: &mut Option<Vec<u8>>) -> Vec<u8> {
        let now = now();
        self.counters.expire(now);
        let Some(event) = Event::by_name(request) else {
            pf_log::warning!(
                "unrecognized request: \"{}\", ignored",
                String::from_utf8_lossy(request)
            );
            return encode_reply(-1, &[]);
        };
        let numbers = match event {
            Event::Connect => {
                let numbers = self.connect(ident, now, linked);
                self.peaks.see(event, &numbers, ident, now);
                return encode_reply(0, &[("count", numbers.count), ("rate", numbers.rate)]);
            }
            Event::Disconnect => {
                if linked.as_deref() == Some(ident) {
                    self.counters.disconnect(ident, now);
                    *linked = None;
                }
                return encode_reply(0, &[]);
            }
            Event::Lookup => {
                let numbers = self.counters.look(ident, now);
                return encode_reply(
                    0,
                    &[
                        ("count", numbers.count),
                        ("rate", numbers.rate),
                        ("mail", numbers.mail),
                        ("rcpt", numbers.rcpt),
                        ("newtls", numbers.newtls),
                        ("auth", numbers.auth),
                    ],
                );
            }
            Event::NewTlsStatus => {
                let numbers = self.counters.look(ident, now);
                return encode_reply(0, &[("rate", numbers.newtls)]);
            }
            Event::Message | Event::Recipient | Event::NewTls | Event::Auth => {
                match self.counters.event(ident, event, now) {
                    Some(numbers) => numbers,
                    None => {
                        // We were started anew after the client connected.
                        self.connect(ident, now, linked);
                        self.counters.event(ident, event, now).unwrap_or_default()
                    }
                }
            }
        };
        self.peaks.see(event, &numbers, ident, now);
        encode_reply(0, &[("rate", numbers.of(event))])
    }

    fn connect(&mut self, ident: &[u8], now: i64, linked: &mut Option<Vec<u8>>) -> Numbers {
        let numbers = self.counters.connect(ident, now);
        self.peaks.see_size(self.counters.len(), now);
        if let Some(before) = linked.replace(ident.to_vec()) {
            self.counters.disconnect(&before, now);
        }
        numbers
    }

    fn report(&mut self) {
        for line in self.peaks.take_lines(self.unit) {
            pf_log::info!("{line}");
        }
    }
}

fn now() -> i64 {
    pf_sys::time::seconds(SystemTime::now())
}
