//! Submitting one message from standard input.

use std::io::{self, BufRead};
use std::path::Path;

use anyhow::Result;
use pf_config::{Config, param};
use pf_log::warning;
use pf_proto::deliver::flags;
use pf_record::RecordType;
use pf_sys::identity;

use crate::exit::{DATAERR, NOPERM, OSERR, USAGE, fail};
use crate::options::{Mode, Options};
use crate::recipients::Extractor;
use crate::submit::Submission;

/// Submits the message.
///
/// # Errors
/// It was not taken; the exit status says why.
pub fn enqueue(options: &Options, config: &Config) -> Result<()> {
    let uid = identity::real_uid();
    let list = config.get(param::AUTHORIZED_SUBMIT_USERS)?;
    let (user, allowed) = pf_cli::user_allowed("authorized_submit_users", &list, uid)?;
    if !allowed {
        return Err(fail(
            NOPERM,
            format!("User {user}({uid}) is not allowed to submit mail"),
        ));
    }
    let sender = sender(options, uid)?;
    let who = format!("{}({uid})", String::from_utf8_lossy(&sender));
    let directory = config.get(param::COMMAND_DIRECTORY)?;
    let mut out = Submission::start(
        Path::new(&directory),
        config.directory(),
        options.verbose.saturating_sub(1),
        who.clone(),
    )?;
    let trace = match (options.mode, options.record) {
        (Mode::Verify, _) => flags::USER_VERIFY,
        (_, true) => flags::RECORD,
        _ => 0,
    };
    if let Some(envid) = &options.envid {
        out.attribute("envelope_id", envid)?;
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
        out.put(RecordType::FULL, name.as_bytes())?;
    }
    out.put(RecordType::FROM, &sender)?;
    if options.verp.is_some() && sender.is_empty() {
        return Err(fail(
            USAGE,
            format!("{who}: -V option requires non-null sender address"),
        ));
    }
    if let Some(encoding) = options.encoding {
        out.attribute("encoding", encoding)?;
    }
    if trace != 0 {
        out.attribute("trace_flags", trace)?;
    }
    if let Some(delimiters) = &options.verp {
        let delimiters = if delimiters.is_empty() {
            config.get(param::DEFAULT_VERP_DELIMITERS)?
        } else {
            delimiters.clone()
        };
        out.put(RecordType::VERP, delimiters.as_bytes())?;
    }
    let mut count = 0;
    for word in &options.recipients {
        let tokens = pf_address::parse(word.as_bytes());
        let mut addresses: Vec<Vec<u8>> = pf_address::addresses(&tokens)
            .map(|address| address.internal())
            .collect();
        if addresses.is_empty() {
            addresses.push(Vec::new());
        }
        for address in addresses {
            recipient(&mut out, options, &address)?;
            count += 1;
        }
    }
    out.put(RecordType::MESG, b"")?;
    if options.mode == Mode::Verify {
        if options.extract {
            return Err(fail(
                USAGE,
                format!("{who}: -t option cannot be used with -bv"),
            ));
        }
        probe(&mut out, &sender, &options.recipients)?;
        out.put(RecordType::XTRA, b"")?;
    } else {
        let mut extractor = options.extract.then(Extractor::new);
        content(&mut out, options, config, &who, extractor.as_mut())?;
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
        return Err(fail(USAGE, format!("{who}: {text}")));
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
            None => Err(fail(
                OSERR,
                format!("no login name found for user ID {uid}"),
            )),
        };
    };
    let tokens = pf_address::parse(given.as_bytes());
    let mut addresses = pf_address::addresses(&tokens).map(|address| address.internal());
    let first = addresses.next().unwrap_or_default();
    if addresses.next().is_some() {
        warning!("-f option specified malformed sender: {given}");
    }
    Ok(first)
}

/// The sender's full name: what `-F` or `NAME` say, or what the user database has.
fn full_name(options: &Options, uid: u32) -> Option<String> {
    if let Some(name) = &options.full_name {
        return Some(name.clone());
    }
    if let Ok(name) = std::env::var("NAME") {
        return Some(name).filter(|name| !name.is_empty());
    }
    let user = identity::user_by_uid(uid).ok()??;
    let field = user.gecos.split([',', ';', '%']).next().unwrap_or_default();
    // An ampersand stands for the login name.
    let mut login = user.name.clone();
    if let Some(first) = login.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Some(field.replace('&', &login)).filter(|name| !name.is_empty())
}

/// The message of a probe: nobody gets it, but a report quotes it.
fn probe(out: &mut Submission, sender: &[u8], recipients: &[String]) -> Result<()> {
    if !sender.is_empty() {
        out.put(RecordType::NORM, &[b"From: ".as_slice(), sender].concat())?;
    }
    out.put(RecordType::NORM, b"Subject: probe")?;
    if let Some((last, others)) = recipients.split_last() {
        out.put(RecordType::CONT, b"To:")?;
        for other in others {
            out.put(RecordType::NORM, format!("\t{other},").as_bytes())?;
        }
        out.put(RecordType::NORM, format!("\t{last}").as_bytes())?;
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

/// Copies the content from standard input.
fn content(
    out: &mut Submission,
    options: &Options,
    config: &Config,
    who: &str,
    mut extractor: Option<&mut Extractor>,
) -> Result<()> {
    let setting = config.get(param::SENDMAIL_FIX_LINE_ENDINGS)?;
    let mut strip = match setting.as_str() {
        "always" => StripCr::Yes,
        "strict" => StripCr::Unknown,
        "never" => StripCr::No,
        other => {
            return Err(fail(
                USAGE,
                format!("invalid sendmail_fix_line_endings value: {other}"),
            ));
        }
    };
    let limit = config.count(param::LINE_LENGTH_LIMIT)?.max(1);
    let mut input = io::stdin().lock();
    let (mut skip_from, mut continued) = (true, false);
    let mut line = Vec::new();
    let mut size: i64 = 0;
    let most = config.get(param::MESSAGE_SIZE_LIMIT)?;
    while let Some(whole) = piece(&mut input, &mut line, limit).map_err(|err| {
        fail(
            DATAERR,
            format!("{who}: error reading input: {}", pf_sys::error::text(&err)),
        )
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
                    out.put(kind(ends), &text)?;
                }
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
            out.put(kind(ends), &text)?;
        }
    }
    Ok(())
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
            // A last line without a newline is a line.
            return Ok((!line.is_empty()).then_some(true));
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
