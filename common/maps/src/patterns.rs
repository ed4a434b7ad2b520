//! What `regexp:` and `pcre:` tables share: rules, blocks, negation, replacement text. The two differ in the engine.

use crate::prefilter::{Candidates, Prefilter, needed};
use crate::source_text::{is_space, lines};
use crate::table::{Inner, Local, OpenError};
use crate::{Lookup, Options, file_value};

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
enum Part {
    Text(Vec<u8>),
    Group(usize),
}

enum Rule<E> {
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
struct Pattern<E> {
    engine: E,
    texts: Vec<Vec<u8>>,
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
        match reader.rule::<E>(line.trim_ascii_end(), open_blocks.len()) {
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

enum Parsed<E> {
    Rule(Rule<E>),
    EndIf,
}

/// A pattern as it stands in the source.
struct Written<'a> {
    wanted: bool,
    pattern: &'a [u8],
    options: &'a [u8],
}

struct Reader<'a> {
    kind: &'a str,
    name: &'a str,
    number: usize,
    options: &'a Options,
}

impl Reader<'_> {
    fn warn(&self, why: &str) {
        pf_log::warning!(
            "{} map {}, line {}: {why}",
            self.kind,
            self.name,
            self.number
        );
    }

    fn rule<E: Engine>(&self, line: &[u8], depth: usize) -> Option<Parsed<E>> {
        if !line.first().is_some_and(u8::is_ascii_alphanumeric) {
            return self.matching(line).map(Parsed::Rule);
        }
        if let Some(rest) = keyword(line, b"if") {
            let (written, rest) = self.pattern::<E>(rest.trim_ascii_start())?;
            let rest = rest.trim_ascii_start();
            if !rest.is_empty() {
                let shown = String::from_utf8_lossy(rest);
                self.warn(&format!(
                    "ignoring extra text after IF statement: \"{shown}\""
                ));
                self.warn("do not prepend whitespace to statements between IF and ENDIF");
            }
            let pattern = self.compile(&written)?;
            return Some(Parsed::Rule(Rule::If {
                pattern,
                wanted: written.wanted,
                end: usize::MAX,
            }));
        }
        if let Some(rest) = keyword(line, b"endif") {
            if depth == 0 {
                self.warn("ignoring ENDIF without matching IF");
                return None;
            }
            if !rest.trim_ascii().is_empty() {
                self.warn("ignoring extra text after ENDIF");
            }
            return Some(Parsed::EndIf);
        }
        self.warn("ignoring unrecognized request");
        None
    }

    fn compile<E: Engine>(&self, written: &Written<'_>) -> Option<Pattern<E>> {
        let engine = E::compile(written.pattern, written.options)
            .map_err(|why| self.warn(&why))
            .ok()?;
        let plain = written
            .options
            .iter()
            .all(|letter| E::PLAIN.contains(letter));
        let texts = if plain {
            needed(written.pattern)
        } else {
            Vec::new()
        };
        Some(Pattern { engine, texts })
    }

    fn matching<E: Engine>(&self, line: &[u8]) -> Option<Rule<E>> {
        let (first, mut rest) = self.pattern::<E>(line)?;
        let mut second = None;
        if E::SECOND && rest.first() == Some(&b'!') {
            let (other, tail) = self.pattern::<E>(rest)?;
            (second, rest) = (Some(other), tail);
        }
        let text = rest.trim_ascii_start();
        if text.is_empty() {
            self.warn("no replacement text: using empty string");
        }
        let encoded;
        let text = if self.options.value_is_file {
            match file_value::encoded(text) {
                Ok(value) => {
                    encoded = value;
                    encoded.as_slice()
                }
                Err(why) => {
                    self.warn(&format!("{why}: skipping this rule"));
                    return None;
                }
            }
        } else {
            text
        };
        let Some(parts) = replacement(text, E::OUT_OF_RANGE, |why| self.warn(&why)) else {
            self.warn("bad replacement syntax: skipping this rule");
            return None;
        };
        let highest = parts
            .iter()
            .map(|part| match part {
                Part::Group(number) => *number,
                Part::Text(_) => 0,
            })
            .max()
            .unwrap_or(0);
        if highest > 0 && !first.wanted {
            self.warn("$number found in negative match replacement text: skipping this rule");
            return None;
        }
        if highest > 0 && self.options.no_substitution {
            self.warn("regular expression substitution is not allowed: skipping this rule");
            return None;
        }
        let pattern: Pattern<E> = self.compile(&first)?;
        if highest > pattern.engine.groups() {
            self.warn(&format!(
                "out of range replacement index \"{highest}\": skipping this rule"
            ));
            return None;
        }
        let second = match second {
            Some(written) => Some((self.compile(&written)?, written.wanted)),
            None => None,
        };
        Some(Rule::Match {
            pattern,
            wanted: first.wanted,
            second,
            parts,
            substitutes: highest > 0,
        })
    }

