//! `proxy:type:name`: the proxymap daemon looks up for us, with its own rights and its own connections.

use std::path::Path;

use pf_proto::client::{Client, Policy};
use pf_proto::proxymap::{
    ChangeRequest, LookupReply, LookupRequest, OpenRequest, SequenceRequest, Status, flags,
};
use pf_proto::{Address, Class};

use crate::table::{Answer, Entry, Inner, OpenError, Remote};
use crate::{Lookup, LookupError, Options};

/// A table behind the server, for reading or for writing.
pub(crate) struct Proxy {
    table: String,
    /// The service's name.
    service: String,
    flags: i32,
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
            flags: bits,
            client: Client::new(address, policy),
        }
    }

    /// Asks the server whether it serves the table.
    ///
    /// # Errors
    /// It does not.
    pub(crate) async fn probe(&self) -> Result<(), OpenError> {
        let (service, table) = (&self.service, &self.table);
        let request = OpenRequest {
            table: table.clone(),
            instance_flags: self.flags,
        };
        match self.client.call(&request).await {
            Ok(Status::Ok) => Ok(()),
            Ok(Status::Deny) => Err(OpenError(self.denied())),
            Ok(_) => Err(OpenError(format!(
                "{service} open failed for table \"{table}\": invalid request"
            ))),
            Err(err) => Err(OpenError(format!("service {service}: {err}"))),
        }
    }

    fn denied(&self) -> String {
        format!(
            "{} service is not configured for table \"{}\"",
            self.service, self.table
        )
    }

    fn request(&self, key: &[u8]) -> LookupRequest {
        LookupRequest {
            table: self.table.clone(),
            instance_flags: self.flags,
            flags: self.flags,
            key: key.to_vec(),
        }
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
            key: self.request(key),
            value: value.map(<[u8]>::to_vec),
        };
        match self.client.call(&request).await {
            Ok(Status::Ok) => Ok(true),
            Ok(Status::NoKey) => Ok(false),
            Ok(_) => Err(LookupError(TROUBLE.into())),
            Err(err) => Err(LookupError(err.to_string())),
        }
    }

    /// All entries.
    ///
    /// # Errors
    /// The server cannot list them.
    pub(crate) async fn list(&self) -> Result<Vec<Entry>, LookupError> {
        let mut entries = Vec::new();
        loop {
            let request = SequenceRequest {
                table: self.table.clone(),
                flags: self.flags,
                first: entries.is_empty(),
            };
            match self.client.call(&request).await {
                Ok((Status::Ok, key, value)) => entries.push((key, value)),
                Ok((Status::NoKey, ..)) => return Ok(entries),
                Ok(_) => return Err(LookupError(TROUBLE.into())),
                Err(err) => return Err(LookupError(err.to_string())),
            }
        }
    }
}

impl Remote for Proxy {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a> {
        Box::pin(async move {
            let request = self.request(key);
            let trouble = |why: String| {
                pf_log::warning!("proxy:{}: {why}", self.table);
                Lookup::Unavailable(LookupError(why))
            };
            match self.client.call(&request).await {
                Ok(LookupReply {
                    status: Status::Ok,
                    value,
                    ..
                }) => Lookup::Found(value),
                Ok(LookupReply {
                    status: Status::NoKey,
                    ..
                }) => Lookup::Missing,
                Ok(LookupReply {
                    status: Status::Deny,
                    ..
                }) => trouble(self.denied()),
                Ok(LookupReply { status, .. }) => trouble(format!("lookup error: {status:?}")),
                Err(err) => trouble(err.to_string()),
            }
        })
    }
}
