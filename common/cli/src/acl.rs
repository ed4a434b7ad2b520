//! Which users may do something: `authorized_submit_users` and its like.

use std::fs;

/// Checks the user against a list of names, `!` exceptions, `/file` names and tables without a driver. The first match
/// decides. Other tables would bring their drivers into setgid programs; they are an error.
///
/// The answer is the user's name (`unknown` for one without an account) and whether it is allowed.
///
/// # Errors
/// The user database or a file cannot be read, or the list names a table.
pub fn user_allowed(parameter: &str, list: &str, uid: u32) -> anyhow::Result<(String, bool)> {
    let name =
        pf_sys::identity::user_by_uid(uid)?.map_or_else(|| "unknown".into(), |user| user.name);
    let allowed = matches(parameter, list, &name, 0)?.unwrap_or(false);
    Ok((name, allowed))
}

/// Files may name files, to this depth.
const MAX_DEPTH: u32 = 10;

fn matches(parameter: &str, list: &str, name: &str, depth: u32) -> anyhow::Result<Option<bool>> {
    anyhow::ensure!(
        depth <= MAX_DEPTH,
        "{parameter}: files are nested too deeply"
    );
    for word in pf_text::split::list_braces(list) {
        let mut pattern = word;
        let mut allow = true;
        while let Some(rest) = pattern.strip_prefix('!') {
            allow = !allow;
            pattern = rest;
        }
        if pattern.starts_with('/') {
            let text = fs::read_to_string(pattern).map_err(|err| {
                anyhow::anyhow!("open file {pattern}: {}", pf_sys::error::text(&err))
            })?;
            let lines: String = text
                .lines()
                .filter(|line| !line.trim_start().starts_with('#'))
                .flat_map(|line| [line, "\n"])
                .collect();
            match matches(parameter, &lines, name, depth + 1)? {
                Some(found) => return Ok(Some(found == allow)),
                None => continue,
            }
        }
        let hit = match pattern.split_once(':') {
            Some(_) => crate::plain_lookup(pattern, name)
                .map_err(|why| anyhow::anyhow!("{parameter}: {why}"))?
                .is_some(),
            None => pattern.eq_ignore_ascii_case(name),
        };
        if hit {
            return Ok(Some(allow));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_decides() {
        let check = |list| matches("x", list, "joe", 0).ok().flatten();
        assert_eq!(check("static:anyone"), Some(true));
        assert_eq!(check("!joe, static:all"), Some(false));
        assert_eq!(check("ann !bob"), None);
        assert_eq!(check("ann JOE"), Some(true));
        assert_eq!(check("!inline:{ann=1 joe=2} static:all"), Some(false));
        assert_eq!(check(""), None);
        assert!(matches("x", "hash:/etc/x", "joe", 0).is_err());
    }
}
