//! Tables of the types `hash:` and `btree:` where there is no Berkeley DB: what stands in for them, and the service that makes
//! new indexes of old ones.

mod languages;

use compliance::golden::{check, log, normalise};
use compliance::ipc::Peer;
use compliance::shell::one_by_one;
use compliance::testkit::Instance;

const SERVICE: &str = "nbdb_reindex unix y n n - 1 nbdb_reindexd";

/// Where the tables are: a file system of the instance's own, below a directory that the service trusts.
const PLACE: &str = "/usr/local/etc";

/// Makes the place, and in it what the script makes.
fn furnish(instance: &Instance, script: &str) {
    let script =
        format!("set -e; mount -t tmpfs -o mode=755 none {PLACE}; cd {PLACE}; umask 022; {script}");
    let output = instance.run("/bin/sh", &["-c", &script]);
    assert_eq!(output.status, 0, "{output:?}");
}

/// What is in the place: modes, owners, names, and whether there is something in the indexes.
fn files(instance: &Instance) -> String {
    let script = format!(
        "cd {PLACE}; find . -name '*.lmdb' -o -name '*.cdb' | sort | while read f; do stat -c '%a %u:%g %n' $f; done"
    );
    instance.run("/bin/sh", &["-c", &script]).stdout
}

/// Asks the service; what it answers.
fn ask(instance: &Instance, list: &[(&str, &str)]) -> String {
    let mut server = Peer::connect(instance, "private/nbdb_reindex");
    let mut text = format!("{list:?}\n");
    text += &format!("  {:?}\n", server.receive());
    server.send(list);
    text + &format!("  {:?}\n", server.try_receive())
}

/// Asks for the index of a table.
fn index(instance: &Instance, kind: &str, path: &str) -> String {
    ask(instance, &[("nbdb_type", kind), ("nbdb_path", path)])
}

