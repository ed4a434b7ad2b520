//! What documents name exists: the tests of `docs/cve.md`, the paths of `docs/map.md`.

use std::fs;

use anyhow::{Context as _, Result};

use crate::shell::root;

const BUGS: &str = "docs/cve.md";
const MAP: &str = "docs/map.md";

/// Both documents.
pub fn check(findings: &mut Vec<String>) -> Result<()> {
    tests(findings)?;
    paths(findings)
}

/// Looks for the test of each row in the file of that row.
fn tests(findings: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string(root().join(BUGS)).context(BUGS)?;
    // The head of the table and the line below it are no rows.
    let rows = text.lines().filter(|line| line.starts_with('|')).skip(2);
    for row in rows {
        let Some((date, test, file)) = cells(row) else {
            findings.push(format!("{BUGS}: no date, test and file in: {row}"));
            continue;
        };
        match fs::read_to_string(root().join(file)) {
            Ok(source) if has_test(&source, test) => {}
            Ok(_) => findings.push(format!("{BUGS}: {date}: no test {test} in {file}")),
            Err(err) => findings.push(format!("{BUGS}: {date}: {file}: {err}")),
        }
    }
    Ok(())
}

/// Looks for each path: what stands in backquotes in a row and has a slash.
fn paths(findings: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string(root().join(MAP)).context(MAP)?;
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let codes = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    findings.extend(
        codes
            .filter(|code| code.contains('/') && !root().join(code).exists())
            .map(|path| format!("{MAP}: there is no {path}")),
    );
    Ok(())
}

/// `` | date | `test` | `file` | ``
fn cells(row: &str) -> Option<(&str, &str, &str)> {
    let mut cells = row.trim_matches('|').split('|').map(str::trim);
    let date = cells.next()?;
    let mut code = || {
        let code = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        (!code.is_empty()).then_some(code)
    };
    Some((date, code()?, code()?))
}

/// Whether a function of this name is the first one behind an attribute that makes a test.
fn has_test(source: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    let mut lines = source.lines().map(str::trim_start);
    while lines.any(|line| line == "#[test]" || line.starts_with("#[tokio::test")) {
        let function = lines
            .by_ref()
            .map(|line| line.trim_start_matches("async "))
            .find(|line| line.starts_with("fn "));
        if function.is_some_and(|line| line.starts_with(&head)) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_tests_are_recognised() {
        assert_eq!(
            cells("| 1, 2 | `t` | `a/b.rs` |"),
            Some(("1, 2", "t", "a/b.rs"))
        );
        assert_eq!(cells("| 1 | t | `a/b.rs` |"), None);
        let source = "#[test]\n#[cfg(unix)]\nfn one() {}\nfn two() {}\n    #[tokio::test]\n    async fn three() {\n";
        assert!(has_test(source, "one") && has_test(source, "three"));
        assert!(!has_test(source, "two") && !has_test(source, "on"));
    }
}
