//! Submitting one message from standard input.

use std::io::{self, BufRead};
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use anyhow::Result;
use pf_config::{Config, param};
use pf_log::warning;
use pf_proto::deliver::flags;
use pf_record::{RecordType, SizeRecord};
use pf_sys::identity;

use crate::exit::fail;
use crate::options::Options;
use crate::recipients::Extractor;
use crate::submit::Submission;

/// The user, who must be one that may submit mail; postdrop is what enforces it.
///
/// # Errors
/// It may not.
pub fn may_submit(config: &Config) -> Result<u32> {
    let uid = identity::real_uid();
    let list = config.get(param::AUTHORIZED_SUBMIT_USERS)?;
    let (user, allowed) = pf_cli::user_allowed("authorized_submit_users", &list, uid)?;
    if allowed {
        return Ok(uid);
    }
    Err(fail(format!(
        "User {user}({uid}) is not allowed to submit mail"
    )))
}

/// Submits the message.
///
/// # Errors
/// It was not taken; the exit status says why.
pub fn enqueue(options: &Options, config: &Config) -> Result<()> {
    let uid = may_submit(config)?;
    let most = config.get(param::MESSAGE_SIZE_LIMIT)?;
    let sender = sender(options, uid)?;
    let who = format!("{}({uid})", String::from_utf8_lossy(&sender));
    let directory = config.get(param::COMMAND_DIRECTORY)?;
    let mut out = Submission::start(
        Path::new(&directory),
        config.directory(),
        options.verbose,
        who.clone(),
    )?;
    let trace = if options.probe {
        flags::USER_VERIFY
    } else if options.record {
        flags::RECORD
    } else {
        0
    };
    if options.sendopts != 0 {
        // Only the last number is known here.
        let size = SizeRecord {
            message_size: -1,
            data_offset: -1,
            recipients: -1,
            qmgr_flags: -1,
            content_length: -1,
            sendopts: options.sendopts,
        };
        out.put(RecordType::SIZE, &size.encode())?;
    }
    if let Some(envid) = &options.envid {
        out.put(
            RecordType::ATTR,
            &[b"envelope_id=", envid.as_slice()].concat(),
        )?;
    }
    if options.ret != 0 {
        out.attribute("ret_flags", options.ret)?;
    }
    out.attribute(
        "rewrite_context",
        if options.rewrite_remote {
            "remote"
        } else {
            "local"
        },
    )?;
    if let Some(name) = full_name(options, uid) {
        out.put(RecordType::FULL, &name)?;
    }
    out.put(RecordType::FROM, &sender)?;
    if options.verp.is_some() && sender.is_empty() {
        return Err(fail(format!(
            "{who}: -V option requires non-null sender address"
        )));
    }
    if let Some(encoding) = options.encoding {
        out.attribute("encoding", encoding)?;
    }
    if trace != 0 {
        out.attribute("trace_flags", trace)?;
    }
    if let Some(delimiters) = &options.verp {
        out.put(RecordType::VERP, delimiters)?;
    }
    let mut count = 0;
    for word in &options.recipients {
        let tokens = pf_address::parse(word);
        let before = count;
        for address in pf_address::addresses(&tokens) {
            recipient(&mut out, options, &address.internal())?;
            count += 1;
        }
        if count == before {
            // No address in it: somebody will hear of an empty one.
            out.put(RecordType::RCPT, b"")?;
            count += 1;
        }
    }
    out.put(RecordType::MESG, b"")?;
    if options.probe {
        probe(&mut out, &sender, &options.recipients)?;
        out.put(RecordType::XTRA, b"")?;
    } else {
        let mut extractor = match options.extract {
            true => Some(Extractor::new(config.count(param::HEADER_SIZE_LIMIT)?)),
            false => None,
        };
        content(&mut out, options, config, most, &who, extractor.as_mut())?;
        out.put(RecordType::XTRA, b"")?;
        for address in extractor.map(Extractor::recipients).unwrap_or_default() {
            recipient(&mut out, options, &address)?;
            count += 1;
        }
    }
    if count == 0 {
        let text = if options.extract {
            "No recipient addresses found in message header"
        } else {
            "Recipient addresses must be specified on the command line or via the -t option"
        };
        return Err(fail(format!("{who}: {text}")));
    }
    out.put(RecordType::END, b"")?;
    out.finish()?;
    if trace != 0 {
        use std::io::Write as _;
        let shown = String::from_utf8_lossy(&sender);
        writeln!(
            io::stdout(),
            "Mail Delivery Status Report will be mailed to <{shown}>."
        )?;
    }
    Ok(())
}

fn recipient(out: &mut Submission, options: &Options, address: &[u8]) -> Result<()> {
    if options.notify != 0 {
        out.attribute("notify_flags", options.notify)?;
    }
    out.put(RecordType::RCPT, address)
}

/// The envelope sender: what `-f` says, or the user's login name.
fn sender(options: &Options, uid: u32) -> Result<Vec<u8>> {
    let Some(given) = &options.sender else {
        let user = identity::user_by_uid(uid)?;
        return match user {
            Some(user) => Ok(user.name.into_bytes()),
            None => Err(fail(format!("no login name found for user ID {uid}"))),
        };
    };
    let tokens = pf_address::parse(given);
    let mut addresses = pf_address::addresses(&tokens).map(|address| address.internal());
    let first = addresses.next().unwrap_or_default();
    if addresses.next().is_some() {
        warning!(
            "-f option specified malformed sender: {}",
            String::from_utf8_lossy(given)
        );
    }
    Ok(first)
}

