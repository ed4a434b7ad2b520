//! Virtual mailboxes: what becomes of a recipient, in the log and in the files.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at its first surprise"
)]

use std::os::unix::fs::chown;

use compliance::delivery::{send, shown, system};
use compliance::golden::check;

const SETTINGS: &str = "virtual_mailbox_domains = v.example
virtual_mailbox_base = TOP/vmail
virtual_mailbox_maps = inline:{ box@v.example=v.example/box, dir@v.example=v.example/dir/, @catch.example=x, out@v.example=../out/x, badge@v.example=v.example/b, nouid@v.example=v.example/n, badgid@v.example=v.example/g, low@v.example=v.example/l, busy@v.example=v.example/dir }
virtual_uid_maps = inline:{ box@v.example=61003, dir@v.example=61003, out@v.example=61003, badge@v.example=0x100, badgid@v.example=61003, low@v.example=99, busy@v.example=61003 }
virtual_gid_maps = inline:{ badgid@v.example=0 } static:61003";

#[test]
fn mailboxes_and_maildirs() {
    let instance = system(SETTINGS, "", |instance| {
        for dir in ["vmail", "vmail/v.example"] {
            std::fs::create_dir(instance.path(dir)).unwrap();
            chown(instance.path(dir), Some(61003), Some(61003)).unwrap();
        }
    });
    let mut text = send(
        &instance,
        &[
            "box@v.example",
            "box+ext@v.example",
            "Dir@v.example",
            "none@v.example",
            "out@v.example",
            "badge@v.example",
            "nouid@v.example",
            "badgid@v.example",
            "low@v.example",
            "busy@v.example",
        ],
    );
    text += &shown(&instance, "vmail");
    check(&instance, "virtual/mailboxes", &text);
    instance.assert_no_panic();
}
