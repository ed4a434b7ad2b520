//! Virtual mailboxes: what becomes of a recipient, in the log and in the files.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::time::Duration;

use compliance::delivery::{send, shown, system, system_with};
use compliance::golden::{check, log};
use compliance::testkit::{Instance, wait_for};

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

/// A service for each setting; mail for `NAME.example` goes to the service NAME.
const SERVICES: &str = "
base unix - n n - - virtual -o virtual_mailbox_base=TOP/none
rel unix - n n - - virtual -o virtual_mailbox_base=relative
empty unix - n n - - virtual -o virtual_mailbox_base=
file unix - n n - - virtual -o virtual_mailbox_base=TOP/vmail/file
small unix - n n - - virtual -o virtual_mailbox_limit=100 -o message_size_limit=200
zero unix - n n - - virtual -o virtual_mailbox_limit=0
unlim unix - n n - - virtual -o virtual_mailbox_limit=100 -o message_size_limit=0
full unix - n n - - virtual -o virtual_mailbox_limit=3000 -o message_size_limit=3000
loose unix - n n - - virtual -o strict_mailbox_ownership=no
dot unix - n n - - virtual -o virtual_mailbox_lock=dotlock,fcntl -o deliver_lock_attempts=2 -o deliver_lock_delay=1s -o stale_lock_time=1000s
badlock unix - n n - - virtual -o virtual_mailbox_lock=nonsense
nolock unix - n n - - virtual -o virtual_mailbox_lock=
regex unix - n n - - virtual -o { virtual_mailbox_maps = regexp:{ { /^(.*)@regex/ $$1 } } }
regplain unix - n n - - virtual -o { virtual_mailbox_maps = regexp:{ { /^box@/ v.example/reg } } }
fail unix - n n - - virtual -o virtual_mailbox_maps=fail:boom
failuid unix - n n - - virtual -o virtual_uid_maps=fail:boom
failgid unix - n n - - virtual -o virtual_gid_maps=fail:boom
nomaps unix - n n - - virtual -o virtual_mailbox_maps=
nouids unix - n n - - virtual -o virtual_uid_maps=
proxy unix - n n - - virtual -o virtual_mailbox_maps=proxy:inline:{x=y}
nocolon unix - n n - - virtual -o virtual_mailbox_maps=TOP/x
argued unix - n n - - virtual extra
badmin unix - n n - - virtual -o virtual_minimum_uid=0
min unix - n n - - virtual -o virtual_minimum_uid=61004
filter unix - n n - - virtual -o { default_delivery_status_filter = inline:{ { 5.1.1 unknown user: \"gone@filter.example\" = 4.1.1 later } } }
filtern unix - n n - - virtual -o { virtual_delivery_status_filter = regexp:{ { /^2.0.0 (.*)/ 2.1.0 kept: $1 } } }
orig unix - n n - - virtual -o enable_original_recipient=no
chroot unix - n y - - virtual
unpriv unix - - n - - virtual
";

const MAPS: &str = "virtual_mailbox_domains = v.example
virtual_mailbox_base = TOP/vmail
recipient_delimiter = +
propagate_unmatched_extensions = virtual
virtual_mailbox_maps = inline:{
 { link@v.example = v.example/link } { dangling@v.example = v.example/dangling } { linkdir@v.example = v.example/linkdir/new/ }
 { foreign@v.example = v.example/foreign } { fifo@v.example = v.example/fifo } { ro@v.example = v.example/ro }
 { dir@v.example = v.example/dir } { nodir@v.example = v.example/no/such/box } { deep@v.example = v.example/no/such/dir/ }
 { filedir@v.example = v.example/ro/ } { under@v.example = v.example/ro/x } { null@v.example = /dev/null } { slash@v.example = / }
 { dots@v.example = v.example/a/../b } { dotend@v.example = v.example/.. } { dotdir@v.example = v.example/../ } { dot@v.example = v.example/./dotted } { spaces@v.example = v.example/a b }
 { hard@v.example = v.example/hard } { ext+one@v.example = v.example/ext+one } { ext@v.example = v.example/ext }
 { @catch.example = v.example/catch } { bare = v.example/bare } { half@ = v.example/half }
 { u1@v.example = v.example/u1 } { u2@v.example = v.example/u2 } { u3@v.example = v.example/u3 } { u4@v.example = v.example/u4 } { u5@v.example = v.example/u5 } { u6@v.example = v.example/u6 } { u7@v.example = v.example/u7 } { u8@v.example = v.example/u8 } { u9@v.example = v.example/u9 }
 { g1@v.example = v.example/g1 } { g2@v.example = v.example/g2 } { g3@v.example = v.example/g3 } { g4@v.example = v.example/g4 }
 { tmpbad@v.example = v.example/mdfile/ } { newro@v.example = v.example/mdro/ } { md@v.example = v.example/md/ } { rodir@v.example = v.example/rodir/x }
 { box@base.example = v.example/x } { mdbox@base.example = v.example/x/ } { box@rel.example = v.example/x } { box@empty.example = v.example/x } { box@file.example = v.example/x } { md@file.example = x/ }
 { box@small.example = v.example/x } { box@zero.example = v.example/zero } { box@unlim.example = v.example/x } { box@full.example = v.example/full } { md@full.example = v.example/fullmd/ } { box@loose.example = v.example/foreign }
 { box@dot.example = v.example/dotlock } { held@dot.example = v.example/held } { nowrite@dot.example = v.example/rodir/y } { box@badlock.example = x } { box@nolock.example = v.example/nolock }
 { box@failuid.example = v.example/x } { box@failgid.example = v.example/x } { box@nouids.example = v.example/x } { box@badmin.example = v.example/x } { box@min.example = v.example/x } { box@filter.example = v.example/x } { box@filtern.example = v.example/filtern } { box@orig.example = v.example/orig } { box@argued.example = v.example/x }
 { box@chroot.example = v.example/x } { box@unpriv.example = v.example/x } { BIG@v.example = v.example/big } }
virtual_uid_maps = inline:{ {u1@v.example=-1} {u2@v.example=4294967295} {u3@v.example=4294967296} {u4@v.example=61003x} {u5@v.example=99} {u6@v.example=100} {u7@v.example=0} {u8@v.example=+61003} {u9@v.example={ 061003}} } static:61003
virtual_gid_maps = inline:{ {g1@v.example=-1} {g2@v.example=0} {g3@v.example=4294967295} {g4@v.example=1} } static:61003
transport_maps = inline:{ { v.example = virtual: } { catch.example = virtual: } TRANSPORTS }
deliver_lock_delay = 1s
";

/// Directories and files of all kinds below `vmail`.
fn mailboxes() -> Instance {
    let transports: String = SERVICES
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, _)| format!("{{ {name}.example = {name}: }} "))
        .collect();
    let maps = MAPS.replace("TRANSPORTS", &transports);
    system_with(&maps, SERVICES, "", |instance| {
        let own = |below: &str, uid: u32| {
            std::os::unix::fs::lchown(instance.path(below), Some(uid), Some(uid)).unwrap();
        };
        for dir in [
            "vmail",
            "vmail/v.example",
            "vmail/v.example/dir",
            "vmail/v.example/md",
            "vmail/v.example/mdro",
            "vmail/v.example/mdro/tmp",
            "vmail/v.example/mdro/new",
            "vmail/v.example/mdro/cur",
            "vmail/v.example/mdfile",
            "vmail/v.example/rodir",
        ] {
            std::fs::create_dir(instance.path(dir)).unwrap();
            own(
                dir,
                if dir.ends_with("ro/new") || dir.ends_with("rodir") {
                    0
                } else {
                    61003
                },
            );
        }
        let modes = [
            ("foreign", 0o666, 61004),
            ("ro", 0o400, 61003),
            ("hard", 0o600, 61003),
            ("mdfile/tmp", 0o600, 61003),
            ("target", 0o600, 61003),
            ("full", 0o600, 61003),
            ("held", 0o600, 61003),
            ("held.lock", 0o600, 61003),
            ("../file", 0o600, 61003),
        ];
        for (file, mode, uid) in modes {
            let below = format!("vmail/v.example/{file}");
            let text = if file == "full" {
                "x".repeat(2900)
            } else {
                "old\n".to_owned()
            };
            instance.write(&below, text);
            std::fs::set_permissions(instance.path(&below), std::fs::Permissions::from_mode(mode))
                .unwrap();
            own(&below, uid);
        }
        let at = |name: &str| instance.path(&format!("vmail/v.example/{name}"));
        std::fs::hard_link(at("hard"), at("harder")).unwrap();
        for (name, to) in [
            ("link", "target"),
            ("dangling", "nowhere"),
            ("linkdir", "dir"),
        ] {
            std::os::unix::fs::symlink(to, at(name)).unwrap();
            own(&format!("vmail/v.example/{name}"), 61003);
        }
        let made = std::process::Command::new("mkfifo")
            .arg(at("fifo"))
            .status()
            .unwrap();
        assert!(made.success());
        own("vmail/v.example/fifo", 61003);
    })
}

#[test]
fn what_tables_and_files_may_be() {
    let instance = mailboxes();
    let mut recipients = Vec::new();
    for line in MAPS.lines() {
        for word in line.split_whitespace() {
            if word.contains("@v.example") && !word.contains('=') && !word.contains('/') {
                recipients.push(word.to_lowercase());
            }
        }
    }
    let mut all: Vec<&str> = recipients.iter().map(String::as_str).collect();
    all.extend([
        "ext+two@v.example",
        "EXT+One@V.example",
        "any+x@catch.example",
        "bare@v.example",
        "half@v.example",
        "none@v.example",
        "\"a b\"@v.example",
        "box@base.example",
        "mdbox@base.example",
        "box@file.example",
        "md@file.example",
        "box@zero.example",
        "box@full.example",
        "md@full.example",
        "box@loose.example",
        "box@dot.example",
        "held@dot.example",
        "nowrite@dot.example",
        "box@regex.example",
        "box@regplain.example",
        "box@fail.example",
        "box@failuid.example",
        "box@failgid.example",
        "box@nomaps.example",
        "box@nouids.example",
        "box@proxy.example",
        "box@min.example",
        "gone@filter.example",
        "box@filter.example",
        "box@filtern.example",
        "box@orig.example",
    ]);
    let mut text = send(&instance, &all);
    text += &shown(&instance, "vmail");
    check(&instance, "virtual/files", &text);
    instance.assert_no_panic();
}

#[test]
fn settings_with_which_none_starts() {
    let instance = mailboxes();
    let names = [
        "rel", "empty", "small", "unlim", "badlock", "nolock", "nocolon", "argued", "badmin",
    ];
    for name in names {
        let recipient = format!("box@{name}.example");
        let sent = instance.run_with("sendmail", &["-f", "bob@test.example", &recipient], b"x\n");
        assert_eq!(sent.status, 0, "{sent:?}");
    }
    // The queue manager tells of the others as deferred when their agents are gone.
    let ended =
        || instance.log().matches("status=").count() + instance.log().matches(" fatal: ").count();
    wait_for(Duration::from_secs(10), || ended() >= 2 * names.len());
    let mut lines: Vec<_> = log(&instance, r"postfix/virtual\[")
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    check(&instance, "virtual/settings", &(lines.join("\n") + "\n"));
}
