//! `postmap` and `postalias`: sources with all that an editor, another program or an accident puts there.

use super::case::{Case, quoted};
use super::sources::{ENDS, PIECES, alias, line, network, rule, text};
use crate::random::Random;

/// Tables that may or may not be there, may or may not be right.
fn table(random: &mut Random) -> Vec<u8> {
    const NAMES: &[&str] = &[
        "lmdb:s",
        "lmdb:s",
        "cdb:s",
        "cdb:s",
        "s",
        "texthash:s",
        "texthash:s",
        "regexp:p",
        "regexp:p",
        "pcre:p",
        "pcre:p",
        "cidr:n",
        "cidr:n",
        "regexp:{{/a/ b}, {/(x)/ $1}}",
        "pcre:{{/A/ b}}",
        "cidr:{{1.2.3.4 x},{::/0 y}}",
        "inline:{a=1, b=2}",
        "inline:{{a b = c}, x=y}",
        "inline:{a=1, a=2}",
        "static:x",
        "static:{a b}",
        "static:{ a }",
        "environ:x",
        "environ:",
        "unionmap:{static:a,inline:{a=b}}",
        "unionmap:{texthash:s,inline:{a=b}}",
        "pipemap:{inline:{a=b},inline:{b=c}}",
        "pipemap:{texthash:s,texthash:s}",
        "randmap:{x}",
        "internal:x",
        "fail:x",
        "unix:x",
        "unix:passwd.byname",
        "unix:group.byname",
        "debug:inline:{a=b}",
        "nosuch:x",
        "socketmap:unix:x:n",
        "socketmap:foo:x:n",
        "unionmap:{static:a",
        "cidr:",
        "inline:{}",
        "static:{",
        "static:",
        "debug:",
        "randmap:{}",
        "inline:{a=b}x",
        "lmdb:nofile",
        "texthash:nofile",
        "cdb:nofile",
        "regexp:nofile",
        ".",
        "",
        ":",
        "lmdb:",
        "dbm:s",
        "sdbm:s",
        "lmdb:../w/s",
        "lmdb:./s",
        "lmdb:d/s",
        "texthash:.",
        "cidr:{{x}}",
        "pcre:{{if /a/}, {/a/ b}, {endif}}",
        "tcp:localhost:1",
        "proxy:static:x",
        "static:{x",
        "inline:{ a = b , c = d }",
        "inline:{a}",
        "inline:{=b}",
        "inline:{{a = b c}}",
        "pipemap:{}",
        "unionmap:{nosuch:x}",
        "mysql:x",
        "ldap:x",
        "LMDB:s",
        "lmdb:s lmdb:s",
        "texthash:p",
        "cidr:s",
        "lmdb:p",
        "unionmap:{static:{a b},static:c}",
        "unionmap:static:a",
        "pipemap:{static:a,nosuch:b}",
        "texthash:@TOP@/w/s",
        "lmdb:@TOP@/w/s",
    ];
    random.pick(NAMES).as_bytes().to_vec()
}

fn key(random: &mut Random) -> Vec<u8> {
    if random.once_in(12) {
        return random
            .pick(&[&b""[..], b" ", b"-", b"\xff", b"a\nb"])
            .to_vec();
    }
    random.some(2, PIECES)
}

fn keys(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..random.below(8) {
        match random.below(20) {
            0 => text.extend(vec![b'k'; random.below(5000)]),
            1 => text.extend(b"h: a\n b\n\nbody\n--x\n"),
            _ => text.extend(key(random)),
        }
        text.extend(random.pick(ENDS));
    }
    if random.once_in(3) {
        text.pop();
        // The original takes such a byte at the very end for the end itself.
        while text.last() == Some(&0xff) {
            text.pop();
        }
    }
    text
}

fn letters(random: &mut Random, of: &str) -> Vec<u8> {
    let of = of.as_bytes();
    let mut text = Vec::new();
    while random.below(3) == 0 && text.len() < 5 {
        text.push(of[random.below(of.len())]);
    }
    if text.is_empty() {
        return text;
    }
    [b"-", text.as_slice(), b" "].concat()
}

