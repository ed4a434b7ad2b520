//! A guided tour: a whole mail system, started, used and stopped before one's eyes.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::install::{Plan, install};
use crate::layout::{Layout, MASTER_CF};
use crate::shell::{command, output, say, target_dir};

/// The local user of the tour: every system has it, and mail to it is refused by no one.
const USER: &str = "root";

/// `cargo xtask demo`.
pub fn run() -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        return in_user_namespace();
    }
    let prefix = target_dir().join("demo");
    say("1. Building the programs and installing them below target/demo");
    // Every tour begins with an empty queue.
    for stale in ["var", "etc", "log", "mail"] {
        let path = prefix.join(stale);
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
    }
    let layout = Layout::below(&prefix);
    install(&Plan {
        layout: layout.clone(),
        destdir: PathBuf::new(),
        release: false,
    })?;
    let tour = Tour::prepare(&prefix, layout)?;
    let went = tour.walk();
    tour.clean_up();
    went?;
    say("The tour is over: everything did what it said.");
    Ok(())
}

/// Runs the tour again as the root of a user namespace.
fn in_user_namespace() -> Result<()> {
    let wrap = ["--user", "--map-root-user", "--map-auto", "--mount", "--"];
    let possible = command("unshare", &wrap)
        .arg("true")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success());
    if !possible {
        bail!(
            "this needs root, or user namespaces with subordinate ids (package uidmap, /etc/subuid): run it with sudo"
        );
    }
    let program = std::env::current_exe()?;
    let accounts = "/etc/passwd /etc/group";
    // The accounts may be missing on this system: the namespace gets files of its own that have them.
    let script = format!(
        "set -e; d=$(mktemp -d); trap 'rm -rf $d' EXIT; for f in {accounts}; do cp $f $d/${{f##*/}}; done; \
         grep -q '^postdrop:' $d/group || echo 'postdrop:x:997:' >> $d/group; \
         grep -q '^postfix:' $d/group || echo 'postfix:x:996:' >> $d/group; \
         grep -q '^postfix:' $d/passwd || echo 'postfix:x:996:996::/nonexistent:/usr/sbin/nologin' >> $d/passwd; \
         for f in {accounts}; do mount --bind $d/${{f##*/}} $f; done; \"$0\" demo"
    );
    crate::shell::run(
        command("unshare", &wrap)
            .args(["sh", "-c", &script])
            .arg(program),
    )
}

struct Tour {
    layout: Layout,
    config: PathBuf,
    mail: PathBuf,
    log: PathBuf,
    port: u16,
    relay: TcpListener,
    refusing: TcpListener,
}

impl Tour {
    /// Writes a configuration of its own below the prefix; nothing outside is read or changed.
    fn prepare(prefix: &Path, layout: Layout) -> Result<Self> {
        let (relay, refusing) = (
            TcpListener::bind("127.0.0.1:0")?,
            TcpListener::bind("127.0.0.1:0")?,
        );
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let config = layout.config_directory.clone();
        let (mail, log) = (prefix.join("mail"), prefix.join("log/maillog"));
        for dir in [mail.as_path(), log.parent().unwrap_or(prefix)] {
            fs::create_dir_all(dir)?;
        }
        fs::write(
            config.join("transport"),
            format!(
                "relayed.example smtp:[127.0.0.1]:{}\nrefused.example smtp:[127.0.0.1]:{}\n",
                relay.local_addr()?.port(),
                refusing.local_addr()?.port()
            ),
        )?;
        fs::write(config.join("aliases.local"), "postmaster root\n")?;
        let extra = format!(
            "maillog_file = {log}\nmaillog_file_prefixes = {prefix}\nmail_spool_directory = {mail}\nmyhostname = demo.example\nmydestination = demo.example, localhost\nmynetworks = 127.0.0.0/8\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\ntransport_maps = texthash:{config}/transport\nalias_maps = texthash:{config}/aliases.local\nalias_database =\nsmtp_host_lookup = native\nsmtp_tls_security_level =\nsmtpd_peername_lookup = no\nbiff = no\nminimal_backoff_time = 300s\n",
            log = log.display(),
            prefix = prefix.display(),
            mail = mail.display(),
            config = config.display(),
        );
        let main_cf: String = layout
            .main_cf()
            .lines()
            .filter(|line| !line.starts_with("alias_"))
            .map(|line| format!("{line}\n"))
            .collect();
        fs::write(config.join("main.cf"), main_cf + &extra)?;
        fs::write(
            config.join("master.cf"),
            MASTER_CF.replace("smtp       inet", &format!("127.0.0.1:{port} inet")),
        )?;
        Ok(Self {
            layout,
            config,
            mail,
            log,
            port,
            relay,
            refusing,
        })
    }

