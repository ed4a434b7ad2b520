//! Expansion of `$name`, `${name}`, `$(name)`, `${name?text}`, `${name:text}`, `${{a} == {b} ? {x} : {y}}` and
//! `${function{text}}`, as postconf(5) describes.
//!
//! The text and the values are bytes: callers expand recipient addresses and message data too.

use std::borrow::Cow;

use crate::compat::Level;

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

/// `domain_to_ascii` and `domain_to_utf8`, the functions of `main.cf`; `None` for other names.
pub fn domain_function(name: &str, text: &[u8]) -> Option<Result<Vec<u8>, Error>> {
    let domain = show(text);
    match name {
        "domain_to_ascii" => Some(
            idna::domain_to_ascii(&domain)
                .map(String::into_bytes)
                .map_err(|_| Error(format!("domain_to_ascii: bad domain name: \"{domain}\""))),
        ),
        "domain_to_utf8" => {
            let (name, result) = idna::domain_to_unicode(&domain);
            Some(
                result
                    .map(|()| name.into_bytes())
                    .map_err(|_| Error(format!("domain_to_utf8: bad domain name: \"{domain}\""))),
            )
        }
        _ => None,
    }
}

struct Run<'a> {
    options: &'a Options<'a>,
    values: &'a mut dyn Values,
    result: Vec<u8>,
    undefined: bool,
    depth: usize,
}

fn show(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text)
}

/// At most the first 20 bytes: how much of the place of an error is shown.
fn head(text: &[u8]) -> Cow<'_, str> {
    show(text.get(..20).unwrap_or(text))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn skip_space(text: &[u8]) -> &[u8] {
    text.trim_ascii_start_c()
}

/// Trimming as isspace(3) has it: vertical tab included.
trait TrimC {
    fn trim_ascii_start_c(&self) -> &[u8];
    fn trim_ascii_end_c(&self) -> &[u8];
}

impl TrimC for [u8] {
    fn trim_ascii_start_c(&self) -> &[u8] {
        let start = self
            .iter()
            .position(|b| !is_space(*b))
            .unwrap_or(self.len());
        self.get(start..).unwrap_or_default()
    }

    fn trim_ascii_end_c(&self) -> &[u8] {
        let end = self
            .iter()
            .rposition(|b| !is_space(*b))
            .map_or(0, |i| i + 1);
        self.get(..end).unwrap_or_default()
    }
}

fn error<T>(text: String) -> Result<T, Error> {
    Err(Error(text))
}

/// One `$...` of a text, or the literal text before it.
enum Piece<'a> {
    Literal(Cow<'a, [u8]>),
    /// What stands between the braces, or the bare name.
    Expression(&'a [u8]),
}

/// Splits a text into literal text and expressions, up to the place where it is malformed.
fn pieces(text: &[u8]) -> (Vec<Piece<'_>>, Result<(), Error>) {
    let mut found = Vec::new();
    let mut literal: Vec<u8> = Vec::new();
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'$' {
            literal.push(byte);
            rest = after;
            continue;
        }
        if after.first() == Some(&b'$') {
            literal.push(b'$');
            rest = after.get(1..).unwrap_or_default();
            continue;
        }
        if !literal.is_empty() {
            found.push(Piece::Literal(Cow::Owned(std::mem::take(&mut literal))));
        }
        let length = match after.first() {
            Some(b'{') => enclosed(after, b'{', b'}'),
            Some(b'(') => enclosed(after, b'(', b')'),
            _ => Some(
                after
                    .iter()
                    .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
                    .count(),
            ),
        };
        let Some(length) = length else {
            let why = format!("truncated macro reference: \"{}\"", show(text));
            return (found, error(why));
        };
        let bracketed = matches!(after.first(), Some(b'{' | b'('));
        let start = usize::from(bracketed);
        let name = after.get(start..start + length).unwrap_or_default();
        if name.is_empty() {
            let why = format!("empty macro name: \"{}\"", show(text));
            return (found, error(why));
        }
        found.push(Piece::Expression(name));
        rest = after.get(2 * start + length..).unwrap_or_default();
    }
    if !literal.is_empty() {
        found.push(Piece::Literal(Cow::Owned(literal)));
    }
    (found, Ok(()))
}

/// The length of what stands between the opening bracket at the start and its partner.
fn enclosed(text: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut level = 0_usize;
    for (at, byte) in text.iter().enumerate() {
        if *byte == open {
            level += 1;
        } else if *byte == close {
            level -= 1;
            if level == 0 {
                return Some(at - 1);
            }
        }
    }
    None
}

/// What stands in the braces at the start of `text`, and what follows them after white space.
fn braces(text: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    match enclosed(text, b'{', b'}') {
        Some(length) => Ok((
            text.get(1..=length).unwrap_or_default(),
            skip_space(text.get(length + 2..).unwrap_or_default()),
        )),
        None => error(format!(
            "unbalanced {{}} in attribute expression: \"{}\"",
            show(text)
        )),
    }
}

