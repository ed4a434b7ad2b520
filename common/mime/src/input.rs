//! The work on one piece of input, event by event.

use crate::content::{Encoding, Subtype, Type};
use crate::machine::{Class, Event, LineKind, Machine, State};
use crate::{Fault, Header, HeaderKind, HeaderTable, header_name_len};

/// How far the work on a piece of input has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    /// The gathered header is complete.
    HeaderDone,
    /// Its content meaning is known; 8-bit text is looked for.
    HeaderEightBit,
    HeaderOut,
    /// The gathered header was told: its buffer is free.
    HeaderTold,
    /// The encoding header of a downgrade was told.
    EncodingTold,
    HeadersOver,
    EndOfPrimary,
    CheckDomain,
    Leave,
    Body,
    BodyBoundary,
    BodyOut,
    Encode,
    /// A line of the encoded text was told.
    EncodeOn,
    /// The last line of the encoded text was told.
    Encoded,
    Done,
}

/// A piece of input in work; [`next`](Self::next) gives one event after another.
#[derive(Debug)]
pub struct Input<'a> {
    machine: &'a mut Machine,
    table: &'a HeaderTable,
    text: &'a [u8],
    kind: Option<LineKind>,
    stage: Stage,
    /// Whether the end of the message comes next.
    then_end: bool,
}

