//! The notice to the postmaster about a session that went wrong (`notify_classes`).

use std::time::SystemTime;

use pf_proto::Address;
use pf_proto::cleanup::{Post, Source};
use pf_proto::post_mail::PostMail;
use pf_sys::time::{Calendar, seconds};

use crate::params::Params;
use crate::session::errors::Classes;
use crate::session::state::Session;
use crate::text::text;

/// Where lines of the transcript are wrapped, and how far the rest is indented.
const WIDTH: usize = 78;
const INDENT: usize = 4;

/// Cuts a line of the transcript into pieces at white space, so that none is longer than a line of mail should be; each gets a
/// space in front, so that none can be taken for anything else.
fn wrapped(line: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = line.trim_ascii_end();
    let mut indent = 0;
    loop {
        let room = WIDTH - indent;
        if rest.len() <= room {
            out.push(text![" ", " ".repeat(indent), rest]);
            return out;
        }
        let window = rest.get(..=room).unwrap_or(rest);
        let end = window
            .iter()
            .rposition(|byte| matches!(byte, b' ' | b'\t'))
            .filter(|end| *end > 0)
            .unwrap_or_else(|| {
                rest.iter()
                    .position(|byte| matches!(byte, b' ' | b'\t'))
                    .unwrap_or(rest.len())
            });
        let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, b""));
        out.push(text![" ", " ".repeat(indent), piece]);
        rest = after.trim_ascii_start();
        if rest.is_empty() {
            return out;
        }
        indent = INDENT;
    }
}

/// The header and the body of the notice.
fn notice(params: &Params, session: &Session) -> Vec<Vec<u8>> {
    let daemon = format!("MAILER-DAEMON@{}", params.myorigin);
    let to = &params.error_recipient;
    let mut lines = if params.standard_from {
        vec![
            text!["From: Mail Delivery System <", daemon, ">"],
            text!["To: Postmaster <", to, ">"],
        ]
    } else {
        vec![
            text!["From: ", daemon, " (Mail Delivery System)"],
            text!["To: ", to, " (Postmaster)"],
        ]
    };
    lines.push(text![
        "Subject: ",
        params.mail_name,
        " SMTP server: errors from ",
        session.peer.shown
    ]);
    lines.push(Vec::new());
    lines.push(b"Transcript of session follows.".to_vec());
    lines.push(Vec::new());
    for line in session.history.lines() {
        let line = params.printable(line);
        lines.extend(wrapped(&line));
    }
    lines.push(Vec::new());
    if let Some(reason) = session.reason {
        lines.push(text!["Session aborted, reason: ", reason]);
    }
    lines.push(Vec::new());
    lines.push(b"For other details, see the local mail logfile".to_vec());
    lines
}

/// Sends the notice, if that can be done just now.
pub(crate) async fn postmaster(params: &Params, cleanup: &Address, session: &Session) {
    let recipient = if session.classes.meets(Classes::BOUNCE) {
        &params.bounce_recipient
    } else {
        &params.error_recipient
    };
    let sender = format!("{}@{}", params.double_bounce_sender, params.myorigin);
    let now = SystemTime::now();
    let date = Calendar::local(seconds(now)).mail_date();
    let post = Post {
        sender: sender.as_bytes(),
        recipient: recipient.as_bytes(),
        source: Source::Notify,
        trace_flags: 0,
        smtputf8: false,
        requiretls: false,
        myhostname: params.myhostname.as_bytes(),
        mail_name: params.mail_name.as_bytes(),
    };
    let flags = post.flags(params.internal_mail_filter, params.notice_autodetect);
    let sent = async {
        let mut mail =
            PostMail::open(cleanup, params.ipc_timeout, &post, flags, now, &date).await?;
        for line in notice(params, session) {
            mail.line(line).await?;
        }
        mail.finish().await;
        Ok::<(), pf_attr::Error>(())
    };
    if let Err(err) = sent.await {
        pf_log::warning!("postmaster notify: {err}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::tests::params;
    use crate::session::state::tests::peer;

    #[test]
    fn long_lines_are_wrapped() {
        let line = format!("In:  {} {}", "x".repeat(60), "y".repeat(30));
        let pieces = wrapped(line.as_bytes());
        assert_eq!(pieces.len(), 2);
        assert!(pieces[1].starts_with(b"     yyy"));
        assert_eq!(wrapped(b"Out: 250 Ok"), [b" Out: 250 Ok".to_vec()]);
        assert_eq!(wrapped(&[b'x'; 200]).len(), 1);
    }

    #[test]
    fn notices_tell_what_was_said() {
        let mut session = Session::new(peer(), false);
        session.history.add("In:  ", b"FOO");
        session.reason = Some("timeout");
        let text = bstr::join("\n", notice(&params(&[]), &session));
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("Subject: Postfix SMTP server: errors from host.example[192.0.2.1]"));
        assert!(text.contains(
            "\nTranscript of session follows.\n\n In:  FOO\n\nSession aborted, reason: timeout\n"
        ));
    }
}
