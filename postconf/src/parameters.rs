//! Showing parameters of `main.cf`.

use std::io::Write;

use crate::mode::Mode;
use crate::names::{Class, Names};
use crate::print;

/// Shows the parameters of these names, or all of these classes. `called`: the name for complaints.
///
/// # Errors
/// A value cannot be expanded, or the output not written.
pub fn show(
    mode: Mode,
    names: &Names,
    classes: &[Class],
    wanted: &[String],
    called: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    if wanted.is_empty() {
        for (name, node) in &names.nodes {
            let inactive = node.inactive && classes.contains(&Class::Inactive);
            if inactive || classes.contains(&node.class) {
                one(mode, names, name, out)?;
            }
        }
        return Ok(());
    }
    for name in wanted {
        if names.nodes.contains_key(name) {
            one(mode, names, name, out)?;
        } else {
            out.flush()?;
            pf_log::warning!("{name}: unknown parameter");
            pf_cli::suggest(called, name, names.current());
        }
    }
    Ok(())
}

fn one(mode: Mode, names: &Names, name: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let Some(value) = names.value(name, None, mode.has(Mode::SET)) else {
        return Ok(());
    };
    let fold = mode.has(Mode::FOLD);
    if mode.has(Mode::NO_VALUE) {
        print::line(out, fold, name)?;
        return Ok(());
    }
    let raw = names.nodes.get(name).is_some_and(|node| node.raw);
    let value = if mode.has(Mode::EXPAND) && !raw {
        names.expand(value, None)?
    } else {
        value.to_owned()
    };
    if mode.has(Mode::JSON) {
        print::json(out, name, &value)?;
    } else if mode.has(Mode::NO_NAME) {
        print::line(out, fold, &value)?;
    } else {
        print::line(out, fold, &format!("{name} = {value}"))?;
    }
    Ok(())
}
