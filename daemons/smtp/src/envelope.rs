//! The commands that carry the envelope. No I/O.

use pf_dsn::{Notify, Ret};
use pf_proto::bounce::Recipient;
use pf_proto::deliver::DeliveryRequest;
use pf_record::sendopts;

use crate::features::Features;

/// `MAIL FROM`; `sender` is the address in internal form, mapped. `downgrade`: the size is not known before the conversion.
pub fn mail(
    features: &Features,
    request: &DeliveryRequest,
    sender: &str,
    downgrade: bool,
) -> String {
    let mut line = format!("MAIL FROM:<{sender}>");
    if features.size && !downgrade {
        line.push_str(&format!(" SIZE={}", request.data_size));
    }
    if features.eightbit {
        match request.encoding.as_slice() {
            b"8bit" => line.push_str(" BODY=8BITMIME"),
            b"7bit" => line.push_str(" BODY=7BIT"),
            _ => {}
        }
    }
    if features.dsn {
        if !request.envid.is_empty() {
            let envid = pf_text::xtext::encode(&request.envid);
            line.push_str(&format!(" ENVID={}", String::from_utf8_lossy(&envid)));
        }
        match Ret::from_bits(request.ret).unwrap_or_default() {
            Ret::Full => line.push_str(" RET=FULL"),
            Ret::Hdrs => line.push_str(" RET=HDRS"),
            Ret::None => {}
        }
    }
    if features.smtputf8 && i64::from(request.sendopts) & sendopts::SMTPUTF8_REQUESTED != 0 {
        line.push_str(" SMTPUTF8");
    }
    line
}

/// `RCPT TO`; `address` is in internal form, mapped.
pub fn rcpt(
    features: &Features,
    request: &DeliveryRequest,
    recipient: &Recipient,
    address: &str,
) -> String {
    let mut line = format!("RCPT TO:<{address}>");
    if !features.dsn {
        return line;
    }
    let mut original = recipient.dsn_original.clone();
    if original.is_empty() && !recipient.original.is_empty() {
        let quoted = pf_address::quote_822(&recipient.original);
        let utf8 = i64::from(request.sendopts) & sendopts::SMTPUTF8_ALL != 0
            && !quoted.is_ascii()
            && std::str::from_utf8(&quoted).is_ok();
        let kind: &[u8] = if utf8 { b"utf-8;" } else { b"rfc822;" };
        original = [kind, &quoted].concat();
    }
    let is_utf8 = original
        .get(..6)
        .is_some_and(|kind| kind.eq_ignore_ascii_case(b"utf-8;"));
    let coded = if is_utf8 {
        std::str::from_utf8(&original).ok().map(uxtext)
    } else {
        Some(String::from_utf8_lossy(&pf_text::xtext::encode(&original)).into_owned())
    };
    if let Some(coded) = coded.filter(|coded| !coded.is_empty()) {
        line.push_str(&format!(" ORCPT={coded}"));
    }
    let notify = Notify::from_bits(recipient.dsn_notify).unwrap_or_default();
    if !notify.is_none() {
        line.push_str(&format!(" NOTIFY={notify}"));
    }
    line
}

/// The unitext form of RFC 6533, section 3, in ASCII: `\x{...}` for what is not plain.
fn uxtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        if ch.is_ascii_graphic() && !matches!(ch, '\\' | '+' | '=') {
            out.push(ch);
        } else {
            out.push_str(&format!("\\x{{{:02X}}}", u32::from(ch)));
        }
    }
    out
}

/// The `XFORWARD` commands for a message: name and address first, protocol and the rest second.
pub fn xforward(features: &Features, request: &DeliveryRequest) -> Vec<String> {
    let known = |value: &[u8]| !value.is_empty() && !value.eq_ignore_ascii_case(b"unknown");
    let any = |value: &[u8]| !value.is_empty();
    let source: &[u8] = match request.rewrite_context.as_slice() {
        b"" => b"",
        b"local" => b"LOCAL",
        _ => b"REMOTE",
    };
    type Word<'a> = (&'static str, &'a [u8], bool);
    let first: [Word<'_>; 3] = [
        ("NAME", &request.client_name, known(&request.client_name)),
        (
            "ADDR",
            &request.client_address,
            known(&request.client_address),
        ),
        ("PORT", &request.client_port, known(&request.client_port)),
    ];
    let second: [Word<'_>; 4] = [
        (
            "PROTO",
            &request.client_protocol,
            known(&request.client_protocol),
        ),
        ("HELO", &request.client_helo, any(&request.client_helo)),
        ("IDENT", &request.log_ident, any(&request.log_ident)),
        ("SOURCE", source, any(source)),
    ];
    let command = |words: &[Word<'_>]| {
        let mut line = "XFORWARD".to_owned();
        for (name, value, there) in words {
            if *there && features.xforward.iter().any(|offered| offered == name) {
                // Only the plus sign needs its code here, not the equals sign.
                let coded =
                    String::from_utf8_lossy(&pf_text::xtext::encode(value)).replace("+3D", "=");
                line.push_str(&format!(" {name}={coded}"));
            }
        }
        (line.len() > "XFORWARD".len()).then_some(line)
    };
    command(&first)
        .into_iter()
        .chain(command(&second))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Features {
        Features {
            size: true,
            eightbit: true,
            dsn: true,
            smtputf8: true,
            xforward: ["NAME", "ADDR", "HELO", "SOURCE"]
                .map(str::to_owned)
                .to_vec(),
            ..Features::default()
        }
    }

    #[test]
    fn everything_a_server_takes() {
        let request = DeliveryRequest {
            data_size: 10,
            encoding: b"8bit".to_vec(),
            envid: b"a+b=c".to_vec(),
            ret: Ret::Hdrs.bits(),
            sendopts: 1,
            client_name: b"unknown".to_vec(),
            client_address: b"192.0.2.1".to_vec(),
            client_helo: b"a=b".to_vec(),
            rewrite_context: b"remote".to_vec(),
            ..DeliveryRequest::default()
        };
        assert_eq!(
            mail(&all(), &request, "a@b", false),
            "MAIL FROM:<a@b> SIZE=10 BODY=8BITMIME ENVID=a+2Bb+3Dc RET=HDRS SMTPUTF8"
        );
        assert_eq!(
            mail(&Features::default(), &request, "", true),
            "MAIL FROM:<>"
        );
        let mut recipient = Recipient {
            original: b"a+b@c".to_vec(),
            dsn_notify: Notify::NEVER.bits(),
            ..Recipient::default()
        };
        assert_eq!(
            rcpt(&all(), &request, &recipient, "x@y"),
            "RCPT TO:<x@y> ORCPT=rfc822;a+2Bb@c NOTIFY=NEVER"
        );
        recipient.original = "jö@c".as_bytes().to_vec();
        assert_eq!(
            rcpt(&all(), &request, &recipient, "x@y"),
            "RCPT TO:<x@y> ORCPT=utf-8;j\\x{F6}@c NOTIFY=NEVER"
        );
        assert_eq!(
            xforward(&all(), &request),
            ["XFORWARD ADDR=192.0.2.1", "XFORWARD HELO=a=b SOURCE=REMOTE"]
        );
    }
}
