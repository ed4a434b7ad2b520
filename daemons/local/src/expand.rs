//! `$user`, `$home` and the like in `forward_path`, `luser_relay` and `command_execution_directory`.

use std::borrow::Cow;

use pf_config::expand::{Error, Expanded, Filter, Options, Purpose, Values, expand};

use crate::state::{Attributes, Rights};

struct Names<'a> {
    state: &'a Attributes,
    rights: &'a Rights,
    delimiter: Option<[u8; 1]>,
    extension_used: bool,
}

impl Values for Names<'_> {
    fn value(&mut self, name: &str, purpose: Purpose) -> Option<Cow<'_, [u8]>> {
        let state = self.state;
        let value: &[u8] = match name {
            "user" => &state.user,
            "home" => self.rights.home.as_deref()?,
            "shell" => self.rights.shell.as_deref()?,
            "domain" => &state.domain,
            "local" | "mailbox" => &state.local,
            "recipient" => &state.recipient.address,
            "extension" => {
                self.extension_used |= purpose == Purpose::Use;
                state.extension.as_deref()?
            }
            "recipient_delimiter" => self.delimiter.as_ref()?,
            _ => return None,
        };
        Some(Cow::Borrowed(value))
    }
}

/// The expansion of a pattern, and whether it has the address extension in it. `filter`: what may stand in values.
///
/// # Errors
/// The pattern's syntax is wrong.
pub(crate) fn expansion(
    pattern: &str,
    state: &Attributes,
    rights: &Rights,
    delimiters: &[u8],
    filter: Option<&str>,
) -> Result<(Expanded, bool), Error> {
    let mut names = Names {
        state,
        rights,
        delimiter: state.delimiter(delimiters).map(|byte| [byte]),
        extension_used: false,
    };
    let options = Options {
        filter: filter.map_or(Filter::None, |filter| Filter::Only(filter.as_bytes())),
        ..Options::default()
    };
    let expanded = expand(pattern.as_bytes(), &options, &mut names)?;
    Ok((expanded, names.extension_used))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_proto::bounce::Recipient;

    #[test]
    fn forward_paths() {
        let mut state = Attributes::new(Recipient::default(), b"", b"", 0);
        state.local = b"user+ext".to_vec();
        state.user = b"user".to_vec();
        state.extension = Some(b"ext".to_vec());
        let rights = Rights {
            home: Some(b"/home/user".to_vec()),
            ..Rights::default()
        };
        let path = "$home/.forward${recipient_delimiter}${extension}";
        let (found, used) = expansion(path, &state, &rights, b"-+", Some("ext+/homusr")).unwrap();
        assert_eq!(found.text, b"/home/user/.forward+ext");
        assert!(used && !found.undefined);
        state.extension = None;
        let (found, _) = expansion(path, &state, &rights, b"-+", None).unwrap();
        assert!(found.undefined);
    }
}
