//! The delivery agent for virtual mailboxes (virtual(8)): recipients without system accounts, whose mailboxes, users and groups
//! tables name.
//!
//! [`account`] decides what of the tables is to be believed; mailboxes and maildirs are `pf-delivery`'s.

mod account;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use pf_attr::aio;
use pf_config::{Config, param};
use pf_delivery::copy::{Envelope, Failure, Form};
use pf_delivery::mbox::{Locks, Mailbox, Opening};
use pf_delivery::{Agent, Job, maildir, receive};
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::warning;
use pf_maps::addr_find::Finder;
use pf_maps::{Maps, Options};
use pf_proto::deliver::flags;
use pf_queue::Queue;
use pf_service::single::{SingleClient, SingleService};
use pf_service::{Context, Jail, block_on};
use pf_sys::identity::EffectiveIdentity;

use crate::account::{Account, Accounts, Found};

/// The service.
pub struct Virtual {
    agent: Agent,
    queue: Queue,
    accounts: Accounts,
    locks: Locks,
    strict_owner: bool,
    original_recipient: bool,
    mail_owner: (u32, u32),
    service: String,
    host: String,
    timeout: Duration,
    /// The rights of `mail_owner`, for as long as nobody else's are needed.
    identity: Option<EffectiveIdentity>,
}

fn tables(config: &Config, name: &str) -> Result<Maps> {
    let options = Options {
        no_substitution: true,
        no_proxy: true,
        ..Options::from_config(config)?.exact()
    };
    let value = config.string(name)?.unwrap_or_default();
    Ok(Maps::open(name, &value, &options)?)
}

/// Limits the size of files, mailboxes included. A mailbox smaller than a message would keep us from the queue file.
fn limit_file_size(config: &Config) -> Result<()> {
    let mailbox = config.get(param::VIRTUAL_MAILBOX_LIMIT)?;
    let message = config.get(param::MESSAGE_SIZE_LIMIT)?;
    if mailbox > 0 {
        ensure!(
            message > 0,
            "configuration error: virtual_mailbox_limit is limited but message_size_limit is unlimited"
        );
        ensure!(
            mailbox >= message,
            "configuration error: virtual_mailbox_limit is smaller than message_size_limit"
        );
        pf_sys::process::limit_file_size(u64::try_from(mailbox)?)?;
    }
    Ok(())
}

impl SingleService for Virtual {
    const JAIL: Jail = Jail::Privileged;

    fn start(context: &Context) -> Result<Self> {
        if let Some(word) = context.argv.first() {
            bail!("unexpected command-line argument: {word}");
        }
        let config = &context.config;
        limit_file_size(config)?;
        let minimum = config.get(param::VIRTUAL_MINIMUM_UID)?;
        Ok(Self {
            agent: Agent::new(config, Some("virtual_delivery_status_filter"))?,
            queue: Queue::new(config)?,
            accounts: Accounts {
                finder: Finder::from_config(config)?,
                mailboxes: tables(config, "virtual_mailbox_maps")?,
                uids: tables(config, "virtual_uid_maps")?,
                gids: tables(config, "virtual_gid_maps")?,
                base: config.get(param::VIRTUAL_MAILBOX_BASE)?,
                minimum_uid: u32::try_from(minimum)?,
            },
            locks: Locks::from_config(config, param::VIRTUAL_MAILBOX_LOCK)?,
            strict_owner: config.get(param::STRICT_MAILBOX_OWNERSHIP)?,
            original_recipient: config.get(param::ENABLE_ORIGINAL_RECIPIENT)?,
            mail_owner: config.accounts()?.mail_owner,
            service: context.service.clone(),
            host: pf_sys::host::hostname()?,
            timeout: config.get(param::IPC_TIMEOUT)?,
            identity: None,
        })
    }

    fn ready(&mut self, _context: &Context) -> Result<()> {
        let (uid, gid) = self.mail_owner;
        self.identity =
            Some(EffectiveIdentity::switch(uid, gid).with_context(|| format!("seteuid({uid})"))?);
        Ok(())
    }

    fn is_outdated(&self) -> bool {
        pf_maps::needs_restart()
    }

    fn serve(&mut self, client: SingleClient, _context: &Context) -> Result<()> {
        let SingleClient::Unix(stream) = client else {
            bail!("unsupported transport type");
        };
        stream.set_nonblocking(true)?;
        block_on(async {
            let stream = tokio::net::UnixStream::from_std(stream)?;
            let mut stream = aio::Stream::new(stream, self.timeout);
            if let Some(job) = receive(&mut stream, &self.queue).await {
                let mut deferred = false;
                for at in 0..job.request.recipients.len() {
                    deferred |= self.deliver(&job, at).await?;
                }
                job.finish(&mut stream, deferred).await;
            }
            Ok(())
        })?
    }
}

