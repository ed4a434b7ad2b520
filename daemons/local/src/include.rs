//! `:include:/file`: a list of destinations in a file.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use pf_config::system::reason;
use pf_dsn::Dsn;
use pf_log::warning;
use pf_sys::identity::{EffectiveIdentity, user_by_uid};

use crate::delivery::{Delivery, Step};
use crate::params::Expansion;
use crate::state::{Attributes, MAX_LEVEL, Rights};

const MISCONFIGURED: &str = "mail system configuration error";

impl Delivery<'_> {
    /// Delivers to the destinations in an include file.
    pub(crate) fn include(&self, state: Attributes, rights: Rights, path: Vec<u8>) -> Step<'_> {
        Box::pin(self.include_steps(state.deeper(), rights, path))
    }

    async fn include_steps(
        &self,
        mut state: Attributes,
        mut rights: Rights,
        path: Vec<u8>,
    ) -> bool {
        let path = Path::new(OsStr::from_bytes(&path));
        let shown = path.display();
        if state.level > MAX_LEVEL {
            warning!(":include: nesting limit exceeded for {shown}");
            return self
                .bounce(
                    &state,
                    Dsn::new(5, 4, 6),
                    ":include: nesting limit exceeded",
                )
                .await;
        }
        let uid = rights.uid.to_string();
        if self.before(&[b"include", uid.as_bytes(), path.as_os_str().as_bytes()]) {
            return false;
        }
        state.from = Some(state.local.clone());
        let refuse = |why: String| {
            warning!("{why}");
            self.bounce(&state, Dsn::new(5, 3, 5), MISCONFIGURED)
        };
        if !path.is_absolute() {
            return refuse(format!(":include:{shown} uses a relative path")).await;
        }
        let found = EffectiveIdentity::switch(rights.uid, rights.gid)
            .and_then(|_as_user| fs::metadata(path));
        let status = match found {
            Ok(status) => status,
            Err(err) => {
                return refuse(format!(
                    "unable to lookup :include: file {shown}: {}",
                    reason(&err)
                ))
                .await;
            }
        };
        if !status.is_file() {
            return refuse(format!(":include: file {shown} is not a regular file")).await;
        }
        if status.mode() & 0o002 != 0 {
            return refuse(format!(":include: file {shown} is world writable")).await;
        }
        // Who owns a file that root's alias names must not get the default rights, but only those he has anyway. In a user's
        // own lists, rights stay as they are: nobody acts with the rights of another by including his file.
        if rights.uid == 0 {
            match user_by_uid(status.uid()) {
                Ok(Some(user)) if user.uid == 0 => {}
                Ok(Some(user)) => rights = user.into(),
                other => {
                    let uid = status.uid();
                    match other {
                        Err(err) => {
                            warning!("cannot find username for uid {uid}: {}", reason(&err));
                        }
                        Ok(_) => warning!("cannot find username for uid {uid}"),
                    }
                    warning!("{shown}: cannot find :include: file owner username");
                    return self.defer(&state, Dsn::new(4, 3, 5), MISCONFIGURED).await;
                }
            }
        }
        let opened =
            EffectiveIdentity::switch(rights.uid, rights.gid).and_then(|_as_user| File::open(path));
        let file = match opened {
            Ok(file) => file,
            Err(err) => {
                return refuse(format!(
                    "cannot open include file {shown}: {}",
                    reason(&err)
                ))
                .await;
            }
        };
        state.expansion = Expansion::Include;
        if state.owner.is_none() {
            state.owner = Some(state.recipient.address.clone());
        }
        if !self.params().propagate.has(Expansion::Include) {
            state.unmatched = None;
        }
        self.lines(&state, &rights, &file).await.0
    }
}