/// The sender's full name: what `-F` or `NAME` say, or what the user database has.
fn full_name(options: &Options, uid: u32) -> Option<Vec<u8>> {
    if let Some(name) = &options.full_name {
        return Some(name.clone());
    }
    if let Some(name) = pf_cli::safe_environment("NAME") {
        return Some(name.into_vec());
    }
    let user = identity::user_by_uid(uid).ok()??;
    let field = user.gecos.split([',', ';', '%']).next().unwrap_or_default();
    // An ampersand stands for the login name.
    let mut login = user.name.clone();
    if let Some(first) = login.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Some(field.replace('&', &login).into_bytes()).filter(|name| !name.is_empty())
}

/// The message of a probe: nobody gets it, but a report quotes it.
fn probe(out: &mut Submission, sender: &[u8], recipients: &[Vec<u8>]) -> Result<()> {
    if !sender.is_empty() {
        out.put(RecordType::NORM, &[b"From: ".as_slice(), sender].concat())?;
    }
    out.put(RecordType::NORM, b"Subject: probe")?;
    if let Some((last, others)) = recipients.split_last() {
        out.put(RecordType::CONT, b"To:")?;
        for other in others {
            out.put(RecordType::NORM, &[b"\t", other.as_slice(), b","].concat())?;
        }
        out.put(RecordType::NORM, &[b"\t", last.as_slice()].concat())?;
    }
    Ok(())
}

/// How lines that end in CRLF are treated (`sendmail_fix_line_endings`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StripCr {
    /// As the first line shows.
    Unknown,
    Yes,
    No,
}

/// Copies the content from standard input, but not much more than `most` bytes.
fn content(
    out: &mut Submission,
    options: &Options,
    config: &Config,
    most: i64,
    who: &str,
    mut extractor: Option<&mut Extractor>,
) -> Result<()> {
    let setting = config.get(param::SENDMAIL_FIX_LINE_ENDINGS)?;
    let mut strip = match setting.as_str() {
        "always" => StripCr::Yes,
        "strict" => StripCr::Unknown,
        "never" => StripCr::No,
        other => {
            return Err(fail(format!(
                "invalid sendmail_fix_line_endings value: {other}"
            )));
        }
    };
    let limit = config.count(param::LINE_LENGTH_LIMIT)?.max(1);
    let mut input = io::stdin().lock();
    let (mut skip_from, mut continued) = (true, false);
    let mut line = Vec::new();
    let mut size: i64 = 0;
    while let Some(whole) = piece(&mut input, &mut line, limit).map_err(|err| {
        fail(format!(
            "{who}: error reading input: {}",
            pf_sys::error::text(&err)
        ))
    })? {
        size = size.saturating_add(i64::try_from(line.len()).unwrap_or(i64::MAX));
        if strip == StripCr::Unknown && whole {
            strip = if line.last() == Some(&b'\r') {
                StripCr::Yes
            } else {
                StripCr::No
            };
        }
        if skip_from {
            let bare = line
                .iter()
                .position(|byte| *byte != b'>')
                .and_then(|at| line.get(at..))
                .unwrap_or_default();
            if whole && bare.starts_with(b"From ") {
                continue;
            }
            skip_from = false;
        }
        if strip == StripCr::Yes && whole {
            while line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        if options.dot_ends && !continued && line == b"." {
            break;
        }
        continued = !whole;
        match &mut extractor {
            Some(extractor) => {
                for (ends, text) in extractor.line(&line, whole) {
                    chopped(out, ends, &text, limit)?;
                }
                complete(extractor, who)?;
            }
            None => out.put(kind(whole), &line)?,
        }
        // postdrop would refuse it at the end anyway.
        if most > 0 && size > most {
            break;
        }
    }
    if let Some(extractor) = extractor {
        for (ends, text) in extractor.end() {
            chopped(out, ends, &text, limit)?;
        }
        complete(extractor, who)?;
    }
    Ok(())
}

/// A line in records of no more than `limit` bytes: headers come back in one piece.
fn chopped(out: &mut Submission, ends: bool, line: &[u8], limit: usize) -> Result<()> {
    let mut rest = line;
    while let Some((piece, tail)) = rest
        .split_at_checked(limit)
        .filter(|(_, tail)| !tail.is_empty())
    {
        out.put(RecordType::CONT, piece)?;
        rest = tail;
    }
    out.put(kind(ends), rest)
}

/// All recipients were found, or nobody gets the message.
fn complete(extractor: &Extractor, who: &str) -> Result<()> {
    match extractor.fault() {
        None => Ok(()),
        Some(fault) => Err(fail(format!(
            "{who}: unable to extract recipients: {}",
            fault.text()
        ))),
    }
}

fn kind(whole: bool) -> RecordType {
    if whole {
        RecordType::NORM
    } else {
        RecordType::CONT
    }
}

/// Reads a line, or a part of a long one, without its newline; whether it ends here. `None` at the end of the input.
fn piece(input: &mut impl BufRead, line: &mut Vec<u8>, limit: usize) -> io::Result<Option<bool>> {
    line.clear();
    loop {
        let available = match input.fill_buf() {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if available.is_empty() {
            // A last line without a newline goes on.
            return Ok((!line.is_empty()).then_some(false));
        }
        let room = limit - line.len();
        let window = available
            .get(..available.len().min(room))
            .unwrap_or(available);
        match window.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                line.extend_from_slice(window.get(..end).unwrap_or_default());
                input.consume(end + 1);
                return Ok(Some(true));
            }
            None => {
                line.extend_from_slice(window);
                let used = window.len();
                input.consume(used);
                if line.len() >= limit {
                    return Ok(Some(false));
                }
            }
        }
    }
}