    /// Takes negation marks, a delimited pattern and its options off the line.
    fn pattern<'b, E: Engine>(&self, line: &'b [u8]) -> Option<(Written<'b>, &'b [u8])> {
        let marks = line
            .iter()
            .take_while(|byte| **byte == b'!' || is_space(**byte))
            .count();
        let (negations, rest) = line.split_at(marks);
        let wanted = negations.iter().filter(|byte| **byte == b'!').count() % 2 == 0;
        let Some((&delimiter, body)) = rest.split_first() else {
            self.warn("no regexp: skipping this rule");
            return None;
        };
        let mut escaped = false;
        let end = body.iter().position(|&byte| {
            if escaped {
                escaped = false;
                return false;
            }
            escaped = byte == b'\\';
            byte == delimiter
        });
        let Some(end) = end else {
            let fate = if E::SECOND { "skipping" } else { "ignoring" };
            self.warn(&format!(
                "no closing regexp delimiter \"{}\": {fate} this rule",
                char::from(delimiter)
            ));
            return None;
        };
        let (pattern, tail) = body.split_at(end);
        // For a regexp table the closing delimiter is among the options scanned, and skipped here.
        let tail = tail.get(1..).unwrap_or_default();
        let len = tail
            .iter()
            .take_while(|byte| !(is_space(**byte) || E::SECOND && **byte == b'!'))
            .count();
        let (options, rest) = tail.split_at(len);
        if let Some(letter) = options.iter().find(|letter| !E::LETTERS.contains(letter)) {
            self.warn(&format!(
                "unknown regexp option \"{}\": skipping this rule",
                char::from(*letter)
            ));
            return None;
        }
        Some((
            Written {
                wanted,
                pattern,
                options,
            },
            rest,
        ))
    }
}

fn keyword<'a>(line: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = line.split_at_checked(word.len())?;
    let ends = !rest.first().is_some_and(u8::is_ascii_alphanumeric);
    (head.eq_ignore_ascii_case(word) && ends).then_some(rest)
}

/// Parses replacement text: `$1`, `${1}`, `$(1)`, and `$$` for a dollar sign. `None` when it makes no sense.
fn replacement(text: &[u8], out_of_range: &str, mut warn: impl FnMut(String)) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut good = true;
    let mut literal = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'$') {
        let (before, tail) = rest.split_at(at);
        literal.extend_from_slice(before);
        let tail = tail.get(1..).unwrap_or_default();
        let (name, after) = match tail.first() {
            Some(b'$') => {
                literal.push(b'$');
                rest = tail.get(1..).unwrap_or_default();
                continue;
            }
            Some(open @ (b'{' | b'(')) => {
                let close = if *open == b'{' { b'}' } else { b')' };
                let Some(end) = tail.iter().position(|byte| *byte == close) else {
                    pf_log::warning!("truncated macro reference: \"{}\"", pf_text::Show(text));
                    return None;
                };
                (tail.get(1..end)?, tail.get(end + 1..)?)
            }
            _ => {
                let len = tail
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                    .count();
                tail.split_at(len)
            }
        };
        if name.is_empty() {
            pf_log::warning!("empty macro name: \"{}\"", pf_text::Show(text));
            return None;
        }
        let shown = String::from_utf8_lossy(name);
        if !name.iter().all(u8::is_ascii_digit) {
            warn(format!("non-numeric replacement index \"{shown}\""));
            good = false;
            rest = after;
            continue;
        }
        let number = shown.parse().unwrap_or(usize::MAX);
        if number < 1 {
            warn(format!("{out_of_range} replacement index \"{shown}\""));
            good = false;
            rest = after;
            continue;
        }
        if !literal.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut literal)));
        }
        parts.push(Part::Group(number));
        rest = after;
    }
    literal.extend_from_slice(rest);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    good.then_some(parts)
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
