//! Mail under load: messages that carry a number, submitted by SMTP and by sendmail until told to stop, and found again whole.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Scope;
use std::time::Duration;

use pf_testkit::{Client, Instance};

/// What is submitted, and what of it was accepted.
#[derive(Debug)]
pub struct Load {
    stop: AtomicBool,
    next: AtomicUsize,
    accepted: Mutex<BTreeSet<usize>>,
    recipient: fn(usize) -> &'static str,
    /// How long each submitter waits between two messages.
    pause: Duration,
}

impl Load {
    /// Nothing yet; `recipient` tells whom the message of this number is for.
    pub fn new(recipient: fn(usize) -> &'static str, pause: Duration) -> Self {
        Self {
            stop: AtomicBool::new(false),
            next: AtomicUsize::new(0),
            accepted: Mutex::default(),
            recipient,
            pause,
        }
    }

    /// Submits by so many SMTP clients, and by one that runs sendmail, until what this gives is dropped.
    pub fn run<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        instance: &'scope Instance,
        clients: usize,
    ) -> Running<'scope> {
        for _ in 0..clients {
            scope.spawn(|| self.submit(instance));
        }
        scope.spawn(|| self.post(instance));
        Running(self)
    }

    /// The numbers of the messages that the system has taken on.
    pub fn accepted(&self) -> BTreeSet<usize> {
        self.accepted.lock().unwrap().clone()
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn submit(&self, instance: &Instance) {
        while self.goes_on() {
            let Ok(stream) = instance.try_connect("127.0.0.1", "127.0.0.1:25") else {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            };
            let mut client = Client::new(stream);
            if client.greeting.code != 220 {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            for _ in 0..5 {
                let token = self.next.fetch_add(1, Ordering::Relaxed);
                if !transaction(&mut client, token, (self.recipient)(token)) {
                    break;
                }
                self.accepted.lock().unwrap().insert(token);
                std::thread::sleep(self.pause);
            }
        }
    }

    fn post(&self, instance: &Instance) {
        while self.goes_on() {
            let token = self.next.fetch_add(1, Ordering::Relaxed);
            let recipient = (self.recipient)(token);
            let sent = instance.run_with(
                "sendmail",
                &["-i", "-f", "bob@test.example", recipient],
                text(token, recipient).replace('\r', "").as_bytes(),
            );
            if sent.status == 0 {
                self.accepted.lock().unwrap().insert(token);
            }
            std::thread::sleep(self.pause.max(Duration::from_millis(30)));
        }
    }
}

/// Ends the submissions when it is dropped, each after the message that it is at.
#[derive(Debug)]
pub struct Running<'a>(&'a Load);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

/// The lines of message number `token`, of a length that depends on the number.
fn body(token: usize) -> String {
    (0..20 + token % 300)
        .map(|line| format!("message {token} line {line} .\r\n"))
        .collect::<String>()
        + &format!("end of message {token}\r\n")
}

fn text(token: usize, recipient: &str) -> String {
    format!(
        "To: <{recipient}>\r\nSubject: {token}\r\n\r\n{}",
        body(token)
    )
}

/// Submits the message of this number; whether it was accepted.
pub fn transaction(client: &mut Client, token: usize, recipient: &str) -> bool {
    let said = client.command("EHLO load.example").code == 250
        && client.command("MAIL FROM:<bob@test.example>").code == 250
        && client.command(&format!("RCPT TO:<{recipient}>")).code == 250
        && client.command("DATA").code == 354;
    if !said {
        return false;
    }
    client.send(text(token, recipient));
    client.command(".").code == 250
}

/// The number of the message in this text, be it by itself or inside a notification, if it is whole.
pub fn whole(text: &str) -> Option<usize> {
    let token = text
        .lines()
        .find_map(|line| line.strip_prefix("Subject: ")?.trim_end().parse().ok())?;
    let lines = text.replace('\r', "");
    let wanted = format!("\n\n{}", body(token).replace('\r', ""));
    lines.contains(&wanted).then_some(token)
}

/// The messages of a maildir.
pub fn maildir(at: &Path) -> Vec<String> {
    std::fs::read_dir(at.join("new"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned())
        .collect()
}
