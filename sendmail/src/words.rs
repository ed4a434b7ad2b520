//! The command line as getopt(3) scans it, with the words between which `sendmail` looks for options of its own.

use std::io::Write as _;

use pf_cli::BadOption;

/// Letters as getopt(3) takes them: a `:` follows those with a value.
const LETTERS: &[u8] = b"A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:r:q:tvx";
/// The command line, letter by letter.
#[derive(Debug)]
pub struct Words<'a> {
    called: &'a str,
    words: &'a [Vec<u8>],
    /// The rest of a word of which some letters were taken.
    rest: &'a [u8],
}

/// An option.
#[derive(Debug)]
pub enum Item<'a> {
    Option(u8, &'a [u8]),
    /// One that is not, as standard error was told.
    Bad(BadOption),
}

impl<'a> Words<'a> {
    /// The words behind the name that the program was called by.
    pub fn new(called: &'a str, words: &'a [Vec<u8>]) -> Self {
        Self {
            called,
            words,
            rest: b"",
        }
    }

    /// The word after the next one.
    pub fn second(&self) -> Option<&'a Vec<u8>> {
        self.words.get(1)
    }

    /// What is left when there are no more options.
    pub fn operands(&self) -> Vec<Vec<u8>> {
        self.words.to_vec()
    }

    /// The next word, where one begins.
    pub fn word(&self) -> Option<&'a [u8]> {
        let first = self.words.first().map(Vec::as_slice);
        first.filter(|_| self.rest.is_empty())
    }

    /// Takes the next word.
    pub fn skip(&mut self) {
        self.words = self.words.get(1..).unwrap_or_default();
    }

    /// The next option; `None` where they end.
    pub fn option(&mut self) -> Option<Item<'a>> {
        if self.rest.is_empty() {
            let word = self.word()?;
            self.rest = word.strip_prefix(b"-").filter(|rest| !rest.is_empty())?;
            self.skip();
            if self.rest == b"-" {
                self.rest = b"";
                return None;
            }
        }
        let (&letter, rest) = self.rest.split_first()?;
        self.rest = rest;
        let known = LETTERS
            .iter()
            .position(|known| *known == letter && letter != b':');
        let Some(at) = known else {
            self.complain("invalid option", letter);
            return Some(Item::Bad(BadOption::Unknown(letter.into())));
        };
        if LETTERS.get(at + 1) != Some(&b':') {
            return Some(Item::Option(letter, b""));
        }
        let value = if rest.is_empty() {
            let next = self.word();
            self.skip();
            next
        } else {
            Some(std::mem::take(&mut self.rest))
        };
        let Some(value) = value else {
            self.complain("option requires an argument", letter);
            return Some(Item::Bad(BadOption::NoValue(letter.into())));
        };
        Some(Item::Option(letter, value))
    }

    /// This line is getopt(3)'s, not one of ours: it goes to standard error only.
    fn complain(&self, what: &str, letter: u8) {
        let line = [
            self.called.as_bytes(),
            b": ",
            what.as_bytes(),
            b" -- '",
            &[letter],
            b"'\n",
        ]
        .concat();
        let _unread = std::io::stderr().write_all(&line);
    }
}
