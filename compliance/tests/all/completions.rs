//! Shell completions, asked of a real bash.

use compliance::delivery;
use compliance::testkit::{Instance, wait_for};

/// What bash offers for the last word of a command line.
fn offered(instance: &Instance, words: &[&str]) -> Vec<String> {
    let prefix = instance.target().command_directory();
    let completions = prefix.with_file_name("share/bash-completion/completions");
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "export PATH={prefix}:/usr/bin:/bin; compopt() {{ :; }}; . {completions}/{name}\n\
         COMP_WORDS=({words}); COMP_CWORD={last}; _postfix_rs_{name}; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        prefix = prefix.display(),
        completions = completions.display(),
        name = words[0],
        words = quoted.join(" "),
        last = words.len() - 1,
    );
    let output = instance.run("/bin/bash", &["-c", &script]);
    assert_eq!(
        (output.status, output.stderr.as_str()),
        (0, ""),
        "{words:?}"
    );
    output.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn bash_offers_what_the_system_has() {
    let instance = Instance::builder()
        .main_cf("transport_maps = inline:{ {a.example = retry:4.2.2 mailbox full} }")
        .start();
    if instance.target().is_peer() {
        return;
    }
    let sent = instance.run_with(
        "sendmail",
        &["-f", "bob@test.example", "x@a.example"],
        b"\nx\n",
    );
    assert_eq!(sent.status, 0, "{sent:?}");
    let queue = || instance.run("postqueue", &["-j"]).stdout;
    assert!(wait_for(std::time::Duration::from_secs(20), || {
        queue().contains("mailbox full") && delivery::is_quiet(&instance)
    }));
    let listing = queue();
    let id = listing
        .split("\"queue_id\": \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let offered = |words: &[&str]| offered(&instance, words);
    assert_eq!(offered(&["postsuper", "-d", ""]), ["ALL", id]);
    assert_eq!(offered(&["postsuper", "-vd", &id[..3]]), [id]);
    assert_eq!(offered(&["postsuper", "-v", "de"]), ["deferred", "defer"]);
    assert_eq!(offered(&["postsuper", "--queue", "h"]), ["hold"]);
    assert_eq!(offered(&["postsuper", "--queue", "=", "h"]), ["hold"]);
    assert_eq!(offered(&["postsuper", "--queue", "="]).len(), 5);
    assert_eq!(offered(&["postsuper", "--sender", ""]), [""]);
    assert_eq!(offered(&["postsuper", "--li"]), ["--limit"]);
    assert_eq!(offered(&["postqueue", "-i", ""]), [id]);
    assert_eq!(offered(&["postcat", "-q", ""]), [id]);
    assert_eq!(offered(&["postconf", "-n", "myhost"]), ["myhostname"]);
    assert_eq!(
        offered(&["postconf", "-M", "smtp/"]),
        ["smtp/inet", "smtp/unix"]
    );
    assert_eq!(
        offered(&["postconf", "-F", "smtp/inet/ch"]),
        ["smtp/inet/chroot"]
    );
    assert_eq!(offered(&["postconf", "-C", "us"]), ["user"]);
    assert_eq!(offered(&["postmap", "lm"]), ["lmdb:"]);
    assert_eq!(offered(&["postfix", "relo"]), ["reload"]);
    assert_eq!(offered(&["postlock", "-l", "fl"]), ["flock"]);
    assert_eq!(offered(&["postkick", "pub"]), ["public"]);
    assert_eq!(
        offered(&["posttls-finger", "-l", "dane"]),
        ["dane", "dane-only"]
    );
    assert_eq!(offered(&["sendmail", "-N", "ne"]), ["never"]);
}
