//! A message as keys: its headers, and the lines of its body.

use std::io;

use pf_maps::manage::Stop;
use pf_mime::{Event, Fault, HeaderTable, LineKind, Machine, Options};

/// Which parts of the message are keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Headers.
    pub header: bool,
    /// Lines of the body.
    pub body: bool,
    /// Those of attachments, too.
    pub mime: bool,
}

impl Wanted {
    /// Whether nothing is wanted of what follows the headers of the message.
    fn headers_only(self) -> bool {
        !self.body && !self.mime
    }
}

/// Asks for each key of the message in turn. Whether one was found.
///
/// # Errors
/// The message cannot be read or is malformed, or a table cannot tell.
pub fn ask(
    lines: impl Iterator<Item = io::Result<Vec<u8>>>,
    wanted: Wanted,
    mut query: impl FnMut(&[u8]) -> Result<bool, Stop>,
) -> Result<bool, Stop> {
    let table = HeaderTable::new([]);
    let mut machine = Machine::new(Options {
        disable_mime: !wanted.mime,
        ..Options::default()
    });
    let mut found = false;
    let mut over = false;
    let mut take = |event: Event<'_>| -> Result<(), Stop> {
        match event {
            _ if over => {}
            Event::Header { text, .. } if wanted.header => found |= query(text)?,
            Event::Body { text, .. } if wanted.body => found |= query(text)?,
            Event::HeaderEnd => over = wanted.headers_only(),
            Event::Fault { fault, .. } => return Err(malformed(fault)),
            _ => {}
        }
        Ok(())
    };
    for line in lines {
        let line = line?;
        let mut input = machine.text(&table, LineKind::Line, &line);
        while let Some(event) = input.next() {
            take(event)?;
        }
    }
    let mut input = machine.end(&table);
    while let Some(event) = input.next() {
        take(event)?;
    }
    Ok(found)
}

fn malformed(fault: Fault) -> Stop {
    Stop::Fatal(format!("message format error: {}", fault.text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(header: bool, body: bool, mime: bool) -> Vec<String> {
        let message = "Subject: a\n b\nX: c\n\nbody\nmore";
        let wanted = Wanted { header, body, mime };
        let mut keys = Vec::new();
        ask(
            message.split('\n').map(|line| Ok(line.as_bytes().to_vec())),
            wanted,
            |key| {
                keys.push(String::from_utf8(key.to_vec()).unwrap());
                Ok(true)
            },
        )
        .unwrap();
        keys
    }

    #[test]
    fn headers_and_body_lines() {
        assert_eq!(keys(true, false, false), ["Subject: a\n b", "X: c"]);
        // The empty line between the two belongs to the body.
        assert_eq!(keys(false, true, false), ["", "body", "more"]);
        assert_eq!(
            keys(true, true, true),
            ["Subject: a\n b", "X: c", "", "body", "more"]
        );
    }
}
