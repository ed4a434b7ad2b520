//! `/file`: mail appended to a file, or put into a maildir.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use pf_delivery::copy::{Failure, Form};
use pf_delivery::maildir;
use pf_delivery::mbox::{Mailbox, Opening};
use pf_dsn::{Dsn, Status};
use pf_sys::identity::EffectiveIdentity;

use crate::delivery::Delivery;
use crate::state::{Attributes, Rights};

impl Delivery<'_> {
    /// Delivers to a file; a name that ends in a slash is a maildir.
    pub(crate) async fn file(&self, state: Attributes, rights: Rights, path: Vec<u8>) -> bool {
        let state = state.deeper();
        let uid = rights.uid.to_string();
        if self.before(&[b"file", uid.as_bytes(), &path]) {
            return false;
        }
        if !self.params().files.has(state.expansion) {
            let status = Status::new(Dsn::new(5, 7, 1), "mail to file is restricted");
            return self.fail_to_owner(state, status).await;
        }
        if self.is_probe() {
            let text = [b"delivers to file: ", path.as_slice()].concat();
            return self.sent(&state, text).await;
        }
        let rights = self.with_default_rights(rights);
        if path.last() == Some(&b'/') {
            return self.maildir(state, rights, &path).await;
        }
        let appended = match EffectiveIdentity::switch(rights.uid, rights.gid) {
            Ok(_as_user) => self.append(&state, Path::new(OsStr::from_bytes(&path))),
            Err(err) => return self.no_rights(&state, &err).await,
        };
        match appended {
            Ok(()) => {
                let text = [b"delivered to file: ", path.as_slice()].concat();
                self.sent(&state, text).await
            }
            Err(Failure::Corrupt) => true,
            Err(Failure::Told(mut status, _)) => {
                let head = [b"cannot append message to file ", path.as_slice(), b": "].concat();
                status.reason.splice(..0, head);
                self.fail_to_owner(state, *status).await
            }
        }
    }

    fn append(&self, state: &Attributes, path: &Path) -> Result<(), Failure> {
        let how = Opening {
            locks: self.params().locks,
            owner: None,
            dotlock_may_fail: true,
            default_dsn: Dsn::new(5, 2, 0),
        };
        let mut mailbox =
            Mailbox::open(path, &how).map_err(|status| Failure::Told(status, None))?;
        let known = mailbox.status();
        if known.is_file() && known.mode() & 0o111 != 0 {
            let status = Status::new(Dsn::new(5, 7, 1), "file is executable");
            return Err(Failure::Told(Box::new(status), None));
        }
        let form = Form::mbox(self.params().delivered_header.file);
        mailbox
            .append(self.job, &form, &self.envelope(state))
            .map(drop)
    }

    /// Delivers into a maildir.
    pub(crate) async fn maildir(&self, state: Attributes, rights: Rights, path: &[u8]) -> bool {
        let mut state = state.deeper();
        if self.is_probe() {
            return self.sent(&state, "delivers to maildir").await;
        }
        if !self.params().frozen_delivered {
            state.delivered = Some(state.recipient.address.clone());
        }
        let delivered = match EffectiveIdentity::switch(rights.uid, rights.gid) {
            Ok(_as_user) => maildir::deliver(
                Path::new(OsStr::from_bytes(path)),
                &self.local.host,
                Dsn::new(5, 2, 0),
                self.job,
                &Form::maildir(self.params().delivered_header.file),
                &self.envelope(&state),
            ),
            Err(err) => return self.no_rights(&state, &err).await,
        };
        match delivered {
            Ok(()) => self.sent(&state, "delivered to maildir").await,
            Err(failure) => match maildir::status_of(failure, rights.uid, rights.gid) {
                None => true,
                Some(status) => self.fail(&state, status).await,
            },
        }
    }
}
