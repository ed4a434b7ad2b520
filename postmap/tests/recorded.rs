//! What the peer's postmap printed for the same input.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at its first surprise"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

const SOURCE: &[u8] =
    b"# c\na 1\nB 2\na 3\n\"q r\"@x  v w \nnoval\n\"unb x\nc: d\n cont\n\xff bad\ne\\ f g\n";

fn postmap(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_postmap"))
        .arg("-c")
        .arg(dir)
        .args(arguments)
        .current_dir(dir)
        .env_remove("MAIL_CONFIG")
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn making_and_asking() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("main.cf"), "compatibility_level = 3.11\n").unwrap();
    fs::write(dir.join("src"), SOURCE).unwrap();
    let (status, out, err) = postmap(dir, &["lmdb:src"]);
    assert_eq!((status, out.as_str()), (Some(0), ""));
    assert_eq!(
        err,
        "postmap: warning: lmdb:src: duplicate entry: \"a\"\n\
         postmap: warning: src, line 6: expected format: key whitespace value\n\
         postmap: warning: src, line 7: unbalanced '\"' in '\"unb x' -- ignoring this line\n\
         postmap: warning: src, line 8: record is in \"key: value\" format; is this an alias file?\n\
         postmap: warning: src, line 10: non-UTF-8 input \"? bad\" -- ignoring this line\n"
    );
    let list = "\"q r\"@x\tv w\na\t1\nb\t2\nc:\td cont\ne\\ f\tg\n";
    assert_eq!(postmap(dir, &["-s", "lmdb:src"]).1, list);
    assert_eq!(postmap(dir, &["-s", "hash:src"]).1, list);
    assert_eq!(postmap(dir, &["-q", "A", "lmdb:src"]).1, "1\n");
    assert_eq!(postmap(dir, &["-w", "cdb:src"]).0, Some(0));
    assert_eq!(postmap(dir, &["-q", "b", "cdb:src"]).1, "2\n");
    assert_eq!(postmap(dir, &["-d", "a", "lmdb:src"]).0, Some(0));
    assert_eq!(postmap(dir, &["-d", "a", "lmdb:src"]).0, Some(1));
    let fatal = |arguments: &[&str], text: &str| {
        let (status, _, err) = postmap(dir, arguments);
        assert_eq!(
            (status, err),
            (Some(1), format!("postmap: fatal: {text}\n"))
        );
    };
    fatal(
        &["-d", "a", "cdb:src"],
        "unsupported non-bulk change request",
    );
    fatal(
        &["-q", "a", "cdb:none"],
        "open database none.cdb: No such file or directory",
    );
    fatal(
        &["-d", "a", "-q", "b", "x"],
        "specify only one of -d -i -q or -s",
    );
    fatal(
        &["-s", "static:x"],
        "table static:x: sequence operation is not supported",
    );
    fatal(
        &["texthash:src"],
        "no 'map create' support for this type: texthash",
    );
}