fn case(random: &mut Random, tool: &str, of: &str, source: fn(&mut Random) -> Vec<u8>) -> Case {
    let mut case = Case::default();
    case.file("w/s", text(random, source));
    case.file("w/p", text(random, rule));
    case.file("w/n", text(random, network));
    let mut script = Vec::new();
    let table_one = table(random);
    let run = |script: &mut Vec<u8>, words: &[&[u8]]| {
        script.extend(tool.as_bytes());
        for word in words {
            script.push(b' ');
            script.extend(*word);
        }
        script.push(b'\n');
    };
    if random.below(3) > 0 {
        let made = random
            .pick(&["lmdb:s", "cdb:s", "s", "lmdb:s cdb:s"])
            .as_bytes()
            .to_vec();
        run(&mut script, &[&letters(random, "fNnopruw"), &made]);
        if random.once_in(3) {
            script.extend(b"touch -d 2020-01-01 s\n");
        }
    }
    let options = letters(random, of);
    case.any_order = options.contains(&b's');
    for _ in 0..=random.below(2) {
        let table = if random.below(3) > 0 {
            table_one.clone()
        } else {
            table(random)
        };
        let table = if random.once_in(10) {
            [quoted(&table), b" ".to_vec(), quoted(self::table(random))].concat()
        } else {
            quoted(&table)
        };
        match random.below(11) {
            0..3 => run(
                &mut script,
                &[&options, b"-q", &quoted(key(random)), &table],
            ),
            3..5 => {
                case.file("w/keys", keys(random));
                run(&mut script, &[&options, b"-q - ", &table, b"<keys"]);
            }
            5 => run(
                &mut script,
                &[&options, b"-d", &quoted(key(random)), &table],
            ),
            6 => {
                case.file("w/gone", keys(random));
                run(&mut script, &[&options, b"-d -", &table, b"<gone"]);
            }
            7 => {
                case.file("w/more", text(random, source));
                run(&mut script, &[&options, b"-i", &table, b"<more"]);
            }
            8 => {
                // The order is that of a hash table.
                case.any_order = true;
                run(&mut script, &[&options, b"-s", &table]);
            }
            9 => run(
                &mut script,
                &[&options, &letters(random, "qdsicbhmFZ"), &table],
            ),
            _ => run(&mut script, &[&options, &table]),
        }
        script.extend(b"echo \"= $?\"\n");
    }
    script.extend(
        format!("for f in *.lmdb *.cdb; do if [ -f $f ]; then echo \"-- $f\"; {tool} -s ${{f##*.}}:${{f%.*}} | sed 's/^YP_LAST_MODIFIED.*/YP/'; fi; done\n").bytes(),
    );
    case.script = script;
    if random.once_in(8) {
        let odd = random.pick(&[
            "smtputf8_enable = no\n",
            "default_database_type = cdb\n",
            "default_database_type = texthash\n",
            "lmdb_map_size = 20000\n",
            "default_database_type = nosuch\n",
            "lmdb_map_size = x\n",
            "line_length_limit = 10\n",
            "import_environment = x=y, a=b\n",
            "alias_database = lmdb:s\nalias_maps = $alias_database\n",
            "export_environment =\n",
            "daemon_table_open_error_is_fatal = yes\n",
        ]);
        case.main_cf = Some(odd.as_bytes().to_vec());
        if odd.starts_with("lmdb_map_size = 2") {
            // When it has made the map larger, the original begins anew, warnings and all, but folds no more keys.
            case.once = true;
            for file in &mut case.files {
                file.bytes.make_ascii_lowercase();
            }
        }
    }
    case
}

/// `postmap`.
pub fn postmap(random: &mut Random) -> Case {
    case(random, "postmap", "bfFhijmnNoprsuUw", line)
}

/// `postalias`.
pub fn postalias(random: &mut Random) -> Case {
    case(random, "postalias", "fijNnoprsuw", alias)
}