impl<'a> Input<'a> {
    pub(crate) fn new(
        machine: &'a mut Machine,
        table: &'a HeaderTable,
        text: &'a [u8],
        kind: Option<LineKind>,
        then_end: bool,
    ) -> Self {
        Self {
            machine,
            table,
            text,
            kind,
            stage: Stage::Start,
            then_end,
        }
    }
    /// The next event.
    #[expect(
        clippy::should_implement_trait,
        reason = "the event borrows from the machine: no iterator can do that"
    )]
    pub fn next(&mut self) -> Option<Event<'_>> {
        // A loop of stages; each either goes on or ends with an event. Events are built at the end, for the borrow checker.
        let out = loop {
            match self.stage {
                Stage::Start => match self.machine.state {
                    State::Body => self.stage = Stage::Body,
                    State::Headers(_) => {
                        if self.machine.header.is_empty() {
                            self.stage = Stage::HeaderTold;
                        } else if self.kind.is_some() && self.continues_header() {
                            self.stage = Stage::Done;
                            let machine = &mut *self.machine;
                            if machine.header.len() < machine.options.header_limit {
                                if machine.last != Some(LineKind::Continued) {
                                    machine.header.push(b'\n');
                                }
                                machine.header.extend_from_slice(until_nul(self.text));
                            } else if machine.tell(Fault::TruncatedHeader) {
                                machine.last = self.kind;
                                break Out::HeaderFault(Fault::TruncatedHeader);
                            }
                        } else {
                            self.stage = Stage::HeaderDone;
                        }
                    }
                },
                Stage::HeaderDone => {
                    self.stage = Stage::HeaderEightBit;
                    if !self.machine.options.disable_mime
                        && let Some(header) = self.table.find(&self.machine.header)
                        && self.machine.content_header(header)
                        && self.machine.tell(Fault::Nesting)
                    {
                        break Out::HeaderFault(Fault::Nesting);
                    }
                }
                Stage::HeaderEightBit => {
                    self.stage = Stage::HeaderOut;
                    if self.machine.options.report_8bit_header
                        && !self.machine.header.is_ascii()
                        && self.machine.tell(Fault::EightBitHeader)
                    {
                        break Out::HeaderFault(Fault::EightBitHeader);
                    }
                }
                Stage::HeaderOut => {
                    self.stage = Stage::HeaderTold;
                    let machine = &mut *self.machine;
                    machine.last = None;
                    let header = self.table.find(&machine.header);
                    // The encoding of a content that is downgraded is told when all is known about it.
                    let held = machine.options.downgrade
                        && machine.content.domain != Encoding::SevenBit
                        && header.is_some_and(|header| {
                            header.kind == HeaderKind::ContentTransferEncoding
                        });
                    if held {
                        machine.header.clear();
                    } else {
                        break Out::Header(header);
                    }
                }
                Stage::HeaderTold => {
                    self.machine.header.clear();
                    if self.kind.is_some()
                        && let Some(len) = header_name_len(self.text)
                    {
                        // "name space colon" becomes "name colon".
                        let (name, rest) =
                            self.text.split_at_checked(len).unwrap_or((self.text, b""));
                        let blanks = rest
                            .iter()
                            .take_while(|ch| matches!(ch, b' ' | b'\t'))
                            .count();
                        self.machine.header.extend_from_slice(name);
                        self.machine
                            .header
                            .extend_from_slice(until_nul(rest.get(blanks..).unwrap_or_default()));
                        self.stage = Stage::Done;
                        continue;
                    }
                    self.stage = Stage::HeadersOver;
                    let machine = &mut *self.machine;
                    if machine.options.downgrade && machine.content.domain != Encoding::SevenBit {
                        let content = machine.content;
                        let domain_only = (content.kind == Type::Message
                            && content.subtype != Subtype::Global)
                            || content.kind == Type::Multipart;
                        machine
                            .header
                            .extend_from_slice(b"Content-Transfer-Encoding: ");
                        machine.header.extend_from_slice(if domain_only {
                            b"7bit"
                        } else {
                            b"quoted-printable"
                        });
                        self.stage = Stage::EncodingTold;
                        break Out::Header(None);
                    }
                }
                Stage::EncodingTold => {
                    self.machine.header.clear();
                    self.stage = Stage::HeadersOver;
                }
                Stage::HeadersOver => {
                    self.stage = Stage::EndOfPrimary;
                    if self.machine.state == State::Headers(Class::Primary)
                        && !self.text.is_empty()
                        && self.machine.tell(Fault::NonEmptyEndOfHeader)
                    {
                        break Out::TextFault(Fault::NonEmptyEndOfHeader);
                    }
                }
                Stage::EndOfPrimary => {
                    self.stage = Stage::CheckDomain;
                    if self.machine.state == State::Headers(Class::Primary) {
                        break Out::HeaderEnd;
                    }
                }
                Stage::CheckDomain => {
                    self.stage = Stage::Leave;
                    if self.machine.options.report_encoding_domain
                        && self.machine.bad_domain()
                        && self.machine.tell(Fault::EncodingDomain)
                    {
                        break Out::DomainFault;
                    }
                }
                Stage::Leave => {
                    self.stage = Stage::Body;
                    let primary = self.machine.state == State::Headers(Class::Primary);
                    if self.kind.is_none() {
                        self.machine.go(State::Body);
                    } else if self.text.is_empty() {
                        self.machine.after_headers();
                        // The empty line itself is body text, whatever comes next.
                        self.stage = Stage::Body;
                    } else if primary {
                        // Not a header and not an empty line: an empty line is put before it.
                        let offset = self.machine.offset;
                        self.machine.go(State::Body);
                        self.machine.offset = 0;
                        break Out::Separator(offset);
                    } else {
                        self.machine.go(State::Body);
                    }
                }
                Stage::Body => {
                    self.stage = Stage::BodyBoundary;
                    if self.kind.is_some()
                        && self.machine.options.report_8bit_body
                        && self.machine.content.encoding == Encoding::SevenBit
                        && !self.text.is_ascii()
                        && self.machine.tell(Fault::EightBitBody)
                    {
                        break Out::TextFault(Fault::EightBitBody);
                    }
                }
                Stage::BodyBoundary => {
                    let Some(kind) = self.kind else {
                        self.stage = Stage::Done;
                        break Out::BodyEnd;
                    };
                    let machine = &mut *self.machine;
                    if !machine.stack.is_empty() && machine.last != Some(LineKind::Continued) {
                        machine.look_for_boundary(self.text);
                    }
                    machine.last = Some(kind);
                    self.stage = if machine.options.downgrade
                        && machine.content.domain != Encoding::SevenBit
                    {
                        Stage::Encode
                    } else {
                        Stage::BodyOut
                    };
                }
                Stage::BodyOut => {
                    self.stage = Stage::Done;
                    break Out::Body(self.kind.unwrap_or(LineKind::Line));
                }
                Stage::Encode => {
                    let encoder = &mut self.machine.encoder;
                    if encoder.fill(&mut self.text) {
                        self.stage = Stage::EncodeOn;
                        break Out::Encoded;
                    }
                    self.stage = Stage::Done;
                    if self.kind == Some(LineKind::Line) {
                        encoder.end_line();
                        self.stage = Stage::Encoded;
                        break Out::Encoded;
                    }
                }
                Stage::EncodeOn => {
                    self.machine.encoder.line.clear();
                    self.stage = Stage::Encode;
                }
                Stage::Encoded => {
                    self.machine.encoder.line.clear();
                    self.stage = Stage::Done;
                }
                Stage::Done => {
                    if let Some(kind) = self.kind {
                        self.machine.last = Some(kind);
                    }
                    if !self.then_end {
                        return None;
                    }
                    self.then_end = false;
                    self.kind = None;
                    self.text = b"";
                    self.stage = Stage::Start;
                }
            }
        };
        Some(self.event(out))
    }

    fn continues_header(&self) -> bool {
        self.machine.last == Some(LineKind::Continued)
            || matches!(self.text.first(), Some(b' ' | b'\t'))
    }

    fn event(&mut self, out: Out) -> Event<'_> {
        let machine = &mut *self.machine;
        match out {
            Out::Header(header) => {
                let class = match machine.state {
                    State::Headers(class) => class,
                    State::Body => Class::Primary,
                };
                Event::Header {
                    class,
                    header,
                    text: &machine.header,
                }
            }
            Out::HeaderEnd => Event::HeaderEnd,
            Out::HeaderFault(fault) => Event::Fault {
                fault,
                text: &machine.header,
            },
            Out::TextFault(fault) => Event::Fault {
                fault,
                text: self.text,
            },
            Out::DomainFault => Event::Fault {
                fault: Fault::EncodingDomain,
                text: machine.content.encoding.name().as_bytes(),
            },
            Out::Body(kind) => {
                let offset = machine.offset;
                machine.offset += self.text.len() as u64 + 1;
                Event::Body {
                    kind,
                    text: self.text,
                    offset,
                }
            }
            Out::Encoded => {
                let offset = machine.offset;
                machine.offset += machine.encoder.line.len() as u64 + 1;
                Event::Body {
                    kind: LineKind::Line,
                    text: &machine.encoder.line,
                    offset,
                }
            }
            Out::Separator(offset) => Event::Body {
                kind: LineKind::Line,
                text: b"",
                offset,
            },
            Out::BodyEnd => Event::BodyEnd,
        }
    }
}

/// A header's line ends at a NUL, as in a C string.
fn until_nul(text: &[u8]) -> &[u8] {
    memchr::memchr(0, text)
        .and_then(|at| text.get(..at))
        .unwrap_or(text)
}

/// An event without its text.
enum Out {
    Header(Option<Header>),
    HeaderEnd,
    HeaderFault(Fault),
    TextFault(Fault),
    DomainFault,
    Body(LineKind),
    Encoded,
    Separator(u64),
    BodyEnd,
}
