//! Talking to `postdrop`: records in, queue id and status out.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Result;
use pf_attr::Message;
use pf_log::warning;
use pf_proto::cleanup::Status;
use pf_record::{RecordType, encode};

use crate::exit::fail;

/// How many bytes of records are collected before they are sent.
const CHUNK: usize = 32 * 1024;

/// A message on its way into the queue.
pub struct Submission {
    postdrop: Child,
    buffer: Vec<u8>,
    /// `sender(uid)`, for complaints.
    who: String,
    answers: Vec<u8>,
}

impl Submission {
    /// Starts `postdrop`.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn start(
        command_directory: &Path,
        config: &Path,
        verbose: u8,
        who: String,
    ) -> Result<Self> {
        let path = command_directory.join("postdrop");
        let mut command = Command::new(&path);
        command
            .arg("-r")
            .env("MAIL_CONFIG", config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        for _ in 0..verbose {
            command.arg("-v");
        }
        let shown = format!("{} -r{}", path.display(), " -v".repeat(verbose.into()));
        let unable = |why: String| fail(format!("{who}: unable to execute {shown}: {why}"));
        let mut postdrop = command.spawn().map_err(|err| {
            let why = pf_sys::error::text(&err);
            // What a copy of this process would say.
            pf_log::fatal!("execvp {}: {why}", path.display());
            warning!("command \"{shown}\" exited with status 1");
            unable("Application error".to_owned())
        })?;
        // It says first under which id it takes the message, or why it does not.
        if announced(&mut postdrop) {
            return Ok(Self {
                postdrop,
                buffer: Vec::with_capacity(CHUNK + 4096),
                who,
                answers: Vec::new(),
            });
        }
        drop(postdrop.stdin.take());
        let status = postdrop.wait().ok().and_then(|status| status.code());
        if let Some(status) = status.filter(|status| *status != 0) {
            warning!("command \"{shown}\" exited with status {status}");
        }
        Err(unable("Application error".to_owned()))
    }

    /// Adds a record.
    ///
    /// # Errors
    /// `postdrop` does not take more.
    pub fn put(&mut self, kind: RecordType, data: &[u8]) -> Result<()> {
        encode(&mut self.buffer, kind, data);
        if self.buffer.len() >= CHUNK {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Adds a named attribute.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn attribute(&mut self, name: &str, value: impl std::fmt::Display) -> Result<()> {
        self.put(RecordType::ATTR, format!("{name}={value}").as_bytes())
    }

    fn flush(&mut self) -> Result<()> {
        let sent = match &mut self.postdrop.stdin {
            Some(pipe) => pipe.write_all(&self.buffer),
            None => Ok(()),
        };
        self.buffer.clear();
        sent.map_err(|err| {
            fail(format!(
                "{}: error writing queue file: {}",
                self.who,
                pf_sys::error::text(&err)
            ))
        })
    }

    /// Ends the message and waits for its fate.
    ///
    /// # Errors
    /// It was not taken; the exit status says whether to try again.
    pub fn finish(mut self) -> Result<()> {
        // What went wrong is in the answer, if there is one.
        let flushed = self.flush();
        drop(self.postdrop.stdin.take());
        if let Some(mut output) = self.postdrop.stdout.take() {
            let _ = output.read_to_end(&mut self.answers);
        }
        if !self.postdrop.wait().is_ok_and(|status| status.success()) {
            warning!("mail_stream_cleanup: close error");
        }
        let verdict = self.verdict();
        flushed.or_else(|err| if verdict.is_some() { Ok(()) } else { Err(err) })?;
        let Some((status, reason)) = verdict else {
            return Err(fail(format!("{}: queue file write error", self.who)));
        };
        if status.is_empty() {
            return Ok(());
        }
        let text = if reason.is_empty() {
            status.detail().text.to_owned()
        } else {
            reason
        };
        Err(fail(format!("{}: {text}", self.who)))
    }

    /// The status and the reason.
    fn verdict(&mut self) -> Option<(Status, String)> {
        let last = Message::take(&mut self.answers).ok()??;
        let mut list = last.decoder();
        let status = u32::try_from(list.int("status").ok()?).ok()?;
        let reason = String::from_utf8_lossy(list.str("reason").ok()?).into_owned();
        Some((Status::from_bits(status), reason))
    }
}

/// Waits for the list of attributes that comes first.
fn announced(postdrop: &mut Child) -> bool {
    let Some(output) = &mut postdrop.stdout else {
        return false;
    };
    let mut answer = Vec::new();
    let mut byte = [0];
    loop {
        match Message::take(&mut answer) {
            Ok(Some(_)) => return true,
            Ok(None) => {}
            Err(_) => return false,
        }
        // One by one, so that the answer that follows is left alone.
        match output.read(&mut byte) {
            Ok(1) => answer.extend(byte),
            Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
            _ => return false,
        }
    }
}
