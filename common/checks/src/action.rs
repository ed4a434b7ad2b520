//! The results of header and body checks: an action and its text, as in header_checks(5).

use pf_dsn::Dsn;
use pf_log::warning;
use pf_mime::header_name_len;

/// Where the text that was looked up stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A logical header.
    Header,
    /// A line of the body.
    Body,
}

impl Place {
    /// The word for the log.
    pub fn name(self) -> &'static str {
        match self {
            Place::Header => "header",
            Place::Body => "body",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The cleanup server: all actions.
    Cleanup,
    /// The SMTP client, which can change the text that it sends but no longer decide about the message.
    Client,
}

/// What a table asks for. Texts are those behind the action's name; they are not empty unless the comment says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing (`DUNNO`, `OK`).
    Keep,
    /// Refuse the message; the text begins with an enhanced status code of class 4 or 5.
    Reject(Vec<u8>),
    /// Log the line as a warning, with this text, which may be empty.
    Warn(Vec<u8>),
    /// Log the line, with this text, which may be empty.
    Info(Vec<u8>),
    /// Send the message through the content filter `transport:destination`.
    Filter(Vec<u8>),
    /// No more checks for this message; the text for the log may be empty.
    Pass(Vec<u8>),
    /// Claim delivery and throw the message away; the text for the log may be empty.
    Discard(Vec<u8>),
    /// Put the message on hold; the text for the log may be empty.
    Hold(Vec<u8>),
    /// Put this line in front; for a header it is a well-formed one.
    Prepend(Vec<u8>),
    /// Put this line in its place; for a header it is a well-formed one.
    Replace(Vec<u8>),
    /// Send the message to this address only.
    Redirect(Vec<u8>),
    /// Send the message to this address, too.
    Bcc(Vec<u8>),
    /// Leave the line out and log that, with this text, which may be empty.
    Strip(Vec<u8>),
    /// Leave the line out.
    Ignore,
}

/// What `REJECT` without text says.
const REJECT_TEXT: &[u8] = b"5.7.1 message content rejected";

/// Reads the result of the table of the parameter `map`.
pub fn parse(result: &[u8], place: Place, map: &str, party: Party) -> Action {
    let end = result
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t'))
        .unwrap_or(result.len());
    let (command, text) = result.split_at(end);
    // The end of the text is left as it is.
    let text = text.trim_ascii_start();
    let command = command.to_ascii_uppercase();
    match command.as_slice() {
        b"WARN" => Action::Warn(text.to_vec()),
        b"INFO" => Action::Info(text.to_vec()),
        b"PREPEND" | b"REPLACE" => added_text(&command, text, place, map),
        b"STRIP" => Action::Strip(text.to_vec()),
        b"IGNORE" => Action::Ignore,
        b"DUNNO" | b"OK" => Action::Keep,
        _ if party == Party::Client => {
            warning!("unsupported command in {map} map: {}", show(result));
            Action::Keep
        }
        b"REJECT" => Action::Reject(reason(text)),
        b"FILTER" => filter(text, map),
        b"PASS" => Action::Pass(text.to_vec()),
        b"DISCARD" => Action::Discard(text.to_vec()),
        b"HOLD" => Action::Hold(text.to_vec()),
        b"REDIRECT" if text.contains(&b'@') => Action::Redirect(text.to_vec()),
        b"REDIRECT" => {
            let text = show(text);
            warning!("bad REDIRECT target \"{text}\" in {map} map -- need user@domain");
            Action::Keep
        }
        b"BCC" if text.contains(&b'@') => Action::Bcc(text.to_vec()),
        b"BCC" => {
            let text = show(text);
            warning!("bad BCC address \"{text}\" in {map} map -- need user@domain");
            Action::Keep
        }
        _ => {
            warning!("unknown command in {map} map: {}", show(result));
            Action::Keep
        }
    }
}

