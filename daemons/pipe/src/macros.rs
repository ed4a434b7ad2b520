//! `$recipient` and the like in the command's words. A word with something of the recipient in it stands once for each one.

use std::borrow::Cow;

use pf_address::{Delimiters, quote_822, split};
use pf_config::expand::{Error, Options, Purpose, Values, expand};
use pf_log::warning;
use pf_proto::bounce::Recipient;
use pf_proto::deliver::DeliveryRequest;

use crate::attributes::Style;

/// What the macros stand for.
pub(crate) struct Macros<'a> {
    pub(crate) request: &'a DeliveryRequest,
    /// The sender, or what stands for an empty one.
    pub(crate) sender: &'a [u8],
    pub(crate) style: Style,
    pub(crate) delimiters: Delimiters<'a>,
}

/// One look at a word, with one recipient or, to find out what is in the word, without.
struct Names<'a> {
    macros: &'a Macros<'a>,
    recipient: Option<&'a Recipient>,
    per_recipient: bool,
    unknown: Option<String>,
}

impl Values for Names<'_> {
    fn value(&mut self, name: &str, _purpose: Purpose) -> Option<Cow<'_, [u8]>> {
        let request = self.macros.request;
        let value = match name {
            "nexthop" if self.macros.style.fold_domain => {
                return Some(Cow::Owned(pf_text::case::fold(&request.nexthop, true)));
            }
            "nexthop" => &request.nexthop,
            "sender" if self.macros.style.quote && !self.macros.sender.is_empty() => {
                return Some(quote_822(self.macros.sender));
            }
            "sender" => self.macros.sender,
            "size" => return Some(Cow::Owned(request.data_size.to_string().into_bytes())),
            "client_address" => &request.client_address,
            "client_hostname" => &request.client_name,
            "client_port" => &request.client_port,
            "client_protocol" => &request.client_protocol,
            "client_helo" => &request.client_helo,
            "sasl_method" => &request.sasl_method,
            "sasl_username" => &request.sasl_username,
            "sasl_sender" => &request.sasl_sender,
            "queue_id" => &request.id,
            "envid" => &request.envid,
            "recipient" | "original_recipient" | "user" | "extension" | "mailbox" | "domain" => {
                self.per_recipient = true;
                let recipient = self.recipient?;
                return Some(Cow::Owned(self.macros.of_recipient(name, recipient)));
            }
            _ => {
                self.unknown.get_or_insert_with(|| name.to_owned());
                return None;
            }
        };
        Some(Cow::Borrowed(value))
    }
}

/// Why the words cannot be expanded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// There is no such macro.
    Unknown(String),
    /// The syntax is wrong.
    Syntax(Error),
}

impl Macros<'_> {
    /// The command's words for all recipients of the request.
    ///
    /// # Errors
    /// A word's syntax is wrong, or it has an unknown macro in it.
    pub(crate) fn words(&self, words: &[String]) -> Result<Vec<Vec<u8>>, Trouble> {
        let mut all = Vec::new();
        for word in words {
            let mut names = Names {
                macros: self,
                recipient: None,
                per_recipient: false,
                unknown: None,
            };
            let scan = Options {
                scan: true,
                ..Options::default()
            };
            expand(word.as_bytes(), &scan, &mut names).map_err(Trouble::Syntax)?;
            if let Some(name) = names.unknown {
                return Err(Trouble::Unknown(name));
            }
            let recipients: Vec<Option<&Recipient>> = if names.per_recipient {
                self.request.recipients.iter().map(Some).collect()
            } else {
                vec![None]
            };
            for recipient in recipients {
                let mut names = Names {
                    macros: self,
                    recipient,
                    per_recipient: false,
                    unknown: None,
                };
                let expanded = expand(word.as_bytes(), &Options::default(), &mut names)
                    .map_err(Trouble::Syntax)?;
                all.push(expanded.text);
            }
        }
        Ok(all)
    }

    /// A part of a recipient; it may be empty.
    fn of_recipient(&self, name: &str, recipient: &Recipient) -> Vec<u8> {
        match name {
            "recipient" => return self.address(&recipient.address, self.style.quote),
            "original_recipient" => return self.address(&recipient.original, self.style.quote),
            _ => {}
        }
        let address = self.address(&recipient.address, false);
        let (local, domain) = split(&address);
        if domain.is_none() {
            warning!(
                "no @ in recipient address: {}",
                String::from_utf8_lossy(&recipient.address)
            );
        }
        let parts = self.delimiters.split(local);
        match name {
            "user" => parts.map_or(local, |(user, _)| user),
            "extension" => parts.map_or(&b""[..], |(_, extension)| extension),
            "mailbox" => local,
            _ => domain.unwrap_or_default(),
        }
        .to_vec()
    }

    fn address(&self, address: &[u8], quote: bool) -> Vec<u8> {
        let text = if quote {
            quote_822(address)
        } else {
            Cow::Borrowed(address)
        };
        let (local, domain) = split(&text);
        let fold = |part: &[u8], wanted: bool| {
            if wanted {
                pf_text::case::fold(part, true)
            } else {
                part.to_vec()
            }
        };
        let mut out = fold(local, self.style.fold_local);
        if let Some(domain) = domain {
            out.push(b'@');
            out.extend(fold(domain, self.style.fold_domain));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str], style: Style, recipients: &[&str]) -> Result<Vec<String>, Trouble> {
        let request = DeliveryRequest {
            nexthop: b"Next.Example".to_vec(),
            data_size: 123,
            recipients: recipients
                .iter()
                .map(|address| Recipient {
                    address: address.as_bytes().to_vec(),
                    ..Recipient::default()
                })
                .collect(),
            ..DeliveryRequest::default()
        };
        let macros = Macros {
            request: &request,
            sender: b"a b@c",
            style,
            delimiters: Delimiters::new(b"+"),
        };
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Ok(macros
            .words(&words)?
            .into_iter()
            .map(|word| String::from_utf8(word).unwrap())
            .collect())
    }

    #[test]
    fn a_word_stands_once_for_each_recipient() {
        let plain = Style::default();
        let two = ["User+Ext@Dom", "b@c"];
        assert_eq!(
            words(
                &[
                    "x",
                    "$size",
                    "<$recipient>",
                    "$user/${extension}",
                    "${domain}"
                ],
                plain,
                &two
            )
            .unwrap(),
            [
                "x",
                "123",
                "<User+Ext@Dom>",
                "<b@c>",
                "User/Ext",
                "b/",
                "Dom",
                "c"
            ]
        );
    }

    // docs/cve.md, 20260717.
    #[test]
    fn an_empty_user_is_a_word() {
        assert_eq!(
            words(&["a", "$user", "b"], Style::default(), &["@dom"]).unwrap(),
            ["a", "", "b"]
        );
    }

    #[test]
    fn addresses_are_folded_and_quoted() {
        let style = Style {
            fold_domain: true,
            fold_local: false,
            quote: true,
        };
        assert_eq!(
            words(
                &["$recipient", "$mailbox", "$sender", "$nexthop"],
                style,
                &["A B@C"]
            )
            .unwrap(),
            ["\"A B\"@c", "A B", "\"a b\"@c", "next.example"]
        );
    }

    #[test]
    fn unknown_macros_are_refused() {
        assert_eq!(
            words(&["$nonsense"], Style::default(), &["a@b"]),
            Err(Trouble::Unknown("nonsense".into()))
        );
    }
}