/// The text before the next `?` or `:` branch, either in braces or to the end.
fn branch(text: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let inner = skip_space(text);
    if inner.first() == Some(&b'{') {
        braces(inner)
    } else {
        Ok((text, &[]))
    }
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
        let start = skip_space(expression);
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
        let after = skip_space(rest);
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

    /// What follows `?`.
    fn choose(&mut self, holds: bool, rest: &[u8]) -> Result<(), Error> {
        let (text, rest) = branch(rest)?;
        if holds || self.options.scan {
            self.text(text)?;
        }
        match rest.split_first() {
            None => Ok(()),
            Some((b':', rest)) => self.otherwise(holds, rest),
            Some(_) => error(format!(
                "\":\" expected at: \"...{}}}>>>{}\"",
                show(text),
                head(rest)
            )),
        }
    }

    /// What follows `:`.
    fn otherwise(&mut self, holds: bool, rest: &[u8]) -> Result<(), Error> {
        let (text, rest) = branch(rest)?;
        if !holds || self.options.scan {
            self.text(text)?;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            error(format!(
                "unexpected input at: \"...{}}}>>>{}\"",
                show(text),
                head(rest)
            ))
        }
    }

    fn function(&mut self, name: &str, text: &[u8]) -> Result<(), Error> {
        let (inner, rest) = braces(text)?;
        let inner = skip_space(inner).trim_ascii_end_c();
        if !rest.is_empty() {
            return error(format!(
                "unexpected input at: \"...{}}}>>>{}\"",
                show(inner),
                head(rest)
            ));
        }
        let argument = self.aside(inner)?;
        match self.values.call(name, &argument) {
            None => error(format!(
                "unknown function \"{name}\" at\"...>>>{name}{{{}}}\"",
                show(inner)
            )),
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

    /// `{a} op {b}`: whether it holds (`None` when only scanning), and what follows.
    fn relation<'t>(&mut self, text: &'t [u8]) -> Result<(Option<bool>, &'t [u8]), Error> {
        let (left, rest) = braces(text)?;
        let length = rest
            .iter()
            .take_while(|b| b"<>!=?+-*/~&|%".contains(b))
            .count();
        let (symbol, after) = rest.split_at(length);
        let Some(operator) = Operator::parse(symbol) else {
            return error(format!(
                "\"==\" or \"!=\"\" or \"<\"\" or \"<=\"\" or \">=\"\" or \">\" expected at: \"...{}}}>>>{}\"",
                show(left),
                head(rest)
            ));
        };
        let suffix_length = after
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric())
            .count();
        let (suffix, after) = after.split_at(suffix_length);
        if !suffix.is_empty() && suffix != b"level" {
            return error(format!(
                "bad operator suffix at: \"...{}>>>{}\"",
                show(symbol),
                show(suffix)
            ));
        }
        let after_space = skip_space(after);
        if after_space.first() != Some(&b'{') {
            return error(format!(
                "\"{{expression}}\" expected at: \"...{{{}}} {}>>>{}\"",
                show(left),
                show(symbol),
                head(after)
            ));
        }
        let (right, rest) = braces(after_space)?;
        let left = self.aside(left)?;
        let right = self.aside(right)?;
        if self.options.scan {
            return Ok((None, rest));
        }
        let order = if suffix.is_empty() {
            compare(&left, &right)?
        } else {
            let level =
                |text: &[u8]| Level::parse(&show(text)).map_err(|err| Error(err.to_string()));
            level(&left)?.cmp(&level(&right)?)
        };
        Ok((Some(operator.holds(order)), rest))
    }
}

#[derive(Clone, Copy)]
enum Operator {
    Eq,
    Ne,
    Lt,
    Le,
    Ge,
    Gt,
}

impl Operator {
    fn parse(symbol: &[u8]) -> Option<Self> {
        Some(match symbol {
            b"==" => Self::Eq,
            b"!=" => Self::Ne,
            b"<" => Self::Lt,
            b"<=" => Self::Le,
            b">=" => Self::Ge,
            b">" => Self::Gt,
            _ => return None,
        })
    }

    fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Ge => order.is_ge(),
            Self::Gt => order.is_gt(),
        }
    }
}

/// As numbers when both sides are all digits, else byte by byte.
fn compare(left: &[u8], right: &[u8]) -> Result<std::cmp::Ordering, Error> {
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if digits(left) && digits(right) {
        let number = |text: &[u8]| {
            show(text)
                .parse::<i64>()
                .map_err(|_| Error(format!("mac_exp_eval: bad conversion: {}", show(text))))
        };
        Ok(number(left)?.cmp(&number(right)?))
    } else {
        Ok(left.cmp(right))
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
