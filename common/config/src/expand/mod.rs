//! Expansion of `$name`, `${name}`, `$(name)`, `${name?text}`, `${name:text}`, `${{a} == {b} ? {x} : {y}}` and
//! `${function{text}}`, as postconf(5) describes.
//!
//! The text and the values are bytes: callers expand recipient addresses and message data too.

mod domain;
mod pieces;
mod relation;

use std::borrow::Cow;

use pf_text::space::{trim, trim_start};

pub use domain::{DOMAIN_FUNCTIONS, domain_function};
use pieces::{Piece, braces, branch, error, head, last_branch, pieces, show};

/// Expansions nest no deeper than this, as in Postfix.
const MAX_DEPTH: usize = 100;
/// No expansion yields more bytes than this: doubly referring values would otherwise grow without end.
const MAX_RESULT: usize = 16 << 20;

/// Why a name is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Its value becomes part of the result.
    Use,
    /// Only whether it is empty matters: `${name?...}`, `${name:...}`.
    Test,
}

/// What may stand in an inserted value.
#[derive(Debug, Clone, Copy, Default)]
pub enum Filter<'a> {
    /// Everything.
    #[default]
    None,
    /// Only these bytes; others become `_`.
    Only(&'a [u8]),
    /// Only printable characters; others become `_`.
    Printable,
}

/// How to expand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Whether values are expanded too.
    pub recursive: bool,
    /// Applies to values that are inserted as they are, not to the text around them.
    pub filter: Filter<'a>,
    /// Nothing is produced: only looks up every name in every branch.
    pub scan: bool,
}

/// The outcome of an expansion without errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The resulting text.
    pub text: Vec<u8>,
    /// Whether some name had no value.
    pub undefined: bool,
}

/// A syntax error; the text is what Postfix logs as a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(pub String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Where values come from.
pub trait Values {
    /// The value of a name; `None` when it has none.
    fn value(&mut self, name: &str, purpose: Purpose) -> Option<Cow<'_, [u8]>>;

    /// Whether the value of this name is inserted as it is, even in a recursive expansion.
    fn verbatim(&mut self, _name: &str) -> bool {
        false
    }

    /// Whether there is such a function; asked before its argument is expanded.
    fn has_function(&self, _name: &str) -> bool {
        false
    }

    /// The result of `${name{text}}`; `None` when there is no such function.
    fn call(&mut self, _name: &str, _text: &[u8]) -> Option<Result<Vec<u8>, Error>> {
        None
    }
}

impl<F: FnMut(&str, Purpose) -> Option<Vec<u8>>> Values for F {
    fn value(&mut self, name: &str, purpose: Purpose) -> Option<Cow<'_, [u8]>> {
        self(name, purpose).map(Cow::Owned)
    }
}

/// Expands `pattern` with the values that `values` gives.
///
/// # Errors
/// The syntax is wrong, or the nesting is too deep.
pub fn expand(
    pattern: &[u8],
    options: &Options<'_>,
    values: &mut dyn Values,
) -> Result<Expanded, Error> {
    let mut run = Run {
        options,
        values,
        result: Vec::new(),
        undefined: false,
        depth: 0,
    };
    run.text(pattern)?;
    Ok(Expanded {
        text: run.result,
        undefined: run.undefined,
    })
}

struct Run<'a> {
    options: &'a Options<'a>,
    values: &'a mut dyn Values,
    result: Vec<u8>,
    undefined: bool,
    depth: usize,
}

