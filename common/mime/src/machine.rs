//! The state machine that takes a message line by line.

use crate::content::{Content, Encoding, Subtype, Type};
use crate::downgrade::Encoder;
use crate::input::Input;
use crate::{Fault, Header, HeaderKind, HeaderTable, words};

/// How the input text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// It is a whole line, or the end of one (a `N` record).
    Line,
    /// The line goes on with the next text (a `L` record).
    Continued,
}

/// Where a header stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// At the start of the message.
    Primary,
    /// Behind a multipart boundary.
    Multipart,
    /// At the start of an attached message.
    Nested,
}

/// What the machine does and which limits it keeps.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Turn 8-bit content into quoted-printable.
    pub downgrade: bool,
    /// Do not look at the MIME structure: only primary headers are headers.
    pub disable_mime: bool,
    /// Tell [`Fault::EightBitBody`].
    pub report_8bit_body: bool,
    /// Tell [`Fault::EightBitHeader`].
    pub report_8bit_header: bool,
    /// Tell [`Fault::EncodingDomain`].
    pub report_encoding_domain: bool,
    /// Tell [`Fault::TruncatedHeader`].
    pub report_truncated_header: bool,
    /// Tell [`Fault::Nesting`].
    pub report_nesting: bool,
    /// Tell [`Fault::NonEmptyEndOfHeader`].
    pub report_non_empty_end: bool,
    /// Text beyond this many bytes of a header is dropped (`header_size_limit`).
    pub header_limit: usize,
    /// The most multipart levels (`mime_nesting_limit`).
    pub nesting_limit: usize,
    /// How much of a boundary is compared (`mime_boundary_length_limit`).
    pub boundary_limit: usize,
}

impl Default for Options {
    /// Nothing is told or changed; the default limits.
    fn default() -> Self {
        Self {
            downgrade: false,
            disable_mime: false,
            report_8bit_body: false,
            report_8bit_header: false,
            report_encoding_domain: false,
            report_truncated_header: false,
            report_nesting: false,
            report_non_empty_end: false,
            header_limit: 102_400,
            nesting_limit: 100,
            boundary_limit: 2048,
        }
    }
}

/// What became of input.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole header; lines of it are joined by line feeds.
    Header {
        /// Where it stands.
        class: Class,
        /// What is known about it.
        header: Option<Header>,
        /// The header's text; blanks before the colon are gone.
        text: &'a [u8],
    },
    /// The primary headers are over.
    HeaderEnd,
    /// Body text; also headers of attachments are body text for one who does not look at them.
    Body {
        /// How the text ends.
        kind: LineKind,
        /// The text.
        text: &'a [u8],
        /// Where in the current body part the text begins, in bytes.
        offset: u64,
    },
    /// There is no more input.
    BodyEnd,
    /// A violation; each is told once.
    Fault {
        /// Which one.
        fault: Fault,
        /// The text that shows it.
        text: &'a [u8],
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Headers(Class),
    Body,
}

#[derive(Debug)]
pub(crate) struct Boundary {
    text: Vec<u8>,
    default: Content,
}

/// Takes a message line by line.
#[derive(Debug)]
pub struct Machine {
    pub(crate) options: Options,
    pub(crate) state: State,
    pub(crate) content: Content,
    /// The header being gathered.
    pub(crate) header: Vec<u8>,
    pub(crate) encoder: Encoder,
    /// How the text before ended; `None` behind a header that was told.
    pub(crate) last: Option<LineKind>,
    pub(crate) stack: Vec<Boundary>,
    pub(crate) told: u8,
    pub(crate) offset: u64,
}

