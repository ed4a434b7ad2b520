//! What a case is made of.

use std::fmt::Write as _;

/// Seconds before now that a file was written, unless told otherwise: old enough for nobody to ask whether it is complete.
pub const OLD: i64 = 90_000;

/// A file that a case begins with.
#[derive(Debug, Clone)]
pub struct Made {
    /// Where, below the directory of the case; `@I@` and `@L@` stand for its inode number in a short and in a long queue id.
    pub path: String,
    /// What stands in it; `@TOP@` stands for the directory of the case, `@Ix@` for the inode number of the file with label `x`.
    pub bytes: Vec<u8>,
    /// Its mode.
    pub mode: u32,
    /// How many seconds ago it was written.
    pub age: i64,
    /// Whether it is the mail system's own.
    pub mail_owner: bool,
    /// What the inode number is called.
    pub label: Option<char>,
}

/// Files, a line of shell, and how to compare.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// Files, in the order in which they are made.
    pub files: Vec<Made>,
    /// What is run in the directory `w` of the case. `@TOP@` and `@Ix@` as in files.
    pub script: Vec<u8>,
    /// Lines that are added to `main.cf`; the case has a configuration and a queue of its own then.
    pub main_cf: Option<Vec<u8>>,
    /// What `master.cf` says, if it is not the usual.
    pub master_cf: Option<Vec<u8>>,
    /// Whether `main_cf` is the whole file.
    pub whole: bool,
    /// Whether complaints are those of an interpreter, as of a script in Perl.
    pub own_words: bool,
    /// Whether lines of the output may come in any order.
    pub any_order: bool,
    /// Whether the same complaint may come more than once: the original reads a file again that is as new as the clock.
    pub once: bool,
}

impl Case {
    /// Adds an ordinary file.
    pub fn file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.files.push(Made {
            path: path.to_owned(),
            bytes: bytes.into(),
            mode: 0o644,
            age: OLD,
            mail_owner: false,
            label: None,
        });
    }

    /// For a report: all that one needs to do it again by hand.
    pub fn shown(&self) -> String {
        let mut text = String::new();
        for (name, bytes) in [("main.cf", &self.main_cf), ("master.cf", &self.master_cf)] {
            if let Some(bytes) = bytes
                && !bytes.is_empty()
            {
                let _ = writeln!(text, "{name}: {}", escaped(bytes));
            }
        }
        for file in &self.files {
            let _ = writeln!(
                text,
                "{} ({:o}, {} s old): {}",
                file.path,
                file.mode,
                file.age,
                escaped(&file.bytes)
            );
        }
        let _ = writeln!(text, "$ {}", escaped(&self.script));
        text
    }
}

/// Bytes as text, one line, not longer than needed to see what it is about.
pub fn escaped(bytes: &[u8]) -> String {
    let shown = bytes.get(..600).unwrap_or(bytes);
    let text: String = match std::str::from_utf8(shown) {
        Ok(text) => text
            .chars()
            .map(|ch| match ch {
                '\n' => "\\n".to_owned(),
                '\0'..=' ' if ch != ' ' => ch.escape_default().to_string(),
                _ => ch.to_string(),
            })
            .collect(),
        Err(_) => shown.escape_ascii().to_string(),
    };
    if shown.len() < bytes.len() {
        format!("{text}... ({} bytes)", bytes.len())
    } else {
        text
    }
}

/// A word for the shell.
pub fn quoted(word: impl AsRef<[u8]>) -> Vec<u8> {
    let mut text = vec![b'\''];
    for byte in word.as_ref() {
        match byte {
            b'\'' => text.extend(b"'\\''"),
            0 => {}
            byte => text.push(*byte),
        }
    }
    text.push(b'\'');
    text
}

/// Words for the shell.
pub fn command(words: &[Vec<u8>]) -> Vec<u8> {
    words.iter().map(quoted).collect::<Vec<_>>().join(&b' ')
}
