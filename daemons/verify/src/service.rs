//! Questions, updates and probes.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use anyhow::bail;
use pf_address::{quote_822, unquote_822};
use pf_attr::{Decoder, Encoder, Error, Message, aio};
use pf_config::{Config, param};
use pf_log::{info, warning};
use pf_proto::cleanup::{END, Flags, Post, Source, SourceSet, Submission};
use pf_proto::client::{Client, Policy};
use pf_proto::resolve::TrivialClient;
use pf_proto::verify::{self, AddressStatus, Known, PROTOCOL, Query, Update, sender};
use pf_proto::{Address, Class};
use pf_service::event::EventService;
use pf_service::{Context, Limit, Share};
use pf_sys::time::{Calendar, seconds};
use pf_text::{Show, printable};

use crate::cache::Cache;
use crate::entry::{Entry, Lifetimes, is_accepted};

/// How a probe is marked: its outcome is reported to this service, and to nobody else.
const MTA_VERIFY: u32 = 1 << 8;

/// When the cache was last cleaned up is kept in it, under a key that no address has.
const LAST_CLEANUP: &[u8] = b"_LAST_CACHE_CLEANUP_COMPLETED_";

/// How long a probe waits for the cleanup service.
const POST_LIMIT: Duration = Duration::from_secs(100);

/// The service.
pub struct Verify {
    /// `address_verify_map`
    map: String,
    cache: RefCell<Cache>,
    lives: Lifetimes,
    keep_negative: bool,
    cleanup_interval: Duration,
    ipc_timeout: Duration,
    sender: String,
    sender_ttl: Duration,
    cleanup: Address,
    trivial: TrivialClient,
    filtered: SourceSet,
    autodetected: SourceSet,
    myhostname: String,
    mail_name: String,
}

impl EventService for Verify {
    const SHARE: Share = Share::Many;
    const LIMIT: Limit = Limit::One;
    // What is kept in memory would be lost.
    const MAX_IDLE: bool = false;
    const MAX_USE: bool = false;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        if let Some(word) = context.argv.first() {
            bail!("unexpected command-line argument: {word}");
        }
        Self::new(&context.config)
    }

    async fn ready(self: &Rc<Self>, context: &Context) -> anyhow::Result<()> {
        // Opened by the mail system's own user, who then owns the files.
        if context.options.chroot && !Cache::is_volatile(&self.map) {
            warning!(
                "{} is out of reach in a chroot jail; the cache is kept in memory",
                self.map
            );
        } else {
            *self.cache.borrow_mut() = Cache::open(&self.map)?;
        }
        if !self.cleanup_interval.is_zero() {
            // What is overdue is done before the first question.
            if self.until_cleanup().is_zero() {
                self.clean_up();
            }
            tokio::task::spawn_local(Rc::clone(self).keep_clean());
        }
        Ok(())
    }

    async fn serve(self: Rc<Self>, client: pf_service::Client) {
        let Some(stream) = client.stream.into_unix() else {
            return;
        };
        let mut stream = aio::Stream::new(stream, self.ipc_timeout);
        if stream.send(&pf_attr::announcement(PROTOCOL)).await.is_err() {
            return;
        }
        while let Ok(request) = stream.recv_unbounded().await {
            match self.answer(&request) {
                Ok(reply) => {
                    if stream.send(&reply).await.is_err() {
                        return;
                    }
                }
                Err(err) => {
                    warning!("malformed address verification request: {err}");
                    return;
                }
            }
        }
    }

    async fn stop(self: Rc<Self>) {
        self.cache.borrow().flush();
    }
}

