//! Which of the caller's environment variables the mail system lets in (`import_environment`).

use std::ffi::OsString;

/// What a program is left with: of the names in `list`, those that are set; a `name=value` is set to that value.
///
/// # Errors
/// An element in braces is malformed.
pub fn imported(list: &str) -> Result<Vec<(OsString, OsString)>, String> {
    filter(list, |name| std::env::var_os(name))
}

fn filter(
    list: &str,
    value: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<(OsString, OsString)>, String> {
    let mut kept: Vec<(OsString, OsString)> = Vec::new();
    for word in pf_config::master_cf::split_words(&list.replace(',', " ")) {
        let word = if word.starts_with('{') {
            pf_config::master_cf::strip_braces(word)
                .map_err(|why| format!("import_environment: {why}"))?
        } else {
            word
        };
        match word.split_once('=') {
            Some((name, value)) => kept.push((name.trim_end().into(), value.trim_start().into())),
            None => kept.extend(value(word).map(|value| (OsString::from(word), value))),
        }
    }
    Ok(kept)
}

/// What commands outside the mail system find in their environment: what the list (`export_environment`) names, and a search
/// path of the system's own.
///
/// # Errors
/// As [`imported`].
pub fn exported(list: &str) -> Result<Vec<(OsString, OsString)>, String> {
    let mut kept = imported(list)?;
    kept.retain(|(name, _)| name != "PATH");
    kept.push(("PATH".into(), "/usr/bin:/bin".into()));
    Ok(kept)
}

/// A variable of the environment, unless this program was given privilege by its file: then its caller is not trusted.
pub fn safe_environment(name: &str) -> Option<OsString> {
    if pf_sys::identity::has_borrowed_rights() {
        None
    } else {
        std::env::var_os(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed() {
        let value = |name: &str| (name == "TZ").then(|| OsString::from("UTC"));
        assert_eq!(
            filter("MAIL_CONFIG TZ, LANG=C {A = b c}", value).unwrap(),
            [
                (OsString::from("TZ"), OsString::from("UTC")),
                ("LANG".into(), "C".into()),
                ("A".into(), "b c".into())
            ]
        );
        assert!(filter("{A=b", value).is_err());
    }
}
