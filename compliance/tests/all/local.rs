//! Local delivery: what becomes of a recipient, in the log and in the files.

use std::os::unix::fs::PermissionsExt as _;

use compliance::delivery::{own, send, shown, system};
use compliance::golden::check;

#[test]
fn aliases_commands_files_and_includes() {
    let instance = system(
        "",
        "one alice\n\
         two alice, bob\n\
         file /TOP/out/box\n\
         dir TOP/out/dir/\n\
         cmd \"|cat > TOP/out/cmd; env | sort > TOP/out/env\"\n\
         fail67 \"|exit 67\"\n\
         fail75 \"|echo try later; exit 75\"\n\
         fail1 \"|sh -c 'echo oops; exit 1'\"\n\
         said \"|echo 5.2.2 is full; exit 1\"\n\
         noprog |/nonexistent/program\n\
         exec TOP/out/executable\n\
         list :include:TOP/etc/list\n\
         owner-list bob\n\
         noinc :include:TOP/etc/none\n\
         loop loop1\n\
         loop1 loop\n\
         away someone@far.example\n\
         self self\n\
         nest :include:TOP/etc/nest0\n"
            .replace("/TOP", "TOP")
            .as_str(),
        |instance| {
            let top = instance.path("");
            for n in 0..120 {
                let next = format!(":include:{}etc/nest{}\n", top.display(), n + 1);
                instance.write(&format!("etc/nest{n}"), next);
            }
            instance.write(
                "etc/list",
                "# members\nalice\nbob@test.example, \"|cat >/dev/null\"\n",
            );
            let executable = instance.write("out/executable", "");
            std::fs::set_permissions(executable, std::fs::Permissions::from_mode(0o777)).unwrap();
        },
    );
    let mut text = send(
        &instance,
        &[
            "one", "two", "file", "dir", "cmd", "fail67", "fail75", "fail1", "said", "noprog",
            "exec", "list", "noinc", "loop", "away", "self", "one+ext", "nest",
        ],
    );
    for file in ["out/box", "out/dir", "out/cmd", "out/env"] {
        text += &shown(&instance, file);
    }
    check(&instance, "local/aliases", &text);
    instance.assert_no_panic();
}

#[test]
fn forward_files_and_mailboxes() {
    let instance = system("mail_spool_directory = /nonexistent", "", |instance| {
        own(instance, "home/alice/.forward", "alice", "\\alice, bob\n");
        own(
            instance,
            "home/alice/.forward+ext",
            "alice",
            "~/ext-box\n\"|cat > ../cmd-out; pwd >> ../cmd-out\"\n",
        );
    });
    let text = send(&instance, &["alice", "alice+ext", "bob", "bob+x"]);
    check(&instance, "local/forward", &text);
    instance.stop();
    let home = system("home_mailbox = Maildir/", "", |instance| {
        own(
            instance,
            "home/alice/.forward",
            "alice",
            "alice\nbob@test.example\n",
        );
        std::fs::set_permissions(
            instance.path("home/bob"),
            std::fs::Permissions::from_mode(0o500),
        )
        .unwrap();
    });
    let mut text = send(&home, &["alice", "bob"]);
    text += &shown(&home, "home/alice/Maildir");
    check(&home, "local/maildir", &text);
    home.assert_no_panic();
}

#[test]
fn unknown_users() {
    let instance = system("", "", |_| {});
    let text = send(
        &instance,
        &[
            "nobody-here",
            "nobody+here",
            "mailer-daemon",
            "a/b+c/d",
            "+x",
        ],
    );
    check(&instance, "local/unknown", &text);
    instance.stop();
    let relay = system("luser_relay = alice+$local", "", |_| {});
    let mut text = send(&relay, &["nobody-here", "nobody+here"]);
    text += &shown(&relay, "mail");
    check(&relay, "local/luser-relay", &text);
    relay.stop();
    let pass = system("fallback_transport = error:5.1.6 gone", "", |_| {});
    let text = send(&pass, &["nobody-here", "alice"]);
    check(&pass, "local/fallback", &text);
    pass.assert_no_panic();
}

#[test]
fn mailbox_commands_and_policies() {
    let instance = system(
        "mailbox_command = cat > $HOME/got; echo $USER $EXTENSION $LOCAL $DOMAIN $SENDER $RECIPIENT $SHELL >> $HOME/got\nallow_mail_to_commands =\nallow_mail_to_files =",
        "file TOP/out/box\ncmd \"|cat\"\n",
        |_| {},
    );
    let mut text = send(&instance, &["alice+e$x", "file", "cmd"]);
    text += &shown(&instance, "home/alice");
    check(&instance, "local/mailbox-command", &text);
    instance.stop();
    let slow = system(
        "command_time_limit = 1s",
        "slow \"|sleep 30\"\nchatty \"|head -c 3000000 /dev/zero; exit 75\"\n",
        |_| {},
    );
    let text = send(&slow, &["slow", "chatty"]);
    check(&slow, "local/slow", &text);
    slow.assert_no_panic();
}

