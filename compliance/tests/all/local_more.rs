//! Local delivery in configurations that are met less often: nested and looping aliases, `.forward` of all kinds, commands and
//! their ends, mailboxes that are full or not the user's own.

use compliance::delivery::{own, send, shown, system, system_with};
use compliance::golden::check;
use std::os::unix::fs::{PermissionsExt as _, chown};

const ALIASES: &str = r#"
self: self, bob
loop1: loop2
loop2: loop1
spaces:   alice ,  bob  ,
cont: alice,
  bob
"quoted name": alice
UPPER: alice
dup: alice, alice, Alice, alice@test.example, \alice
back: \alice
cmd: "|cat > TOP/out/cmd; exit 0"
cmdtwo: "|/bin/sh -c 'cat >/dev/null; exit 1'", bob
sys64: "|exit 64"
sys65: "|exit 65"
sys66: "|exit 66"
sys67: "|exit 67"
sys68: "|exit 68"
sys69: "|exit 69"
sys70: "|exit 70"
sys71: "|exit 71"
sys72: "|exit 72"
sys73: "|exit 73"
sys74: "|exit 74"
sys75: "|exit 75"
sys76: "|exit 76"
sys77: "|exit 77"
sys78: "|exit 78"
sys99: "|exit 99"
dsn4: "|echo 4.2.9 try again; exit 75"
dsn5: "|echo 5.2.9 never; exit 75"
dsn2: "|echo 2.2.9 what; exit 67"
quiet: "|echo output and success"
killed: "|kill -9 $$"
missing: "|/no/such/program"
file: TOP/out/file
dirfile: /no/such/directory/file
maildir: TOP/out/maildir/
dirtarget: TOP/out
inc: ":include:TOP/etc/list"
incmissing: :include:TOP/etc/nolist
increl: :include:list
incself: :include:TOP/etc/selflist
incdeep: :include:TOP/etc/deep0
inccmd: :include:TOP/etc/cmdlist
inc2: :include:TOP/etc/list, bob
owner-owned: bob
owned: alice, nobody-there
owner-ownedinc: bob
ownedinc: :include:TOP/etc/ownlist
empty:
comment: alice # bob
bad: "unterminated
addr: <alice>
named: Alice Person <alice>
remote: x@far.example
ext: alice+box
at: alice@test.example, bob@other.example
null: /dev/null
env: "|env | grep -v -E '^(PWD|SHLVL|_|OLDPWD)=' | sort > TOP/out/env"
"#;

#[test]
fn aliases_of_all_kinds() {
    let instance = system(
        "allow_mail_to_commands = alias, forward, include\nallow_mail_to_files = alias, forward, include\nlocal_command_shell =\nalias_maps = lmdb:TOP/etc/real\n",
        "",
        |instance| {
            let top = instance.path("").display().to_string();
            let text = format!("postmaster: root\n{}", ALIASES.replace("TOP/", &top));
            let real = instance.write("etc/real", text);
            let made = instance.run("postalias", &[&format!("lmdb:{}", real.display())]);
            assert_eq!(made.status, 0, "{made:?}");
            own(
                instance,
                "etc/list",
                "alice",
                "# comment\nalice, bob\n\n  alice\n",
            );
            own(
                instance,
                "etc/selflist",
                "alice",
                &format!("alice\n:include:{top}etc/selflist\n"),
            );
            own(
                instance,
                "etc/cmdlist",
                "alice",
                &format!("\"|id -un > {top}out/who\"\n{top}out/byuser\n"),
            );
            own(instance, "etc/ownlist", "alice", "alice\nnobody-there\n");
            for at in 0..130 {
                own(
                    instance,
                    &format!("etc/deep{at}"),
                    "alice",
                    &format!(":include:{top}etc/deep{}\n", at + 1),
                );
            }
            own(instance, "etc/deep130", "alice", "alice\n");
        },
    );
    let names: Vec<&str> = ALIASES
        .lines()
        .filter(|line| !line.starts_with([' ', '"']))
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name)
        .filter(|name| !name.is_empty())
        .collect();
    let mut text = send(&instance, &names);
    text += &send(
        &instance,
        &[
            "\"quoted name\"",
            "upper",
            "cmd+ext",
            "alice+ext",
            "owner-none",
            "ALICE",
        ],
    );
    text += &shown(&instance, "out");
    check(&instance, "local/aliases-more", &text);
    instance.assert_no_panic();
}

