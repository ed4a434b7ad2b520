//! The `Received:` header that each message gets.

use crate::text::text;

/// What the header tells.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    /// `smtpd_hide_client_session`.
    pub(crate) hide_client: bool,
    pub(crate) helo: &'a [u8],
    pub(crate) client_name: &'a [u8],
    /// With `IPv6:` where that belongs.
    pub(crate) client_address: &'a [u8],
    /// `Authenticated sender`, where it is to be told.
    pub(crate) authenticated: Option<&'a [u8]>,
    pub(crate) hostname: &'a str,
    pub(crate) mail_name: &'a str,
    /// `ESMTP`, `ESMTPA`, `SMTP`, `UTF8SMTP`.
    pub(crate) protocol: &'a str,
    /// Where there is a queue file.
    pub(crate) queue_id: Option<&'a [u8]>,
    /// The only recipient, quoted.
    pub(crate) recipient: Option<&'a [u8]>,
    pub(crate) date: &'a str,
}

impl Received<'_> {
    /// The lines of the header.
    pub(crate) fn lines(&self) -> Vec<Vec<u8>> {
        let mut lines = Vec::with_capacity(4);
        if !self.hide_client {
            lines.push(text![
                "Received: from ",
                self.helo,
                " (",
                self.client_name,
                " [",
                self.client_address,
                "])"
            ]);
            if let Some(login) = self.authenticated {
                lines.push(text!["\t(Authenticated sender: ", comment(login), ")"]);
            }
        }
        let mut by = text![
            if self.hide_client { "Received: " } else { "\t" },
            "by ",
            self.hostname,
            " (",
            self.mail_name,
            ")"
        ];
        if !self.hide_client {
            by.extend_from_slice(b" with ");
            by.extend_from_slice(self.protocol.as_bytes());
        }
        if let Some(id) = self.queue_id {
            by.extend_from_slice(b" id ");
            by.extend_from_slice(id);
        }
        match self.recipient {
            Some(recipient) => {
                lines.push(by);
                lines.push(text!["\tfor <", recipient, ">; ", self.date]);
            }
            None => {
                by.push(b';');
                lines.push(by);
                lines.push(text!["\t", self.date]);
            }
        }
        lines
    }
}

/// Makes a text fit for a comment: printable ASCII, balanced parentheses, no backslash.
fn comment(text: &[u8]) -> Vec<u8> {
    let mut open = 0usize;
    let mut clean: Vec<u8> = text
        .iter()
        .map(|&byte| match byte {
            b'(' => {
                open += 1;
                byte
            }
            b')' if open == 0 => b'?',
            b')' => {
                open -= 1;
                byte
            }
            b'\\' => b'?',
            b' '..=b'~' => byte,
            _ => b'?',
        })
        .collect();
    clean.resize(clean.len() + open, b')');
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Received<'static> {
        Received {
            hide_client: false,
            helo: b"there",
            client_name: b"unknown",
            client_address: b"192.0.2.1",
            authenticated: None,
            hostname: "mail.example",
            mail_name: "Postfix",
            protocol: "ESMTP",
            queue_id: Some(b"4Xyz"),
            recipient: Some(b"a@b"),
            date: "DATE",
        }
    }

    fn show(header: &Received<'_>) -> String {
        String::from_utf8(bstr::join("\n", header.lines())).unwrap()
    }

    #[test]
    fn one_recipient_is_named() {
        assert_eq!(
            show(&header()),
            "Received: from there (unknown [192.0.2.1])\n\tby mail.example (Postfix) with ESMTP id 4Xyz\n\tfor <a@b>; DATE"
        );
    }

    #[test]
    fn many_recipients_hidden_client() {
        let mut header = header();
        header.recipient = None;
        assert!(show(&header).ends_with(" id 4Xyz;\n\tDATE"));
        header.hide_client = true;
        header.queue_id = None;
        assert_eq!(
            show(&header),
            "Received: by mail.example (Postfix);\n\tDATE"
        );
    }

    #[test]
    fn comments_are_tamed() {
        assert_eq!(comment(b"a)(b\\\xff("), b"a?(b??())");
    }
}
