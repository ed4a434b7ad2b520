//! House rules that the compiler does not check: the direction of dependencies, the place of `unsafe`, the manuals, and that
//! the tests and paths that the documentation names exist.

mod documents;
mod manuals;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::shell::root;

/// The rows of `common/`: a crate uses only rows above its own.
const ROWS: [&[&str]; 8] = [
    &["sys", "text"],
    &["log", "record"],
    &["attr", "config", "dsn", "net"],
    &["address", "mime", "proto", "dns"],
    &["maps", "queue", "sasl", "tls", "milter"],
    &["smtp", "checks", "delivery", "service"],
    &["cli"],
    &["select", "tabletool"],
];

/// Where `unsafe` may stand.
const UNSAFE: [&str; 2] = ["common/sys/src/", "common/maps/src/lmdb"];

/// Runs all checks and reports all findings.
pub fn run() -> Result<()> {
    let mut findings = Vec::new();
    dependencies(&mut findings)?;
    unsafe_code(&mut findings)?;
    manuals::check(&mut findings)?;
    documents::check(&mut findings)?;
    if findings.is_empty() {
        return Ok(());
    }
    bail!("tidy:\n{}", findings.join("\n"))
}

fn dependencies(findings: &mut Vec<String>) -> Result<()> {
    let rows: BTreeMap<&str, usize> = ROWS
        .iter()
        .enumerate()
        .flat_map(|(row, crates)| crates.iter().map(move |name| (*name, row)))
        .collect();
    for folder in folders()? {
        let name = folder.strip_prefix(root())?.display().to_string();
        let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
        let own = manifest
            .split("[dev-dependencies]")
            .next()
            .unwrap_or_default();
        let row = name
            .strip_prefix("common/")
            .and_then(|crate_name| rows.get(crate_name));
        for line in own.lines().filter_map(|line| line.strip_prefix("pf-")) {
            let used = line.split(['.', ' ', '=']).next().unwrap_or_default();
            match (row, rows.get(used)) {
                (Some(row), Some(used_row)) if used_row >= row => {
                    findings.push(format!("{name} (row {row}) uses {used} (row {used_row})"));
                }
                (_, None) if used == "testkit" && (name == "compliance" || name == "bench") => {}
                // It describes the commands, and is none.
                (_, None) if name == "completions" => {}
                (_, None) => {
                    findings.push(format!("{name} uses {used}, which is no crate of common/"))
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn unsafe_code(findings: &mut Vec<String>) -> Result<()> {
    for file in sources()? {
        let name = file.strip_prefix(root())?.display().to_string();
        if UNSAFE.iter().any(|place| name.starts_with(place)) || name == "xtask/src/tidy.rs" {
            continue;
        }
        let text = fs::read_to_string(&file)?;
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains("unsafe {")
                || code.contains("unsafe fn")
                || code.contains("allow(unsafe_code")
            {
                findings.push(format!(
                    "{name}:{}: unsafe code outside its place",
                    number + 1
                ));
            }
        }
    }
    Ok(())
}

/// All crates of the workspace.
fn folders() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for parent in [root(), root().join("common"), root().join("daemons")] {
        for entry in fs::read_dir(&parent).with_context(|| parent.display().to_string())? {
            let path = entry?.path();
            if path.join("Cargo.toml").exists() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn sources() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in folders()? {
        for part in ["src", "tests", "benches"] {
            rust_files(&folder.join(part), &mut files)?;
        }
    }
    Ok(files)
}

fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
