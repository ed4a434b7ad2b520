//! What `regexp:` and `pcre:` tables share: rules, blocks, negation, replacement text. The two differ in the engine.

use crate::pattern_rules::{Parsed, Reader};
use crate::prefilter::{Candidates, Prefilter};
use crate::source_text::lines;
use crate::table::{Inner, Local, OpenError};
use crate::{Lookup, Options};
use pf_text::space::trim_end;

/// One compiled pattern of either engine.
pub(crate) trait Engine: Sized + 'static {
    /// The type's name.
    const KIND: &'static str;
    /// Whether `/one/!/other/` may be written.
    const SECOND: bool;
    /// The option letters with which a pattern reads as usual, as far as fixed text in it goes.
    const PLAIN: &'static [u8];
    /// How `$0` is refused.
    const OUT_OF_RANGE: &'static str;
    /// The option letters.
    const LETTERS: &'static [u8];
    /// Compiles a pattern with its option letters.
    ///
    /// # Errors
    /// What is wrong, with what happens to the rule.
    fn compile(pattern: &[u8], options: &[u8]) -> Result<Self, String>;
    /// How many groups the pattern has.
    fn groups(&self) -> usize;
    /// Whether the key matches.
    fn is_match(&self, key: &[u8]) -> Result<bool, String>;
    /// The text of the groups, the whole match first; `None` when the key does not match.
    fn captures(&self, key: &[u8]) -> Result<Option<Vec<Option<Vec<u8>>>>, String>;
}

/// A part of the replacement text.
pub(crate) enum Part {
    Text(Vec<u8>),
    Group(usize),
}

pub(crate) enum Rule<E> {
    Match {
        pattern: Pattern<E>,
        wanted: bool,
        second: Option<(Pattern<E>, bool)>,
        parts: Vec<Part>,
        substitutes: bool,
    },
    /// `end` is the index behind the matching `endif`.
    If {
        pattern: Pattern<E>,
        wanted: bool,
        end: usize,
    },
}

/// A pattern, and the texts without which it cannot match.
pub(crate) struct Pattern<E> {
    pub(crate) engine: E,
    pub(crate) texts: Vec<Vec<u8>>,
}

struct Patterns<E> {
    name: String,
    /// By the index of the rule, for its first pattern.
    filter: Option<Prefilter>,
    rules: Vec<(usize, Rule<E>)>,
}

/// Opens a table of patterns.
pub(crate) fn open<E: Engine>(name: &str, options: &Options) -> Result<Inner, OpenError> {
    let mut table = Patterns::<E> {
        name: name.to_owned(),
        filter: None,
        rules: Vec::new(),
    };
    let mut open_blocks: Vec<(usize, usize)> = Vec::new();
    for (number, line) in lines(E::KIND, name)? {
        let reader = Reader {
            kind: E::KIND,
            name,
            number,
            options,
        };
        match reader.rule::<E>(trim_end(&line), open_blocks.len()) {
            Some(Parsed::Rule(rule)) => {
                if matches!(rule, Rule::If { .. }) {
                    open_blocks.push((table.rules.len(), number));
                }
                table.rules.push((number, rule));
            }
            Some(Parsed::EndIf) => {
                let behind = table.rules.len();
                if let Some((at, _)) = open_blocks.pop()
                    && let Some((_, Rule::If { end, .. })) = table.rules.get_mut(at)
                {
                    *end = behind;
                }
            }
            None => {}
        }
    }
    for (_, number) in open_blocks.iter().rev() {
        pf_log::warning!(
            "{} map {name}, line {number}: IF has no matching ENDIF",
            E::KIND
        );
    }
    let texts: Vec<_> = table
        .rules
        .iter_mut()
        .map(
            |(_, Rule::Match { pattern, .. } | Rule::If { pattern, .. })| {
                std::mem::take(&mut pattern.texts)
            },
        )
        .collect();
    table.filter = Prefilter::new(&texts);
    Ok(Inner::Local(Box::new(table)))
}

impl<E: Engine> Patterns<E> {
    /// Whether a pattern that should (not) match does so. A pattern that fails counts as neither.
    fn holds(&self, number: usize, pattern: &E, wanted: bool, key: &[u8]) -> bool {
        match pattern.is_match(key) {
            Ok(found) => found == wanted,
            Err(why) => {
                pf_log::warning!("{} map {}, line {number}: {why}", E::KIND, self.name);
                false
            }
        }
    }