/// What the service has logged. How malformed requests are complained of is each system's own.
fn told(instance: &Instance) -> String {
    log(instance, r"postfix/nbdb_reindexd\[")
        .lines()
        .filter(|line| !line.contains("attribute") && !line.contains("malformed"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Without what the peer loses behind the first line that a failed command has said; later versions do not (20260627).
fn first_lines(text: &str) -> String {
    text.replace("_; alternatively, execute the failed command by hand", "")
}

const TABLES: &str = "
for t in good al btree nosrc writable foreign existing empty long 'sp ace' over fresh fresh2 fresh3; do
    printf 'a 1\\nb 2\\n' >\"$t\"; : >\"$t.db\"
done
printf 'a 1\\n' >nodb
printf 'root: a, b\\n\"x:y\": z\\n# c\\nlist:\\n  :include:/x\\n' >al
rm nosrc
chmod g+w writable
chown bob foreign
echo x >existing.lmdb
: >empty.lmdb
printf \"%0600d 1\\n\" 0 >long
printf 'a 1\\nb\\n\\\"c d\\nk: v w\\na 2\\n' >over
mkdir users group; chmod 775 group
ln -s users alias; ln -s ../good users/link; ln -s ../good.db users/link.db
for t in u s r f; do printf 'a 1\\n' >users/$t; : >users/$t.db; done
printf 'a 1\\n' >group/t; : >group/t.db
chown bob:bob users users/u users/u.db users/s.db users/r.db users/f.db
chown vmail users/f
chmod 600 users/r
chmod 640 users/u
mkdir roots; printf 'a 1\\n' >roots/t; : >roots/t.db; chown bob:bob roots/t.db
mkdir -p deep/a/b; printf 'a 1\\n' >deep/a/b/t; : >deep/a/b/t.db; chown bob deep
";

#[test]
fn requests() {
    let instance = Instance::builder()
        .main_cf("non_bdb_migration_level = enable-reindex\nnon_bdb_migration_allow_user_prefixes = relative, /usr/local/etc/users//, /usr/local/etc/roots /usr/local/etc/alias")
        .master_cf(SERVICE)
        .build();
    furnish(&instance, TABLES);
    instance.write("etc/t", "a 1\n");
    instance.write("etc/t.db", "");
    instance.start();
    let mut text = String::new();
    for (kind, path) in [
        ("hash", "good"),
        ("hash", "good"),
        ("hash", "al"),
        ("btree", "btree"),
        ("hash", "nodb"),
        ("hash", "nosrc"),
        ("hash", "writable"),
        ("hash", "foreign"),
        ("hash", "existing"),
        ("hash", "empty"),
        ("hash", "long"),
        ("hash", "over"),
        ("hash", "sp ace"),
        ("hash", "users/u"),
        ("hash", "users/s"),
        ("hash", "users/r"),
        ("hash", "users/f"),
        ("hash", "users/link"),
        ("hash", "alias/s"),
        ("hash", "roots/t"),
        ("hash", "group/t"),
        ("hash", "deep/a/b/t"),
        ("hash", "users/../fresh"),
        ("lmdb", "good"),
        ("", "good"),
        ("hash:x", "good"),
    ] {
        text += &index(&instance, kind, &format!("{PLACE}/{path}"));
    }
    let outside = instance.path("etc/t");
    for path in [
        outside.to_str().unwrap(),
        "good",
        "",
        "/",
        "//usr/local/etc/fresh2",
        "/usr/local/etc",
        "/usr/local/etc/",
        "/usr/local/etc/./fresh3",
    ] {
        text += &index(&instance, "hash", path);
    }
    for list in [
        &[("nbdb_path", "x")][..],
        &[("nbdb_type", "hash")],
        &[("nbdb_path", "x"), ("nbdb_type", "hash")],
        &[],
    ] {
        text += &ask(&instance, list);
    }
    // What the peer leaves behind of an index that could not be made, as it has not the rights to remove it.
    text += &files(&instance).replace("644 0:0 ./long.lmdb\n", "");
    text += &told(&instance);
    check(&instance, "non_bdb/requests", &first_lines(&text));
    instance.assert_no_panic();
}

/// A source, and one of aliases, for commands.
const SOURCES: &str = "
printf 'a 1\\nB 2\\na 3\\n' >src
printf 'root: a, b\\nlist: c\\n' >al
cp src other; cp src third; : >other.db; chown alice third
";

#[test]
fn commands() {
    let instance = Instance::builder()
        .main_cf("non_bdb_migration_level = enable-redirect")
        .build();
    furnish(&instance, SOURCES);
    let cases = [
        "postmap hash:src; ls src*",
        "postmap -q a hash:src; postmap -q b btree:src; postmap -s hash:src; postmap -js btree:src",
        "printf 'a\\nnone\\n' | postmap -q - hash:src",
        "postmap -d a hash:src; echo 'n 1' | postmap -i hash:src; postmap -s lmdb:src",
        "echo 'n 2' | postmap -i hash:src; echo 'n 3' | postmap -ir hash:src; postmap -q n hash:src",
        "postalias hash:al; postalias -q root hash:al; postalias -s btree:al | grep -v YP",
        "postmap -q a hash:none",
        "postmap -d a hash:none; postmap -s hash:none; ls none*",
        "postmap hash:none; postmap hash:nodir/none; echo 'a b' | postmap -i hash:nodir/none",
        "postmap -q a debug:hash:src; postmap -q b unionmap:{hash:src,btree:src}; postmap -q b pipemap:{hash:src,btree:src}",
        "postmap -d n debug:hash:src; echo 'n 1' | postmap -i debug:btree:src",
        "postmap -q a hash:; postmap hash:; postmap -q a hash",
        "chmod 600 third; postmap btree:third; stat -c '%a %U' third.lmdb",
        "postconf default_database_type=hash; postmap src; postmap -q a src; postmap -d a src; postconf default_database_type=lmdb",
        "postconf default_cache_db_type=cdb; postmap btree:src; ls src*; postmap -q a btree:src; postmap -d a btree:src; echo a b | postmap -i btree:src; rm src.cdb; postmap -q a btree:src",
        "postconf default_cache_db_type=texthash; postmap btree:src; postmap -q a btree:src; postmap -s btree:src | sort; echo a b | postmap -i btree:src; postmap -d a btree:src",
        "postconf default_cache_db_type=btree; postmap btree:src; postmap -q a btree:src",
        "postconf default_cache_db_type=no.thing; postmap btree:src; postmap -q a btree:src",
        "postconf default_cache_db_type=nosuch; postmap btree:src; postmap -q a btree:src",
        "postconf default_cache_db_type=lmdb 'non_bdb_custom_mapping=inline:{ {hash:src=cdb} {hash:/usr/local/etc/src=nosuch} {hash=texthash} }'; postmap -q a hash:src; postmap hash:src; postmap -q a hash:/usr/local/etc/src; postmap hash:/usr/local/etc/src; postmap -q a hash:other; postmap -q b btree:src",
        "postconf non_bdb_custom_mapping=static:cdb; postmap -q b btree:src; postmap -q b hash:src",
        "postconf non_bdb_custom_mapping=static:hash; postmap -q b btree:src; postmap btree:src",
        "postconf non_bdb_custom_mapping=fail:x; postmap -q b btree:src; postmap btree:src",
        "postconf 'non_bdb_custom_mapping=unionmap:{static:cdb}'; postmap -q b btree:src",
        "postconf -X non_bdb_custom_mapping; postconf non_bdb_migration_log_redirect=no; postmap hash:src; postmap -q a hash:src",
        "postconf non_bdb_migration_level=Enable-Redirect; postmap -q a hash:src",
        "postconf non_bdb_migration_level=redirect; postmap -q a hash:src; postqueue -p",
        "postconf non_bdb_migration_level=enable-reindex; postmap -q a hash:src; postmap hash:src",
        "rm -f other.lmdb; postmap -q a hash:other; postmap -s hash:other; postmap -d a hash:other",
        "echo a b | postmap -i hash:other; postmap -s hash:other; rm other.lmdb; postmap hash:other; postmap -q a hash:other; rm other.lmdb",
        "postconf default_database_type=texthash; postmap -q a hash:other; postmap hash:other",
        "postconf default_database_type=lmdb non_bdb_migration_service_name=another; postmap -q a hash:other",
    ];
    let text = one_by_one(
        &instance,
        "",
        &cases
            .map(|case| format!("cd {PLACE}; {case}"))
            .each_ref()
            .map(String::as_str),
    );
    check(&instance, "non_bdb/commands", &text);
}

#[test]
fn commands_ask_the_service() {
    let instance = Instance::builder()
        .main_cf("non_bdb_migration_level = enable-reindex")
        .master_cf(SERVICE)
        .build();
    furnish(&instance, SOURCES);
    instance.start();
    let mut text = one_by_one(
        &instance,
        "",
        &[
            "cd /usr/local/etc; postmap -q a hash:other",
            "postmap -q a hash:/usr/local/etc/other; postmap -q a hash:/usr/local/etc/other",
            "rm /usr/local/etc/other.lmdb; postmap -s btree:/usr/local/etc/other",
            "rm /usr/local/etc/other.lmdb; postmap -d b btree:/usr/local/etc/other; postmap -s btree:/usr/local/etc/other",
            "rm /usr/local/etc/other.lmdb; echo x y | postmap -i hash:/usr/local/etc/other; postmap -s btree:/usr/local/etc/other",
            "postmap -q a hash:/usr/local/etc/src",
            "postmap -q a hash:/usr/local/etc/src hash:/usr/local/etc/other",
            "postmap -q a unionmap:{hash:/usr/local/etc/src,static:x}",
            // An index that is older than the source is none of the service's business.
            "touch -d tomorrow /usr/local/etc/other; postmap -q x hash:/usr/local/etc/other",
        ],
    );
    text += "as alice\n";
    for table in ["other", "src"] {
        let output = instance.run_as(
            "alice",
            "postmap",
            &["-q", "a", &format!("hash:{PLACE}/{table}")],
            b"",
        );
        text += &format!("{}{}= {}\n", output.stdout, output.stderr, output.status);
    }
    text += &told(&instance);
    check(&instance, "non_bdb/asking", &text);
}

/// A table that the proxy server writes is its own to make.
#[test]
fn tables_behind_the_proxy() {
    let instance = Instance::builder()
        .main_cf("non_bdb_migration_level = enable-reindex\nnon_bdb_custom_mapping = inline:{ {hash=cdb} }\nproxy_write_maps = proxy:btree:$data_directory/w proxy:hash:$data_directory/w\nproxy_read_maps = $proxy_write_maps")
        .master_cf(SERVICE)
        .start();
    let mut text = one_by_one(
        &instance,
        "",
        &[
            "echo 'a b' | postmap -oi proxy:btree:TOP/data/w; ls data",
            "echo 'c d' | postmap -oi proxy:btree:TOP/data/w; postmap -od a proxy:btree:TOP/data/w; postmap -s proxy:btree:TOP/data/w",
            "postmap -q c proxy:btree:TOP/data/w; postmap -q c proxy:lmdb:TOP/data/w",
            "postmap -q c proxy:hash:TOP/data/w",
        ],
    );
    let told = log(&instance, r"postfix/(proxymap|nbdb_reindexd)\[");
    let told = normalise(&instance, &told);
    let mut lines: Vec<&str> = told.lines().collect();
    lines.sort();
    lines.dedup();
    text += &lines.join("\n");
    text += "\n";
    check(&instance, "non_bdb/proxied", &text);
}

#[test]
fn by_hand() {
    let instance = Instance::builder()
        .main_cf(
            "non_bdb_migration_level = enable-reindex\nnon_bdb_migration_allow_root_prefixes =",
        )
        .build();
    furnish(&instance, SOURCES);
    let program = instance.target().daemon_directory().join("nbdb_reindexd");
    let program = program.display();
    let with = "-o non_bdb_migration_allow_root_prefixes=/usr/local";
    let cases = [
        format!("{program} -S"),
        format!("{program} -S hash:/a hash:/b"),
        format!("{program} -S hash"),
        format!("{program} -S hash:other"),
        format!("{program} -S :/a"),
        format!("{program} -S hash:{PLACE}/src"),
        format!("{program} -S hash:{PLACE}/other"),
        format!("{program} -S {with} btree:{PLACE}/other; {program} -S btree:{PLACE}/other"),
        format!("{program} -S -o non_bdb_migration_level=disable hash:{PLACE}/src"),
        format!("{program} -S -n name -o non_bdb_migration_level=disable hash:{PLACE}/src"),
        format!(
            "{program} -S {with} -o non_bdb_custom_mapping=static:cdb hash:{PLACE}/other; ls {PLACE}"
        ),
        format!("{program} -S {with} -o non_bdb_custom_mapping=static:texthash hash:{PLACE}/other"),
    ];
    let text = one_by_one(&instance, "", &cases.each_ref().map(String::as_str));
    check(&instance, "non_bdb/by_hand", &first_lines(&text));
}

/// What `postfix non-bdb` makes of states that it finds.
#[test]
fn states() {
    let instance = Instance::builder().build();
    let look = "grep non_bdb etc/main.cf; grep nbdb etc/master.cf";
    let text = one_by_one(
        &instance,
        "",
        &[
            "postfix non-bdb enable-reindex; postfix non-bdb enable-reindex; postfix non-bdb status",
            look,
            "postfix non-bdb enable-redirect; postfix non-bdb enable-redirect; postfix non-bdb status",
            look,
            "echo 'nbdb_reindex unix - - - - 5 other -v' >>etc/master.cf; postfix non-bdb enable-reindex",
            look,
            "postconf level=enable-redirect non_bdb_migration_level='$level'; postfix non-bdb status",
            "postfix non-bdb disable; postconf -X level",
            look,
            "postfix non-bdb disable; postfix non-bdb disable x; postfix non-bdb ''; postfix non-bdb Status",
            "postconf default_cache_db_type='$default_database_type' default_database_type=btree; postfix non-bdb enable-redirect; postfix non-bdb enable-reindex",
            look,
            "postconf default_database_type=cdb authorized_mailq_users='static:x btree:TOP/etc/none'; postfix non-bdb enable-redirect; postfix non-bdb enable-reindex",
            look,
            "postconf local_login_sender_maps=hash:TOP/etc/s authorized_mailq_users='!btree:TOP/etc/none'; echo a b >etc/s; postfix non-bdb enable-reindex; ls etc/s*",
            look,
        ],
    );
    check(&instance, "non_bdb/states", &text);
}

/// Aliases that were `hash:` while that was the default type, when another type is.
#[test]
fn aliases_of_the_default_type() {
    let instance = Instance::builder()
        .main_cf(&format!("alias_maps = $default_database_type:{PLACE}/al texthash:{PLACE}/other $default_database_type:{PLACE}/other, cdb:{PLACE}/other cdb:{PLACE}/src lmdb:{PLACE}/third"))
        .build();
    furnish(&instance, &format!("{SOURCES} : >al.db; : >third.db"));
    let look = "postfix check 2>&1; ls etc /usr/local/etc";
    let text = one_by_one(
        &instance,
        "",
        &[
            look,
            "postconf non_bdb_migration_level=enable-redirect; postfix check; ls etc",
            "postconf non_bdb_migration_level=enable-reindex",
            look,
            "rm /usr/local/etc/al.lmdb",
            look,
            "rm etc/check*; postfix start; ls etc /usr/local/etc; postfix stop",
        ],
    );
    // What Debian's script says of the files that it copies.
    let text: String = text
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("updating /etc/"))
        .collect();
    check(&instance, "non_bdb/aliases", &text);
}

#[test]
fn daemons_ask_the_service() {
    let place = PLACE;
    let instance = Instance::builder()
        .main_cf(&format!("non_bdb_migration_level = enable-reindex\nalias_maps = hash:{place}/aliases\nvirtual_alias_maps = hash:{place}/virtual\ntransport_maps = proxy:btree:{place}/transport\nsmtpd_recipient_restrictions = check_recipient_access hash:{place}/access\ncanonical_maps = hash:{place}/none"))
        .master_cf(SERVICE)
        .build();
    furnish(
        &instance,
        "
printf 'info: alice\\n\\npostmaster: alice\\n' >aliases
printf 'sales@test.example info\\n' >virtual
printf 'discarded.example discard:gone\\n' >transport
printf 'no@test.example REJECT not here\\n' >access
for t in aliases virtual transport access; do : >$t.db; done
",
    );
    instance.start();
    let mut client = instance.smtp();
    client.reply();
    let mut text = String::new();
    for line in [
        "EHLO x",
        "MAIL FROM:<>",
        "RCPT TO:<no@test.example>",
        "RCPT TO:<info@test.example>",
    ] {
        let reply = client.command(line);
        text += &format!("{line}\n  {reply:?}\n");
    }
    // What asked for it has its index now, but for one that is missing: what that is for would wait.
    one_by_one(
        &instance,
        "",
        &["postconf -X canonical_maps; postfix reload"],
    );
    for to in ["sales@test.example", "x@discarded.example"] {
        let output = instance.run_with("sendmail", &["-f", "bob@test.example", to], b"x\n");
        text += &format!("{to} {}\n", output.status);
    }
    instance.wait_queue_empty();
    text += &files(&instance);
    // How many processes of a service there are is each system's own.
    let told = log(
        &instance,
        "(migration|redirecting|executed|already exists|status=)",
    );
    let told = normalise(&instance, &told);
    let mut lines: Vec<&str> = told.lines().collect();
    lines.sort();
    lines.dedup();
    text += &lines.join("\n");
    text += "\n";
    check(&instance, "non_bdb/daemons", &text);
    instance.assert_no_panic();
}