impl Verify {
    fn new(config: &Config) -> anyhow::Result<Self> {
        let here = Path::new(".");
        let sender = config.get(param::ADDRESS_VERIFY_SENDER)?;
        if sender.starts_with('@') {
            bail!("parameter address_verify_sender: value \"{sender}\" must not start with '@'");
        }
        if sender.ends_with('@') {
            bail!("parameter address_verify_sender: value \"{sender}\" must not end with '@'");
        }
        let classes = |name: &str, text: &str| {
            SourceSet::parse(text)
                .map_err(|word| anyhow::anyhow!("unknown {name} value \"{word}\" in \"{text}\""))
        };
        let rewrite = Address::new(
            here,
            Class::Private,
            &config.get(param::REWRITE_SERVICE_NAME)?,
        );
        let policy = Policy {
            timeout: config.get(param::IPC_TIMEOUT)?,
            idle: config.get(param::IPC_IDLE)?,
            ttl: config.get(param::IPC_TTL)?,
            ..Policy::default()
        };
        let detect = if config.get(param::SMTPUTF8_ENABLE)? {
            config.get(param::SMTPUTF8_AUTODETECT_CLASSES)?
        } else {
            String::new()
        };
        Ok(Self {
            map: config.get(param::ADDRESS_VERIFY_MAP)?,
            cache: RefCell::new(Cache::open("")?),
            lives: Lifetimes {
                positive_expire: config.get(param::ADDRESS_VERIFY_POSITIVE_EXPIRE_TIME)?,
                positive_refresh: config.get(param::ADDRESS_VERIFY_POSITIVE_REFRESH_TIME)?,
                negative_expire: config.get(param::ADDRESS_VERIFY_NEGATIVE_EXPIRE_TIME)?,
                negative_refresh: config.get(param::ADDRESS_VERIFY_NEGATIVE_REFRESH_TIME)?,
            },
            keep_negative: config.get(param::ADDRESS_VERIFY_NEGATIVE_CACHE)?,
            cleanup_interval: config.get(param::ADDRESS_VERIFY_CACHE_CLEANUP_INTERVAL)?,
            ipc_timeout: config.get(param::IPC_TIMEOUT)?,
            sender,
            sender_ttl: config.get(param::ADDRESS_VERIFY_SENDER_TTL)?,
            cleanup: Address::new(
                here,
                Class::Public,
                &config.get(param::CLEANUP_SERVICE_NAME)?,
            ),
            trivial: TrivialClient::new(Client::new(rewrite, policy)),
            filtered: classes(
                "internal_mail_filter_classes",
                &config.get(param::INTERNAL_MAIL_FILTER_CLASSES)?,
            )?,
            autodetected: classes("smtputf8_autodetect_classes", &detect)?,
            myhostname: config.get(param::MYHOSTNAME)?,
            mail_name: config.get(param::MAIL_NAME)?,
        })
    }

    /// Answers one request; an error ends the connection.
    fn answer(self: &Rc<Self>, request: &Message) -> Result<Vec<u8>, Error> {
        let mut list = request.decoder();
        match list.str("request")? {
            b"query" => self.query(&mut list),
            b"update" => self.update(&mut list),
            other => {
                warning!("unrecognized request: \"{}\", ignored", Show(other));
                Ok(verify::encode_status(Encoder::new(), verify::BAD).end())
            }
        }
    }

    fn query(self: &Rc<Self>, list: &mut Decoder<'_>) -> Result<Vec<u8>, Error> {
        let query = Query::decode(list)?;
        let key = cache_key(query.address);
        let now = seconds(SystemTime::now());
        let raw = match self.cache.borrow().get(&key) {
            Ok(raw) => raw,
            Err(err) => {
                warning!("{}: lookup: {err}", self.cache.borrow().title());
                return Ok(reply(
                    AddressStatus::Defer,
                    b"Address verification status unavailable",
                ));
            }
        };
        let mut entry = raw.as_deref().and_then(|raw| {
            let entry = Entry::parse(raw);
            if entry.is_none() {
                warning!("bad address verify table entry: {:.100}", Show(raw));
            }
            entry
        });
        if entry
            .as_ref()
            .is_some_and(|entry| entry.is_expired(&self.lives, now))
        {
            entry = None;
        }
        if entry.is_none() && raw.is_some() && !self.keep_negative {
            self.cache.borrow_mut().set(&key, None);
        }
        let mut entry = entry.unwrap_or_else(Entry::unknown);
        let answer = reply(entry.status, &entry.text);
        if entry.needs_probe(&self.lives, now) {
            tokio::task::spawn_local(Rc::clone(self).probe(key.clone()));
            // Without negative entries only what is known is refreshed.
            if entry.updated != 0 || self.keep_negative {
                entry.probed = now;
                self.cache.borrow_mut().set(&key, Some(entry.encode()));
            }
        }
        Ok(answer)
    }

