//! Reading the rules of `regexp:` and `pcre:` tables: patterns, blocks, negation, replacement text; and what is wrong with them.

use crate::patterns::{Engine, Part, Pattern, Rule};
use crate::prefilter::needed;
use crate::{Options, file_value};
use pf_text::Show;
use pf_text::space::{is_space, trim, trim_start};

/// What is on a line.
pub(crate) enum Parsed<E> {
    Rule(Rule<E>),
    EndIf,
}

/// A pattern as it stands in the source.
struct Written<'a> {
    wanted: bool,
    pattern: &'a [u8],
    options: &'a [u8],
}

/// Reads the rule on one line.
pub(crate) struct Reader<'a> {
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    pub(crate) number: usize,
    pub(crate) options: &'a Options,
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

    /// The rule, unless there is something wrong with it, which is logged. `depth`: how many blocks are open.
    pub(crate) fn rule<E: Engine>(&self, line: &[u8], depth: usize) -> Option<Parsed<E>> {
        if !line.first().is_some_and(u8::is_ascii_alphanumeric) {
            return self.matching(line).map(Parsed::Rule);
        }
        if let Some(rest) = keyword(line, b"if") {
            let (written, rest) = self.pattern::<E>(trim_start(rest))?;
            let rest = trim_start(rest);
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
            if !trim(rest).is_empty() {
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
        let text = trim_start(rest);
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
                Show(&[delimiter])
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
                Show(&[*letter])
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

/// Where what the first byte opens is closed.
fn closing(text: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut depth = 0_usize;
    text.iter().position(|byte| {
        depth += usize::from(*byte == open);
        depth -= usize::from(*byte == close);
        depth == 0
    })
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
                let Some(end) = closing(tail, *open, close) else {
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
