//! Users, groups, and becoming another one.

use std::ffi::CString;
use std::io;
use std::path::PathBuf;

use nix::unistd::{
    Gid, Group, Uid, getegid, geteuid, getgid, getuid, initgroups, setegid, seteuid, setgid,
    setgroups, setuid,
};

/// An account of the system's user database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// The user id.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// The home directory.
    pub home: PathBuf,
    /// The login shell.
    pub shell: PathBuf,
    /// The full name and what else stands in that field.
    pub gecos: String,
}

impl From<nix::unistd::User> for User {
    fn from(user: nix::unistd::User) -> Self {
        Self {
            name: user.name,
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            home: user.dir,
            shell: user.shell,
            gecos: user.gecos.to_string_lossy().into_owned(),
        }
    }
}

/// The account with this login name; `None` when there is none.
///
/// # Errors
/// The user database cannot be read: nothing is known of the account.
pub fn user_by_name(name: &str) -> io::Result<Option<User>> {
    // A name with a NUL byte is nobody's.
    if name.contains('\0') {
        return Ok(None);
    }
    Ok(nix::unistd::User::from_name(name)?.map(User::from))
}

/// The account with this user id.
///
/// # Errors
/// As [`user_by_name`].
pub fn user_by_uid(uid: u32) -> io::Result<Option<User>> {
    Ok(nix::unistd::User::from_uid(Uid::from_raw(uid))?.map(User::from))
}

/// The id of the group with this name.
///
/// # Errors
/// As [`user_by_name`].
pub fn group_by_name(name: &str) -> io::Result<Option<u32>> {
    if name.contains('\0') {
        return Ok(None);
    }
    Ok(Group::from_name(name)?.map(|group| group.gid.as_raw()))
}

/// The user who started this process.
pub fn real_uid() -> u32 {
    getuid().as_raw()
}

/// The group of the user who started this process.
pub fn real_gid() -> u32 {
    getgid().as_raw()
}

/// The user whose rights this process has now.
pub fn effective_uid() -> u32 {
    geteuid().as_raw()
}

/// The group whose rights this process has now.
pub fn effective_gid() -> u32 {
    getegid().as_raw()
}

/// Whether this process was given rights that its user does not have (setuid or setgid program). Root is trusted anyway.
pub fn has_borrowed_rights() -> bool {
    let root = geteuid().is_root() && getuid().is_root();
    !root && (geteuid() != getuid() || getegid() != getgid())
}

/// Becomes this user and group for good, without supplementary groups.
///
/// # Errors
/// The process may not, or the change did not take: the caller must end.
pub fn drop_to(uid: u32, gid: u32) -> io::Result<()> {
    if geteuid().is_root() {
        setgroups(&[Gid::from_raw(gid)])?;
    }
    setgid(Gid::from_raw(gid))?;
    setuid(Uid::from_raw(uid))?;
    // Worth one look: mail must never be handled with rights that were thought to be gone.
    if uid != 0 && setuid(Uid::from_raw(0)).is_ok() {
        return Err(io::Error::other("the rights of root could be had again"));
    }
    Ok(())
}

/// Becomes this user for good, with all groups of the named account.
///
/// # Errors
/// As [`drop_to`].
pub fn drop_to_user(name: &str, uid: u32, gid: u32) -> io::Result<()> {
    let name = CString::new(name).map_err(io::Error::from)?;
    initgroups(&name, Gid::from_raw(gid))?;
    setgid(Gid::from_raw(gid))?;
    setuid(Uid::from_raw(uid))?;
    if uid != 0 && setuid(Uid::from_raw(0)).is_ok() {
        return Err(io::Error::other("the rights of root could be had again"));
    }
    Ok(())
}

/// The rights of another user, for as long as this value lives; the process must have those of root.
#[derive(Debug)]
pub struct EffectiveIdentity {
    uid: Uid,
    gid: Gid,
}

impl EffectiveIdentity {
    /// Takes on the rights of this user and group, without supplementary groups.
    ///
    /// # Errors
    /// The process may not.
    pub fn switch(uid: u32, gid: u32) -> io::Result<Self> {
        let saved = Self {
            uid: geteuid(),
            gid: getegid(),
        };
        if !saved.uid.is_root() {
            seteuid(Uid::from_raw(0))?;
        }
        let taken = setgroups(&[Gid::from_raw(gid)])
            .and_then(|()| setegid(Gid::from_raw(gid)))
            .and_then(|()| seteuid(Uid::from_raw(uid)));
        match taken {
            Ok(()) => Ok(saved),
            // Dropping `saved` goes back to what was.
            Err(err) => Err(err.into()),
        }
    }
}

impl Drop for EffectiveIdentity {
    fn drop(&mut self) {
        let back = seteuid(Uid::from_raw(0))
            .and_then(|()| setegid(self.gid))
            .and_then(|()| setgroups(&[self.gid]))
            .and_then(|()| seteuid(self.uid));
        // To go on with the rights of somebody else would be worse than to stop.
        if back.is_err() {
            std::process::abort();
        }
    }
}