    fn program(&self, name: &str) -> Command {
        let mut program = Command::new(self.layout.command_directory.join(name));
        program.env("MAIL_CONFIG", &self.config);
        program
    }

    fn walk(&self) -> Result<()> {
        say(&format!(
            "2. Starting the mail system; it listens on 127.0.0.1 port {}",
            self.port
        ));
        output(self.program("postfix").arg("start"))?;
        serve(self.relay.try_clone()?, "250 2.1.5 Ok");
        serve(
            self.refusing.try_clone()?,
            "550 5.7.1 This server takes no mail",
        );
        self.until("the mail system answers", || {
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        })?;

        say(&format!(
            "3. Sending a message to {USER} with the sendmail command"
        ));
        self.sendmail(&format!("{USER}@demo.example"), "by sendmail")?;
        self.until("it is in the mailbox", || {
            self.mailbox().contains("Subject: by sendmail")
        })?;

        say(&format!("4. Sending a message to {USER} by SMTP"));
        self.smtp(&format!("{USER}@demo.example"), "by SMTP")?;
        self.until("it is in the mailbox", || {
            self.mailbox().contains("Subject: by SMTP")
        })?;
        say(&format!(
            "   The mailbox {} now holds:",
            self.mail.join(USER).display()
        ));
        self.quote(&self.mailbox(), |line| {
            ["From ", "Received", "Subject", "Delivered"]
                .iter()
                .any(|p| line.starts_with(p))
        });

        say("5. Sending a message by SMTP that is relayed to another SMTP server");
        self.smtp("someone@relayed.example", "relayed")?;
        self.until("the other server took it", || {
            self.logged("to=<someone@relayed.example>", "status=sent")
        })?;

        say(
            "6. Sending a message to a domain whose server refuses it: the sender gets a notification",
        );
        self.smtp("someone@refused.example", "refused")?;
        self.until("the server's refusal is logged", || {
            self.logged("to=<someone@refused.example>", "status=bounced")
        })?;
        self.until("the notification is in the mailbox", || {
            self.mailbox()
                .contains("Subject: Undelivered Mail Returned to Sender")
        })?;

        say("7. Putting a message on hold: it stays in the queue until it is released or deleted");
        output(
            Command::new(self.layout.command_directory.join("postconf"))
                .env("MAIL_CONFIG", &self.config)
                .args(["-e", "defer_transports=smtp"]),
        )?;
        output(self.program("postfix").arg("reload"))?;
        self.sendmail("someone@relayed.example", "waiting")?;
        let queue = self.queue_with("someone@relayed.example")?;
        say("   mailq shows:");
        self.quote(&queue, |_| true);
        output(self.program("postsuper").args(["-h", "ALL"]))?;
        let queue = output(&mut self.program("mailq"))?;
        ensure!(
            queue
                .lines()
                .any(|l| l.split(' ').next().is_some_and(|id| id.ends_with('!'))),
            "nothing is on hold:\n{queue}"
        );
        say("   postsuper -h ALL put it on hold (!); postsuper -d ALL deletes it");
        output(self.program("postsuper").args(["-d", "ALL"]))?;
        let queue = output(&mut self.program("mailq"))?;
        ensure!(
            queue.trim() == "Mail queue is empty",
            "the queue is not empty:\n{queue}"
        );

        say("8. The log, as any log analyser knows it:");
        let log = fs::read_to_string(&self.log)?;
        self.quote(&log, |line| {
            line.contains("status=") || line.contains("client=") || line.contains("postsuper[")
        });
        ensure!(!log.contains("panic"), "a program panicked:\n{log}");

        say("9. Stopping");
        output(self.program("postfix").arg("stop"))?;
        let status = self
            .program("postfix")
            .arg("status")
            .stderr(Stdio::null())
            .status()?;
        ensure!(!status.success(), "the mail system is still running");
        Ok(())
    }

