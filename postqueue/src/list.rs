//! Listing the queue, for people or as JSON.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, anyhow, ensure};
use pf_config::{Config, param};
use pf_log::warning;
use pf_proto::showq::{Listing, Message};
use pf_proto::{Address, Class};
use pf_sys::error::text;
use pf_sys::identity;
use pf_sys::time::Calendar;

/// Lists the queue: with the help of the showq service, or while the mail system is down and the user is root, with a showq
/// process of our own.
///
/// # Errors
/// Nobody can tell, or talks nonsense.
pub fn list(config: &Config, config_dir: &Path, queue: &Path, json: bool) -> Result<()> {
    let address = Address::new(
        Path::new("."),
        Class::Public,
        &config.get(param::SHOWQ_SERVICE_NAME)?,
    );
    let long_ids = config.get(param::ENABLE_LONG_QUEUE_IDS)?;
    let err = match UnixStream::connect(address.path()) {
        Ok(stream) => return show(stream, json, long_ids),
        Err(err) => err,
    };
    let why = format!(
        "Connect to the {} {} service: {}",
        config.get(param::MAIL_NAME)?,
        config.get(param::SHOWQ_SERVICE_NAME)?,
        text(&err)
    );
    // That it is not for us to ask does not mean that the mail system is down.
    ensure!(err.kind() != ErrorKind::PermissionDenied, "{why}");
    ensure!(
        identity::effective_uid() == 0,
        "Queue report unavailable - mail system is down ({why})"
    );
    warning!("Mail system is down -- accessing queue directly ({why})");
    let directory = config.get(param::DAEMON_DIRECTORY)?;
    let program = Path::new(&directory).join("showq");
    let running = || anyhow!("Error running {}", program.display());
    let mut showq = Command::new(&program)
        .args(["-u", "-S"])
        .args(std::iter::repeat_n("-v", pf_log::verbose().into()))
        .env("MAIL_CONFIG", config_dir)
        .current_dir(queue)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|_| running())?;
    let listed = match showq.stdout.take() {
        Some(output) => show(output, json, long_ids),
        None => Ok(()),
    };
    let status = showq.wait()?;
    listed?;
    ensure!(status.success(), running());
    Ok(())
}

fn show(source: impl Read, json: bool, long_ids: bool) -> Result<()> {
    let nonsense = |_| anyhow!("malformed showq server response");
    let mut listing =
        Listing::open(BufReader::with_capacity(64 * 1024, source)).map_err(nonsense)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (mut count, mut total) = (0_u64, 0_i64);
    while let Some(message) = listing.message().map_err(nonsense)? {
        count += 1;
        total = total.saturating_add(message.size);
        if json {
            write_json(&mut out, &message, &mut listing)?;
            continue;
        }
        if count > 1 {
            writeln!(out)?;
        } else if long_ids {
            writeln!(
                out,
                "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------"
            )?;
        } else {
            writeln!(
                out,
                "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------"
            )?;
        }
        write_message(&mut out, &message, &mut listing, long_ids)?;
    }
    if !json {
        if count == 0 {
            writeln!(out, "Mail queue is empty")?;
        } else {
            let plural = if count == 1 { "" } else { "s" };
            writeln!(
                out,
                "\n-- {} Kbytes in {count} Request{plural}.",
                total / 1024
            )?;
        }
    }
    Ok(out.flush()?)
}

fn write_message<R: std::io::BufRead>(
    out: &mut impl Write,
    message: &Message,
    listing: &mut Listing<R>,
    long_ids: bool,
) -> Result<()> {
    let mut id = String::from_utf8_lossy(&message.id).into_owned();
    match message.queue.as_slice() {
        b"active" => id.push('*'),
        b"hold" => id.push('!'),
        _ => {}
    }
    if message.forced_expire {
        id.push('#');
    }
    let date = Calendar::local(message.time).asctime();
    let sender = String::from_utf8_lossy(&message.sender);
    if long_ids {
        writeln!(out, "{id:<17} {:>8} {date:.19} {sender}", message.size)?;
    } else {
        writeln!(
            out,
            "{id:<11} {:>7} {:>20.20} {sender}",
            message.size,
            format!("{date} ")
        )?;
    }
    let mut before = Vec::new();
    while let Some(recipient) = listing
        .recipient()
        .map_err(|_| anyhow!("malformed showq server response"))?
    {
        if recipient.reason != before {
            let reason = if recipient.reason.is_empty() {
                "reason unavailable".into()
            } else {
                String::from_utf8_lossy(&recipient.reason)
            };
            writeln!(
                out,
                "{:>width$}({reason})",
                "",
                width = 76_usize.saturating_sub(reason.len())
            )?;
            before.clone_from(&recipient.reason);
        }
        let address = String::from_utf8_lossy(&recipient.address);
        if long_ids {
            writeln!(out, "{:<17} {:>8} {:<19} {address}", "", "", "")?;
        } else {
            writeln!(out, "{:<11} {:>7} {:<20} {address}", "", "", "")?;
        }
    }
    Ok(())
}

fn write_json<R: std::io::BufRead>(
    out: &mut impl Write,
    message: &Message,
    listing: &mut Listing<R>,
) -> Result<()> {
    let quoted = |bytes: &[u8]| serde_json::to_string(&String::from_utf8_lossy(bytes));
    write!(
        out,
        "{{\"queue_name\": {}, \"queue_id\": {}, \"arrival_time\": {}, \"message_size\": {}, \"forced_expire\": {}, \"sender\": {}, \"recipients\": [",
        quoted(&message.queue)?,
        quoted(&message.id)?,
        message.time,
        message.size,
        message.forced_expire,
        quoted(&message.sender)?
    )?;
    let mut first = true;
    while let Some(recipient) = listing
        .recipient()
        .map_err(|_| anyhow!("malformed showq server response"))?
    {
        if !first {
            write!(out, ", ")?;
        }
        first = false;
        write!(
            out,
            "{{\"orig_address\": {}, \"address\": {}",
            quoted(&recipient.original)?,
            quoted(&recipient.address)?
        )?;
        if !recipient.reason.is_empty() {
            let key = match recipient.log_class.as_slice() {
                b"defer" => "delay_reason",
                b"bounce" => "bounce_reason",
                _ => "other_reason",
            };
            write!(out, ", \"{key}\": {}", quoted(&recipient.reason)?)?;
        }
        write!(out, "}}")?;
    }
    Ok(writeln!(out, "]}}")?)
}
