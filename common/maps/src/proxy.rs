//! `proxy:type:name`: the proxymap daemon looks up for us, with its own rights and its own connections.

use std::path::Path;

use pf_proto::client::{Client, Policy};
use pf_proto::proxymap::{LookupReply, LookupRequest, Status, flags};
use pf_proto::{Address, Class};

use crate::table::{Answer, Inner, OpenError, Remote};
use crate::{Lookup, LookupError, Options};

struct Proxy {
    table: String,
    flags: i32,
    client: Client,
}

/// `proxy:type:name`.
pub(crate) fn open(name: &str, options: &Options) -> Result<Inner, OpenError> {
    if !name.contains(':') {
        return Err(OpenError(format!(
            "bad syntax: \"proxy:{name}\"; need \"proxy:type:name\""
        )));
    }
    let address = |queue: &Path| Address::new(queue, Class::Private, &options.proxymap_service);
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
    Ok(Inner::Remote(Box::new(Proxy {
        table: name.to_owned(),
        flags: bits,
        client: Client::new(address, policy),
    })))
}

impl Remote for Proxy {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a> {
        Box::pin(async move {
            let request = LookupRequest {
                table: self.table.clone(),
                instance_flags: self.flags,
                flags: self.flags,
                key: key.to_vec(),
            };
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
                }) => trouble(format!(
                    "proxymap service is not configured for table \"{}\"",
                    self.table
                )),
                Ok(LookupReply { status, .. }) => trouble(format!("lookup error: {status:?}")),
                Err(err) => trouble(err.to_string()),
            }
        })
    }
}
