//! The parameters of `RCPT TO` (RFC 3461).

use bstr::ByteSlice as _;

use super::ehlo::Keywords;
use super::errors::Classes;
use super::mail::dsn_offered;
use super::reply::Refusal;
use super::token::Token;
use crate::text::text;

/// What the client asked for with `RCPT TO`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RcptParameters {
    /// `NOTIFY`: 1 never, 2 success, 4 failure, 8 delay.
    pub(crate) notify: Option<u8>,
    /// `ORCPT`: the address type, and the decoded address.
    pub(crate) orcpt: Option<(Vec<u8>, Vec<u8>)>,
}

/// The notifications of `NOTIFY=NEVER`.
pub(crate) const NOTIFY_NEVER: u8 = 1;

fn notify_mask(list: &[u8]) -> Option<u8> {
    let mut mask = 0;
    for word in list
        .split(|byte| b", \t\r\n".contains(byte))
        .filter(|word| !word.is_empty())
    {
        mask |= match word.to_ascii_uppercase().as_slice() {
            b"NEVER" => NOTIFY_NEVER,
            b"SUCCESS" => 2,
            b"FAILURE" => 4,
            b"DELAY" => 8,
            _ => {
                pf_log::warning!(
                    "unknown DSN NOTIFY command value \"{}\" in \"{}\"",
                    String::from_utf8_lossy(word),
                    String::from_utf8_lossy(list)
                );
                return None;
            }
        };
    }
    let alone = mask & NOTIFY_NEVER == 0 || mask == NOTIFY_NEVER;
    (mask != 0 && alone).then_some(mask)
}

fn original_recipient(value: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (kind, coded) = value.split_once_str(";")?;
    if kind.is_empty() {
        return None;
    }
    let decoded = if kind.eq_ignore_ascii_case(b"utf-8") {
        decode_utf8(coded)?
    } else {
        pf_text::xtext::decode(coded)?
    };
    (!decoded.contains(&0)).then(|| (kind.to_vec(), decoded))
}

/// Decodes the address of type `utf-8` (RFC 6533): `\\x{F6}` is a character by its number.
fn decode_utf8(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once_str("\\x{") {
        out.extend_from_slice(before);
        let (digits, after) = after.split_once_str("}")?;
        let mut number: u32 = 0;
        for &digit in digits {
            number = number.checked_mul(16)? + char::from(digit).to_digit(16)?;
        }
        let mut buffer = [0; 4];
        out.extend_from_slice(char::from_u32(number)?.encode_utf8(&mut buffer).as_bytes());
        rest = after;
    }
    out.extend_from_slice(rest);
    Some(out)
}

/// Reads the parameters, left to right.
pub(crate) fn parse(
    discard: Keywords,
    parameters: &[Token<'_>],
) -> Result<RcptParameters, Refusal> {
    let mut found = RcptParameters::default();
    for word in parameters {
        let (name, value) = word.text.split_once_str("=").unwrap_or((word.text, b""));
        let with_value = name.len() < word.text.len();
        if with_value && name.eq_ignore_ascii_case(b"NOTIFY") {
            dsn_offered(discard)?;
            // A second one is refused unread.
            let mask = match found.notify {
                None => notify_mask(value),
                Some(_) => None,
            };
            found.notify = Some(mask.ok_or_else(|| {
                Refusal::new(
                    Classes::PROTOCOL,
                    "501 5.5.4 Error: Bad NOTIFY parameter syntax",
                )
            })?);
        } else if with_value && name.eq_ignore_ascii_case(b"ORCPT") {
            dsn_offered(discard)?;
            let original = original_recipient(value).filter(|_| found.orcpt.is_none());
            found.orcpt = Some(original.ok_or_else(|| {
                Refusal::new(
                    Classes::PROTOCOL,
                    "501 5.5.4 Error: Bad ORCPT parameter syntax",
                )
            })?);
        } else {
            return Err(Refusal::new(
                Classes::PROTOCOL,
                text!["555 5.5.4 Unsupported option: ", word.text],
            ));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::token::tokens;
    use super::*;

    fn read(parameters: &str) -> Result<RcptParameters, String> {
        parse(Keywords::default(), &tokens(parameters.as_bytes()))
            .map_err(|refusal| String::from_utf8(refusal.reply).unwrap())
    }

    #[test]
    fn parameters() {
        let found = read("NOTIFY=success,delay ORCPT=rfc822;a+2Bb@c").unwrap();
        assert_eq!(found.notify, Some(10));
        assert_eq!(found.orcpt, Some((b"rfc822".to_vec(), b"a+b@c".to_vec())));
        assert_eq!(read("notify=NEVER").unwrap().notify, Some(1));
    }

    #[test]
    fn refusals() {
        for parameters in [
            "NOTIFY=",
            "NOTIFY=x",
            "NOTIFY=NEVER,DELAY",
            "NOTIFY=DELAY NOTIFY=DELAY",
        ] {
            assert_eq!(
                read(parameters),
                Err("501 5.5.4 Error: Bad NOTIFY parameter syntax".to_owned()),
                "{parameters}"
            );
        }
        for parameters in [
            "ORCPT=x",
            "ORCPT=;x",
            "ORCPT=rfc822;a+zz",
            "ORCPT=rfc822;a ORCPT=rfc822;a",
        ] {
            assert_eq!(
                read(parameters),
                Err("501 5.5.4 Error: Bad ORCPT parameter syntax".to_owned()),
                "{parameters}"
            );
        }
        assert_eq!(
            read("NOTIFY"),
            Err("555 5.5.4 Unsupported option: NOTIFY".to_owned())
        );
    }

    #[test]
    fn bug_20260604_orcpt_refuses_nul_and_allows_utf8() {
        assert!(read("ORCPT=rfc822;a+00b").is_err());
        assert!(read("ORCPT=utf-8;a\\x{0}b").is_err());
        assert_eq!(
            read("ORCPT=utf-8;d\\x{F6}rte@x").unwrap().orcpt.unwrap().1,
            "d\u{f6}rte@x".as_bytes()
        );
        assert_eq!(
            read("ORCPT=utf-8;d\u{f6}rte@x").unwrap().orcpt.unwrap().1,
            "d\u{f6}rte@x".as_bytes()
        );
    }
}
