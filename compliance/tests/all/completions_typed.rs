//! Shell completions as a person meets them: keys are typed to a real shell, on a terminal. Names are a stranger's, and nothing in them
//! is ever run.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use compliance::testkit::{Instance, wait_for};

/// Names that do something when a shell looks at them twice.
const HOSTILE: [&str; 5] = [
    "hx$(touch${IFS}RAN1)",
    "hx`touch${IFS}RAN2`",
    "hx;touch${IFS}RAN3;",
    "hx|touch${IFS}RAN4",
    "hx'$(touch${IFS}RAN5)\"",
];

/// A shell at a prompt.
struct Shell<'a> {
    instance: &'a Instance,
    name: &'static str,
}

impl Shell<'_> {
    /// What starts it: no files of the user's, the completions that were installed, a prompt to wait for.
    fn start(&self) -> String {
        let prefix = self.instance.target().command_directory();
        let share = prefix.with_file_name("share").display().to_string();
        let (path, work) = (prefix.display(), self.instance.path("work"));
        let text = match self.name {
            "bash" => format!(
                "PATH={path}:/usr/bin:/bin; cd {}; PS1='READY> '; bind 'set enable-bracketed-paste off'\n\
                 bind 'set completion-query-items 0'; bind 'set page-completions off'\n\
                 for one in {share}/bash-completion/completions/*; do . $one; done\n",
                work.display()
            ),
            _ => format!(
                "PATH={path}:/usr/bin:/bin; cd {}; fpath=({share}/zsh/site-functions $fpath)\n\
                 autoload -Uz compinit; compinit -u -D; unsetopt prompt_cr prompt_sp; PS1='READY> '; LISTMAX=1000\n",
                work.display()
            ),
        };
        let file = self.instance.write(&format!("etc/.{}rc", self.name), text);
        match self.name {
            "bash" => format!("bash --noprofile --rcfile {} -i", file.display()),
            _ => format!(
                "ZDOTDIR={} zsh -o no_global_rcs -i",
                file.parent().unwrap().display()
            ),
        }
    }

    /// Types each text and presses tab; then has the line printed instead of run. What is printed for each.
    fn typed(&self, lines: &[&str]) -> Vec<String> {
        // Control-A: to the start of the line; control-E: to its end.
        self.keys(lines, "\t\x01printf '[%s]' BEGIN \x05 END\n")
            .into_iter()
            .map(|(_, printed)| printed)
            .collect()
    }

    /// Types each text and presses tab, twice more for a list, then throws the line away. What stands on the screen for each.
    fn offered(&self, lines: &[&str]) -> Vec<String> {
        // Control-K: what follows goes.
        self.keys(lines, "\t\t\t\x01\x0bprintf '[%s]' BEGIN END\n")
            .into_iter()
            .map(|(screen, _)| screen)
            .collect()
    }

    /// Types each line and these keys; the screen before and after `[BEGIN]`.
    fn keys(&self, lines: &[&str], after: &str) -> Vec<(String, String)> {
        let start = self.start();
        let mut command = self.instance.command("/usr/bin/script");
        let mut child = command
            .args(["-qec", &start, "/dev/null"])
            .env("TERM", "dumb")
            .env("HOME", self.instance.path("work"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut keys = child.stdin.take().unwrap();
        let mut screen = child.stdout.take().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut chunk) {
                shown.lock().unwrap().extend_from_slice(&chunk[..count]);
            }
        });
        let text = || String::from_utf8_lossy(&seen.lock().unwrap()).into_owned();
        let mut at = 0;
        let mut wait = |what: &str| {
            let came = wait_for(Duration::from_secs(20), || text()[at..].contains(what));
            assert!(came, "{}: no {what:?} in {:?}", self.name, text());
            let from = at;
            at += text()[at..].find(what).unwrap() + what.len();
            text()[from..at].to_owned()
        };
        let mut answers = Vec::new();
        wait("READY> ");
        for line in lines {
            keys.write_all(line.as_bytes()).unwrap();
            keys.write_all(after.as_bytes()).unwrap();
            let screen = wait("[BEGIN]");
            answers.push((screen, wait("[END]").replace("[END]", "")));
            wait("READY> ");
        }
        keys.write_all(b"exit\n").unwrap();
        drop(keys);
        child.wait().unwrap();
        answers
    }
}

/// A place to work in; nothing where there are no completions.
fn place() -> Option<Instance> {
    let instance = Instance::builder().build();
    if instance.target().is_peer() {
        return None;
    }
    std::fs::create_dir(instance.path("work")).unwrap();
    Some(instance)
}