    /// After a failed step the mail system may still run.
    fn clean_up(&self) {
        let _ = self
            .program("postfix")
            .arg("stop")
            .stderr(Stdio::null())
            .status();
    }

    fn mailbox(&self) -> String {
        fs::read(self.mail.join(USER))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    fn logged(&self, one: &str, other: &str) -> bool {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines()
            .any(|line| line.contains(one) && line.contains(other))
    }

    fn queue_with(&self, recipient: &str) -> Result<String> {
        let mut queue = String::new();
        self.until("the message is in the queue", || {
            queue = output(&mut self.program("mailq")).unwrap_or_default();
            queue.contains(recipient) && queue.contains('(')
        })?;
        Ok(queue)
    }

    fn sendmail(&self, to: &str, subject: &str) -> Result<()> {
        let mut sendmail = Command::new(&self.layout.sendmail_path)
            .env("MAIL_CONFIG", &self.config)
            .args(["-f", &format!("{USER}@demo.example"), to])
            .stdin(Stdio::piped())
            .spawn()
            .context("sendmail")?;
        if let Some(mut input) = sendmail.stdin.take() {
            input.write_all(format!("Subject: {subject}\n\nHello!\n").as_bytes())?;
        }
        let status = sendmail.wait()?;
        ensure!(status.success(), "sendmail: {status}");
        Ok(())
    }

    fn smtp(&self, to: &str, subject: &str) -> Result<()> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut server = BufReader::new(stream);
        let mut say = |line: &str, wanted: &str| -> Result<()> {
            if !line.is_empty() {
                server
                    .get_mut()
                    .write_all(format!("{line}\r\n").as_bytes())?;
            }
            loop {
                let mut reply = String::new();
                ensure!(
                    server.read_line(&mut reply)? > 0,
                    "the server hung up after {line}"
                );
                ensure!(reply.starts_with(wanted), "{line}: {reply}");
                if reply.as_bytes().get(3) != Some(&b'-') {
                    return Ok(());
                }
            }
        };
        say("", "220")?;
        say("EHLO client.example", "250")?;
        say(&format!("MAIL FROM:<{USER}@demo.example>"), "250")?;
        say(&format!("RCPT TO:<{to}>"), "250")?;
        say("DATA", "354")?;
        say(&format!("Subject: {subject}\r\n\r\nHello!\r\n."), "250")?;
        say("QUIT", "221")
    }

    fn until(&self, what: &str, mut done: impl FnMut() -> bool) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(10);
        while !done() {
            if Instant::now() > end {
                bail!(
                    "waited in vain until {what}; the log:\n{}",
                    fs::read_to_string(&self.log).unwrap_or_default()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        say(&format!("   yes: {what}"));
        Ok(())
    }

    fn quote(&self, text: &str, wanted: impl Fn(&str) -> bool) {
        for line in text.lines().filter(|line| wanted(line)) {
            say(&format!("   | {line}"));
        }
    }
}

/// A small SMTP server that answers each recipient with `answer`, until the tour ends.
fn serve(listener: TcpListener, answer: &'static str) {
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // The client's trouble shows in the mail system's log.
            let _ = session(client, answer);
        }
    });
}

fn session(client: TcpStream, answer: &str) -> Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut input = BufReader::new(client.try_clone()?);
    let mut output = client;
    output.write_all(b"220 other.example ESMTP\r\n")?;
    let mut in_content = false;
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or(&line).to_ascii_uppercase();
        let reply = match (in_content, verb.as_str()) {
            (true, _) if line == ".\r\n" => {
                in_content = false;
                "250 2.0.0 Ok: taken"
            }
            (true, _) => continue,
            (false, "RCPT") => answer,
            (false, "DATA") => {
                in_content = true;
                "354 Go on"
            }
            (false, "QUIT") => "221 2.0.0 Bye",
            (false, _) => "250 Ok",
        };
        output.write_all(format!("{reply}\r\n").as_bytes())?;
        if reply.starts_with("221") {
            return Ok(());
        }
    }
}