#[test]
fn forward_files_of_all_kinds() {
    let instance = system(
        "forward_path = $home/.forward${recipient_delimiter}${extension}, $home/.forward, TOP/etc/forward.$user.$shell$extension\nforward_expansion_filter = 1234567890abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/.\nallow_mail_to_files = alias, forward\nexport_environment = TZ MAIL_CONFIG LANG NAME=value\nmailbox_size_limit = 3000\nmessage_size_limit = 2000\nprepend_delivered_header = command, forward",
        "",
        |instance| {
            let top = instance.path("").display().to_string();
            own(instance, "home/alice/.forward+self", "alice", "\\alice\n");
            own(
                instance,
                "home/alice/.forward+loop",
                "alice",
                "alice+loop\n",
            );
            own(
                instance,
                "home/alice/.forward+two",
                "alice",
                "# both\nbob, alice+three\n",
            );
            own(
                instance,
                "home/alice/.forward+three",
                "alice",
                &format!(
                    "\"|cat > {top}home/alice/three; env | grep -E '^(LOCAL|USER|HOME|EXTENSION|DOMAIN|SENDER|RECIPIENT|ORIGINAL|CLIENT|SASL|NAME|TZ|MAIL|LOGNAME|SHELL)' | sort >> {top}home/alice/three\"\n"
                ),
            );
            own(
                instance,
                "home/alice/.forward+file",
                "alice",
                &format!("{top}home/alice/box\n"),
            );
            own(
                instance,
                "home/alice/.forward+dir",
                "alice",
                &format!("{top}home/alice/new/\n"),
            );
            own(
                instance,
                "home/alice/.forward+rel",
                "alice",
                "relative/path\n",
            );
            own(instance, "home/alice/.forward+tilde", "alice", "~/tilde\n");
            own(
                instance,
                "home/alice/.forward+inc",
                "alice",
                &format!(":include:{top}home/alice/list\n"),
            );
            own(instance, "home/alice/list", "alice", "bob\n");
            own(instance, "home/alice/.forward+empty", "alice", "");
            own(
                instance,
                "home/alice/.forward+comment",
                "alice",
                "# nothing\n\n",
            );
            own(
                instance,
                "home/alice/.forward+vacation",
                "alice",
                "\\alice, \"|exit 0\"\n",
            );
            own(
                instance,
                "home/alice/.forward+out",
                "alice",
                "x@far.example\n",
            );
            own(
                instance,
                "home/alice/.forward+bad",
                "alice",
                "\"unbalanced\n",
            );
            own(
                instance,
                "home/alice/.forward+root",
                "alice",
                &format!("{top}etc/rootfile\n"),
            );
            own(
                instance,
                "home/alice/.forward+exit",
                "alice",
                "\"|echo from the command; exit 67\"\n",
            );
            own(instance, "home/alice/.forward+writable", "alice", "bob\n");
            std::fs::set_permissions(
                instance.path("home/alice/.forward+writable"),
                std::fs::Permissions::from_mode(0o666),
            )
            .unwrap();
            instance.write("home/alice/.forward+notmine", "bob\n");
            std::os::unix::fs::symlink(
                instance.path("home/alice/.forward+self"),
                instance.path("home/alice/.forward+link"),
            )
            .unwrap();
            std::fs::create_dir(instance.path("home/alice/.forward+isdir")).unwrap();
            own(instance, "mail/bob", "bob", &"x\n".repeat(1600));
        },
    );
    let mut text = send(
        &instance,
        &[
            "alice+self",
            "alice+loop",
            "alice+two",
            "alice+three",
            "alice+file",
            "alice+dir",
            "alice+rel",
            "alice+tilde",
            "alice+inc",
            "alice+empty",
            "alice+comment",
            "alice+vacation",
            "alice+out",
            "alice+bad",
            "alice+root",
            "alice+exit",
            "alice+writable",
            "alice+notmine",
            "alice+link",
            "alice+isdir",
            "alice+none",
            "alice+a/../b",
            "alice+",
            "vmail",
        ],
    );
    text += &shown(&instance, "home/alice");
    check(&instance, "local/forward-more", &text);
    instance.assert_no_panic();
}

#[test]
fn mailboxes_of_all_kinds() {
    let mut text = String::new();
    for (what, main) in [
        (
            "maildir",
            "home_mailbox = Mail/dir/\nprepend_delivered_header =",
        ),
        (
            "command",
            "mailbox_command = cat >> $HOME/got; echo \"$USER $EXTENSION $LOCAL $DOMAIN $SENDER $RECIPIENT $SHELL $LOGNAME $ORIGINAL_RECIPIENT\" >> $HOME/got; echo ${USER} '$DOMAIN' >> $HOME/got\nmailbox_command_maps = inline:{ { bob = exit 75 } }",
        ),
        (
            "transport",
            "mailbox_transport = error:5.7.7 nobody\nmailbox_transport_maps = inline:{ { alice = discard:mapped } }",
        ),
        (
            "fallback",
            "fallback_transport = error:5.7.8 nobody\nfallback_transport_maps = inline:{ { ghost = discard:mapped } { trap = } }",
        ),
        ("luser", "luser_relay = alice+$user=$extension@$domain"),
        (
            "luser map",
            "luser_relay = x@far.example\nrecipient_delimiter =",
        ),
        (
            "not allowed",
            "allow_mail_to_commands =\nallow_mail_to_files =",
        ),
        (
            "time",
            "mailbox_command = sleep 20\ncommand_time_limit = 1s",
        ),
    ] {
        let instance = system_with(
            main,
            "",
            "tocmd \"|cat >/dev/null\"\ntofile TOP/out/x\nghosts ghost\n",
            |instance| {
                instance.write("mail/bob", "");
                chown(instance.path("mail/bob"), Some(0), Some(0)).unwrap();
            },
        );
        text += &format!("##### {what}\n");
        let names: &[&str] = if what == "time" {
            &["alice"]
        } else if what == "not allowed" {
            &["tocmd", "tofile"]
        } else {
            &["alice+ext", "bob", "ghost+ext"]
        };
        text += &send(&instance, names).replace(&instance.path("").display().to_string(), "/TOP/");
        for below in ["home/alice", "mail"] {
            if instance.path(below).exists() {
                text += &shown(&instance, below)
                    .replace(&instance.path("").display().to_string(), "/TOP/");
            }
        }
        instance.assert_no_panic();
    }
    let instance = system("", "", |_| {});
    check(&instance, "local/mailboxes-more", &text);
}
