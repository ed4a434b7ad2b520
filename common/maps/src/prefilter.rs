//! Which patterns of a long table may match a key at all: most patterns cannot match without some fixed text, and all such texts
//! are looked for in one pass over the key.

use std::cmp::Reverse;
use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

/// With fewer patterns, to try each costs no more.
const WORTHWHILE: usize = 16;
/// Shorter texts are in most keys.
const SHORTEST: usize = 2;

/// The texts without which patterns cannot match.
pub(crate) struct Prefilter {
    search: AhoCorasick,
    /// For each text the number of its pattern.
    owners: Vec<usize>,
    /// Whether a pattern has a text.
    has_text: Vec<bool>,
}

/// What was found in one key.
pub(crate) struct Candidates(Option<Vec<bool>>);

impl Candidates {
    /// Whether the pattern with this number may match.
    pub(crate) fn may_match(&self, number: usize) -> bool {
        self.0
            .as_ref()
            .is_none_or(|found| found.get(number).copied().unwrap_or(true))
    }
}

impl Prefilter {
    /// For patterns whose texts, by [`needed`], are these. `None` when there is nothing to gain.
    pub(crate) fn new(texts: &[Vec<Vec<u8>>]) -> Option<Self> {
        // Of the texts of a pattern, the one that the fewest others share tells most.
        let mut shared: HashMap<&[u8], usize> = HashMap::new();
        for text in texts.iter().flatten() {
            *shared.entry(text).or_default() += 1;
        }
        let best = |texts: &'_ Vec<Vec<u8>>| {
            texts
                .iter()
                .min_by_key(|text| (shared.get(text.as_slice()).copied(), Reverse(text.len())))
                .cloned()
        };
        let (owners, words): (Vec<usize>, Vec<Vec<u8>>) = texts
            .iter()
            .enumerate()
            .filter_map(|(number, texts)| Some((number, best(texts)?)))
            .unzip();
        if words.len() < WORTHWHILE {
            return None;
        }
        let search = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .build(words)
            .ok()?;
        Some(Self {
            search,
            owners,
            has_text: texts.iter().map(|texts| !texts.is_empty()).collect(),
        })
    }

    /// The patterns that may match the key.
    pub(crate) fn candidates(filter: Option<&Self>, key: &[u8]) -> Candidates {
        // Letters outside ASCII may be other cases of letters inside.
        let Some(filter) = filter.filter(|_| key.is_ascii()) else {
            return Candidates(None);
        };
        let mut found: Vec<bool> = filter.has_text.iter().map(|has| !has).collect();
        for hit in filter.search.find_overlapping_iter(key) {
            let owner = filter.owners.get(hit.pattern().as_usize());
            if let Some(place) = owner.and_then(|owner| found.get_mut(*owner)) {
                *place = true;
            }
        }
        Candidates(Some(found))
    }
}

/// The texts, each of which every match of a pattern must contain, whatever its case; none when the pattern has parts that this
/// simple reading, common to POSIX extended and Perl syntax, does not follow.
pub(crate) fn needed(pattern: &[u8]) -> Vec<Vec<u8>> {
    read(pattern).unwrap_or_default()
}

fn read(pattern: &[u8]) -> Option<Vec<Vec<u8>>> {
    // Verbs that end a match early, quoting, and changes of the syntax itself.
    let odd: [&[u8]; 3] = [b"(*", b"(?", b"\\Q"];
    if odd
        .iter()
        .any(|odd| pattern.windows(odd.len()).any(|part| part == *odd))
        || !pattern.is_ascii()
    {
        return None;
    }
    let mut texts: Vec<Vec<u8>> = Vec::new();
    let mut run = Vec::new();
    let end_run = |run: &mut Vec<u8>, texts: &mut Vec<Vec<u8>>| {
        if run.len() >= SHORTEST {
            texts.push(std::mem::take(run));
        }
        run.clear();
    };
    // For each open group: how many texts there were before it, and whether it has alternatives.
    let mut groups: Vec<(usize, bool)> = Vec::new();
    let mut rest = pattern;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let literal = match byte {
            b'\\' => {
                let (&next, tail) = rest.split_first()?;
                rest = tail;
                if next.is_ascii_alphanumeric() {
                    // A class or an assertion: one of one letter alone is sure to end there.
                    if !b"wWsSbBdDhHvVAzZ".contains(&next) {
                        return None;
                    }
                    None
                } else if b"<>`'".contains(&next) {
                    None
                } else {
                    Some(next)
                }
            }
            b'|' => {
                groups.last_mut()?.1 = true;
                None
            }
            b'(' => {
                end_run(&mut run, &mut texts);
                groups.push((texts.len(), false));
                None
            }
            b')' => {
                end_run(&mut run, &mut texts);
                let (before, alternatives) = groups.pop()?;
                // Either may do, or the whole group may be missing.
                if alternatives || may_be_missing(rest) {
                    texts.truncate(before);
                }
                None
            }
            b'[' => {
                rest = behind_bracket(rest)?;
                None
            }
            // What comes before may be missing.
            b'*' | b'?' | b'{' => {
                run.pop();
                if byte == b'{' {
                    let end = rest.iter().position(|byte| *byte == b'}')?;
                    let counts = rest.get(..end)?;
                    if !counts.iter().all(|byte| b"0123456789,".contains(byte)) {
                        return None;
                    }
                    rest = rest.get(end + 1..)?;
                }
                None
            }
            b'+' => {
                // In POSIX syntax a repetition may be repeated, and so be missing.
                if may_be_missing(rest) {
                    run.pop();
                }
                None
            }
            b'.' | b'^' | b'$' | b'#' | b' ' | b'\t' | b'\n' | b'\r' => None,
            other => Some(other),
        };
        match literal {
            Some(byte) => run.push(byte.to_ascii_lowercase()),
            None => end_run(&mut run, &mut texts),
        }
    }
    end_run(&mut run, &mut texts);
    groups.is_empty().then_some(texts)
}

