//! An administrator at a live queue: messages come, wait, are held, released, put back, made to expire and removed, in any order.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use compliance::delivery::{is_quiet, put_aside, system_with};
use compliance::golden::{check, normalise};
use compliance::random::Random;
use compliance::testkit::{Instance, wait_for};
use regex::Regex;

const MAIN_CF: &str = "\
transport_maps = inline:{{far.example=retry:4.4.1 nobody is there} {slow.example=discard:} {good.example=discard:} {bad.example=error:5.1.1 no such user} {last.example=gone:}}
relay_domains = far.example
defer_transports = discard
fast_flush_domains = far.example, good.example
queue_run_delay = 1000s
minimal_backoff_time = 1000s
maximal_backoff_time = 1000s
";

/// Who sends the message that is waited for.
const LAST: &str = "last@test.example";

/// The queues, in the order in which mail passes through them.
const QUEUES: [&str; 6] = [
    "maildrop", "incoming", "active", "deferred", "hold", "corrupt",
];

static ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9A-F]{8,14}\b").unwrap());

/// What is different each time, beside ids.
static VARYING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"size=\d+|message-id=<[^>]*>|\[\d+\]|(arrival|forced_expire|create)_time(=|\W+)\d+|log_message_origin=local|  +\d+ (\w{3}) \w{3} +\d+ [\d:]+|-- \d+ Kbytes|message_size\W[\W\d]*|uid=\d+|userid \d+|(deferred|defer)/\w/").unwrap()
});

/// A message gets an id: as it is sent, as it is put back (with its old id), or as a notification about another one.
static NEW: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)pickup\[\d+\]: ([0-9A-F]+): uid=\d+ from=<[^>]*>(?: orig_id=([0-9A-F]+))?$|bounce\[\d+\]: ([0-9A-F]+): sender non-delivery notification: ([0-9A-F]+)$").unwrap()
});

/// A live system, and the names of all messages so far.
struct Desk {
    instance: Instance,
    random: Random,
    /// Queue ids, and what stands for them: a number for each message that was sent, with a mark for each time that it got another id,
    /// and another one for a notification about it.
    names: Vec<(String, String)>,
    sent: usize,
    steps: usize,
    seen: usize,
    text: String,
}

impl Desk {
    fn new(seed: u64) -> Self {
        Self {
            instance: system_with(MAIN_CF, "gone unix - - n - - discard", "", |_| {}),
            random: Random(seed),
            names: Vec::new(),
            sent: 0,
            steps: 0,
            seen: 0,
            text: String::new(),
        }
    }

    /// Waits until nothing moves any more. A last message goes behind all that was asked for; it is not shown.
    fn settle(&self) {
        let words = ["-i", "-f", LAST, "x@last.example"];
        let sent = self.instance.run_with("sendmail", &words, b"x\n");
        assert_eq!(sent.status, 0, "{sent:?}");
        let gone = || self.instance.log().matches("to=<x@last.example>").count();
        let mut calm = 0;
        let mut before = 0;
        let settled = wait_for(Duration::from_secs(30), || {
            let now = self.instance.whole_log().len();
            let same = now == before && gone() > self.steps && is_quiet(&self.instance);
            calm = if same { calm + 1 } else { 0 };
            before = now;
            calm == 3 || {
                std::thread::sleep(Duration::from_millis(50));
                false
            }
        });
        assert!(settled, "{}", self.instance.log());
    }

    /// Learns the ids of new messages from the log.
    fn learn(&mut self, log: &str) {
        for found in NEW.captures_iter(log) {
            let part = |number| found.get(number).map_or("", |part| part.as_str());
            let (id, name) = match (part(2), part(3)) {
                ("", "") if found[0].contains(LAST) => (part(1), "LAST".to_owned()),
                ("", "") => (part(1), format!("M{}", self.sent)),
                ("", bounced) => (part(4), format!("{}!", self.name(bounced))),
                (old, _) => (part(1), format!("{}'", self.name(old))),
            };
            if self.names.iter().any(|(known, _)| known == id) {
                continue;
            }
            self.sent += usize::from(name == format!("M{}", self.sent));
            self.names.push((id.to_owned(), name));
        }
    }

    fn name(&self, id: &str) -> String {
        let known = self.names.iter().rev().find(|(known, _)| known == id);
        known.map_or_else(|| "M?".to_owned(), |(_, name)| name.clone())
    }

    /// The id of some message, mostly of one that is still there.
    fn id(&mut self) -> String {
        // In the order of names, as that of ids is different each time.
        let mut names = self.names.clone();
        names.retain(|(_, name)| name != "LAST");
        names.sort_by(|one, two| one.1.cmp(&two.1));
        if !self.random.once_in(6) {
            let there: Vec<_> = QUEUES
                .iter()
                .flat_map(|queue| found(&self.instance, queue))
                .collect();
            names.retain(|(id, _)| there.contains(id));
        }
        match names.len() {
            0 => "ABCDEF0123".to_owned(),
            count => names[self.random.below(count)].0.clone(),
        }
    }

