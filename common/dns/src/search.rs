//! Which names stand for a short one (resolv.conf(5), `search` and `ndots`).

use crate::ResolvConf;

/// Whether the domains of `resolv.conf` are tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appending {
    /// With names of one label (`res_defnames`).
    pub to_short: bool,
    /// With names of several labels, and all domains instead of the first one (`res_dnsrch`).
    pub to_dotted: bool,
}

impl Appending {
    /// Names are taken as they are.
    pub const NONE: Self = Self {
        to_short: false,
        to_dotted: false,
    };

    /// Names are completed as in any other program of the system.
    pub const ALL: Self = Self {
        to_short: true,
        to_dotted: true,
    };

    /// The names to ask for, in order.
    pub(crate) fn names(self, name: &str, conf: &ResolvConf) -> Vec<String> {
        let dots = name.bytes().filter(|byte| *byte == b'.').count();
        let appends = if dots == 0 {
            self.to_short
        } else {
            self.to_dotted && !name.ends_with('.')
        };
        let domains = match conf.search.as_slice() {
            [first, ..] if !self.to_dotted => std::slice::from_ref(first),
            all => all,
        };
        let mut names: Vec<String> = domains
            .iter()
            .filter(|_| appends)
            .map(|domain| format!("{name}.{}", domain.trim_matches('.')))
            .collect();
        let at = if dots >= conf.ndots { 0 } else { names.len() };
        names.insert(at, name.to_owned());
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_asked_for() {
        let conf = ResolvConf::parse("search a.example b.example\n");
        let names = |name, appending: Appending| appending.names(name, &conf).join(" ");
        let short = Appending {
            to_short: true,
            to_dotted: false,
        };
        let dotted = Appending {
            to_short: false,
            to_dotted: true,
        };
        assert_eq!(names("h", Appending::NONE), "h");
        assert_eq!(names("h", short), "h.a.example h");
        assert_eq!(names("h", dotted), "h");
        assert_eq!(names("h", Appending::ALL), "h.a.example h.b.example h");
        assert_eq!(names("h.x", short), "h.x");
        assert_eq!(names("h.x", dotted), "h.x h.x.a.example h.x.b.example");
        assert_eq!(names("h.x.", Appending::ALL), "h.x.");
    }
}