impl Run<'_> {
    fn text(&mut self, text: &[u8]) -> Result<(), Error> {
        let (pieces, end) = pieces(text);
        for piece in pieces {
            self.depth += 1;
            match piece {
                Piece::Literal(literal) => {
                    self.check_depth(&literal)?;
                    self.append(&literal)?;
                }
                Piece::Expression(expression) => {
                    self.check_depth(expression)?;
                    self.expression(expression)?;
                }
            }
            self.depth -= 1;
        }
        end
    }

    fn check_depth(&self, at: &[u8]) -> Result<(), Error> {
        if self.depth > MAX_DEPTH + 1 {
            return error(format!("unreasonable macro call nesting: \"{}\"", show(at)));
        }
        Ok(())
    }

    fn append(&mut self, text: &[u8]) -> Result<(), Error> {
        if self.options.scan {
            return Ok(());
        }
        if self.result.len() + text.len() > MAX_RESULT {
            return error("unreasonable macro expansion result size".into());
        }
        self.result.extend_from_slice(text);
        Ok(())
    }

    fn expression(&mut self, expression: &[u8]) -> Result<(), Error> {
        let start = trim_start(expression);
        if start.first() == Some(&b'{') {
            let (truth, rest) = self.relation(start)?;
            let value: Option<Vec<u8>> =
                truth.map(|t| if t { b"true".to_vec() } else { Vec::new() });
            return match rest.split_first() {
                None => self.insert(value.as_deref(), false),
                Some((b'?', rest)) => self.choose(truth == Some(true), rest),
                Some((b':', rest)) => self.otherwise(truth == Some(true), rest),
                Some(_) => error(format!(
                    "\"?\" or \":\" expected at: \"...}}>>>{}\"",
                    head(rest)
                )),
            };
        }
        let end = start
            .iter()
            .position(|b| !b.is_ascii_alphanumeric() && *b != b'_')
            .unwrap_or(start.len());
        let (name, rest) = start.split_at(end);
        let after = trim_start(rest);
        let name_text = show(name);
        match after.split_first() {
            Some((b'{', _)) => return self.function(&name_text, after),
            None | Some((b'?' | b':', _)) => {}
            Some(_) => {
                let seen = expression.len() - rest.len();
                return error(format!(
                    "attribute name syntax error at: \"...{}>>>{}\"",
                    show(expression.get(..seen).unwrap_or_default()),
                    head(rest)
                ));
            }
        }
        match after.split_first() {
            Some((operator, rest)) => {
                let holds = self
                    .values
                    .value(&name_text, Purpose::Test)
                    .is_some_and(|v| !v.is_empty());
                if *operator == b'?' {
                    self.choose(holds, rest)
                } else {
                    self.otherwise(holds, rest)
                }
            }
            None => {
                let verbatim = self.values.verbatim(&name_text);
                let value = self
                    .values
                    .value(&name_text, Purpose::Use)
                    .map(Cow::into_owned);
                self.insert(value.as_deref(), verbatim)
            }
        }
    }

    /// A value by itself.
    fn insert(&mut self, value: Option<&[u8]>, verbatim: bool) -> Result<(), Error> {
        match value {
            None => {
                self.undefined = true;
                Ok(())
            }
            Some(_) if self.options.scan => Ok(()),
            Some([]) => Ok(()),
            Some(value) if self.options.recursive && !verbatim => self.text(value),
            Some(value) => {
                let clean = filtered(value, self.options.filter);
                self.append(&clean)
            }
        }
    }

    /// What follows `?`. Both branches must be well-formed before one is taken.
    fn choose(&mut self, holds: bool, rest: &[u8]) -> Result<(), Error> {
        let (text, rest) = branch(rest)?;
        let other = match rest.split_first() {
            None => None,
            Some((b':', rest)) => Some(last_branch(rest)?),
            Some(_) => {
                return error(format!(
                    "\":\" expected at: \"...{}}}>>>{}\"",
                    show(text),
                    head(rest)
                ));
            }
        };
        if holds || self.options.scan {
            self.text(text)?;
        }
        match other {
            Some(text) if !holds || self.options.scan => self.text(text),
            _ => Ok(()),
        }
    }

    /// What follows `:` where nothing follows `?`.
    fn otherwise(&mut self, holds: bool, rest: &[u8]) -> Result<(), Error> {
        let text = last_branch(rest)?;
        if !holds || self.options.scan {
            self.text(text)?;
        }
        Ok(())
    }

    fn function(&mut self, name: &str, text: &[u8]) -> Result<(), Error> {
        let (inner, rest) = braces(text)?;
        let inner = trim(inner);
        if !rest.is_empty() {
            return error(format!(
                "unexpected input at: \"...{}}}>>>{}\"",
                show(inner),
                head(rest)
            ));
        }
        let unknown = || {
            error(format!(
                "unknown function \"{name}\" at\"...>>>{name}{{{}}}\"",
                show(inner)
            ))
        };
        if !self.values.has_function(name) {
            return unknown();
        }
        let argument = self.aside(inner)?;
        match self.values.call(name, &argument) {
            None => unknown(),
            Some(_) if self.options.scan => Ok(()),
            Some(result) => {
                let result = result?;
                self.append(&result)
            }
        }
    }

    /// Expands a text for itself.
    fn aside(&mut self, text: &[u8]) -> Result<Vec<u8>, Error> {
        let kept = std::mem::take(&mut self.result);
        self.text(text)?;
        Ok(std::mem::replace(&mut self.result, kept))
    }
}

