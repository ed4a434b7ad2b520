//! Comparisons of `${{a} == {b} ? {x} : {y}}`.

use pf_text::space::trim_start;

use super::pieces::{braces, error, head, show};
use super::{Error, Run};
use crate::compat::Level;

impl Run<'_> {
    /// `{a} op {b}`: whether it holds (`None` when only scanning), and what follows.
    pub(super) fn relation<'t>(
        &mut self,
        text: &'t [u8],
    ) -> Result<(Option<bool>, &'t [u8]), Error> {
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
        let after_space = trim_start(after);
        if after_space.first() != Some(&b'{') {
            return error(format!(
                "\"{{expression}}\" expected at: \"...{{{}}} {}>>>{}\"",
                show(left),
                show(symbol),
                head(after)
            ));
        }
        let (right, rest) = braces(after_space)?;
        let left = self.side(left, !suffix.is_empty())?;
        let right = self.side(right, !suffix.is_empty())?;
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

    /// One side of a relation, expanded. As in the original, what cannot be expanded is then complained about as a level, too.
    fn side(&mut self, text: &[u8], level: bool) -> Result<Vec<u8>, Error> {
        match self.aside(text) {
            Err(why) if level && !self.options.scan => {
                pf_log::warning!("{why}");
                Ok(Vec::new())
            }
            other => other,
        }
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
