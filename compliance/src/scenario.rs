//! Scenarios as text: a configuration, and then sessions and commands, one after the other, with what came of them.
//!
//! A scenario is a row of sections, each begun by a line `[word arguments]`: first what the system is made of (`main.cf`,
//! `master.cf`, `dns`, `file PATH`, `sink ADDRESS`, `log PATTERN`), then its steps (`play [SOURCE [SERVER]]`,
//! `hold SOURCE SERVER` for a client that stays until `release`, `run COMMAND ARGUMENTS`, `as USER COMMAND
//! ARGUMENTS`, `settle`, `flush`, `show PATH`). `TOP` stands for the instance's directory; lines that begin with `##` are notes.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use pf_testkit::{Client, Dns, Instance, Sink, wait_for};
use regex::Regex;

use crate::{delivery, dialogue, golden};

/// Plays the scenario of this text and compares it with the peer's recording.
pub fn check(name: &str, text: &str) {
    let (instance, told) = play(text);
    golden::check(&instance, name, &told);
    instance.assert_no_panic();
}

/// Plays a scenario; gives the instance and the account of what happened.
pub fn play(text: &str) -> (Instance, String) {
    let sections = sections(text);
    let parts = |kind: &str| {
        sections
            .iter()
            .filter(|section| section.word() == kind)
            .fold(String::new(), |all, section| all + &section.body)
    };
    let instance = Instance::builder()
        .main_cf(&parts("main.cf"))
        .master_cf(&parts("master.cf"))
        .build();
    let top = instance
        .path("")
        .to_string_lossy()
        .trim_end_matches('/')
        .to_owned();
    for file in ["etc/main.cf", "etc/master.cf"] {
        instance.write(file, instance.read(file).replace("TOP", &top));
    }
    for section in sections.iter().filter(|s| s.word() == "file") {
        instance.write(section.argument(1), section.body.replace("TOP", &top));
    }
    let _dns = names(&parts("dns")).start(&instance);
    let mut world = World {
        pattern: sections
            .iter()
            .find(|s| s.word() == "log")
            .map_or(Pattern::usual(), |s| {
                Pattern::only(s.title.trim_start_matches("log "))
            }),
        sinks: Vec::new(),
        heard: Arc::default(),
        seen: 0,
        late: Vec::new(),
        held: Vec::new(),
        told: String::new(),
    };
    for section in sections.iter().filter(|s| s.word() == "sink") {
        world.sink(&instance, section);
    }
    instance.start();
    for section in &sections {
        world.step(&instance, section);
    }
    world.settle(&instance);
    world.log(&instance, true);
    // The size of a message depends on the length of its queue id and on the prose of notifications; clients' ports vary.
    let varies =
        Regex::new(r"(MAIL FROM:<\S*> SIZE)=\d+|(?P<log>, size)=\d+|(?P<port> PORT)=\d{5}\b|(?P<end>\]:)\d{5}\b")
            .unwrap();
    let told = varies
        .replace_all(&world.told, "$1$log$port$end=N")
        .into_owned();
    (instance, told)
}

struct Section {
    title: String,
    body: String,
}

impl Section {
    fn word(&self) -> &str {
        self.argument(0)
    }

    fn argument(&self, n: usize) -> &str {
        self.title.split_whitespace().nth(n).unwrap_or_default()
    }
}

fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with("##")) {
        let title = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .filter(|title| title.starts_with(|c: char| c.is_ascii_lowercase()));
        match (title, sections.last_mut()) {
            (Some(title), _) => sections.push(Section {
                title: title.to_owned(),
                body: String::new(),
            }),
            (None, Some(section)) => {
                section.body += line;
                section.body.push('\n');
            }
            (None, None) => assert!(line.trim().is_empty(), "before the first section: {line}"),
        }
    }
    sections
}