fn added_text(command: &[u8], text: &[u8], place: Place, map: &str) -> Action {
    let name = show(command);
    if text.is_empty() {
        warning!("{name} action without text in {map} map");
        return Action::Keep;
    }
    if place == Place::Header && header_name_len(text).is_none() {
        warning!(
            "bad {name} header text \"{}\" in {map} map -- need \"headername: headervalue\"",
            show(text)
        );
        return Action::Keep;
    }
    if command == b"REPLACE" {
        Action::Replace(text.to_vec())
    } else {
        Action::Prepend(text.to_vec())
    }
}

fn filter(text: &[u8], map: &str) -> Action {
    if text.is_empty() {
        warning!("missing FILTER command argument in {map} map");
    } else if !text.contains(&b':') {
        warning!(
            "bad FILTER command {} in {map} -- need transport:destination",
            show(text)
        );
    } else {
        return Action::Filter(text.to_vec());
    }
    Action::Keep
}

/// The text of a rejection, with an enhanced status code in front.
fn reason(text: &[u8]) -> Vec<u8> {
    if text.is_empty() {
        return REJECT_TEXT.to_vec();
    }
    // The code is written with a blank behind it even where no text follows.
    let (code, words) = match Dsn::parse_prefix(text) {
        Some((_, len)) => text.split_at_checked(len).unwrap_or((text, b"")),
        None => (&b"5.7.1"[..], text),
    };
    let mut reason = [code, b" ", words.trim_ascii_start()].concat();
    if let Some(class) = reason.first_mut()
        && !matches!(class, b'4' | b'5')
    {
        warning!("bad DSN action in {} -- need 4.x.x or 5.x.x", show(text));
        *class = b'4';
    }
    reason
}

fn show(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleanup(result: &str, place: Place) -> Action {
        parse(result.as_bytes(), place, "test_checks", Party::Cleanup)
    }

    #[test]
    fn actions_and_their_texts() {
        use Place::{Body, Header};
        let text = |text: &str| text.as_bytes().to_vec();
        assert_eq!(cleanup("dunno", Body), Action::Keep);
        assert_eq!(cleanup("Warn  a b ", Body), Action::Warn(text("a b ")));
        assert_eq!(
            cleanup("REJECT", Header),
            Action::Reject(text("5.7.1 message content rejected"))
        );
        assert_eq!(
            cleanup("reject no\tspam", Header),
            Action::Reject(text("5.7.1 no\tspam"))
        );
        assert_eq!(
            cleanup("reject 4.1.2 later", Header),
            Action::Reject(text("4.1.2 later"))
        );
        assert_eq!(
            cleanup("reject 2.1.2 fine", Header),
            Action::Reject(text("4.1.2 fine"))
        );
        assert_eq!(
            cleanup("reject 4.1.2", Header),
            Action::Reject(text("4.1.2 "))
        );
        assert_eq!(
            cleanup("PREPEND X: y", Header),
            Action::Prepend(text("X: y"))
        );
        assert_eq!(cleanup("PREPEND y", Header), Action::Keep);
        assert_eq!(cleanup("PREPEND y", Body), Action::Prepend(text("y")));
        assert_eq!(cleanup("REPLACE", Body), Action::Keep);
        assert_eq!(cleanup("REPLACE x y", Header), Action::Keep);
        assert_eq!(cleanup("FILTER smtp", Header), Action::Keep);
        assert_eq!(cleanup("FILTER a:b", Header), Action::Filter(text("a:b")));
        assert_eq!(cleanup("REDIRECT joe", Header), Action::Keep);
        assert_eq!(cleanup("BCC a@b", Header), Action::Bcc(text("a@b")));
        assert_eq!(cleanup("IGNORE this", Header), Action::Ignore);
        assert_eq!(cleanup("REJECTED", Header), Action::Keep);
    }

    #[test]
    fn the_client_decides_nothing_about_the_message() {
        let client = |result: &str| parse(result.as_bytes(), Place::Header, "x", Party::Client);
        for result in ["REJECT", "HOLD", "DISCARD", "BCC a@b", "PASS"] {
            assert_eq!(client(result), Action::Keep);
        }
        assert_eq!(client("STRIP x"), Action::Strip(b"x".to_vec()));
    }
}
