//! Recipients from the headers of a message (`-t`).

use pf_mime::{Event, Fault, HeaderKind, HeaderTable, LineKind, Machine, Options};

/// Collects recipients from headers, while the message passes through.
pub struct Extractor {
    machine: Machine,
    table: HeaderTable,
    plain: Vec<Vec<u8>>,
    resent: Vec<Vec<u8>>,
    has_resent: bool,
    fault: Option<Fault>,
}

/// A line of the message that goes on.
pub type Line = (bool, Vec<u8>);

impl Extractor {
    /// Headers of more than `header_limit` bytes cannot be searched to their end.
    pub fn new(header_limit: usize) -> Self {
        let options = Options {
            disable_mime: true,
            report_truncated_header: true,
            header_limit,
            ..Options::default()
        };
        Self {
            machine: Machine::new(options),
            table: HeaderTable::new([]),
            plain: Vec::new(),
            resent: Vec::new(),
            has_resent: false,
            fault: None,
        }
    }

    /// Why recipients may be missing.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Takes a line (`whole`: it ends here) and gives those that go on.
    pub fn line(&mut self, text: &[u8], whole: bool) -> Vec<Line> {
        let kind = if whole {
            LineKind::Line
        } else {
            LineKind::Continued
        };
        let mut found = Found::default();
        let mut events = self.machine.text(&self.table, kind, text);
        while let Some(event) = events.next() {
            found.event(&event);
        }
        self.note(found)
    }

    /// The end of the message: the last lines.
    pub fn end(&mut self) -> Vec<Line> {
        let mut found = Found::default();
        let mut events = self.machine.end(&self.table);
        while let Some(event) = events.next() {
            found.event(&event);
        }
        self.note(found)
    }

    fn note(&mut self, found: Found) -> Vec<Line> {
        self.plain.extend(found.plain);
        self.has_resent |= found.has_resent;
        self.resent.extend(found.resent);
        self.fault = self.fault.or(found.fault);
        found.lines
    }

    /// The recipients: those of Resent- headers where there are any.
    pub fn recipients(self) -> Vec<Vec<u8>> {
        if self.has_resent {
            self.resent
        } else {
            self.plain
        }
    }
}

#[derive(Default)]
struct Found {
    lines: Vec<Line>,
    plain: Vec<Vec<u8>>,
    resent: Vec<Vec<u8>>,
    has_resent: bool,
    fault: Option<Fault>,
}

impl Found {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Header { header, text, .. } => {
                let kind = header.map(|header| header.kind);
                let value = text
                    .iter()
                    .position(|byte| *byte == b':')
                    .and_then(|at| text.get(at + 1..))
                    .unwrap_or_default();
                match kind {
                    Some(HeaderKind::To | HeaderKind::Cc | HeaderKind::Bcc) => {
                        addresses(value, &mut self.plain)
                    }
                    Some(HeaderKind::ResentTo | HeaderKind::ResentCc | HeaderKind::ResentBcc) => {
                        self.has_resent = true;
                        addresses(value, &mut self.resent);
                    }
                    _ => {}
                }
                // cleanup takes Bcc headers out.
                for line in text.split(|byte| *byte == b'\n') {
                    self.lines.push((true, line.to_vec()));
                }
            }
            Event::Body { kind, text, .. } => {
                self.lines.push((*kind == LineKind::Line, text.to_vec()))
            }
            Event::Fault { fault, .. } => self.fault = Some(*fault),
            _ => {}
        }
    }
}

fn addresses(value: &[u8], out: &mut Vec<Vec<u8>>) {
    let tokens = pf_address::parse(value);
    for address in pf_address::addresses(&tokens) {
        let address = address.internal();
        if !address.is_empty() {
            out.push(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_name_the_recipients() {
        let mut extractor = Extractor::new(102_400);
        let mut lines = Vec::new();
        for line in [
            "To: a@x, \"B\" <b@x>",
            "Cc: c@x,",
            " d@x",
            "Bcc: e@x",
            "Subject: s",
            "",
            "To: not@x",
        ] {
            lines.extend(extractor.line(line.as_bytes(), true));
        }
        lines.extend(extractor.end());
        let recipients: Vec<String> = extractor
            .recipients()
            .into_iter()
            .map(|address| String::from_utf8(address).unwrap())
            .collect();
        assert_eq!(recipients, ["a@x", "b@x", "c@x", "d@x", "e@x"]);
        assert_eq!(lines.len(), 7);
    }
}
