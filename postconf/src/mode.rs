//! What the options ask for, and which of them go together.

use anyhow::bail;

/// The options given, as bits in the order in which complaints list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mode(u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $letter:literal;)+) => {
        impl Mode {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)+
        }
        const NAMES: &[(&str, Mode)] = &[$(($letter, Mode::$name)),+];
    };
}

flags! {
    /// Server SASL plug-in types.
    SASL_SERVER = 7, "-a";
    /// Client SASL plug-in types.
    SASL_CLIENT = 8, "-A";
    /// Expanded bounce templates.
    TEMPLATES_EXPANDED = 15, "-b";
    /// Parameters of one class.
    CLASS = 16, "-C";
    /// Defaults instead of settings.
    DEFAULTS = 1, "-d";
    /// Edit.
    EDIT = 4, "-e";
    /// Fold long lines.
    FOLD = 11, "-f";
    /// Fields of `master.cf`.
    MASTER_FIELD = 13, "-F";
    /// No names.
    NO_NAME = 2, "-h";
    /// No values.
    NO_VALUE = 20, "-H";
    /// JSON.
    JSON = 23, "-j";
    /// Lock types.
    LOCKS = 5, "-l";
    /// Map types.
    MAPS = 3, "-m";
    /// Entries of `master.cf`.
    MASTER_ENTRY = 10, "-M";
    /// Only what `main.cf` sets.
    SET = 0, "-n";
    /// Overrides.
    OVERRIDE = 17, "-o";
    /// Parameters of `main.cf`.
    MAIN = 14, "-p";
    /// Parameters in `master.cf`.
    MASTER_PARAM = 19, "-P";
    /// Bounce templates.
    TEMPLATES = 18, "-t";
    /// Facts about TLS.
    TLS = 21, "-T";
    /// Expanded values.
    EXPAND = 6, "-x";
    /// Remove.
    EXCLUDE = 12, "-X";
    /// Comment out.
    COMMENT_OUT = 9, "-#";
    /// Parameters of `master.cf` with those of `main.cf`.
    MASTER_ALL_PARAMS = 24, "-PP";
}

impl Mode {
    /// Whether any bit of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Without the bits of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn names(self, separator: &str) -> String {
        let names: Vec<&str> = NAMES
            .iter()
            .filter(|(_, mode)| self.has(*mode))
            .map(|(name, _)| *name)
            .collect();
        names.join(separator)
    }
}

macro_rules! any {
    ($($name:ident)|+) => { Mode(0)$(.with(Mode::$name))+ };
}

/// Those that touch `master.cf`.
pub const MASTER: Mode = any!(MASTER_ENTRY | MASTER_FIELD | MASTER_PARAM);
/// Those that change a file.
pub const EDITING: Mode = any!(EDIT | COMMENT_OUT | EXCLUDE);

/// What to do when nothing is said: the first set of alternatives.
pub const SUBJECT: Mode = any!(
    SASL_SERVER
        | SASL_CLIENT
        | TEMPLATES_EXPANDED
        | LOCKS
        | MAPS
        | TEMPLATES
        | MAIN
        | MASTER_ENTRY
        | MASTER_FIELD
        | MASTER_PARAM
        | TLS
);

/// Of each of these sets one at most.
const EXCLUSIVE: &[Mode] = &[
    SUBJECT,
    any!(MASTER_ALL_PARAMS | EDIT | COMMENT_OUT | EXCLUDE),
    any!(DEFAULTS | EDIT | SET | COMMENT_OUT | EXCLUDE),
    any!(FOLD | EDIT | COMMENT_OUT | EXCLUDE),
    any!(EXPAND | EDIT | COMMENT_OUT | EXCLUDE),
    any!(OVERRIDE | DEFAULTS | EDIT | COMMENT_OUT | EXCLUDE),
    any!(NO_NAME | EDIT | COMMENT_OUT | EXCLUDE | NO_VALUE),
];

/// What may come with an option.
const TOGETHER: &[(Mode, Mode)] = &[
    (Mode::SASL_SERVER, Mode(0)),
    (Mode::SASL_CLIENT, Mode(0)),
    (Mode::TEMPLATES_EXPANDED, Mode(0)),
    (Mode::LOCKS, Mode(0)),
    (Mode::MAPS, Mode(0)),
    (Mode::TLS, Mode(0)),
    (Mode::TEMPLATES, Mode(0)),
    (
        Mode::MAIN,
        any!(
            EDIT | EXCLUDE
                | COMMENT_OUT
                | FOLD
                | NO_NAME
                | CLASS
                | EXPAND
                | DEFAULTS
                | SET
                | OVERRIDE
                | NO_VALUE
                | JSON
        ),
    ),
    (
        Mode::MASTER_ENTRY,
        any!(EDIT | EXCLUDE | COMMENT_OUT | FOLD | OVERRIDE | EXPAND | JSON),
    ),
    (
        Mode::MASTER_FIELD,
        any!(EDIT | FOLD | NO_NAME | OVERRIDE | EXPAND | NO_VALUE | JSON),
    ),
    (
        Mode::MASTER_PARAM,
        any!(
            EDIT | EXCLUDE
                | FOLD
                | NO_NAME
                | OVERRIDE
                | EXPAND
                | NO_VALUE
                | JSON
                | MASTER_ALL_PARAMS
        ),
    ),
    (
        Mode::MASTER_ALL_PARAMS,
        any!(FOLD | NO_NAME | OVERRIDE | EXPAND | NO_VALUE | JSON | MASTER_PARAM),
    ),
    (
        Mode::JSON,
        any!(
            MAIN | MASTER_ENTRY | MASTER_FIELD | MASTER_PARAM | OVERRIDE | EXPAND | SET | DEFAULTS
        ),
    ),
    (Mode::CLASS, any!(MAIN | DEFAULTS | SET)),
];

/// Checks that the options go together.
///
/// # Errors
/// They do not; the text is Postfix's.
pub fn check(mode: Mode) -> anyhow::Result<()> {
    for set in EXCLUSIVE {
        let found = mode.and(*set);
        if found.0.count_ones() > 1 {
            bail!("specify one of {}", found.names(", "));
        }
    }
    for (option, allowed) in TOGETHER {
        let excess = mode.without(option.with(*allowed));
        if mode.has(*option) && excess.0 != 0 {
            bail!(
                "with option {}, do not specify {}",
                option.names(" "),
                excess.names(" ")
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints() {
        let text = |mode: Mode| check(mode).unwrap_err().to_string();
        assert_eq!(text(any!(DEFAULTS | SET | MAIN)), "specify one of -d, -n");
        assert_eq!(
            text(any!(SASL_SERVER | SET)),
            "with option -a, do not specify -n"
        );
        check(any!(MAIN | SET | FOLD | EXPAND)).unwrap();
    }
}
