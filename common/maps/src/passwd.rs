//! `unix:passwd.byname` and `unix:group.byname`.

use pf_sys::identity;

use crate::table::{Inner, Local, OpenError};
use crate::{Lookup, LookupError, Options};

enum Database {
    Users,
    Groups,
}

/// `unix:passwd.byname` or `unix:group.byname`.
pub(crate) fn open(name: &str, _options: &Options) -> Result<Inner, OpenError> {
    let database = match name {
        "passwd.byname" => Database::Users,
        "group.byname" => Database::Groups,
        _ => return Err(OpenError(format!("unknown table: unix:{name}"))),
    };
    Ok(Inner::Local(Box::new(database)))
}

impl Local for Database {
    fn get(&self, key: &[u8]) -> Lookup<Vec<u8>> {
        let Ok(name) = std::str::from_utf8(key) else {
            return Lookup::Missing;
        };
        let found = match self {
            Database::Users => identity::user_by_name(name).map(|user| {
                user.map(|user| {
                    format!(
                        "{}:x:{}:{}:{}:{}:{}",
                        user.name,
                        user.uid,
                        user.gid,
                        user.gecos,
                        user.home.display(),
                        user.shell.display()
                    )
                })
            }),
            Database::Groups => group(name),
        };
        match found {
            Ok(line) => line.map(String::into_bytes).into(),
            Err(err) => {
                let which = if matches!(self, Database::Users) {
                    "password"
                } else {
                    "group"
                };
                pf_log::warning!("cannot access UNIX {which} database: {err}");
                Lookup::Unavailable(LookupError(format!(
                    "cannot access UNIX {which} database: {err}"
                )))
            }
        }
    }
}

fn group(name: &str) -> std::io::Result<Option<String>> {
    let found = nix::unistd::Group::from_name(name)?;
    Ok(found.map(|group| format!("{}:x:{}:{}", group.name, group.gid, group.mem.join(","))))
}
