//! `service/type/field` patterns of the command line; `*` matches anything.

use anyhow::anyhow;

use crate::master::{COLUMNS, Service};

/// A pattern of three parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    service: String,
    kind: String,
    /// The third part, `*` when there was none.
    pub last: String,
}

impl Pattern {
    /// Reads a pattern with at least `min` and at most `max` parts.
    pub fn parse(text: &str, min: usize, max: usize) -> Option<Self> {
        if text.starts_with('/') {
            return None;
        }
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        let bad = |part: &&str| *part != "*" && part.contains('*');
        if parts.len() < min || parts.len() > max || parts.iter().any(bad) {
            return None;
        }
        let part = |at: usize| parts.get(at).copied().unwrap_or("*").to_owned();
        Some(Self {
            service: part(0),
            kind: part(1),
            last: part(2),
        })
    }

    /// Its first two parts.
    pub fn service_and_type(&self) -> String {
        format!("{}/{}", self.service, self.kind)
    }

    /// Whether the pattern matches a service.
    pub fn matches(&self, service: &str, kind: &str) -> bool {
        (self.service == "*" || self.service == service) && (self.kind == "*" || self.kind == kind)
    }

    /// Whether the pattern matches this service.
    pub fn matches_service(&self, service: &Service) -> bool {
        self.matches(service.field(0), service.field(1))
    }

    /// The column that the last part names; `None` for all.
    ///
    /// # Errors
    /// There is no such column.
    pub fn column(&self) -> anyhow::Result<Option<usize>> {
        if self.last == "*" {
            return Ok(None);
        }
        COLUMNS
            .iter()
            .position(|name| *name == self.last)
            .map(Some)
            .ok_or_else(|| {
                let bad = anyhow!("invalid service attribute name: \"{}\"", self.last);
                pf_cli::meant(bad, &self.last, COLUMNS)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let pattern = Pattern::parse("smtp/*/chroot", 1, 3).unwrap();
        assert!(pattern.matches("smtp", "inet") && !pattern.matches("relay", "unix"));
        assert_eq!(pattern.column().unwrap(), Some(4));
        assert_eq!(Pattern::parse("smtp", 2, 2), None);
        assert_eq!(Pattern::parse("s*p", 1, 3), None);
        assert_eq!(
            Pattern::parse("smtp", 1, 3).unwrap().column().unwrap(),
            None
        );
    }
}
