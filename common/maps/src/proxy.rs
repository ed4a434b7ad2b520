//! `proxy:type:name`: the proxymap daemon looks up for us, with its own rights and its own connections.

use std::cell::Cell;
use std::path::Path;

use pf_proto::client::{Client, Policy};
use pf_proto::proxymap::{
    ChangeRequest, EntryReply, LookupReply, LookupRequest, OpenRequest, SequenceRequest, Status,
    StatusReply, flags,
};
use pf_proto::{Address, Class, dialect};

use crate::table::{Answer, Entry, Inner, OpenError, Remote};
use crate::{Lookup, LookupError, Options};

/// A table behind the server, for reading or for writing.
pub(crate) struct Proxy {
    table: String,
    /// The service's name.
    service: String,
    /// How the table is to be opened.
    instance_flags: i32,
    /// What the server says of the table, once it was asked.
    flags: Cell<Option<i32>>,
    client: Client,
}

/// `proxy:type:name`.
pub(crate) fn open(name: &str, options: &Options) -> Result<Inner, OpenError> {
    Ok(Inner::Remote(Box::new(Proxy::new(name, options, false))))
}

/// What the server could not do with a table.
const TROUBLE: &str = "Application error";

impl Proxy {
    /// The table `name`, by way of the server that reads, or of the one that writes.
    pub(crate) fn new(name: &str, options: &Options, write: bool) -> Self {
        let service = match write {
            true => &options.proxywrite_service,
            false => &options.proxymap_service,
        };
        let address = |queue: &Path| Address::new(queue, Class::Private, service);
        // A daemon works in the queue directory, which has no other name in a chroot jail.
        let near = address(Path::new("."));
        let address = if near.path().exists() {
            near
        } else {
            address(&options.queue_directory)
        };
        let policy = Policy {
            timeout: options.ipc_timeout,
            idle: options.ipc_idle,
            ttl: options.ipc_ttl,
            ..Policy::default()
        };
        let mut bits = flags::LOCK;
        if options.fold {
            bits |= flags::FOLD_FIX;
        }
        if options.no_substitution {
            bits |= flags::NO_REGSUB;
        }
        if options.utf8 {
            bits |= flags::UTF8_REQUEST;
        }
        Self {
            table: name.to_owned(),
            service: service.clone(),
            instance_flags: bits,
            flags: Cell::new(None),
            client: Client::new(address, policy),
        }
    }

    /// As [`new`](Self::new), for a command: other than a daemon, it has yet to learn what is spoken in the system. Asks the server
    /// whether it serves the table.
    ///
    /// # Errors
    /// It does not, or the system is too old.
    pub(crate) async fn for_command(
        name: &str,
        options: &Options,
        write: bool,
    ) -> Result<Self, OpenError> {
        let master = options.daemon_directory.join("master");
        dialect::learn(&master).map_err(|err| OpenError(err.to_string()))?;
        let proxy = Self::new(name, options, write);
        proxy.table_flags().await?;
        Ok(proxy)
    }

    /// The table's flags, which each request tells the server again where it wants to hear them: it keeps nothing for a client.
    /// Postfix's server ends itself where those that it has set are missing.
    async fn table_flags(&self) -> Result<Option<i32>, OpenError> {
        if self.flags.get().is_none() {
            self.ask().await?;
        }
        let told = dialect::spoken().has_table_flags();
        Ok(self.flags.get().filter(|_| told))
    }

    async fn ask(&self) -> Result<(), OpenError> {
        let (service, table) = (&self.service, &self.table);
        let request = OpenRequest {
            table: table.clone(),
            instance_flags: self.instance_flags,
        };
        let reply = self.client.call(&request).await;
        let StatusReply { status, flags } = reply.map_err(|err| match err {
            pf_attr::Error::Unreachable(problem) => OpenError(problem),
            err => OpenError(format!("service {service}: {err}")),
        })?;
        match status {
            Status::Ok => {
                self.flags.set(flags.or(Some(self.instance_flags)));
                Ok(())
            }
            Status::Deny => Err(OpenError(self.denied())),
            _ => Err(OpenError(format!(
                "{service} open failed for table \"{table}\": invalid request"
            ))),
        }
    }

    /// Notes what a reply says of the table.
    fn told(&self, flags: Option<i32>) {
        if flags.is_some() {
            self.flags.set(flags);
        }
    }

    fn denied(&self) -> String {
        format!(
            "{} service is not configured for table \"{}\"",
            self.service, self.table
        )
    }

    async fn request(&self, key: &[u8]) -> Result<LookupRequest, LookupError> {
        let flags = self.table_flags().await;
        Ok(LookupRequest {
            table: self.table.clone(),
            instance_flags: self.instance_flags,
            flags: flags.map_err(|err| LookupError(err.0))?,
            key: key.to_vec(),
        })
    }

    /// Sets the value of a key, or removes it; whether there was something to do.
    ///
    /// # Errors
    /// The server cannot.
    pub(crate) async fn change(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<bool, LookupError> {
        let request = ChangeRequest {
            key: self.request(key).await?,
            value: value.map(<[u8]>::to_vec),
        };
        let reply = self.client.call(&request).await;
        let StatusReply { status, flags } = reply.map_err(|err| LookupError(err.to_string()))?;
        match status {
            Status::Ok | Status::NoKey => {
                self.told(flags);
                Ok(status == Status::Ok)
            }
            _ => Err(LookupError(TROUBLE.into())),
        }
    }

    /// All entries.
    ///
    /// # Errors
    /// The server cannot list them.
    pub(crate) async fn list(&self) -> Result<Vec<Entry>, LookupError> {
        let mut entries = Vec::new();
        loop {
            let flags = self.table_flags().await;
            let request = SequenceRequest {
                table: self.table.clone(),
                instance_flags: self.instance_flags,
                flags: flags.map_err(|err| LookupError(err.0))?,
                first: entries.is_empty(),
            };
            let reply = self.client.call(&request).await;
            let reply: EntryReply = reply.map_err(|err| LookupError(err.to_string()))?;
            match reply.status {
                Status::Ok => entries.push((reply.key, reply.value)),
                Status::NoKey => return Ok(entries),
                _ => return Err(LookupError(TROUBLE.into())),
            }
            self.told(reply.flags);
        }
    }
}

impl Remote for Proxy {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a> {
        Box::pin(async move {
            let trouble = |why: String| {
                pf_log::warning!("proxy:{}: {why}", self.table);
                Lookup::Unavailable(LookupError(why))
            };
            let request = match self.request(key).await {
                Ok(request) => request,
                Err(LookupError(why)) => return trouble(why),
            };
            let LookupReply {
                status,
                flags,
                value,
            } = match self.client.call(&request).await {
                Ok(reply) => reply,
                Err(err) => return trouble(err.to_string()),
            };
            match status {
                Status::Ok => {
                    self.told(flags);
                    Lookup::Found(value)
                }
                Status::NoKey => {
                    self.told(flags);
                    Lookup::Missing
                }
                Status::Deny => trouble(self.denied()),
                Status::Bad => trouble("invalid request".into()),
                // The server has told what is wrong.
                Status::Retry | Status::Config => Lookup::Unavailable(LookupError(TROUBLE.into())),
            }
        })
    }
}
