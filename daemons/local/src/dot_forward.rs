//! A user's `.forward` file.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use pf_config::system::reason;
use pf_dsn::Notify;
use pf_log::warning;
use pf_sys::identity::EffectiveIdentity;

use crate::delivery::{Delivery, without_success};
use crate::expand::expansion;
use crate::params::Expansion;
use crate::state::{Attributes, Rights};

impl Delivery<'_> {
    /// Delivers to what the user's file lists; `None` when there is no file that counts, or it is being expanded already.
    pub(crate) async fn dot_forward(&self, state: Attributes) -> Option<bool> {
        let mut state = state.deeper();
        let params = self.params();
        if params.forward_path.is_empty() {
            return None;
        }
        let user = match self.account(&state).await {
            Ok(user) => user?,
            Err(later) => return Some(later),
        };
        if !params.frozen_delivered {
            state.delivered = Some(state.recipient.address.clone());
        }
        // Commands and files get the recipient's rights, whoever wrote the file: it has to be the recipient or root.
        let rights = Rights::from(user);
        state.expansion = Expansion::Forward;
        state.owner = Some(state.user.clone());
        let (path, status, has_extension) = self.find_dot_forward(&state, &rights)?;
        if has_extension || !params.propagate.has(Expansion::Forward) {
            state.unmatched = None;
        }
        let name = path.as_os_str().as_bytes();
        if self.is_verify() {
            let text = [b"forward via file: ", name].concat();
            return Some(self.sent(&state, text).await);
        }
        if self.before(&[b"forward", name]) {
            // A user whose file leads back to the user: the mailbox is meant, unless the file had its turn.
            return self.has_seen(&[b"forward-done", name]).then_some(false);
        }
        state.from = Some(state.local.clone());
        let file = open(&path, &status, &rights)?;
        let before = state.clone();
        state.recipient.dsn_notify = without_success(before.recipient.dsn_notify);
        let (later, count) = self.lines(&state, &rights, &file).await;
        if count == 0 {
            return None;
        }
        self.before(&[b"forward-done", name]);
        if !later && before.recipient.dsn_notify & Notify::SUCCESS.bits() != 0 {
            self.report_expansion(&before, "expanded").await;
        }
        Some(later)
    }

    /// The first file of `forward_path` that is there.
    fn find_dot_forward(
        &self,
        state: &Attributes,
        rights: &Rights,
    ) -> Option<(PathBuf, Metadata, bool)> {
        let params = self.params();
        pf_text::split::list(&params.forward_path).find_map(|pattern| {
            let (found, has_extension) = expansion(
                pattern,
                state,
                rights,
                &params.delimiters,
                Some(&params.forward_filter),
            )
            .map_err(|err| warning!("{err}"))
            .ok()?;
            if found.undefined {
                return None;
            }
            let path = PathBuf::from(OsStr::from_bytes(&found.text));
            let status = EffectiveIdentity::switch(rights.uid, rights.gid)
                .and_then(|_as_user| fs::symlink_metadata(&path))
                .ok()?;
            Some((path, status, has_extension))
        })
    }
}

/// Opens the file with its user's rights, if nobody else can have written it.
fn open(path: &Path, status: &Metadata, rights: &Rights) -> Option<File> {
    let shown = path.display();
    if !status.is_file() {
        warning!("file {shown} is not a regular file");
        return None;
    }
    if status.uid() != 0 && status.uid() != rights.uid {
        warning!("file {shown} has bad owner uid {}", status.uid());
        return None;
    }
    if status.mode() & 0o002 != 0 {
        warning!("file {shown} is world writable");
        return None;
    }
    EffectiveIdentity::switch(rights.uid, rights.gid)
        .and_then(|_as_user| File::open(path))
        .map_err(|err| warning!("cannot open file {shown}: {}", reason(&err)))
        .ok()
}
