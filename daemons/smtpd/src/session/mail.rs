//! The parameters of `MAIL FROM`: RFC 1870, 3461, 6152, 6531, and the sender's own `XVERP`.

use super::ehlo::Keywords;
use super::errors::Classes;
use super::reply::Refusal;
use super::token::Token;
use crate::text::{all_digits, file_size, text};

/// The `BODY` parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    SevenBit,
    EightBitMime,
}

impl Body {
    /// The value of the `encoding` attribute.
    pub(crate) fn encoding(self) -> &'static str {
        match self {
            Body::SevenBit => "7bit",
            Body::EightBitMime => "8bit",
        }
    }
}

/// What the client asked for with `MAIL FROM`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct MailParameters {
    pub(crate) body: Option<Body>,
    /// `RET`: 1 full, 2 headers.
    pub(crate) ret: Option<u8>,
    /// The decoded `ENVID`.
    pub(crate) envid: Option<Vec<u8>>,
    /// The two characters of `XVERP`.
    pub(crate) verp: Option<Vec<u8>>,
}

/// What a `MAIL` leaves behind even when it is refused for something else: it holds until the transaction is reset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Announced {
    /// The size in bytes; zero: none.
    pub(crate) size: u64,
    /// `AUTH=` (RFC 4954), made printable; `<>` counts as none.
    pub(crate) auth_sender: Option<Vec<u8>>,
}

/// What the server offers.
#[derive(Debug)]
pub(crate) struct MailContext<'a> {
    pub(crate) discard: Keywords,
    pub(crate) smtputf8: bool,
    /// Whether this client may use `XVERP`.
    pub(crate) verp_allowed: bool,
    pub(crate) default_verp: &'a str,
    pub(crate) verp_filter: &'a str,
}

impl MailContext<'_> {
    /// Whether the word asks for SMTPUTF8 and may.
    fn is_smtputf8(&self, word: &[u8]) -> bool {
        self.smtputf8
            && !self.discard.has(Keywords::SMTPUTF8)
            && word.eq_ignore_ascii_case(b"SMTPUTF8")
    }
}

/// Whether the parameters ask for SMTPUTF8; this decides which addresses are well-formed.
pub(crate) fn wants_smtputf8(context: &MailContext<'_>, parameters: &[Token<'_>]) -> bool {
    parameters.iter().any(|word| context.is_smtputf8(word.text))
}

fn value<'a>(word: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (start, value) = word.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
}

