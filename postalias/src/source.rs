//! The lines of an alias file, and the entries that no line gives.

use std::time::{SystemTime, UNIX_EPOCH};

use pf_maps::Options;
use pf_maps::build::{BuildError, Builder};
use pf_tabletool::{Language, Place};

use crate::entry::{Fault, key_and_value};

/// Lines of a name, a colon and addresses.
#[derive(Debug)]
pub struct Aliases {
    /// Where the table is made (`myhostname`).
    pub host: String,
}

impl Language for Aliases {
    const SEPARATOR: &'static str = ":\t";
    const WHEN_LOGGED: &'static str = ": Application error";

    fn add(
        &self,
        builder: &mut Builder,
        _options: &Options,
        place: Place<'_>,
        line: &[u8],
    ) -> Result<(), BuildError> {
        match key_and_value(line) {
            Ok((key, value)) => return builder.add(&key, &value),
            Err(Fault::Empty) => {}
            Err(Fault::Pair) => pf_log::warning!("{place}: need name:value pair"),
            Err(Fault::Remote) => {
                pf_log::warning!("{place}: name must be local and have no domain");
            }
        }
        Ok(())
    }

    fn complete(&self, builder: &mut Builder, incremental: bool) -> Result<(), BuildError> {
        // A table without the first of these entries is not complete, as Sendmail sees it; servers of the network information
        // service look for the others.
        if incremental {
            builder.replace_duplicates();
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs().to_string();
        builder.add(b"@", b"@")?;
        builder.keep_case();
        builder.end_nulls();
        for (key, value) in [("YP_LAST_MODIFIED", &now), ("YP_MASTER_NAME", &self.host)] {
            builder.add(key.as_bytes(), value.as_bytes())?;
        }
        Ok(())
    }
}
