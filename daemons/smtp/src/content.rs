//! Where the lines of a message come from: the queue file, through header and body checks, address mapping, and the conversion
//! from 8-bit to 7-bit text.

use pf_checks::Action;
use pf_delivery::Content;
use pf_log::info;
use pf_mime::{Event, Fault, HeaderTable, LineKind, Machine, Options};

use crate::params::Params;
use pf_smtp::stuffing::Stuffing;

/// Why the content cannot be sent.
#[derive(Debug)]
pub enum Unsendable {
    /// The queue file cannot be read.
    Unreadable(pf_record::Error),
    /// The queue file is damaged.
    Damaged,
    /// A table cannot tell.
    Lookup(&'static str),
    /// The message cannot be converted.
    Fault(Fault),
}

/// A message's lines.
pub struct Source<'a> {
    params: &'a Params,
    id: &'a str,
    content: Content<'a>,
    machine: Option<(Machine, HeaderTable)>,
}

impl<'a> Source<'a> {
    /// `downgrade`: 8-bit text becomes 7-bit text.
    pub fn new(params: &'a Params, id: &'a str, content: Content<'a>, downgrade: bool) -> Self {
        let checks = !params.checks.no_headers() || !params.checks.no_body();
        let looked_at = downgrade || checks || !params.generic.is_empty();
        let options = Options {
            downgrade,
            report_nesting: downgrade,
            disable_mime: !downgrade && !checks,
            ..Options::default()
        };
        Self {
            params,
            id,
            content,
            machine: looked_at.then(|| (Machine::new(options), HeaderTable::new([]))),
        }
    }

    /// Adds about `wanted` bytes to `out`; false at the end of the content.
    ///
    /// # Errors
    /// The message cannot be sent.
    pub async fn fill(
        &mut self,
        body: &mut Stuffing,
        out: &mut Vec<u8>,
        wanted: usize,
    ) -> Result<bool, Unsendable> {
        while out.len() < wanted {
            let piece = self.content.next_piece().map_err(Unsendable::Unreadable)?;
            let Some((machine, table)) = &mut self.machine else {
                let Some(piece) = piece else {
                    return self.finish();
                };
                body.piece(out, piece.text, piece.ends_line);
                continue;
            };
            let Some(piece) = piece else {
                let mut rest = machine.end(table);
                while let Some(event) = rest.next() {
                    emit(self.params, self.id, body, out, &event).await?;
                }
                return self.finish();
            };
            let kind = if piece.ends_line {
                LineKind::Line
            } else {
                LineKind::Continued
            };
            if self.params.checks.no_body() && machine.is_plain_body(piece.text) {
                machine.skipped(kind, piece.text);
                body.piece(out, piece.text, piece.ends_line);
                continue;
            }
            let mut events = machine.text(table, kind, piece.text);
            while let Some(event) = events.next() {
                emit(self.params, self.id, body, out, &event).await?;
            }
        }
        Ok(true)
    }

    fn finish(&self) -> Result<bool, Unsendable> {
        if self.content.ended_well() {
            Ok(false)
        } else {
            Err(Unsendable::Damaged)
        }
    }
}

/// Writes what the machine made of the lines.
async fn emit(
    params: &Params,
    id: &str,
    body: &mut Stuffing,
    out: &mut Vec<u8>,
    event: &Event<'_>,
) -> Result<(), Unsendable> {
    match event {
        Event::Header {
            class,
            header,
            text,
        } => {
            let action = params.checks.header(*class, *header, text).await;
            let action = action.map_err(|_| Unsendable::Lookup("header"))?;
            let Some(text) = acted(id, "header", text, action, body, out) else {
                return Ok(());
            };
            let mapped = params.generic.header(*class, *header, &text).await;
            let mapped = mapped.map_err(|_| Unsendable::Lookup("header"))?;
            for line in mapped.unwrap_or(text).split(|byte| *byte == b'\n') {
                body.piece(out, line, true);
            }
        }
        Event::Body { kind, text, .. } => {
            let ends = *kind == LineKind::Line;
            if params.checks.no_body() {
                body.piece(out, text, ends);
                return Ok(());
            }
            let action = params.checks.body(text).await;
            let action = action.map_err(|_| Unsendable::Lookup("body"))?;
            if let Some(text) = acted(id, "body", text, action, body, out) {
                body.piece(out, &text, ends);
            }
        }
        Event::Fault { fault, .. } => return Err(Unsendable::Fault(*fault)),
        Event::HeaderEnd | Event::BodyEnd => {}
    }
    Ok(())
}

/// What is left of a header or line after its checks.
fn acted(
    id: &str,
    place: &str,
    text: &[u8],
    action: Action,
    body: &mut Stuffing,
    out: &mut Vec<u8>,
) -> Option<Vec<u8>> {
    let log = |name: &str, note: &[u8]| {
        let shown: String = String::from_utf8_lossy(text).chars().take(200).collect();
        if note.is_empty() {
            info!("{id}: {name}: {place} {shown}");
        } else {
            info!(
                "{id}: {name}: {place} {shown}: {}",
                String::from_utf8_lossy(note)
            );
        }
    };
    match action {
        Action::Warn(note) => log("warning", &note),
        Action::Info(note) => log("info", &note),
        Action::Replace(new) => {
            log("replace", &new);
            return Some(new);
        }
        Action::Prepend(new) => {
            log("prepend", &new);
            for line in new.split(|byte| *byte == b'\n') {
                body.piece(out, line, true);
            }
        }
        Action::Strip(note) => {
            log("strip", &note);
            return None;
        }
        Action::Ignore => return None,
        _ => {}
    }
    Some(text.to_vec())
}
