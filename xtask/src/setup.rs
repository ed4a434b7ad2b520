//! What the machine must have: Debian packages and the accounts that Postfix runs as.

use anyhow::{Context as _, Result, ensure};

use crate::shell::{command, has, output, run as run_command, say};

/// Programs that the tests use, and the Debian package of each.
const PROGRAMS: [(&str, &str); 10] = [
    ("cc", "gcc"),
    ("debootstrap", "debootstrap"),
    // The shells whose completions are tried; bash is part of every Debian.
    ("fish", "fish"),
    ("ip", "iproute2"),
    ("mandoc", "mandoc"),
    ("nsenter", "util-linux"),
    // The modules of Perl, for the original's qshape.
    ("prove", "perl"),
    ("setpriv", "util-linux"),
    ("useradd", "passwd"),
    ("zsh", "zsh"),
];

/// Installs the missing packages and makes the missing accounts; says what it does.
pub fn run() -> Result<()> {
    packages()?;
    accounts()
}

fn packages() -> Result<()> {
    let mut missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !has(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    missing.dedup();
    say(&format!(
        "installing Debian packages: {}",
        missing.join(" ")
    ));
    ensure!(
        nix::unistd::geteuid().is_root(),
        "root is needed to install {}",
        missing.join(" ")
    );
    run_command(command("apt-get", &["update", "-qq"]).env("DEBIAN_FRONTEND", "noninteractive"))?;
    let mut install = command(
        "apt-get",
        &["install", "-y", "-qq", "--no-install-recommends"],
    );
    run_command(
        install
            .args(&missing)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

/// Makes the accounts `postfix` and `postdrop` where they are missing.
pub fn accounts() -> Result<()> {
    if nix::unistd::Group::from_name("postdrop")?.is_none() {
        say("making the group postdrop (the setgid group of postdrop and postqueue)");
        output(&mut command("groupadd", &["--system", "postdrop"])).context("group postdrop")?;
    }
    if nix::unistd::User::from_name("postfix")?.is_none() {
        say("making the account postfix (the owner of the mail queue)");
        let options = ["--system", "--no-create-home", "--user-group"];
        let place = [
            "--home-dir",
            "/var/spool/postfix",
            "--shell",
            "/usr/sbin/nologin",
            "postfix",
        ];
        output(command("useradd", &options).args(place)).context("account postfix")?;
    }
    Ok(())
}