    /// Options of `postsuper`, with queue ids or queues.
    fn postsuper(&mut self) -> Vec<String> {
        let mut words = vec!["postsuper".to_owned()];
        for _ in 0..=self.random.below(2) {
            words.push(
                self.random
                    .pick(&["-h", "-h", "-H", "-H", "-r", "-r", "-d", "-e", "-f"])
                    .to_owned(),
            );
            words.push(if self.random.once_in(5) {
                "ALL".to_owned()
            } else {
                self.id()
            });
        }
        if self.random.once_in(3) {
            words.extend(
                self.random
                    .pick(&[
                        &["hold"][..],
                        &["deferred"],
                        &["deferred", "hold"],
                        &["incoming"],
                    ])
                    .iter()
                    .map(|word| (*word).to_owned()),
            );
        }
        words
    }

    fn words(&mut self) -> Vec<String> {
        let of = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        match self.random.below(14) {
            0..4 => {
                let mut words = of("sendmail -i -f");
                words.push(
                    self.random
                        .pick(&[
                            "bob@test.example",
                            "alice@test.example",
                            "",
                            "x@far.example",
                        ])
                        .to_owned(),
                );
                for _ in 0..=self.random.below(3) {
                    words.push(
                        self.random
                            .pick(&[
                                "a@far.example",
                                "b@far.example",
                                "c@good.example",
                                "d@bad.example",
                                "e@slow.example",
                            ])
                            .to_owned(),
                    );
                }
                words
            }
            4..9 => self.postsuper(),
            9 => vec!["postqueue".into(), "-i".into(), self.id()],
            10 => of(self.random.pick(&[
                "postqueue -s far.example",
                "postqueue -s good.example",
                "postqueue -s nosuch.example",
            ])),
            11 => of("postqueue -f"),
            12 => {
                let mut option = self.random.pick(&["-eq", "-q", "-bq", "-hq", "-dq"]);
                let id = self.id();
                // The sentences of notifications are each system's own.
                if self.name(&id).contains('!') {
                    option = "-hq";
                }
                vec!["postcat".into(), option.into(), id]
            }
            _ => {
                of(self
                    .random
                    .pick(&["postqueue -p", "postqueue -j", "postsuper -s", "postsuper"]))
            }
        }
    }

    fn step(&mut self) {
        let words = self.words();
        let arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let output = self
            .instance
            .run_with(&words[0], &arguments, b"Subject: x\n\nbody\n");
        // What was put back would wait for a minute.
        self.instance.run("postkick", &["public", "pickup", "W"]);
        self.settle();
        self.steps += 1;
        let log = self.instance.whole_log();
        self.learn(&log);
        let new: String = log
            .lines()
            .skip(self.seen)
            .fold(String::new(), |text, line| {
                text + line.split_once("postfix/").map_or(line, |(_, line)| line) + "\n"
            });
        self.seen = log.lines().count();
        let mut step = self.tidy(&format!("$ {}\n", words.join(" ")));
        step += &sorted(&self.tidy(&output.stdout));
        for line in sorted(&self.tidy(&output.stderr)).lines() {
            let _ = writeln!(step, "! {line}");
        }
        let _ = writeln!(step, "= {}", output.status);
        step += &sorted(&self.tidy(&new));
        for queue in QUEUES {
            let mut names: Vec<_> = found(&self.instance, queue)
                .iter()
                .map(|id| self.name(id))
                .collect();
            names.sort();
            if !names.is_empty() {
                let _ = writeln!(step, "{queue}: {}", names.join(" "));
            }
        }
        self.text += &step;
    }

    /// Names for ids, and nothing of what varies.
    fn tidy(&self, step: &str) -> String {
        let step = ID.replace_all(step, |found: &regex::Captures<'_>| self.name(&found[0]));
        VARYING.replace_all(&step, "~").into_owned()
    }
}

/// The ids in a queue.
fn found(instance: &Instance, queue: &str) -> Vec<String> {
    put_aside(&instance.seen(&format!("spool/{queue}")))
}

/// Lines in an order that does not depend on who was first; without the last message, and without reasons, which stand only where they differ from the last.
fn sorted(text: &str) -> String {
    let text = text.replace("{\"orig_address", "\n{\"orig_address");
    let reason = |line: &str| line.starts_with("  ") && line.trim_start().starts_with('(');
    let mut lines: Vec<&str> = text
        .lines()
        .filter(|line| !reason(line) && !line.contains(": LAST: "))
        .map(|line| line.trim_end_matches([',', ' ', ']', '}']))
        .collect();
    lines.sort_unstable();
    lines
        .iter()
        .fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn in_any_order() {
    let play = |seed| {
        let mut desk = Desk::new(seed);
        for _ in 0..40 {
            desk.step();
        }
        desk.instance.assert_no_panic();
        normalise(&desk.instance, &desk.text)
    };
    let texts = std::thread::scope(|scope| {
        let played = [1, 2, 3].map(|seed| scope.spawn(move || play(seed)));
        played.map(|one| one.join().unwrap())
    });
    let instance = Instance::builder().build();
    check(
        &instance,
        "administering/any-order",
        &texts.join("\n======\n"),
    );
}
