//! Aliases: a name becomes a list of destinations.

use std::os::unix::fs::MetadataExt as _;

use pf_address::{Quoting, quote_822_with};
use pf_dsn::{Dsn, Notify};
use pf_log::warning;
use pf_maps::{Lookup, LookupError, Table};
use pf_sys::identity::{EffectiveIdentity, user_by_uid};

use crate::delivery::{Delivery, without_success};
use crate::params::Expansion;
use crate::state::{Attributes, MAX_LEVEL, Rights};

/// Who can change a table, and so decides whose rights its commands get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Root.
    Trusted,
    /// This user.
    User(u32),
    /// It cannot be told.
    Unknown,
}

/// Who owns the table `kind:name`.
fn owner(kind: &str, name: &str) -> Owner {
    let of = |path: &str| {
        let _as_root = EffectiveIdentity::switch(0, 0);
        match std::fs::metadata(path) {
            Ok(status) if status.uid() == 0 => Owner::Trusted,
            Ok(status) => Owner::User(status.uid()),
            Err(_) => Owner::Unknown,
        }
    };
    match kind {
        "static" | "inline" | "environ" | "unix" | "internal" => Owner::Trusted,
        "regexp" | "pcre" | "cidr" if name.starts_with('{') => Owner::Trusted,
        "regexp" | "pcre" | "cidr" | "texthash" => of(name),
        "cdb" => of(&format!("{name}.cdb")),
        "lmdb" | "hash" | "btree" => of(&format!("{name}.lmdb")),
        "unionmap" | "pipemap" => {
            let inside = pf_text::split::strip_braces(name).unwrap_or(name);
            let mut all = Owner::Trusted;
            for part in pf_text::split::list_braces(inside) {
                let (kind, name) = part.split_once(':').unwrap_or((part, ""));
                match (all, owner(kind, name)) {
                    (_, Owner::Trusted) => {}
                    (Owner::Trusted, other) => all = other,
                    (known, other) if known == other => {}
                    _ => all = Owner::Unknown,
                }
            }
            all
        }
        _ => Owner::Unknown,
    }
}

/// A name in quoted form, as sources have it, and then, for old tables, unquoted.
async fn find(table: &Table, name: &[u8]) -> Lookup<Vec<u8>> {
    let quoting = Quoting {
        bare_local_part: true,
        ..Quoting::default()
    };
    let quoted = quote_822_with(name, quoting);
    match table.lookup(&quoted).await {
        Lookup::Missing if *quoted != *name => table.lookup(name).await,
        answer => answer,
    }
}

impl Delivery<'_> {
    /// Expands an alias; `None` when there is no such alias, or it has just been expanded.
    pub(crate) async fn alias(&self, state: Attributes, name: &[u8]) -> Option<bool> {
        let mut state = state.deeper();
        let is_self = |from: &Vec<u8>| from.eq_ignore_ascii_case(name);
        if state.from.as_ref().is_some_and(is_self) {
            return None;
        }
        let shown = String::from_utf8_lossy(name).into_owned();
        if state.level > MAX_LEVEL {
            let reason = format!("alias database loop for {shown}");
            warning!("{reason}");
            return Some(self.bounce(&state, Dsn::new(5, 4, 6), reason).await);
        }
        state.from = Some(name.to_vec());
        for table in self.local.aliases.tables() {
            match Box::pin(find(table, name)).await {
                Lookup::Missing => {}
                Lookup::Unavailable(_) => {
                    warning!("{}: lookup of '{shown}' failed", table.title());
                    return Some(self.alias_trouble(&state).await);
                }
                Lookup::Found(value) => {
                    return Some(Box::pin(self.expand_alias(state, table, name, value)).await);
                }
            }
        }
        None
    }

    async fn expand_alias(
        &self,
        mut state: Attributes,
        table: &Table,
        name: &[u8],
        value: Vec<u8>,
    ) -> bool {
        if self.is_verify() {
            return self
                .sent(&state, [b"aliased to ", value.as_slice()].concat())
                .await;
        }
        state.expansion = Expansion::Alias;
        // Commands and files get the rights of who wrote the alias; for root these are the default ones.
        let rights = match owner(table.kind(), table.name()) {
            Owner::Trusted => Rights::default(),
            Owner::Unknown => {
                warning!(
                    "deliver_alias: no owner UID for alias database {}",
                    table.title()
                );
                return self
                    .defer(&state, Dsn::new(4, 3, 0), "mail system configuration error")
                    .await;
            }
            Owner::User(uid) => match user_by_uid(uid) {
                Ok(Some(user)) => user.into(),
                other => {
                    let title = table.title();
                    match other {
                        Err(err) => warning!(
                            "cannot find alias database owner for {title}: {}",
                            pf_config::system::reason(&err)
                        ),
                        Ok(_) => warning!("cannot find alias database owner for {title}"),
                    }
                    return self
                        .defer(
                            &state,
                            Dsn::new(4, 3, 0),
                            "cannot find alias database owner",
                        )
                        .await;
                }
            },
        };
        let owner = match self.list_owner(name).await {
            Ok(owner) => owner,
            Err(_) => return self.alias_trouble(&state).await,
        };
        if let Some(owner) = &owner {
            state.sender.clone_from(owner);
            state.owner = Some(owner.clone());
        } else if self.params().reset_owner {
            state.owner = None;
        }
        if !self.params().frozen_delivered {
            state.delivered = Some(state.recipient.address.clone());
        }
        // What a list distributes has nothing to do with the wishes of who wrote to the list (RFC 3461, section 5.2.7).
        let before = state.clone();
        state.recipient.dsn_notify = without_success(before.recipient.dsn_notify);
        if owner.is_some() {
            state.envid = Vec::new();
            state.ret = 0;
            state.recipient.dsn_original = Vec::new();
            state.recipient.original = Vec::new();
        }
        let (later, count) = self.tokens(&state, &rights, &value).await;
        if count == 0 {
            warning!(
                "no recipient in alias lookup result for {}",
                String::from_utf8_lossy(name)
            );
            return self.alias_trouble(&state).await;
        }
        if before.recipient.dsn_notify & Notify::SUCCESS.bits() != 0 {
            let action = if owner.is_some() {
                "delivered"
            } else {
                "expanded"
            };
            self.report_expansion(&before, action).await;
        }
        later
    }

    /// The address of the owner of the list `name`.
    async fn list_owner(&self, name: &[u8]) -> Result<Option<Vec<u8>>, LookupError> {
        if !self.params().owner_special {
            return Ok(None);
        }
        let alias = [b"owner-", name].concat();
        let Some(value) = self.local.aliases.find(&alias).await.found()? else {
            return Ok(None);
        };
        let text = if self.params().expand_owner {
            value
        } else {
            alias
        };
        Ok(Some(self.canonical(&text).await))
    }
}