fn filtered<'a>(value: &'a [u8], filter: Filter<'_>) -> Cow<'a, [u8]> {
    match filter {
        Filter::None => Cow::Borrowed(value),
        Filter::Only(allowed) => value
            .iter()
            .map(|b| if allowed.contains(b) { *b } else { b'_' })
            .collect(),
        Filter::Printable => {
            let mut clean = Vec::with_capacity(value.len());
            for chunk in value.utf8_chunks() {
                for c in chunk.valid().chars() {
                    if c.is_ascii() && !(' '..='~').contains(&c) {
                        clean.push(b'_');
                    } else {
                        clean.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                }
                clean.extend(chunk.invalid().iter().map(|_| b'_'));
            }
            Cow::Owned(clean)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Table;

    impl Values for Table {
        fn value(&mut self, name: &str, _: Purpose) -> Option<Cow<'_, [u8]>> {
            Some(Cow::Borrowed(match name {
                "one" => b"1",
                "two" => b"2",
                "empty" => b"",
                "ref" => b"<$one>",
                "loop" => b"x$loop",
                "rel" => b"${{$rel} == {1} ? {a} : {b}}",
                "odd" => b"a\x01b;c",
                _ => return None,
            }))
        }

        fn has_function(&self, name: &str) -> bool {
            name == "up"
        }

        fn call(&mut self, name: &str, text: &[u8]) -> Option<Result<Vec<u8>, Error>> {
            (name == "up").then(|| Ok(text.to_ascii_uppercase()))
        }
    }

    fn with(pattern: &str, options: &Options<'_>) -> Result<String, String> {
        expand(pattern.as_bytes(), options, &mut Table)
            .map(|e| String::from_utf8(e.text).unwrap())
            .map_err(|e| e.0)
    }

    fn ok(pattern: &str) -> String {
        with(
            pattern,
            &Options {
                recursive: true,
                ..Options::default()
            },
        )
        .unwrap()
    }

    fn bad(pattern: &str) -> String {
        with(
            pattern,
            &Options {
                recursive: true,
                ..Options::default()
            },
        )
        .unwrap_err()
    }

    #[test]
    fn names() {
        assert_eq!(ok("a$one-${two}$(one)$$x"), "a1-21$x");
        assert_eq!(ok("${ one }$ref"), "1<1>");
        assert_eq!(ok("$nope$empty."), ".");
        assert_eq!(with("$ref", &Options::default()).unwrap(), "<$one>");
    }

    #[test]
    fn tests_of_names() {
        assert_eq!(
            ok("${one?yes}${one:no}${empty?yes}${empty:no}${nope:none}"),
            "yesnonone"
        );
        assert_eq!(ok("${one?{a}:{b}}${empty ? { a } : {b}}"), "ab");
        // Random text after the operator keeps its own operators and braces.
        assert_eq!(ok("${one??foo:{b}ar}"), "?foo:{b}ar");
        assert_eq!(ok("${one? x}"), " x");
    }

    #[test]
    fn relations() {
        assert_eq!(ok("${{$one} == {1} ? {a} : {b}}"), "a");
        assert_eq!(ok("${{10} > {9}?yes}"), "yes");
        assert_eq!(ok("${{10x} < {9x}}"), "true");
        assert_eq!(ok("${{a} != {a}:no}"), "no");
        assert_eq!(ok("${{3.9} <level {3.10} ? {older} : {newer}}"), "older");
        assert_eq!(ok("${{2} >=level {2.0} ? {y}}"), "y");
    }

    #[test]
    fn functions() {
        assert_eq!(ok("${up{ a$one }}"), "A1");
        assert!(bad("${down{x}}").starts_with("unknown function"));
    }

    #[test]
    fn filters_apply_to_values_only() {
        let only = Options {
            filter: Filter::Only(b"abc"),
            ..Options::default()
        };
        assert_eq!(with("!$odd", &only).unwrap(), "!a_b_c");
        let printable = Options {
            filter: Filter::Printable,
            ..Options::default()
        };
        assert_eq!(with("$odd", &printable).unwrap(), "a_b;c");
    }

    #[test]
    fn errors_have_the_texts_of_postfix() {
        assert_eq!(bad("x${one"), "truncated macro reference: \"x${one\"");
        assert_eq!(bad("x$ y"), "empty macro name: \"x$ y\"");
        assert_eq!(
            bad("${one two}"),
            "attribute name syntax error at: \"...one>>> two\""
        );
        assert_eq!(
            bad("${{a} == {b} c}"),
            "\"?\" or \":\" expected at: \"...}>>>c\""
        );
        assert_eq!(bad("${one?{a}b}"), "\":\" expected at: \"...a}>>>b\"");
        assert_eq!(
            bad("${{a} = {b}}").split(" expected").next().unwrap(),
            "\"==\" or \"!=\"\" or \"<\"\" or \"<=\"\" or \">=\"\" or \">\""
        );
        assert!(bad("$loop").starts_with("unreasonable macro call nesting"));
        assert!(bad("$rel").starts_with("unreasonable macro call nesting"));
        assert_eq!(
            bad("${{a} <foo {b}}"),
            "bad operator suffix at: \"...<>>>foo\""
        );
    }
}