    fn result(
        &self,
        number: usize,
        rule: &Rule<E>,
        may_match: bool,
        key: &[u8],
    ) -> Option<Vec<u8>> {
        let Rule::Match {
            pattern,
            wanted,
            second,
            parts,
            substitutes,
        } = rule
        else {
            return None;
        };
        if *wanted && !may_match {
            return None;
        }
        let mut groups = Vec::new();
        if *substitutes {
            match pattern.engine.captures(key) {
                Ok(Some(found)) => groups = found,
                Ok(None) => return None,
                Err(why) => {
                    pf_log::warning!("{} map {}, line {number}: {why}", E::KIND, self.name);
                    return None;
                }
            }
        } else if may_match && !self.holds(number, &pattern.engine, *wanted, key) {
            return None;
        }
        if let Some((other, wanted)) = second
            && !self.holds(number, &other.engine, *wanted, key)
        {
            return None;
        }
        let mut value = Vec::new();
        for part in parts {
            match part {
                Part::Text(text) => value.extend_from_slice(text),
                Part::Group(group) => {
                    if let Some(Some(text)) = groups.get(*group) {
                        value.extend_from_slice(text);
                    }
                }
            }
        }
        Some(value)
    }
}

impl<E: Engine> Local for Patterns<E> {
    fn get(&self, key: &[u8]) -> Lookup<Vec<u8>> {
        let candidates: Candidates = Prefilter::candidates(self.filter.as_ref(), key);
        let mut at = 0;
        while let Some((number, rule)) = self.rules.get(at) {
            let may_match = candidates.may_match(at);
            at += 1;
            match rule {
                Rule::Match { .. } => {
                    if let Some(value) = self.result(*number, rule, may_match, key) {
                        return Lookup::Found(value);
                    }
                }
                Rule::If {
                    pattern,
                    wanted,
                    end,
                } => {
                    let holds = if may_match {
                        self.holds(*number, &pattern.engine, *wanted, key)
                    } else {
                        !*wanted
                    };
                    if !holds {
                        at = *end;
                    }
                }
            }
        }
        Lookup::Missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pcre, regexp};

    fn both(rules: &str, key: &str) -> Option<String> {
        let answer = |inner: Inner| {
            let Inner::Local(table) = inner else {
                panic!("remote")
            };
            match table.get(key.as_bytes()) {
                Lookup::Found(value) => Some(String::from_utf8(value).unwrap()),
                _ => None,
            }
        };
        let one = answer(regexp::open(rules, &Options::default()).unwrap());
        let other = answer(pcre::open(rules, &Options::default()).unwrap());
        assert_eq!(one, other, "{rules} {key}");
        one
    }

    #[test]
    fn first_match_with_groups() {
        let rules = "{ {/^(.*)@(.*)\\.example$/ $1-${2}$$x} {!/a/ no-a} {/^B/i case} }";
        assert_eq!(both(rules, "joe@b.example").as_deref(), Some("joe-b$x"));
        assert_eq!(both(rules, "JOE@B.EXAMPLE").as_deref(), Some("JOE-B$x"));
        assert_eq!(both(rules, "xyz").as_deref(), Some("no-a"));
        assert_eq!(both(rules, "Ba").as_deref(), Some("case"));
        assert_eq!(both(rules, "ba"), None);
    }

    #[test]
    fn blocks() {
        let rules = "{ {if /^a/} {/b/ ab} {if !/c/} {/d/ ad-not-c} {endif} {endif} {/z/ z} }";
        assert_eq!(both(rules, "ab").as_deref(), Some("ab"));
        assert_eq!(both(rules, "ad").as_deref(), Some("ad-not-c"));
        assert_eq!(both(rules, "acd"), None);
        assert_eq!(both(rules, "bz").as_deref(), Some("z"));
    }

    #[test]
    fn long_tables_find_the_first_match() {
        let mut rules = String::from(
            "{ {if /@b\\.example$/} {/^u7@/ seven-b} {endif} {if !/example/} {!/u\\d/ x} {endif} ",
        );
        for number in 0..100 {
            rules += &format!("{{/^(u{number})@(.*)$/ $1-$2}} ");
        }
        rules += "{!/@/ none} {/./ any} }";
        assert_eq!(both(&rules, "U7@b.example").as_deref(), Some("seven-b"));
        assert_eq!(
            both(&rules, "u42@c.example").as_deref(),
            Some("u42-c.example")
        );
        assert_eq!(
            both(&rules, "u99@c.example").as_deref(),
            Some("u99-c.example")
        );
        assert_eq!(both(&rules, "u100@c.example").as_deref(), Some("any"));
        assert_eq!(both(&rules, "example").as_deref(), Some("none"));
    }

    #[test]
    fn bad_rules_are_skipped() {
        for rule in ["/a/ $9", "/a/ $x", "!/(a)/ $1", "/a", "/(/ x", "/a/Q x"] {
            let rules = format!("{{ {{{rule}}} {{/a/ good}} }}");
            assert_eq!(both(&rules, "a").as_deref(), Some("good"), "{rule}");
        }
    }
}