/// The words of a command line; single quotes hold together what is between them.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The records of a `dns` section, one a line: the type, the name, and the rest.
fn names(text: &str) -> Dns {
    let mut dns = Dns::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        dns = match words.as_slice() {
            ["a", name, address] => dns.a(name, address),
            ["aaaa", name, address] => dns.aaaa(name, address),
            ["mx", name, preference, host] => dns.mx(name, preference.parse().unwrap(), host),
            ["cname", name, target] => dns.cname(name, target),
            ["ptr", address, name] => dns.ptr(address, name),
            ["txt", name, text @ ..] => dns.txt(name, &text.join(" ")),
            ["servfail", name] => dns.servfail(name),
            ["raw", name, kind, hex] => {
                let data: Vec<u8> = (0..hex.len() / 2)
                    .map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap())
                    .collect();
                dns.raw(
                    name,
                    kind.parse().unwrap(),
                    if *hex == "-" { &[] } else { &data },
                )
            }
            other => panic!("dns: {other:?}"),
        };
    }
    dns
}

/// Which lines of the log are told.
struct Pattern {
    wanted: Regex,
    unwanted: Regex,
}

impl Pattern {
    fn usual() -> Self {
        Self::only(
            r"postfix/(?:\w+/)?(?:smtpd|cleanup|smtp|lmtp|anvil|trivial-rewrite|local|virtual|error|discard|bounce)\[\d+\]: ",
        )
    }

    fn only(wanted: &str) -> Self {
        Self {
            wanted: Regex::new(wanted).unwrap(),
            unwanted: Regex::new(
                r"\]: connect from|: message-id=|overriding earlier entry|anvil\[\d+\]: statistics",
            )
            .unwrap(),
        }
    }

    fn matches(&self, line: &str) -> bool {
        self.wanted.is_match(line) && !self.unwanted.is_match(line)
    }
}

/// How many sessions with the SMTP server are over.
fn ended(instance: &Instance) -> usize {
    instance.log().matches("]: disconnect from").count()
}

struct World {
    pattern: Pattern,
    sinks: Vec<Sink>,
    /// What the servers heard, with the thread of each session.
    heard: Arc<Mutex<Vec<(ThreadId, String)>>>,
    seen: usize,
    late: Vec<String>,
    held: Vec<Client>,
    told: String,
}

impl World {
    /// A server on an address that answers each command as the lines `COMMAND => reply` say: the first that fits the beginning.
    fn sink(&mut self, instance: &Instance, section: &Section) {
        let rules: Vec<(String, String)> = section
            .body
            .lines()
            .filter_map(|line| line.split_once(" => "))
            .map(|(command, reply)| (command.to_owned(), reply.replace("\\n", "\n")))
            .collect();
        let address = section.argument(1).to_owned();
        let aloud = section.argument(2) == "aloud";
        let heard = self.heard.clone();
        let host = address.split(':').next().unwrap_or_default().to_owned();
        self.sinks
            .push(Sink::with(instance, &address, move |event| {
                if aloud {
                    let session = std::thread::current().id();
                    let event = format!("{host} {event}");
                    heard.lock().unwrap().push((session, event));
                }
                let (_, reply) = rules.iter().find(|(start, _)| {
                    start
                        .strip_suffix('$')
                        .map_or(event.starts_with(start), |all| event == all)
                })?;
                match reply.strip_prefix("wait ") {
                    Some(rest) => {
                        let (seconds, reply) = rest.split_once(' ').unwrap_or((rest, "close"));
                        std::thread::sleep(Duration::from_secs_f32(seconds.parse().unwrap()));
                        Some(reply.to_owned())
                    }
                    None => Some(reply.clone()),
                }
            }));
    }