impl Machine {
    /// At the start of a message.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            state: State::Headers(Class::Primary),
            content: Content::PLAIN,
            header: Vec::new(),
            encoder: Encoder::default(),
            last: None,
            stack: Vec::new(),
            told: 0,
            offset: 0,
        }
    }

    /// Takes a piece of a line. What comes of it is asked for with [`Input::next`], until there is no more.
    pub fn text<'a>(
        &'a mut self,
        table: &'a HeaderTable,
        kind: LineKind,
        text: &'a [u8],
    ) -> Input<'a> {
        Input::new(self, table, text, Some(kind), false)
    }

    /// Takes the end of the message; asked for what comes of it as in [`text`](Self::text).
    pub fn end<'a>(&'a mut self, table: &'a HeaderTable) -> Input<'a> {
        // An unfinished line is finished first.
        let unfinished = self.last == Some(LineKind::Continued);
        let kind = unfinished.then_some(LineKind::Line);
        Input::new(self, table, b"", kind, unfinished)
    }

    /// Whether this text is body text that comes out as it is, so that [`text`](Self::text) need not be called for it. The
    /// caller that does not call tells [`skipped`](Self::skipped).
    pub fn is_plain_body(&self, text: &[u8]) -> bool {
        self.state == State::Body
            && (self.stack.is_empty() || !text.starts_with(b"--"))
            && !(self.options.downgrade && self.content.domain != Encoding::SevenBit)
            && !self.options.report_8bit_body
    }

    /// Body text that came out as it is was not shown to the machine.
    pub fn skipped(&mut self, kind: LineKind, text: &[u8]) {
        self.offset += text.len() as u64 + 1;
        self.last = Some(kind);
    }

    /// The worst violation told so far.
    pub fn worst(&self) -> Option<Fault> {
        Fault::ALL
            .into_iter()
            .find(|fault| self.told & fault.bit() != 0)
    }

    fn enter(&mut self, state: State, content: Content) {
        self.content = content;
        self.go(state);
    }

    pub(crate) fn go(&mut self, state: State) {
        self.state = state;
        if state == State::Body {
            self.offset = 0;
        }
    }

    /// Whether the violation is to be told now.
    pub(crate) fn tell(&mut self, fault: Fault) -> bool {
        let wanted = match fault {
            Fault::Nesting => self.options.report_nesting,
            Fault::TruncatedHeader => self.options.report_truncated_header,
            Fault::EightBitHeader => self.options.report_8bit_header,
            Fault::EightBitBody => self.options.report_8bit_body,
            Fault::EncodingDomain => self.options.report_encoding_domain,
            Fault::NonEmptyEndOfHeader => self.options.report_non_empty_end,
        };
        let new = wanted && self.told & fault.bit() == 0;
        if new {
            self.told |= fault.bit();
        }
        new
    }

    /// Looks at the header that was gathered; tells whether there are too many levels.
    pub(crate) fn content_header(&mut self, header: Header) -> bool {
        let Some(value) = self.header.get(header.name.len() + 1..) else {
            return false;
        };
        match header.kind {
            HeaderKind::ContentType => {
                let mut list = words(value, true);
                let Some(first) = list.parameters(3).filter(|first| !first.is_empty()) else {
                    self.content.kind = Type::Other;
                    return false;
                };
                let is =
                    |at: usize, text: &str| first.get(at).is_some_and(|word| word.is_token(text));
                let slash = first.get(1).is_some_and(|word| word.is_special(b'/'));
                let subtype = |text: &str| slash && is(2, text);
                if is(0, "text") {
                    self.content.kind = Type::Text;
                    self.content.subtype = if subtype("plain") {
                        Subtype::Plain
                    } else {
                        Subtype::Other
                    };
                } else if is(0, "message") {
                    self.content.kind = Type::Message;
                    self.content.subtype = if subtype("rfc822") {
                        Subtype::Rfc822
                    } else if subtype("partial") {
                        Subtype::Partial
                    } else if subtype("external-body") {
                        Subtype::ExternalBody
                    } else if subtype("global") {
                        Subtype::Global
                    } else {
                        Subtype::Other
                    };
                } else if is(0, "multipart") {
                    self.content.kind = Type::Multipart;
                    let default = if subtype("digest") {
                        Content::new(Type::Message, Subtype::Rfc822)
                    } else {
                        Content::PLAIN
                    };
                    // More than one boundary is illegal, and a way to hide content: all of them count.
                    let mut boundaries = Vec::new();
                    while let Some(parameter) = list.parameters(3) {
                        if let [name, equals, value] = parameter.as_slice()
                            && name.is_token("boundary")
                            && equals.is_special(b'=')
                        {
                            boundaries.push(value.text.clone());
                        }
                    }
                    let mut too_many = false;
                    for mut text in boundaries {
                        if self.stack.len() > self.options.nesting_limit + 1 {
                            too_many = true;
                        } else {
                            text.truncate(self.options.boundary_limit);
                            self.stack.push(Boundary { text, default });
                        }
                    }
                    return too_many;
                }
            }
            HeaderKind::ContentTransferEncoding => {
                let first = words(value, false).next();
                let known = Encoding::ALL.into_iter().find(|encoding| {
                    first
                        .as_ref()
                        .is_some_and(|word| word.is_token(encoding.name()))
                });
                if let Some(encoding) = known {
                    self.content.encoding = encoding;
                    self.content.domain = encoding.domain();
                }
            }
            _ => {}
        }
        false
    }

    pub(crate) fn bad_domain(&self) -> bool {
        let content = &self.content;
        match content.kind {
            Type::Message => match content.subtype {
                Subtype::Partial | Subtype::ExternalBody => content.domain != Encoding::SevenBit,
                Subtype::Rfc822 => content.encoding != content.domain,
                _ => false,
            },
            Type::Multipart => content.encoding != content.domain,
            _ => false,
        }
    }

    /// Goes to what follows an empty line behind headers.
    pub(crate) fn after_headers(&mut self) {
        self.offset = 0;
        let content = self.content;
        match content.kind {
            Type::Message => {
                let nested = match content.subtype {
                    Subtype::Rfc822 => true,
                    Subtype::Global => {
                        !self.options.downgrade || content.domain == Encoding::SevenBit
                    }
                    _ => false,
                };
                if nested {
                    self.enter(State::Headers(Class::Nested), Content::PLAIN);
                } else {
                    self.go(State::Body);
                }
            }
            Type::Multipart => self.enter(State::Body, Content::OTHER),
            _ => self.go(State::Body),
        }
    }

    /// Looks for a boundary in a line of body text.
    pub(crate) fn look_for_boundary(&mut self, text: &[u8]) {
        let Some(rest) = text.strip_prefix(b"--").filter(|rest| !rest.is_empty()) else {
            return;
        };
        let Some(level) = self
            .stack
            .iter()
            .rposition(|boundary| rest.starts_with(&boundary.text))
        else {
            return;
        };
        self.stack.truncate(level + 1);
        let Some(boundary) = self.stack.last() else {
            return;
        };
        let default = boundary.default;
        if rest
            .get(boundary.text.len()..)
            .is_some_and(|rest| rest.starts_with(b"--"))
        {
            self.stack.pop();
            self.enter(State::Body, Content::OTHER);
        } else {
            self.enter(State::Headers(Class::Multipart), default);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(options: Options, lines: &[&str]) -> Vec<String> {
        let table = HeaderTable::default();
        let mut machine = Machine::new(options);
        let mut out = Vec::new();
        let mut tell = |mut input: Input<'_>| {
            while let Some(event) = input.next() {
                out.push(match event {
                    Event::Header { class, text, .. } => {
                        format!("{class:?} {}", String::from_utf8_lossy(text))
                    }
                    Event::HeaderEnd => "end of headers".to_owned(),
                    Event::Body { text, offset, .. } => {
                        format!("{offset} {}", String::from_utf8_lossy(text))
                    }
                    Event::BodyEnd => "end".to_owned(),
                    Event::Fault { fault, .. } => format!("{fault:?}"),
                });
            }
        };
        for line in lines {
            tell(machine.text(&table, LineKind::Line, line.as_bytes()));
        }
        tell(machine.end(&table));
        out
    }

    #[test]
    fn headers_are_gathered_and_parts_found() {
        let found = run(
            Options::default(),
            &[
                "To : a",
                "\tb",
                "Content-Type: multipart/digest; boundary=x",
                "",
                "text",
                "--x",
                "",
                "Subject: inner",
                "",
                "body",
                "--x--",
                "after",
            ],
        );
        assert_eq!(
            found,
            [
                "Primary To: a\n\tb",
                "Primary Content-Type: multipart/digest; boundary=x",
                "end of headers",
                "0 ",
                "1 text",
                "6 --x",
                "0 ",
                "Nested Subject: inner",
                "0 ",
                "1 body",
                "0 --x--",
                "6 after",
                "end",
            ]
        );
    }

    #[test]
    fn a_missing_empty_line_is_added() {
        assert_eq!(
            run(Options::default(), &["A: b", "no header"]),
            ["Primary A: b", "end of headers", "0 ", "0 no header", "end"]
        );
    }

    #[test]
    fn eight_bit_content_is_encoded() {
        let options = Options {
            downgrade: true,
            ..Options::default()
        };
        let found = run(
            options,
            &["Content-Transfer-Encoding: 8bit", "", "\u{e9} =", "end "],
        );
        assert_eq!(
            found,
            [
                "Primary Content-Transfer-Encoding: quoted-printable",
                "end of headers",
                "0 ",
                "1 =C3=A9 =3D",
                "12 end=20",
                "end",
            ]
        );
    }

    #[test]
    fn faults_are_told_once() {
        let options = Options {
            report_8bit_body: true,
            report_8bit_header: true,
            report_encoding_domain: true,
            report_truncated_header: true,
            header_limit: 8,
            ..Options::default()
        };
        let found = run(
            options,
            &[
                "A: \u{e9}23456",
                " x",
                "Content-Type: message/rfc822",
                "Content-Transfer-Encoding: base64",
                "",
                "",
                "\u{e9}",
                "\u{e9}",
            ],
        );
        let faults: Vec<_> = found.iter().filter(|text| !text.contains(' ')).collect();
        assert_eq!(
            faults,
            [
                "TruncatedHeader",
                "EightBitHeader",
                "EncodingDomain",
                "EightBitBody",
                "end"
            ]
        );
    }

    proptest! {
        #[test]
        fn any_input_is_taken_and_no_body_text_is_lost(lines in prop::collection::vec("(--x|--x--|A: b|Content-Type: multipart/mixed; boundary=x|Content-Type: message/rfc822| y|z|)", 0..20)) {
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            let found = run(Options::default(), &lines);
            prop_assert_eq!(found.last().map(String::as_str), Some("end"));
            for text in ["z", "--x", "--x--"] {
                let told = found.iter().filter(|told| told.split_once(' ').is_some_and(|(at, told)| at.parse::<u64>().is_ok() && told == text)).count();
                prop_assert_eq!(told, lines.iter().filter(|line| **line == text).count());
            }
        }
    }
}
