//! Record types: the letter that begins each record.

use std::fmt;

/// The type of a record: any byte, of which the named ones mean something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordType(pub u8);

macro_rules! types {
    ($($(#[$doc:meta])* $name:ident = $letter:literal $(, $label:literal)?;)*) => {
        impl RecordType {
            $($(#[$doc])* pub const $name: Self = Self($letter);)*

            /// The name that `postcat` shows; `None`: no such type.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($($letter => Some($label),)?)*
                    _ => None,
                }
            }
        }
    };
}

types! {
    /// First in a queue file: sizes and counts, of fixed width.
    SIZE = b'C', "message_size";
    /// Arrival time.
    TIME = b'T', "message_arrival_time";
    /// Time of submission by a user.
    CTIME = b'c', "queue_file_create_time";
    /// Full name of the sender.
    FULL = b'F', "sender_fullname";
    /// Content inspection transport (obsolete).
    INSPECT = b'I', "content_inspector";
    /// Content filter of this message, in the envelope. The same letter as [`RecordType::CONT`].
    FILTER = b'L', "content_filter";
    /// Envelope sender.
    FROM = b'S', "sender";
    /// A recipient that is done with.
    DONE = b'D', "done_recipient";
    /// A recipient.
    RCPT = b'R', "recipient";
    /// The recipient as it was before rewriting; belongs to the next recipient.
    ORCPT = b'O', "original_recipient";
    /// A cancelled recipient.
    CANCELLED = b'/', "canceled_recipient";
    /// When the next delay warning is due; updated in place.
    WARN = b'W', "warning_message_time";
    /// `name=value`.
    ATTR = b'A', "named_attribute";
    /// A killed record.
    KILL = b'K', "killed_record";
    /// Redirects all recipients.
    REDIRECT = b'>', "redirect_to";
    /// Flags of cleanup.
    FLAGS = b'f', "flags";
    /// Delay upon arrival, in seconds.
    DELAY = b'd';
    /// Ends the envelope, begins the content.
    MESG = b'M', "message_content";
    /// Part of a content line that goes on in the next record.
    CONT = b'L';
    /// A content line, or its end.
    NORM = b'N', "regular_text";
    /// Padding.
    PADDING = b'w', "padding";
    /// Ends the content, begins what was extracted from it.
    XTRA = b'X', "extracted_info";
    /// Return-receipt address (obsolete).
    RETURN_RECEIPT = b'r', "return_receipt";
    /// Errors-to address (obsolete).
    ERRORS_TO = b'e', "errors_to";
    /// Priority (obsolete).
    PRIORITY = b'P', "priority";
    /// Go on reading elsewhere in the file.
    POINTER = b'p', "pointer_record";
    /// VERP delimiters.
    VERP = b'V', "verp_delimiters";
    /// DSN: what a notification returns.
    DSN_RET = b'<', "dsn_return_flags";
    /// DSN: envelope id.
    DSN_ENVID = b'i', "dsn_envelope_id";
    /// DSN: original recipient; belongs to the next recipient.
    DSN_ORCPT = b'o', "dsn_original_recipient";
    /// DSN: when to notify; belongs to the next recipient.
    DSN_NOTIFY = b'n', "dsn_notify_flags";
    /// Internal to milter clients.
    MILTER_COUNT = b'm';
    /// Ends the message.
    END = b'E', "message_end";
}

impl RecordType {
    /// Whether the type is one of `set` (see the constants of [`mod@set`]).
    pub fn is_in(self, set: &[u8]) -> bool {
        set.contains(&self.0)
    }
}

impl fmt::Debug for RecordType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "RecordType({:?})", char::from(self.0))
    }
}

/// Which types may stand in which part of a message. The first letter ends the part.
pub mod set {
    /// The envelope.
    pub const ENVELOPE: &[u8] = b"MCTcFILSDRO/WVA>K<ion";
    /// The content.
    pub const CONTENT: &[u8] = b"XLNw";
    /// What was extracted from the content.
    pub const EXTRACT: &[u8] = b"EDRO/PreAFIL>Kon";
    /// The envelope that `postdrop` accepts from users.
    pub const POST_ENVELOPE: &[u8] = b"MCFSRVAin";
    /// The content that `postdrop` accepts.
    pub const POST_CONTENT: &[u8] = b"XLN";
    /// The rest that `postdrop` accepts.
    pub const POST_EXTRACT: &[u8] = b"EAR";
    /// The recipients at the end of an envelope that may be read in pieces.
    pub const ENVELOPE_RECIPIENTS: &[u8] = b"MDRO/Kon";
    /// The same for the extracted part.
    pub const EXTRACT_RECIPIENTS: &[u8] = b"EDRO/Kon";
}
