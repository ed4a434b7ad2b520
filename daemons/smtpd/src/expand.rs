//! The names that reply templates may use: `smtpd_reject_footer`, `default_rbl_reply`, `rbl_reply_maps`.

use pf_config::expand::{self, Filter, Options};

use crate::params::Params;
use crate::session::state::Session;

/// The whole of an address, its local part, or its domain.
fn address_part(address: Option<&[u8]>, part: &str) -> Option<Vec<u8>> {
    let Some(address) = address else {
        return matches!(part, "" | "_name" | "_domain").then(Vec::new);
    };
    let (local, domain) = pf_address::split(address);
    match part {
        "" if address.is_empty() => Some(b"<>".to_vec()),
        "" => Some(address.to_vec()),
        "_name" if address.is_empty() => Some(b"<>".to_vec()),
        "_name" => Some(local.to_vec()),
        "_domain" => Some(domain.unwrap_or_default().to_vec()),
        _ => None,
    }
}

/// The time of day as in log lines.
fn local_time() -> String {
    let now = pf_sys::time::Calendar::local(pf_sys::time::seconds(std::time::SystemTime::now()));
    format!(
        "{} {:02} {:02}:{:02}:{:02}",
        now.month_name(),
        now.day,
        now.hour,
        now.minute,
        now.second
    )
}

/// The value of a name; `None`: there is no such name. Parameters of the configuration are not told to strangers.
pub(crate) fn session_value(session: &Session, params: &Params, name: &str) -> Option<Vec<u8>> {
    let peer = &session.peer;
    let value = match name {
        "server_name" => Some(params.myhostname.as_bytes().to_vec()),
        "client" => Some(peer.shown.clone()),
        "client_port" => Some(peer.port.clone()),
        "client_address" => Some(peer.address.clone()),
        "client_name" => Some(peer.name.clone()),
        "reverse_client_name" => Some(peer.reverse_name.clone()),
        "helo_name" => Some(session.helo.clone().unwrap_or_default()),
        "localtime" => Some(local_time().into_bytes()),
        _ => name
            .strip_prefix("sender")
            .and_then(|part| address_part(session.mail.sender.as_deref(), part))
            .or_else(|| {
                name.strip_prefix("recipient")
                    .and_then(|part| address_part(session.recipient.as_deref(), part))
            }),
    };
    if value.is_none() {
        pf_log::warning!("unknown macro name \"{name}\" in expansion request");
    }
    value
}

/// Appends the footer to a negative reply: each `\n` in the template begins a line, a leading `\c` continues the last one.
/// Gives the reply back unchanged when the template is malformed.
pub(crate) fn footer(
    reply: &[u8],
    template: &[u8],
    filter: &[u8],
    mut value: impl FnMut(&str) -> Option<Vec<u8>>,
) -> Vec<u8> {
    let start = bstr::ByteSlice::rfind(reply, b"\r\n").map_or(0, |at| at + 2);
    let last = reply.get(start..).unwrap_or_default();
    let [hundreds, tens, ones, b' ' | b'-', rest @ ..] = last else {
        return reply.to_vec();
    };
    if ![hundreds, tens, ones]
        .iter()
        .all(|digit| digit.is_ascii_digit())
    {
        return reply.to_vec();
    }
    let code = [*hundreds, *tens, *ones];
    let dsn = pf_dsn::Dsn::parse_prefix(rest).map_or(0, |(_, len)| len);
    let dsn = rest.get(..dsn).unwrap_or_default();
    let mut out = reply.to_vec();
    let mut added = false;
    let lines: Vec<&[u8]> = bstr::ByteSlice::split_str(template, b"\\n").collect();
    for (number, line) in lines.iter().enumerate() {
        let text = match line.strip_prefix(b"\\c") {
            Some(text) if number == 0 => text,
            _ => {
                let more = number + 1 < lines.len();
                out.extend_from_slice(b"\r\n");
                out.extend_from_slice(&code);
                out.push(if more { b'-' } else { b' ' });
                if !dsn.is_empty() {
                    out.extend_from_slice(dsn);
                    out.push(b' ');
                }
                added = true;
                line
            }
        };
        let options = Options {
            filter: Filter::Only(filter),
            ..Options::default()
        };
        match expand::expand(text, &options, &mut |name: &str, _: expand::Purpose| {
            value(name)
        }) {
            Ok(expanded) => out.extend_from_slice(&expanded.text),
            Err(err) => {
                pf_log::warning!("{err}");
                return reply.to_vec();
            }
        }
    }
    if added && let Some(mark) = out.get_mut(start + 3) {
        *mark = b'-';
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_addresses() {
        assert_eq!(address_part(Some(b"a@b"), "_name").unwrap(), b"a");
        assert_eq!(address_part(Some(b"a@b"), "_domain").unwrap(), b"b");
        assert_eq!(address_part(Some(b""), "").unwrap(), b"<>");
        assert_eq!(address_part(None, "").unwrap(), b"");
        assert_eq!(address_part(Some(b"a"), "_x"), None);
    }

    #[test]
    fn footers() {
        let add = |reply: &str, template: &str| {
            let value = |name: &str| (name == "x").then(|| b"a<b".to_vec());
            String::from_utf8(footer(
                reply.as_bytes(),
                template.as_bytes(),
                b"abx ",
                value,
            ))
            .unwrap()
        };
        assert_eq!(
            add("550 5.7.1 No", "see $x"),
            "550-5.7.1 No\r\n550 5.7.1 see a_b"
        );
        assert_eq!(add("550 No", "\\c. One\\nTwo"), "550-No. One\r\n550 Two");
        assert_eq!(add("550 No", "\\c."), "550 No.");
        assert_eq!(add("550 No", "${x"), "550 No");
        assert_eq!(add("x", "y"), "x");
    }
}
