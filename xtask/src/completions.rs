//! Shell completions of the commands.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::layout::SHELLS;
use crate::shell::{command, run as run_command, say, target_dir};

/// `cargo xtask completions [DIR]`: a directory for each shell.
pub fn run(words: &[&str]) -> Result<()> {
    let to = match words {
        [] => target_dir().join("completions"),
        [directory, ..] => std::path::absolute(directory)?,
    };
    run_command(&mut command(
        "cargo",
        &[
            "build",
            "--quiet",
            "--locked",
            "--package",
            "pf-completions",
        ],
    ))?;
    write(&target_dir().join("debug"), &to)?;
    say(&format!("completions are in {}", to.display()));
    Ok(())
}

/// Puts the completions into the directory of each shell. `built` is where the programs are.
pub fn install(built: &Path, directories: &[PathBuf; 3]) -> Result<()> {
    let all = tempfile::tempdir()?;
    write(built, all.path())?;
    for (shell, to) in SHELLS.iter().zip(directories) {
        fs::create_dir_all(to)?;
        for file in fs::read_dir(all.path().join(shell))? {
            let file = file?;
            let to = to.join(file.file_name());
            fs::copy(file.path(), &to).with_context(|| format!("write {}", to.display()))?;
        }
    }
    Ok(())
}

fn write(built: &Path, to: &Path) -> Result<()> {
    let program = built.join("completions");
    run_command(command(&program.to_string_lossy(), &[]).arg(to))
}
