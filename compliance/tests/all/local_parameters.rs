//! The parameters of `local`, each in a service of its own.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use compliance::delivery::{own, send_all, shown, system_with};
use compliance::golden::check;

/// What makes each service differ from the first, and to whom mail goes.
const VARIANTS: &[(&[&str], &str)] = &[
    (
        &[],
        "alice alice+ext bob+ext root cmd inc file owned both nobody ALICE 123 a/b .dot",
    ),
    (&["allow_mail_to_commands="], "cmd inc both bob+cmd"),
    (&["allow_mail_to_commands=include"], "cmd inc"),
    (&["allow_mail_to_files="], "file inc bob+file"),
    (
        &[
            "allow_mail_to_files=alias,include",
            "allow_mail_to_commands=forward, include",
        ],
        "file cmd inc bob+file bob+cmd",
    ),
    (&["command_expansion_filter=abc"], "cmd+abxcd"),
    (&["command_execution_directory=$home"], "alice+pwd cmd"),
    (
        &["command_execution_directory=/nonexistent/$user"],
        "bob+cmd",
    ),
    (
        &[
            "execution_directory_expansion_filter=/",
            "command_execution_directory=$home",
        ],
        "bob+cmd",
    ),
    (&["command_time_limit=1s"], "slow"),
    (&["default_privs=alice"], "who"),
    (&["expand_owner_alias=yes"], "owned"),
    (&["reset_owner_alias=yes"], "owned"),
    (
        &["owner_request_special=no"],
        "owned owner-owned nolist-request",
    ),
    (&["export_environment=TZ FOO=bar MAIL_CONFIG"], "env"),
    (&["export_environment="], "env"),
    (
        &["fallback_transport=error:5.1.1 fell back"],
        "alice nobody",
    ),
    (
        &[
            "fallback_transport_maps=inline:{{nobody=error:by map} {other=} {both2=:x}}",
            "fallback_transport=discard:",
        ],
        "nobody other nobody2",
    ),
    (&["fallback_transport_maps=fail:x"], "nobody"),
    (&["forward_path="], "bob bob+ext"),
    (
        &["forward_path=$home/.forward$delimiter$extension,$home/fwd-${user},/nonexistent/x"],
        "bob+ext bob",
    ),
    (
        &["forward_path=/nonexistent${recipient_delimiter}x, $home/.forward"],
        "bob+ext",
    ),
    (&["home_mailbox=Mailbox"], "alice"),
    (&["home_mailbox=Maildir/"], "alice+ext"),
    (&["home_mailbox=no/such/dir/box"], "alice"),
    (&["local_command_shell=/bin/sh -c"], "cmd"),
    (&["local_command_shell=/nonexistent"], "cmd who"),
    (
        &["luser_relay=$user+luser@far.example"],
        "nobody nobody+ext",
    ),
    (&["luser_relay=alice+$local"], "nobody+ext"),
    (&["luser_relay=$nosuch"], "nobody"),
    (&["luser_relay=nobody@test.example"], "nobody"),
    (
        &[
            "mailbox_command=cat > TOP/out/mbc; echo \"$USER $EXTENSION $LOCAL $DOMAIN $RECIPIENT $SENDER\" >> TOP/out/mbc",
        ],
        "alice+ext",
    ),
    (&["mailbox_command=exit 75"], "alice"),
    (&["mailbox_command=nonexistent-command"], "alice"),
    (
        &["mailbox_command_maps=inline:{{alice=exit 69} {alice+ext=exit 0}}"],
        "alice alice+ext bob",
    ),
    (&["mailbox_command_maps=fail:x"], "alice"),
    (
        &["mailbox_transport=error:4.2.1 other transport"],
        "alice nobody",
    ),
    (
        &["mailbox_transport_maps=inline:{{alice=discard:x} {bob+ext=error:by map}}"],
        "alice alice+ext root nobody",
    ),
    (&["mailbox_transport_maps=fail:x"], "alice"),
    (
        &["mailbox_size_limit=2000", "message_size_limit=1000"],
        "alice file",
    ),
    (&["mailbox_delivery_lock=dotlock"], "alice"),
    (&["mailbox_delivery_lock=fcntl, flock"], "alice file"),
    (&["prepend_delivered_header="], "alice cmd"),
    (&["prepend_delivered_header=command"], "alice file"),
    (
        &["propagate_unmatched_extensions=alias,forward,include"],
        "alias1+ext inc+ext",
    ),
    (&["propagate_unmatched_extensions="], "alias1+ext"),
    (&["recipient_delimiter="], "alice+ext alias1+x"),
    (&["recipient_delimiter=-.+"], "alice-ext alice.e.f bob+ext"),
    (&["require_home_directory=yes"], "alice homeless"),
    (&["strict_mailbox_ownership=no"], "notmine"),
    (&["strict_mailbox_ownership=yes"], "notmine"),
    (&["alias_maps=fail:x"], "alice"),
    (&["alias_maps="], "alias1 cmd"),
    (
        &[
            "alias_maps=inline:{{alias1=\"bad} {cmd=} {x1=a@b@c} {x2=<>} {x3=(c)} {x4=|\"exit 0\"} {x5=/} {x6=\\\\\\\\alice}}",
        ],
        "alias1 cmd x1 x2 x3 x4 x5 x6",
    ),
    (&["alias_maps=static:alice"], "anything"),
    (&["mail_spool_directory=TOP/nonexistent"], "alice"),
    (&["mail_spool_directory=TOP/out/spool/"], "alice+ext"),
    (&["mail_spool_directory=TOP/etc/main.cf"], "alice"),
    (&["frozen_delivered_to=no"], "alias2"),
    (&["duplicate_filter_limit=1"], "many"),
    (&["biff=yes"], "alice"),
    (
        &[
            "local_delivery_status_filter=pcre:{{/^2(.*)/ 4$$1} {/^5.1.1 unknown(.*)/ 4.7.7 later$$1}}",
        ],
        "alice nobody",
    ),
    (
        &["local_delivery_status_filter=pcre:{{/./ 9.9.9 bad}}"],
        "alice",
    ),
    (&["soft_bounce=yes"], "nobody"),
    (&["max_use=1", "info_log_address_format=internal"], "alice"),
];