/// Whether what comes before this may be there no times at all, as far as can be told.
fn may_be_missing(rest: &[u8]) -> bool {
    match rest.split_first() {
        Some((b'*' | b'?' | b'{', _)) => true,
        Some((b'+', rest)) => may_be_missing(rest),
        _ => false,
    }
}

/// What follows a bracket expression, given what follows its opening bracket; `None` when the two syntaxes may differ.
fn behind_bracket(mut rest: &[u8]) -> Option<&[u8]> {
    rest = rest.strip_prefix(b"^").unwrap_or(rest);
    // A closing bracket that comes first is a member.
    rest = rest.strip_prefix(b"]").unwrap_or(rest);
    loop {
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        match (byte, rest.first()) {
            (b']', _) => return Some(rest),
            (b'[', Some(b':')) => {
                let end = rest.windows(2).position(|part| part == b":]")?;
                rest = rest.get(end + 2..)?;
            }
            (b'[', Some(b'.' | b'=')) | (b'\\', Some(b']')) => return None,
            (b'\\', Some(_)) => rest = rest.get(1..)?,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcre2::bytes::RegexBuilder;
    use pf_sys::posix_regex::{PosixRegex, Syntax};
    use proptest::prelude::*;

    const SYNTAX: Syntax = Syntax {
        extended: true,
        ignore_case: true,
        newline: false,
    };

    fn text(pattern: &str) -> String {
        let texts = needed(pattern.as_bytes());
        let texts = texts
            .into_iter()
            .map(|text| String::from_utf8(text).unwrap());
        texts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn texts_that_must_be_there() {
        for (pattern, texts) in [
            ("^Joe@example\\.com$", "joe@example.com"),
            ("ab*cde", "cde"),
            ("abc{0,1}d", "ab"),
            ("(abc)def", "abc def"),
            ("user[0-9]+@(domain5)\\.example", "user domain5 .example"),
            ("(abc)?def(ghi)+", "def ghi"),
            ("(abc(x|yz)q)def", "abc def"),
            ("(ab(cd)ef){2}gh", "gh"),
            ("(abc)+*de", "de"),
            ("x[]a]yz", "yz"),
            ("[[:digit:]x]abc", "abc"),
            ("ab+*c", ""),
            ("ab+cd", "ab cd"),
            ("abc|def", ""),
            ("a?", ""),
            ("(?x)a b", ""),
            ("abc\\1", ""),
            ("ab[\\]]cd", ""),
            ("ab)", ""),
            ("ab{|cd}xyz", ""),
            ("b+*", ""),
        ] {
            assert_eq!(text(pattern), texts, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn no_match_is_lost(
            patterns in prop::collection::vec("[ab.*?+()|\\[\\]^$A]{1,8}|a[ab]{2}(b|c)\\{0,1\\}[abc]", 20..40),
            key in "[abcAB]{0,8}",
        ) {
            let texts: Vec<_> = patterns.iter().map(|pattern| needed(pattern.as_bytes())).collect();
            let filter = Prefilter::new(&texts);
            let candidates = Prefilter::candidates(filter.as_ref(), key.as_bytes());
            for (number, pattern) in patterns.iter().enumerate() {
                let perl = RegexBuilder::new().caseless(true).build(pattern);
                let perl = perl.is_ok_and(|regex| regex.is_match(key.as_bytes()).unwrap_or(false));
                let posix = PosixRegex::new(pattern.as_bytes(), SYNTAX);
                let posix = posix.is_ok_and(|regex| regex.is_match(key.as_bytes()).unwrap_or(false));
                if perl || posix {
                    prop_assert!(candidates.may_match(number), "{pattern} {key} {perl} {posix}");
                }
            }
        }
    }
}