/// What a delivery came to; `None`: the queue file is damaged.
type Delivered = Option<Outcome>;

impl Virtual {
    /// Delivers to one recipient; true when it is left for later.
    async fn deliver(&self, job: &Job, at: usize) -> Result<bool> {
        let Some(recipient) = job.request.recipients.get(at) else {
            return Ok(true);
        };
        let base = &self.accounts.base;
        ensure!(
            base.starts_with('/'),
            "do not specify relative pathname: virtual_mailbox_base = {base}"
        );
        let user = pf_text::case::fold(&recipient.address, true);
        let outcome = match self.accounts.find(&user).await {
            Found::Account(account) => {
                let envelope = Envelope {
                    sender: &job.request.sender,
                    original: if self.original_recipient {
                        &recipient.original
                    } else {
                        b""
                    },
                    delivered: &recipient.address,
                };
                self.store(job, &account, &envelope)
            }
            Found::Unknown => {
                let reason = [b"unknown user: \"", user.as_slice(), b"\""].concat();
                Some(Outcome::Bounce(Status::new(Dsn::new(5, 1, 1), reason)))
            }
            Found::Misconfigured => Some(misconfigured()),
        };
        let Some(outcome) = outcome else {
            return Ok(true);
        };
        let verdict = self
            .agent
            .report(job, at, &self.service, None, outcome)
            .await;
        Ok(verdict.is_later())
    }

    fn store(&self, job: &Job, account: &Account, envelope: &Envelope<'_>) -> Delivered {
        let kind = if account.mailbox.ends_with(b"/") {
            "maildir"
        } else {
            "mailbox"
        };
        if job.request.flags & flags::PROBE != 0 {
            return Some(sent(format!("delivers to {kind}")));
        }
        let _as_user = match EffectiveIdentity::switch(account.uid, account.gid) {
            Ok(identity) => identity,
            Err(err) => {
                warning!("set effective user: {}", pf_config::system::reason(&err));
                return Some(misconfigured());
            }
        };
        let path = Path::new(OsStr::from_bytes(&account.mailbox));
        let failed = if kind == "maildir" {
            let form = Form::maildir(true);
            let default = Dsn::new(4, 2, 0);
            match maildir::deliver(path, &self.host, default, job, &form, envelope) {
                Ok(()) => None,
                Err(failure) => Some(maildir::status_of(failure, account.uid, account.gid)?),
            }
        } else {
            match self.append(job, account, path, envelope) {
                Ok(()) => None,
                Err(Failure::Corrupt) => return None,
                Err(Failure::Told(mut status, _)) => {
                    let head = [
                        b"delivery failed to mailbox ",
                        account.mailbox.as_slice(),
                        b": ",
                    ]
                    .concat();
                    status.reason.splice(..0, head);
                    Some(*status)
                }
            }
        };
        Some(match failed {
            None => sent(format!("delivered to {kind}")),
            Some(status) if status.dsn.class == 4 => Outcome::Defer(status),
            Some(status) => Outcome::Bounce(status),
        })
    }

    fn append(
        &self,
        job: &Job,
        account: &Account,
        path: &Path,
        envelope: &Envelope<'_>,
    ) -> Result<(), Failure> {
        let told = |dsn: Dsn, text: String| Failure::Told(Box::new(Status::new(dsn, text)), None);
        let how = Opening {
            locks: self.locks,
            owner: None,
            dotlock_may_fail: false,
            default_dsn: Dsn::new(4, 2, 0),
        };
        let mut mailbox =
            Mailbox::open(path, &how).map_err(|status| Failure::Told(status, None))?;
        let shown = path.display();
        if !mailbox.status().is_file() {
            warning!(
                "recipient {}: destination {shown} is not a regular file",
                String::from_utf8_lossy(envelope.delivered)
            );
            return Err(told(Dsn::new(5, 3, 5), MISCONFIGURED.into()));
        }
        if self.strict_owner && mailbox.status().uid() != account.uid {
            warning!(
                "specify \"strict_mailbox_ownership = no\" to ignore mailbox ownership mismatch"
            );
            return Err(told(
                Dsn::new(4, 2, 0),
                format!("destination {shown} is not owned by recipient"),
            ));
        }
        mailbox.append(job, &Form::mbox(true), envelope).map(drop)
    }
}

const MISCONFIGURED: &str = "mail system configuration error";

fn misconfigured() -> Outcome {
    Outcome::Defer(Status::new(Dsn::new(4, 3, 5), MISCONFIGURED))
}

fn sent(text: String) -> Outcome {
    Outcome::Sent(Status::new(Dsn::new(2, 0, 0), text))
}