#[test]
fn bash_quotes_names_of_files() {
    let Some(instance) = place() else { return };
    for name in [
        "two words",
        "star*",
        "star one",
        "do$(touch RAN)llar",
        "semi;touch RAN",
    ] {
        std::fs::write(instance.path("work").join(name), "").unwrap();
    }
    std::fs::create_dir(instance.path("work/dir ect")).unwrap();
    let shell = Shell {
        instance: &instance,
        name: "bash",
    };
    let answers = shell.typed(&[
        "postmap lmdb:two",
        "postmap tw",
        "postmap lmdb:star\\*",
        "postcat \"two ",
        "postcat do",
        "postlock semi",
        "postconf -c di",
        "postmap lm",
    ]);
    assert_eq!(
        answers,
        [
            "[postmap][lmdb:two words]",
            "[postmap][two words]",
            "[postmap][lmdb:star*]",
            "[postcat][two words]",
            "[postcat][do$(touch RAN)llar]",
            "[postlock][semi;touch RAN]",
            "[postconf][-c][dir ect/]",
            "[postmap][lmdb:]",
        ]
    );
    assert!(!instance.path("work/RAN").exists());
}

/// A system whose services and parameters have hostile names, and a directory with files and directories of such names.
fn hostile() -> Option<Instance> {
    let instance = place()?;
    let (mut main, mut master) = (instance.read("etc/main.cf"), instance.read("etc/master.cf"));
    for name in HOSTILE {
        main += &format!("{name} = $mydomain\n");
        master += &format!("{name} unix - - n - 0 discard -o {name}=x\n");
        std::fs::write(instance.path("work").join(format!("{name}.f")), "").unwrap();
        std::fs::create_dir(instance.path("work").join(format!("d{name}"))).unwrap();
    }
    // A parameter that another one names is one of the user's own.
    main += &format!("hxlist = ${{{}}}\n", HOSTILE[0]);
    instance.write("etc/main.cf", main);
    instance.write("etc/master.cf", master);
    Some(instance)
}

/// What is completed, and whether something hostile must be among what is offered.
const PLACES: [(&str, bool); 9] = [
    ("postconf -M hx", true),
    ("postconf -F hx", true),
    ("postconf -P hx", true),
    ("postkick private hx", true),
    ("postconf hx", false),
    ("postconf -c dhx", true),
    ("postmap lmdb:hx", true),
    ("postcat hx", true),
    ("postsuper -d ", false),
];

fn nothing_was_run(instance: &Instance, shell: &str) {
    for entry in std::fs::read_dir(instance.path("work")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.starts_with("RAN"), "{shell} made {name}");
    }
}

/// Tries all places in a shell with a line editor of its own.
fn try_all(name: &'static str) {
    let Some(instance) = hostile() else { return };
    let shell = Shell {
        instance: &instance,
        name,
    };
    let lines = PLACES.map(|(line, _)| line);
    for ((line, must), screen) in PLACES.iter().zip(shell.offered(&lines)) {
        assert!(
            !must || screen.contains("touch"),
            "{name}: {line}: {screen:?}"
        );
    }
    // One that is the only one that fits is put into the line, so that it is one word and no more.
    let only = shell.typed(&[
        "postconf -M hx\\$",
        "postmap lmdb:hx\\$",
        "postcat hx\\;touch",
    ]);
    let [service, table, file] = [0, 1, 2].map(|at| only[at].as_str());
    assert_eq!(
        service,
        format!("[postconf][-M][{}/unix]", HOSTILE[0]),
        "{name}"
    );
    assert!(
        table.starts_with(&format!("[postmap][lmdb:{}.", HOSTILE[0])),
        "{name}: {table}"
    );
    assert!(
        file.starts_with(&format!("[postcat][{}.", HOSTILE[2])),
        "{name}: {file}"
    );
    nothing_was_run(&instance, name);
}

#[test]
fn bash_runs_nothing_of_a_strangers() {
    try_all("bash");
}

#[test]
fn zsh_runs_nothing_of_a_strangers() {
    try_all("zsh");
}

#[test]
fn fish_runs_nothing_of_a_strangers() {
    let Some(instance) = hostile() else { return };
    let prefix = instance.target().command_directory();
    let share = prefix.with_file_name("share").display().to_string();
    for (line, must) in PLACES {
        let script = format!(
            "set -gx PATH {} /usr/bin /bin; cd {}; set -g fish_complete_path {share}/fish/vendor_completions.d; complete -C '{line}'",
            prefix.display(),
            instance.path("work").display()
        );
        let home = format!("HOME={}", instance.path("work").display());
        let words = [&home, "fish", "--no-config", "-c", &script];
        let output = instance.run("/usr/bin/env", &words);
        assert_eq!(output.status, 0, "{line}: {output:?}");
        assert!(
            !must || output.stdout.contains("touch"),
            "{line}: {output:?}"
        );
    }
    nothing_was_run(&instance, "fish");
}
