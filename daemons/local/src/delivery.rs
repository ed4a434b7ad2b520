//! One recipient of a request while it is delivered: what all steps share, and how its outcome is told.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;

use pf_address::quote_822;
use pf_delivery::copy::Envelope;
use pf_delivery::{DeliveredTo, Job, Verdict};
use pf_dsn::{Dsn, Notify, Outcome, Status};
use pf_log::warning;
use pf_maps::LookupError;
use pf_proto::bounce::Recipient;
use pf_proto::deliver::flags;
use pf_proto::rewrite;
use pf_sys::identity::{User, user_by_name};

use crate::Local;
use crate::forward::Forwards;
use crate::params::Params;
use crate::state::{Attributes, Rights, Seen};

/// A step that may lead to further ones. True: mail is left for later.
pub(crate) type Step<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

/// What the steps of one recipient share.
pub(crate) struct Delivery<'a> {
    pub(crate) local: &'a Local,
    pub(crate) job: &'a Job,
    pub(crate) loops: &'a DeliveredTo,
    seen: RefCell<Seen>,
    forwards: RefCell<Forwards>,
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(local: &'a Local, job: &'a Job, loops: &'a DeliveredTo) -> Self {
        Self {
            local,
            job,
            loops,
            seen: RefCell::new(Seen::new(local.params.duplicate_limit)),
            forwards: RefCell::default(),
        }
    }

    pub(crate) fn params(&self) -> &'a Params {
        &self.local.params
    }

    /// Delivers to this recipient of the request.
    pub(crate) async fn run(self, recipient: &Recipient) -> bool {
        let request = &self.job.request;
        let state = Attributes::new(
            recipient.clone(),
            &request.sender,
            &request.envid,
            request.ret,
        );
        let mut later = self.recipient(state.clone(), Rights::default()).await;
        let forwards = self.forwards.take();
        // Nothing is forwarded when some of the results could not be delivered: all of them are tried again.
        if !later {
            let mut state = state;
            state.recipient.dsn_notify = without_success(state.recipient.dsn_notify);
            for outcome in forwards.send(self.params(), self.job).await {
                later |= match outcome {
                    Some(outcome) => self.tell(&state, outcome).await,
                    None => true,
                };
            }
        }
        later
    }

    /// Whether this was done before for this recipient; from now on it was.
    pub(crate) fn before(&self, parts: &[&[u8]]) -> bool {
        self.seen.borrow_mut().before(parts)
    }

    /// Whether this was done before.
    pub(crate) fn has_seen(&self, parts: &[&[u8]]) -> bool {
        self.seen.borrow().has(parts)
    }

    /// Whether the request only asks what would happen.
    pub(crate) fn is_probe(&self) -> bool {
        self.job.request.flags & flags::PROBE != 0
    }

    /// Whether the verify service asks.
    pub(crate) fn is_verify(&self) -> bool {
        self.job.request.flags & flags::MTA_VERIFY != 0
    }

    /// Tells what became of the recipient in hand.
    pub(crate) async fn tell(&self, state: &Attributes, outcome: Outcome) -> bool {
        // Expansions nest: what each level keeps is small, the rest is boxed.
        let telling = Box::pin(self.local.agent.tell(
            &self.job.request,
            self.job.queue_id(),
            &state.recipient,
            &self.local.service,
            None,
            outcome,
        ));
        let verdict: Verdict = telling.await;
        verdict.is_later()
    }

    /// Tells of success.
    pub(crate) async fn sent(&self, state: &Attributes, text: impl Into<Vec<u8>>) -> bool {
        self.tell(state, Outcome::Sent(Status::new(Dsn::new(2, 0, 0), text)))
            .await
    }

    /// Tells of a failure for now.
    pub(crate) async fn defer(
        &self,
        state: &Attributes,
        dsn: Dsn,
        text: impl Into<Vec<u8>>,
    ) -> bool {
        self.tell(state, Outcome::Defer(Status::new(dsn, text)))
            .await
    }

    /// Tells of a failure for good.
    pub(crate) async fn bounce(
        &self,
        state: &Attributes,
        dsn: Dsn,
        text: impl Into<Vec<u8>>,
    ) -> bool {
        self.tell(state, Outcome::Bounce(Status::new(dsn, text)))
            .await
    }

    /// Tells of a failure as the status's class has it.
    pub(crate) async fn fail(&self, state: &Attributes, status: Status) -> bool {
        self.tell(state, by_class(status)).await
    }

    /// Adds the success of an expansion to the report that the sender asked for.
    pub(crate) async fn report_expansion(&self, state: &Attributes, action: &str) {
        let status = Status {
            action: Some(action.into()),
            ..Status::new(Dsn::new(2, 0, 0), "alias expanded")
        };
        let telling = Box::pin(self.local.agent.trace(
            &self.job.request,
            self.job.queue_id(),
            &state.recipient,
            &self.local.service,
            &status,
        ));
        let _ = telling.await;
    }

    /// Tells of a failure, the owner of the alias if there is one, else the sender.
    pub(crate) async fn fail_to_owner(&self, state: Attributes, status: Status) -> bool {
        let owner = match self.owner_of(&state.recipient.address).await {
            Ok(owner) => owner,
            Err(_) => return self.alias_trouble(&state).await,
        };
        let Some(owner) = owner else {
            return self.fail(&state, status).await;
        };
        let mut request = self.job.request.clone();
        request.envid = state.envid;
        request.ret = state.ret;
        let telling = Box::pin(self.local.agent.tell_owner(
            &request,
            self.job.queue_id(),
            &state.recipient,
            &self.local.service,
            &owner,
            by_class(status),
        ));
        telling.await.is_later()
    }

    /// The address of the `owner-` alias of a recipient, if there is one.
    async fn owner_of(&self, address: &[u8]) -> Result<Option<Vec<u8>>, LookupError> {
        if !self.params().owner_special {
            return Ok(None);
        }
        let (local, _) = pf_address::split(address);
        let mut names = vec![local];
        if let Some((user, _)) = self.params().extensions().split(local) {
            names.push(user);
        }
        for name in names {
            let alias = [b"owner-", name].concat();
            if let Some(value) = self.local.aliases.find(&alias).await.found()? {
                let text = if self.params().expand_owner {
                    value
                } else {
                    alias
                };
                return Ok(Some(self.canonical(&text).await));
            }
        }
        Ok(None)
    }

    /// The trouble with tables that cannot tell.
    pub(crate) async fn alias_trouble(&self, state: &Attributes) -> bool {
        self.defer(state, Dsn::new(4, 3, 0), "alias database unavailable")
            .await
    }

    /// An address in internal form, completed as cleanup does it.
    pub(crate) async fn canonical(&self, address: &[u8]) -> Vec<u8> {
        let quoted = quote_822(address);
        match Box::pin(self.local.trivial.rewrite(rewrite::LOCAL, &quoted)).await {
            Ok(text) => pf_address::unquote_822(&text),
            Err(_) => address.to_vec(),
        }
    }

    /// Sends the recipient in hand on, in a new message.
    pub(crate) async fn indirect(&self, state: &Attributes) -> bool {
        let address = &state.recipient.address;
        if self.before(&[b"indirect", address]) {
            return false;
        }
        if self.is_probe() {
            return self
                .sent(state, [b"forwards to ", address.as_slice()].concat())
                .await;
        }
        // Only one step runs at a time: nobody else looks while this one waits.
        let mut forwards = self.forwards.take();
        let added = Box::pin(forwards.add(self.params(), self.job, state)).await;
        self.forwards.replace(forwards);
        match added {
            Ok(()) => false,
            Err(_) => {
                self.defer(state, Dsn::new(4, 3, 0), "unable to forward message")
                    .await
            }
        }
    }

    /// The account of a user; trouble with the database has been told.
    pub(crate) async fn account(&self, state: &Attributes) -> Result<Option<User>, bool> {
        let Ok(name) = std::str::from_utf8(&state.user) else {
            return Ok(None);
        };
        match user_by_name(name) {
            Ok(user) => Ok(user),
            Err(err) => {
                warning!(
                    "error looking up passwd info for {name}: {}",
                    pf_config::system::reason(&err)
                );
                Err(self
                    .defer(state, Dsn::new(4, 0, 0), "user lookup error")
                    .await)
            }
        }
    }

    /// The envelope for a copy of the message.
    pub(crate) fn envelope<'b>(&self, state: &'b Attributes) -> Envelope<'b> {
        Envelope {
            sender: &state.sender,
            original: if self.params().original_recipient {
                &state.recipient.original
            } else {
                b""
            },
            delivered: state.delivered.as_deref().unwrap_or_default(),
        }
    }

    /// The rights for commands and files: `default_privs` where none were set.
    pub(crate) fn with_default_rights(&self, mut rights: Rights) -> Rights {
        let (uid, gid) = self.params().default_privs;
        if rights.uid == 0 {
            rights.uid = uid;
        }
        if rights.gid == 0 {
            rights.gid = gid;
        }
        rights
    }

    /// Tells that rights could not be taken on.
    pub(crate) async fn no_rights(&self, state: &Attributes, err: &io::Error) -> bool {
        warning!("set effective user: {}", pf_config::system::reason(err));
        self.defer(state, Dsn::new(4, 3, 0), "system resource problem")
            .await
    }
}

fn by_class(status: Status) -> Outcome {
    match status.dsn.class {
        4 => Outcome::Defer(status),
        _ => Outcome::Bounce(status),
    }
}

/// The NOTIFY bits that results of an expansion inherit: success is reported for the expansion itself.
pub(crate) fn without_success(bits: i32) -> i32 {
    let success = Notify::SUCCESS.bits();
    if bits == success {
        Notify::NEVER.bits()
    } else {
        bits & !success
    }
}
