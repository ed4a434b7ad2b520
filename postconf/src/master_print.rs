//! Printing entries of `master.cf` and single columns: aligned, folded on request, or as JSON.

use std::io::Write;

use crate::master::{COLUMNS, COMMAND, Service, has_blank};
use crate::print::{INDENT, LIMIT, quoted, width};

/// Where the columns begin on a printed line.
const GOALS: [usize; 8] = [0, 11, 17, 25, 33, 41, 49, 57];

impl Service {
    /// The arguments as they are printed: each option with its value in one piece.
    fn pieces(
        &self,
        expand: &mut dyn FnMut(&str) -> anyhow::Result<String>,
    ) -> anyhow::Result<Vec<Piece>> {
        let options = self.options();
        let mut pieces = Vec::new();
        let mut after = COLUMNS.len();
        for (at, valued) in options {
            after = at + 1 + usize::from(valued);
            let option = self.field(at).to_owned();
            let value = if valued {
                let value = self.field(at + 1);
                Some(if option == "-o" {
                    expand(value)?
                } else {
                    value.to_owned()
                })
            } else {
                None
            };
            pieces.push(Piece { option, value });
        }
        for (at, argument) in self
            .fields
            .get(after..)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            // The original never puts braces round the first of them.
            let option = if at > 0 && has_blank(argument) {
                format!("{{{argument}}}")
            } else {
                argument.clone()
            };
            pieces.push(Piece {
                option,
                value: None,
            });
        }
        Ok(pieces)
    }

    /// Prints the entry.
    ///
    /// # Errors
    /// A value cannot be expanded, or the output not written.
    pub fn print(
        &self,
        out: &mut dyn Write,
        fold: bool,
        expand: &mut dyn FnMut(&str) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        let mut column = 0;
        for (index, goal) in GOALS.iter().enumerate() {
            if column > 0 {
                let pad = goal.saturating_sub(column).max(1);
                write!(out, "{:pad$}", "")?;
                column += pad;
            }
            let field = self.field(index);
            write!(out, "{field}")?;
            column += width(field);
        }
        self.print_arguments(out, fold, column, 3, expand)
    }

    fn print_arguments(
        &self,
        out: &mut dyn Write,
        fold: bool,
        mut column: usize,
        extra: usize,
        expand: &mut dyn FnMut(&str) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        for piece in self.pieces(expand)? {
            let mut length = width(&piece.option);
            if let Some(value) = &piece.value {
                column = LIMIT;
                length += width(value) + extra + if has_blank(value) { 2 } else { 0 };
            }
            if column > INDENT.len() {
                if !fold || column + 1 + length < LIMIT {
                    out.write_all(b" ")?;
                    column += 1;
                } else {
                    write!(out, "\n{INDENT}")?;
                    column = INDENT.len();
                }
            }
            let text = piece.text();
            write!(out, "{text}")?;
            column += width(&text);
            if piece.value.is_some() {
                column = LIMIT;
            }
        }
        out.write_all(b"\n")?;
        Ok(())
    }

    /// Prints the entry as `{"name/type": "columns and arguments"}`.
    ///
    /// # Errors
    /// As [`print`](Self::print).
    pub fn print_json(
        &self,
        out: &mut dyn Write,
        expand: &mut dyn FnMut(&str) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        let columns = self
            .fields
            .get(..COLUMNS.len())
            .unwrap_or_default()
            .join(" ");
        let text = self.with_arguments(columns, expand)?;
        writeln!(
            out,
            "{{\"{}\": \"{}\"}}",
            quoted(&self.name()),
            quoted(&text)
        )?;
        Ok(())
    }

    fn with_arguments(
        &self,
        mut text: String,
        expand: &mut dyn FnMut(&str) -> anyhow::Result<String>,
    ) -> anyhow::Result<String> {
        for piece in self.pieces(expand)? {
            text.push(' ');
            text.push_str(&piece.text());
        }
        Ok(text)
    }

    /// Prints one column as `name/type/column = value`.
    ///
    /// # Errors
    /// As [`print`](Self::print).
    pub fn print_field(
        &self,
        out: &mut dyn Write,
        index: usize,
        style: FieldStyle,
        expand: &mut dyn FnMut(&str) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        let column_name = COLUMNS.get(index).copied().unwrap_or_default();
        if style.json {
            let mut text = self.field(index).to_owned();
            if index == COMMAND {
                text = self.with_arguments(text, expand)?;
            }
            let name = format!("{}/{column_name}", self.name());
            writeln!(out, "{{\"{}\": \"{}\"}}", quoted(&name), quoted(&text))?;
            return Ok(());
        }
        let mut column = 0;
        if !style.no_name {
            let name = format!("{}/{column_name}", self.name());
            write!(out, "{name}")?;
            column += width(&name);
            if !style.no_value {
                out.write_all(b" = ")?;
                column += 3;
            }
        }
        if style.no_value {
            out.write_all(b"\n")?;
            return Ok(());
        }
        let field = self.field(index);
        if column > 0 && column + width(field) > LIMIT {
            write!(out, "\n{INDENT}")?;
            column = INDENT.len();
        }
        write!(out, "{field}")?;
        column += width(field);
        if index == COMMAND {
            return self.print_arguments(out, style.fold, column, 1, expand);
        }
        out.write_all(b"\n")?;
        Ok(())
    }
}

/// How [`Service::print_field`] prints.
#[derive(Debug, Clone, Copy, Default)]
pub struct FieldStyle {
    /// Fold long lines.
    pub fold: bool,
    /// No names.
    pub no_name: bool,
    /// No values.
    pub no_value: bool,
    /// JSON.
    pub json: bool,
}

struct Piece {
    option: String,
    value: Option<String>,
}

impl Piece {
    fn text(&self) -> String {
        match &self.value {
            None => self.option.clone(),
            Some(value) if has_blank(value) => format!("{} {{{value}}}", self.option),
            Some(value) => format!("{} {value}", self.option),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> anyhow::Result<String> {
        Ok(text.to_owned())
    }

    fn printed(text: &str, fold: bool) -> String {
        let mut out = Vec::new();
        Service::parse(text)
            .unwrap()
            .print(&mut out, fold, &mut plain)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn entries_are_printed_in_columns() {
        assert_eq!(
            printed(
                "smtp inet n - n - - smtpd -o{ a = b c } -vo foo=bar {x w} {y z}",
                true
            ),
            "smtp       inet  n       -       n       -       -       smtpd\n    -o {a=b c}\n    -v\n    -o foo=bar\n    x w {y z}\n"
        );
        assert_eq!(
            printed("averylongservicename unix - - n - 1 x", false),
            "averylongservicename unix - -    n       -       1       x\n"
        );
    }
}
