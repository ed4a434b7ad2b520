//! How far a system has come on the way from Berkeley DB to other indexes.

use crate::{Config, Error, param};

/// What is done about tables of the types `hash` and `btree` (`non_bdb_migration_level`); later ones include what those before
/// them do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MigrationLevel {
    /// Nothing.
    Disable,
    /// Tables of another type are used in their place.
    Redirect,
    /// An index of that type is made where there is only one of Berkeley DB.
    Reindex,
}

impl MigrationLevel {
    /// From its name, in whatever case.
    fn parse(name: &str) -> Option<Self> {
        [
            ("disable", Self::Disable),
            ("enable-redirect", Self::Redirect),
            ("enable-reindex", Self::Reindex),
        ]
        .into_iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, level)| level)
    }
}

impl Config {
    /// The value of `non_bdb_migration_level`.
    ///
    /// # Errors
    /// There is no such level.
    pub fn migration_level(&self) -> Result<MigrationLevel, Error> {
        let name = self.get(param::NON_BDB_MIGRATION_LEVEL)?;
        MigrationLevel::parse(&name)
            .ok_or_else(|| Error(format!("invalid non-Berkeley-DB migration level: '{name}'")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_names_and_an_order() {
        let level = |name| {
            Config::for_tests(&[("non_bdb_migration_level", name)])
                .migration_level()
                .map_err(|err| err.0)
        };
        assert_eq!(level("disable"), Ok(MigrationLevel::Disable));
        assert_eq!(level("Enable-Redirect"), Ok(MigrationLevel::Redirect));
        assert_eq!(level("enable-reindex"), Ok(MigrationLevel::Reindex));
        assert_eq!(
            level("reindex"),
            Err("invalid non-Berkeley-DB migration level: 'reindex'".into())
        );
        assert!(MigrationLevel::Disable < MigrationLevel::Redirect);
        assert!(MigrationLevel::Redirect < MigrationLevel::Reindex);
    }
}