    fn update(&self, list: &mut Decoder<'_>) -> Result<Vec<u8>, Error> {
        let update = Update::decode(list)?;
        let key = cache_key(update.address);
        let status = AddressStatus::from_code(update.address_status)
            .filter(|status| *status != AddressStatus::Todo);
        let Some(status) = status else {
            warning!(
                "bad recipient status {} for recipient {}",
                update.address_status,
                Show(&key)
            );
            return Ok(verify::encode_status(Encoder::new(), verify::BAD).end());
        };
        let known = self.cache.borrow().get(&key).ok().flatten();
        if is_accepted(known.as_deref().and_then(Entry::parse).as_ref(), status) {
            let entry = Entry {
                status,
                probed: 0,
                updated: seconds(SystemTime::now()),
                text: printable(update.reason, b'?').into_owned(),
            };
            self.cache.borrow_mut().set(&key, Some(entry.encode()));
        }
        Ok(verify::encode_status(Encoder::new(), verify::OK).end())
    }

    /// Sends a probe: a message without content, which is never delivered.
    async fn probe(self: Rc<Self>, recipient: Vec<u8>) {
        if tokio::time::timeout(POST_LIMIT, self.send_probe(&recipient))
            .await
            .is_err()
        {
            warning!("timeout connecting to service: {}", self.cleanup.name());
        }
    }

    async fn send_probe(&self, recipient: &[u8]) {
        let now = SystemTime::now();
        let mut from = sender::current(&self.sender, self.sender_ttl, now).into_bytes();
        if !from.is_empty() {
            let external = quote_822(&from).into_owned();
            match self
                .trivial
                .rewrite(pf_proto::rewrite::LOCAL, &external)
                .await
            {
                Ok(rewritten) => from = unquote_822(&rewritten),
                Err(err) => return warning!("address probe: {err}"),
            }
        }
        let post = Post {
            sender: &from,
            recipient,
            source: Source::Verify,
            trace_flags: MTA_VERIFY,
            smtputf8: false,
            requiretls: false,
            myhostname: self.myhostname.as_bytes(),
            mail_name: self.mail_name.as_bytes(),
        };
        let flags: Flags = post.flags(self.filtered, self.autodetected);
        match Submission::open(&self.cleanup, self.ipc_timeout, flags).await {
            Ok(mut submission) => {
                let date = Calendar::local(seconds(now)).mail_date();
                let records = post.records(submission.queue_id(), now, &date);
                submission.push_encoded(&records);
                submission.push_encoded(END);
                // A probe that is lost is sent again after a while.
                let _ = submission.finish().await;
            }
            Err(err) => warning!("connect to {}: {err}", self.cleanup.name()),
        }
    }

    /// Drops what has expired, from time to time.
    async fn keep_clean(self: Rc<Self>) {
        loop {
            tokio::time::sleep(self.until_cleanup()).await;
            self.clean_up();
        }
    }

    /// How long it is until the cache is to be cleaned up.
    fn until_cleanup(&self) -> Duration {
        let last = self.cache.borrow().get(LAST_CLEANUP).ok().flatten();
        let last = last
            .and_then(|text| String::from_utf8(text).ok())
            .and_then(|text| text.parse::<i64>().ok())
            .unwrap_or(0);
        let age = seconds(SystemTime::now()).saturating_sub(last);
        let age = Duration::from_secs(u64::try_from(age).unwrap_or(0));
        self.cleanup_interval.saturating_sub(age)
    }

    fn clean_up(&self) {
        let now = seconds(SystemTime::now());
        let mut cache = self.cache.borrow_mut();
        let (kept, dropped) = cache.clean(|key, raw| {
            key == LAST_CLEANUP
                || Entry::parse(raw).is_some_and(|entry| entry.is_kept(&self.lives, now))
        });
        info!(
            "cache {} full cleanup: retained={kept} dropped={dropped} entries",
            cache.title()
        );
        cache.set(LAST_CLEANUP, Some(now.to_string().into_bytes()));
    }
}

/// Tables take `:` in a key for something else.
fn cache_key(address: &[u8]) -> Vec<u8> {
    address
        .iter()
        .map(|&ch| if ch == b':' { b'_' } else { ch })
        .collect()
}

fn reply(status: AddressStatus, text: &[u8]) -> Vec<u8> {
    let known = Known {
        status: verify::OK,
        address_status: status,
        reason: text.to_vec(),
    };
    known.encode(Encoder::new()).end()
}