    fn step(&mut self, instance: &Instance, section: &Section) {
        let told = match section.word() {
            "play" => {
                let source = match section.argument(1) {
                    "" => "127.0.0.1",
                    source => source,
                };
                let server = match section.argument(2) {
                    "" => "127.0.0.1:25",
                    server => server,
                };
                let before = ended(instance);
                let text = dialogue::play_to(instance, source, server, &section.body);
                wait_for(Duration::from_secs(5), || ended(instance) > before);
                text
            }
            "hold" => {
                let client = instance.smtp_from(section.argument(1), section.argument(2));
                let text = format!("S {}\n", client.greeting.text);
                self.held.push(client);
                text
            }
            "release" => {
                let before = ended(instance);
                let held = std::mem::take(&mut self.held).len();
                wait_for(Duration::from_secs(5), || ended(instance) >= before + held);
                String::new()
            }
            "run" | "as" => {
                let top = instance.path("").to_string_lossy().into_owned();
                let words = words(&section.title.replace("TOP", top.trim_end_matches('/')));
                let mut words: Vec<_> = words.iter().map(String::as_str).skip(1).collect();
                let input = dialogue::bytes(&section.body);
                let output = if section.word() == "as" {
                    let user = words.remove(0);
                    instance.run_as(user, words[0], &words[1..], &input)
                } else {
                    instance.run_with(words[0], &words[1..], &input)
                };
                // What the log tells of it is told when all is settled.
                let _ = write!(self.told, "{}", golden::shown(&words, &output));
                return;
            }
            "settle" | "flush" => {
                if section.word() == "flush" {
                    delivery::flush(instance);
                }
                self.settle(instance);
                self.taken(instance)
            }
            "show" => {
                let below = section.argument(1);
                let text = format!("{below}:\n{}", instance.read(below));
                instance.write(below, "");
                text
            }
            _ => return,
        };
        let _ = writeln!(self.told, "== {}\n{told}", section.title);
        self.log(instance, section.word() != "play");
    }

    /// Waits until no message is on its way.
    fn settle(&self, instance: &Instance) {
        assert!(
            wait_for(Duration::from_secs(20), || delivery::is_quiet(instance)),
            "mail is under way:\n{}",
            instance.log()
        );
        wait_for(Duration::from_secs(5), || {
            let heard = self.heard.lock().unwrap().len();
            std::thread::sleep(Duration::from_millis(100));
            heard == self.heard.lock().unwrap().len()
        });
    }

    /// What the servers heard, session by session, and took since the last time.
    fn taken(&mut self, instance: &Instance) -> String {
        let mut text = String::new();
        let mut heard = std::mem::take(&mut *self.heard.lock().unwrap());
        while let Some((session, _)) = heard.first() {
            let session = *session;
            for (_, event) in heard.extract_if(.., |(other, _)| *other == session) {
                let _ = writeln!(text, "{event}");
            }
        }
        let mut messages: Vec<String> = Vec::new();
        for message in self.sinks.iter().flat_map(Sink::take) {
            let mail = message.mail;
            let mut rcpt = message.rcpt;
            rcpt.sort();
            // Of notifications, the envelope will do: their text is each system's own.
            let content = match mail.starts_with("MAIL FROM:<> ")
                && message.content.contains("multipart/report")
            {
                true => String::new(),
                false => message.content.replace("\r\n", "\n"),
            };
            messages.push(format!("{mail}\n{}\n{content}\n", rcpt.join("\n")));
        }
        // Not by what differs from run to run.
        messages.sort_by_cached_key(|message| golden::normalise(instance, message));
        text + &messages.concat()
    }

    /// The new lines of the log, each process's in order of its name, and those of one process by what they say: several processes
    /// of a service write in any order. The SMTP server's lines are told at once; the others can be late, and wait for a step that
    /// `settled` all mail.
    fn log(&mut self, instance: &Instance, settled: bool) {
        let log = instance.whole_log();
        let new = log.get(self.seen..).unwrap_or_default();
        self.seen = log.len();
        let mut late = std::mem::take(&mut self.late);
        for line in new.lines().filter(|line| self.pattern.matches(line)) {
            let Some((_, line)) = line.split_once("postfix/") else {
                continue;
            };
            if line.starts_with("smtpd[") {
                let _ = writeln!(self.told, "L {line}");
            } else {
                late.push(line.to_owned());
            }
        }
        if !settled {
            self.late = late;
            return;
        }
        let told = Regex::new(
            r"^(\w+)\[\d+\]: ((?:warning: )?)(?:[0-9A-F]{6,}: )?(.*?)(?: delay=[\d.]+, delays=[\d./]+,(.*))?$",
        )
        .unwrap();
        late.sort_by_cached_key(|line| told.replace(line, "$1 $2 $3 $4").into_owned());
        for line in late {
            let _ = writeln!(self.told, "L {line}");
        }
    }
}