#[test]
fn what_does_not_fit_waits_or_comes_back() {
    let instance = system(
        "command_execution_directory = $home\nstrict_mailbox_ownership = yes\ndeliver_lock_attempts = 1\nmailbox_transport_maps = inline:{ {via = error:5.1.2 elsewhere} }\nreset_owner_alias = yes\npropagate_unmatched_extensions = canonical, virtual, alias, forward, include",
        "pwd \"|pwd > TOP/out/pwd\"\n\
         rel :include:relative\n\
         world :include:TOP/etc/world\n\
         direct :include:/etc\n\
         empty ,\n\
         null /dev/null\n\
         bad \"~bob/x\"\n\
         tilde \"~/x\"\n\
         owner-team bob\n\
         team \"|exit 67\", alice\n\
         ext alice\n",
        |instance| {
            for (name, mode) in [("etc/world", 0o666), ("home/alice/.forward", 0o666)] {
                own(instance, name, "alice", "bob\n");
                std::fs::set_permissions(
                    instance.path(name),
                    std::fs::Permissions::from_mode(mode),
                )
                .unwrap();
            }
            own(instance, "home/bob/.forward", "alice", "alice\n");
            own(instance, "mail/vmail", "bob", "");
            own(instance, "mail/bob.lock", "bob", "");
            own(
                instance,
                "home/alice/.forward+ext",
                "alice",
                "bob+more, \"|pwd\", ~/dir/\n",
            );
        },
    );
    let mut text = send(
        &instance,
        &[
            "pwd",
            "rel",
            "world",
            "direct",
            "empty",
            "null",
            "bad",
            "tilde",
            "team",
            "ext+x",
            "alice",
            "bob",
            "vmail",
            "alice+ext",
            "via",
        ],
    );
    text += &shown(&instance, "out");
    text += &shown(&instance, "mail");
    check(&instance, "local/refused", &text);
    instance.assert_no_panic();
}

#[test]
fn reports_probes_and_loops() {
    let instance = system(
        "",
        "team alice, away@far.example\nowner-list bob\nlist alice\nping pong@test.example, x@far.example\npong :include:TOP/etc/pong\n",
        |instance| {
            instance.write("etc/pong", "ping@test.example\n");
            own(
                instance,
                "home/bob/.forward",
                "bob",
                "bob+x, alice@test.example\n",
            );
        },
    );
    let mut text = String::new();
    for (option, recipient) in [
        ("-bv", "team"),
        ("-bv", "alice"),
        ("-bv", "bob"),
        ("-bv", "nobody-here"),
        ("-v", "list"),
        ("-Nsuccess", "team"),
        ("-Nsuccess", "list"),
        ("-Nsuccess", "bob"),
        ("-Nnever", "nobody-here"),
        ("-Nfailure", "ping"),
    ] {
        text += &compliance::delivery::send_with(
            &instance,
            option,
            recipient,
            b"Subject: test\nDelivered-To: list@mx.test.example\n\nx\n",
        );
    }
    check(&instance, "local/reports", &text);
    instance.assert_no_panic();
}

#[test]
fn whose_rights() {
    let instance = system(
        "alias_maps = texthash:TOP/etc/aliases, texthash:TOP/etc/alice-aliases, inline:{ {here = bob} }\nhome_mailbox =\nexport_environment = TZ, MAIL_CONFIG, FOO=bar, {BAZ=a b}\nlocal_command_shell = /bin/sh -c\nexpand_owner_alias = yes\nmailbox_size_limit = 10241000",
        "inc :include:TOP/etc/inc\ninc2 :include:TOP/etc/none\nowner-inc bob@test.example\n",
        |instance| {
            let top = instance.path("");
            let top = top.display();
            std::fs::set_permissions(
                instance.path("mail"),
                std::fs::Permissions::from_mode(0o755),
            )
            .unwrap();
            own(
                instance,
                "etc/alice-aliases",
                "alice",
                &format!(
                    "mine \"|id > {top}out/mine; env | sort >> {top}out/mine\", {top}out/box\nhers bob\nnobodys {top}root/box\n"
                ),
            );
            own(instance, "etc/inc", "bob", &format!("{top}out/inc\n"));
        },
    );
    let mut text = send(
        &instance,
        &["mine", "hers", "here", "inc", "inc2", "nobodys", "alice"],
    );
    text += &shown(&instance, "out");
    text += &shown(&instance, "mail");
    check(&instance, "local/rights", &text);
    instance.stop();
    let home = system(
        "home_mailbox = box\nrequire_home_directory = yes\nallow_mail_to_files = alias,forward,include",
        "inc :include:TOP/etc/inc\n",
        |instance| {
            own(
                instance,
                "etc/inc",
                "bob",
                &format!("{}out/inc\n", instance.path("").display()),
            );
            std::fs::remove_dir(instance.path("home/vmail")).unwrap();
            std::os::unix::fs::symlink("/dev/null", instance.path("home/bob/box")).unwrap();
        },
    );
    let mut text = send(&home, &["alice", "vmail", "bob", "inc"]);
    text += &shown(&home, "out");
    text += &shown(&home, "home/alice");
    check(&home, "local/home", &text);
    home.assert_no_panic();
}
