//! A user's mailbox, or what stands for it: another transport, a command, a maildir.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use pf_delivery::copy::{Failure, Form};
use pf_delivery::mbox::{Mailbox, Opening};
use pf_dsn::{Dsn, Status};
use pf_log::warning;
use pf_maps::Lookup;
use pf_sys::identity::EffectiveIdentity;

use crate::biff;
use crate::delivery::Delivery;
use crate::state::{Attributes, Rights};

impl Delivery<'_> {
    /// Delivers to the user's mailbox; `None` when there is no such user.
    pub(crate) async fn mailbox(&self, state: Attributes) -> Option<bool> {
        let state = state.deeper();
        if self.before(&[b"mailbox", &state.local]) {
            return Some(false);
        }
        match self.local.mailbox_transports.find(&state.user).await {
            Lookup::Found(transport) => return Some(Box::pin(self.pass(&state, &transport)).await),
            Lookup::Unavailable(_) => return Some(self.table_trouble(&state).await),
            Lookup::Missing => {}
        }
        let params = self.params();
        if !params.mailbox_transport.is_empty() {
            return Some(Box::pin(self.pass(&state, params.mailbox_transport.as_bytes())).await);
        }
        let user = match self.account(&state).await {
            Ok(user) => user?,
            Err(later) => return Some(later),
        };
        let rights = Rights::from(user);
        match self.local.mailbox_commands.find(&state.user).await {
            Lookup::Found(command) => {
                return Some(Box::pin(self.command(state, rights, command)).await);
            }
            Lookup::Unavailable(_) => return Some(self.table_trouble(&state).await),
            Lookup::Missing => {}
        }
        let home = rights.home.clone().unwrap_or_default();
        let later = if !params.mailbox_command.is_empty() {
            let command = params.mailbox_command.clone().into_bytes();
            Box::pin(self.command(state, rights, command)).await
        } else if params.home_mailbox.ends_with('/') {
            let path = [&home, &b"/"[..], params.home_mailbox.as_bytes()].concat();
            Box::pin(self.maildir(state, rights, &path)).await
        } else if params.home_mailbox.is_empty() && params.spool_directory.ends_with('/') {
            let path = [params.spool_directory.as_bytes(), &state.user, b"/"].concat();
            Box::pin(self.maildir(state, rights, &path)).await
        } else {
            Box::pin(self.mailbox_file(state, rights)).await
        };
        Some(later)
    }

    async fn mailbox_file(&self, state: Attributes, rights: Rights) -> bool {
        let mut state = state.deeper();
        if self.is_probe() {
            return self.sent(&state, "delivers to mailbox").await;
        }
        let params = self.params();
        if !params.frozen_delivered {
            state.delivered = Some(state.recipient.address.clone());
        }
        let in_home = !params.home_mailbox.is_empty();
        let path = if in_home {
            let home = rights.home.as_deref().unwrap_or_default();
            [home, b"/", params.home_mailbox.as_bytes()].concat()
        } else {
            [params.spool_directory.as_bytes(), b"/", &state.user].concat()
        };
        match self.append_to_mailbox(&state, &rights, &path, in_home) {
            Ok(end) => {
                let later = self.sent(&state, "delivered to mailbox").await;
                if params.biff {
                    biff::notify(&rights.name, end);
                }
                later
            }
            Err(Failure::Corrupt) => true,
            Err(Failure::Told(mut status, _)) => {
                let head = [
                    b"cannot update mailbox ",
                    path.as_slice(),
                    b" for user ",
                    &state.user,
                    b". ",
                ]
                .concat();
                status.reason.splice(..0, head);
                self.fail(&state, *status).await
            }
        }
    }

    fn append_to_mailbox(
        &self,
        state: &Attributes,
        rights: &Rights,
        path: &[u8],
        in_home: bool,
    ) -> Result<u64, Failure> {
        let told = |dsn: Dsn, text: String| Failure::Told(Box::new(Status::new(dsn, text)), None);
        let rights_trouble = |err: std::io::Error| {
            warning!("set effective user: {}", pf_config::system::reason(&err));
            told(Dsn::new(4, 3, 0), "system resource problem".into())
        };
        let user = (rights.uid, rights.gid);
        // In a spool directory that only root can write, the mailbox is made by root and given to its user.
        let spool = if in_home {
            user
        } else {
            match std::fs::metadata(&self.params().spool_directory) {
                Ok(status) if status.mode() & 0o002 == 0 => {
                    if status.mode() & 0o020 != 0 {
                        (rights.uid, status.gid())
                    } else {
                        (0, 0)
                    }
                }
                _ => user,
            }
        };
        let how = Opening {
            locks: self.params().locks,
            owner: (spool.0 != rights.uid).then_some(user),
            dotlock_may_fail: false,
            default_dsn: Dsn::new(5, 2, 0),
        };
        let shown = String::from_utf8_lossy(path);
        let _for_spool = EffectiveIdentity::switch(spool.0, spool.1).map_err(rights_trouble)?;
        let mut mailbox = Mailbox::open(Path::new(OsStr::from_bytes(path)), &how)
            .map_err(|status| Failure::Told(status, None))?;
        // Written by the recipient, so that quotas count.
        let as_user = EffectiveIdentity::switch(user.0, user.1).map_err(rights_trouble)?;
        if !mailbox.status().is_file() {
            return Err(told(
                Dsn::new(5, 2, 0),
                format!("destination {shown} is not a regular file"),
            ));
        }
        if self.params().strict_owner && mailbox.status().uid() != rights.uid {
            warning!(
                "specify \"strict_mailbox_ownership = no\" to ignore mailbox ownership mismatch"
            );
            return Err(told(
                Dsn::new(4, 2, 0),
                format!("destination {shown} is not owned by recipient"),
            ));
        }
        let form = Form::mbox(self.params().delivered_header.file);
        let appended = mailbox.append(self.job, &form, &self.envelope(state));
        // The lock file goes with the rights with which it came.
        drop(as_user);
        drop(mailbox);
        appended
    }
}