/// Reads the parameters, left to right.
pub(crate) fn parse(
    context: &MailContext<'_>,
    parameters: &[Token<'_>],
    announced: &mut Announced,
) -> Result<MailParameters, Refusal> {
    let protocol = |reply: &str| Refusal::new(Classes::PROTOCOL, reply);
    let mut found = MailParameters::default();
    for word in parameters {
        let word = word.text;
        if word.eq_ignore_ascii_case(b"BODY=8BITMIME") {
            found.body = Some(Body::EightBitMime);
        } else if word.eq_ignore_ascii_case(b"BODY=7BIT") {
            found.body = Some(Body::SevenBit);
        } else if let Some(size) = value(word, "SIZE=") {
            if !all_digits(size) {
                return Err(protocol("501 5.5.4 Bad message size syntax"));
            }
            let size = file_size(size);
            announced.size = size.unwrap_or(0);
            size.ok_or_else(|| {
                Refusal::new(
                    Classes::POLICY,
                    "552 5.3.4 Message size exceeds file system imposed limit",
                )
            })?;
        } else if context.is_smtputf8(word) {
            // Taken care of before the address was looked at.
        } else if let Some(sender) = value(word, "AUTH=") {
            if announced.auth_sender.is_some() {
                return Err(protocol("503 5.5.4 Error: multiple AUTH= options"));
            }
            if sender != b"<>" {
                announced.auth_sender = Some(pf_text::printable(sender, b'?').into_owned());
            }
        } else if let Some(delimiters) = verp(context, word) {
            found.verp = Some(delimiters.ok_or_else(|| {
                Refusal::new(
                    Classes::PROTOCOL,
                    text![
                        "501 5.5.4 Error: XVERP needs two characters from ",
                        context.verp_filter
                    ],
                )
            })?);
        } else if let Some(ret) = value(word, "RET=") {
            dsn_offered(context.discard)?;
            let code = if ret.eq_ignore_ascii_case(b"FULL") {
                1
            } else if ret.eq_ignore_ascii_case(b"HDRS") {
                2
            } else {
                0
            };
            if code == 0 || found.ret.is_some() {
                return Err(protocol("501 5.5.4 Bad RET parameter syntax"));
            }
            found.ret = Some(code);
        } else if let Some(envid) = value(word, "ENVID=") {
            dsn_offered(context.discard)?;
            let decoded = pf_text::xtext::decode(envid)
                .filter(|id| {
                    !id.is_empty() && id.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
                })
                .filter(|_| found.envid.is_none());
            found.envid =
                Some(decoded.ok_or_else(|| protocol("501 5.5.4 Bad ENVID parameter syntax"))?);
        } else {
            return Err(Refusal::new(
                Classes::PROTOCOL,
                text!["555 5.5.4 Unsupported option: ", word],
            ));
        }
    }
    Ok(found)
}

/// Refuses the parameters of RFC 3461 where they were not announced.
pub(crate) fn dsn_offered(discard: Keywords) -> Result<(), Refusal> {
    if discard.has(Keywords::DSN) {
        Err(Refusal::new(
            Classes::PROTOCOL,
            "501 5.7.1 DSN support is disabled",
        ))
    } else {
        Ok(())
    }
}

/// `XVERP` or `XVERP=xy`; the inner `None`: the two characters are not allowed.
fn verp(context: &MailContext<'_>, word: &[u8]) -> Option<Option<Vec<u8>>> {
    if !context.verp_allowed {
        return None;
    }
    match value(word, "XVERP")? {
        [] => Some(Some(context.default_verp.as_bytes().to_vec())),
        [b'=', delimiters @ ..] => {
            let allowed = context.verp_filter.as_bytes();
            let good =
                delimiters.len() == 2 && delimiters.iter().all(|byte| allowed.contains(byte));
            Some(good.then(|| delimiters.to_vec()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::tokens;
    use super::*;

    fn read(parameters: &str, discard: &str) -> Result<MailParameters, String> {
        let context = MailContext {
            discard: Keywords::parse(discard.as_bytes()),
            smtputf8: true,
            verp_allowed: true,
            default_verp: "+=",
            verp_filter: "-=+",
        };
        let mut announced = Announced::default();
        let found = parse(&context, &tokens(parameters.as_bytes()), &mut announced);
        assert_eq!(announced.size > 0, parameters.contains("SIZE=77"));
        assert_eq!(announced.auth_sender, None);
        found.map_err(|refusal| String::from_utf8(refusal.reply).unwrap())
    }

    #[test]
    fn parameters() {
        let found = read(
            "body=8bitmime SIZE=77 RET=hdrs ENVID=a+2Bb XVERP=-= AUTH=<> SMTPUTF8",
            "",
        )
        .unwrap();
        assert_eq!(found.body, Some(Body::EightBitMime));
        assert_eq!(found.ret, Some(2));
        assert_eq!(found.envid.as_deref(), Some(&b"a+b"[..]));
        assert_eq!(found.verp.as_deref(), Some(&b"-="[..]));
    }

    #[test]
    fn refusals() {
        for (parameters, reply) in [
            ("SIZE=x", "501 5.5.4 Bad message size syntax"),
            (
                "SIZE=99999999999999999999",
                "552 5.3.4 Message size exceeds file system imposed limit",
            ),
            ("RET=FULL RET=FULL", "501 5.5.4 Bad RET parameter syntax"),
            ("RET=x", "501 5.5.4 Bad RET parameter syntax"),
            ("ENVID=a ENVID=a", "501 5.5.4 Bad ENVID parameter syntax"),
            ("ENVID=a+01", "501 5.5.4 Bad ENVID parameter syntax"),
            (
                "XVERP=xx",
                "501 5.5.4 Error: XVERP needs two characters from -=+",
            ),
            ("FOO=bar", "555 5.5.4 Unsupported option: FOO=bar"),
            (
                "BODY=BINARYMIME",
                "555 5.5.4 Unsupported option: BODY=BINARYMIME",
            ),
        ] {
            assert_eq!(read(parameters, ""), Err(reply.to_owned()));
        }
        assert_eq!(
            read("RET=FULL", "dsn"),
            Err("501 5.7.1 DSN support is disabled".to_owned())
        );
        assert_eq!(
            read("SMTPUTF8", "smtputf8"),
            Err("555 5.5.4 Unsupported option: SMTPUTF8".to_owned())
        );
    }

    #[test]
    fn bug_20260602_envid_refuses_nul_and_allows_tab() {
        assert!(read("ENVID=a+00b", "").is_err());
        assert_eq!(
            read("ENVID=a+09b", "").unwrap().envid.as_deref(),
            Some(&b"a\tb"[..])
        );
    }
}
