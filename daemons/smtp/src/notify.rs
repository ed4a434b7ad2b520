//! The notice to the postmaster about a session that went wrong (`notify_classes`).

use std::path::Path;
use std::time::SystemTime;

use pf_log::warning;
use pf_proto::cleanup::{Post, Source};
use pf_proto::post_mail::PostMail;
use pf_proto::{Address, Class};
use pf_sys::time::{Calendar, seconds};

use crate::params::Params;
use crate::session::Session;

/// Where lines of the transcript are wrapped, and how far the rest is indented.
const WIDTH: usize = 78;
const INDENT: usize = 4;

/// Sends the notice if there is reason for one, and that can be done just now. Notices about notices are not sent.
pub async fn postmaster(params: &Params, session: &mut Session, sender: &[u8]) {
    let wanted = params.notify_protocol && session.protocol_trouble
        || params.notify_data && session.data_trouble;
    let double_bounce = format!("{}@{}", params.double_bounce_sender, params.myorigin);
    let Some(history) = session.connection.history.take().filter(|_| wanted) else {
        return;
    };
    if sender.is_empty() || sender == double_bounce.as_bytes() {
        return;
    }
    let now = SystemTime::now();
    let date = Calendar::local(seconds(now)).mail_date();
    let post = Post {
        sender: double_bounce.as_bytes(),
        recipient: params.error_recipient.as_bytes(),
        source: Source::Notify,
        trace_flags: 0,
        smtputf8: false,
        requiretls: false,
        myhostname: params.myhostname.as_bytes(),
        mail_name: params.mail_name.as_bytes(),
    };
    let flags = post.flags(params.internal_mail_filter, params.notice_autodetect);
    let cleanup = Address::new(Path::new("."), Class::Public, &params.cleanup_service);
    let sent = async {
        let mut mail =
            PostMail::open(&cleanup, params.ipc_timeout, &post, flags, now, &date).await?;
        for line in notice(params, &session.relay, &history) {
            mail.line(line).await?;
        }
        mail.finish().await;
        Ok::<(), pf_attr::Error>(())
    };
    if let Err(err) = sent.await {
        warning!("postmaster notify: {err}");
    }
}

fn notice(params: &Params, relay: &str, history: &[String]) -> Vec<String> {
    let daemon = format!("MAILER-DAEMON@{}", params.myorigin);
    let to = &params.error_recipient;
    let mut lines = if params.standard_from {
        vec![
            format!("From: Mail Delivery System <{daemon}>"),
            format!("To: Postmaster <{to}>"),
        ]
    } else {
        vec![
            format!("From: {daemon} (Mail Delivery System)"),
            format!("To: {to} (Postmaster)"),
        ]
    };
    let kind = if params.lmtp { "LMTP" } else { "SMTP" };
    lines.push(format!(
        "Subject: {} {kind} client: errors from {relay}",
        params.mail_name
    ));
    lines.push(String::new());
    lines.push(format!("Unexpected response from {relay}."));
    lines.push(String::new());
    lines.push("Transcript of session follows.".to_owned());
    lines.push(String::new());
    for line in history {
        lines.extend(wrapped(line));
    }
    lines.push(String::new());
    lines.push("For other details, see the local mail logfile".to_owned());
    lines
}

/// Cuts a line into pieces at spaces; each gets a space in front, so that none can be taken for anything else.
fn wrapped(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut current = String::new();
    let mut indent = 0;
    for word in line.split(' ') {
        if !current.is_empty() && indent + current.len() + 1 + word.len() > WIDTH {
            out.push(format!(" {}{current}", " ".repeat(indent)));
            current.clear();
            indent = INDENT;
        } else if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    out.push(format!(" {}{current}", " ".repeat(indent)));
    out
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn long_lines_are_wrapped() {
        let line = format!("In:  {} {}", "x".repeat(60), "y".repeat(30));
        let pieces = wrapped(&line);
        assert_eq!(pieces.len(), 2);
        assert!(pieces[0].starts_with(" In:  xxx") && pieces[1].starts_with("     yyy"));
        assert_eq!(wrapped("Out: QUIT"), [" Out: QUIT"]);
    }
}
