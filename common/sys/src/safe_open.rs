//! Opening a file that others may have had their hands on: no hard links, no symbolic links but those that root made.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::error::text;

/// Opens a file for appending, or makes it with this mode.
///
/// # Errors
/// What is wrong, in Postfix's words.
pub fn append(path: &Path, mode: u32) -> Result<File, String> {
    match existing(path)? {
        Some(file) => Ok(file),
        None => match fresh(path, mode) {
            Ok(file) => Ok(file),
            Err(err) if err.kind() == ErrorKind::AlreadyExists => {
                existing(path)?.ok_or_else(|| "file status changed unexpectedly".into())
            }
            Err(err) => Err(format!("cannot create file exclusively: {}", text(&err))),
        },
    }
}

fn fresh(path: &Path, mode: u32) -> std::io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

/// The file, if there is one.
fn existing(path: &Path) -> Result<Option<File>, String> {
    let file = match OpenOptions::new().append(true).open(path) {
        Ok(file) => file,
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(format!("cannot open file: {}", text(&err))),
    };
    let open = file
        .metadata()
        .map_err(|err| format!("bad open file status: {}", text(&err)))?;
    if open.nlink() != 1 {
        return Err(format!("file has {} hard links", open.nlink()));
    }
    if open.is_dir() {
        return Err("file is a directory".into());
    }
    let named = fs::symlink_metadata(path)
        .map_err(|err| format!("file status changed unexpectedly: {}", text(&err)))?;
    if named.is_symlink() {
        return if named.uid() == 0 && parent_is_safe(path) {
            Ok(Some(file))
        } else {
            Err("file is a symbolic link".into())
        };
    }
    if (open.dev(), open.ino(), open.mode()) != (named.dev(), named.ino(), named.mode()) {
        return Err("file status changed unexpectedly".into());
    }
    Ok(Some(file))
}

/// Whether only root can put something in the directory of this file.
fn parent_is_safe(path: &Path) -> bool {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::metadata(parent).is_ok_and(|parent| parent.uid() == 0 && parent.mode() & 0o022 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two, three) = (
            dir.path().join("one"),
            dir.path().join("two"),
            dir.path().join("three"),
        );
        append(&one, 0o600).unwrap();
        append(&one, 0o600).unwrap();
        assert_eq!(fs::metadata(&one).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(
            dir.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o777),
        )
        .unwrap();
        std::os::unix::fs::symlink(&one, &two).unwrap();
        assert_eq!(append(&two, 0o600).unwrap_err(), "file is a symbolic link");
        fs::hard_link(&one, &three).unwrap();
        assert_eq!(append(&three, 0o600).unwrap_err(), "file has 2 hard links");
    }
}