const ALIASES: &str = "\
cmd \"|echo $EXTENSION. $LOCAL. >> TOP/out/cmd\"
who \"|id -un >> TOP/out/who\"
slow \"|sleep 20\"
env \"|env | grep -v -E '^(PWD|SHLVL|_|OLDPWD|PATH)=' | sort >> TOP/out/env\"
inc :include:TOP/etc/list
file TOP/out/file
owned alice, nobody-there
owner-owned bob
both \"|true\", TOP/out/both
alias1 alice
alias2 alias1, bob@far.example
many a1@far.example, a2@far.example, a1@far.example, a2@far.example
";

#[test]
fn each_parameter() {
    let mut services = String::new();
    let mut routes = String::new();
    for (n, (settings, _)) in VARIANTS.iter().enumerate() {
        writeln!(services, "lc{n} unix - n n - - local").unwrap();
        for one in *settings {
            writeln!(services, "  -o {{{one}}}").unwrap();
        }
        write!(routes, "{{v{n}.example=lc{n}:}} ").unwrap();
    }
    let main_cf = format!("transport_maps = inline:{{ {routes}}}");
    let instance = system_with(&main_cf, &services, ALIASES, |instance| {
        let top = instance.path("").display().to_string();
        let list = format!("alice\n|id -un >> {top}out/who\n{top}out/byinc\n");
        own(instance, "etc/list", "bob", &list);
        own(
            instance,
            "home/bob/.forward+ext",
            "bob",
            "bob+ext@far.example\n",
        );
        own(
            instance,
            "home/bob/.forward+cmd",
            "bob",
            &format!("|pwd >> {top}out/who\n"),
        );
        own(
            instance,
            "home/bob/.forward+file",
            "bob",
            "~/box, /dev/null\n",
        );
        own(
            instance,
            "home/bob/fwd-bob",
            "bob",
            "elsewhere@far.example\n",
        );
        instance.write("mail/notmine", "");
        std::fs::set_permissions(
            instance.path("home/alice"),
            std::fs::Permissions::from_mode(0o755),
        )
        .unwrap();
        let passwd = instance.read("passwd");
        let more =
            "homeless:x:61001:61001::/nonexistent:/bin/sh\nnotmine:x:61001:61001::/:/bin/sh\n";
        instance.write("passwd", passwd + more);
    });
    let mut text = String::new();
    for (n, (settings, users)) in VARIANTS.iter().enumerate() {
        let recipients: Vec<String> = users
            .split(' ')
            .map(|user| format!("{user}@v{n}.example"))
            .collect();
        let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
        let told = send_all(
            &instance,
            "-i",
            &recipients,
            b"Subject: test\n\nFrom the first line\n.dot\nlast\n",
        );
        writeln!(text, "== {}\n{told}", settings.join(" ")).unwrap();
    }
    text += &shown(&instance, "out");
    check(&instance, "local/parameters", &text);
    instance.assert_no_panic();
}
