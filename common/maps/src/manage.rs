//! What `postmap` and `postalias` have in common: asking tables, listing and deleting entries, and the rights with which an
//! index is made. Texts are Postfix's.

use std::fs::Metadata;
use std::io::{self, BufRead, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use pf_config::system::reason;
use pf_sys::identity::{self, EffectiveIdentity};

use crate::build::{BAD_SIZE, Format};
use crate::proxy::Proxy;
use crate::table::OpenError;
use crate::{Lookup, LookupError, Options, Table, file_value, open};

/// Why a command ends.
#[derive(Debug)]
pub enum Stop {
    /// With this text.
    Fatal(String),
    /// The output cannot be written.
    Output(io::Error),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stop::Fatal(text) => f.write_str(text),
            Stop::Output(err) => write!(f, "write error: {err}"),
        }
    }
}

impl std::error::Error for Stop {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Stop::Fatal(_) => None,
            Stop::Output(err) => Some(err),
        }
    }
}

impl From<io::Error> for Stop {
    fn from(err: io::Error) -> Self {
        Stop::Output(err)
    }
}

impl From<OpenError> for Stop {
    fn from(OpenError(text): OpenError) -> Self {
        Stop::Fatal(text)
    }
}

/// How tables are asked and answers are printed.
#[derive(Debug)]
pub struct Tool {
    /// How tables are opened.
    pub options: Options,
    /// The type of tables that are named without one (`default_database_type`).
    pub default_type: String,
    /// What stands between key and value.
    pub separator: &'static str,
    /// Print JSON objects.
    pub json: bool,
    /// What follows `query error` when the log says already what is wrong.
    pub when_logged: &'static str,
    pub(crate) runtime: tokio::runtime::Runtime,
}

/// Tables that are opened when they are first needed.
#[derive(Debug)]
pub struct Tables<'a> {
    tool: &'a Tool,
    /// Its name, the table, and whether something was found in it.
    tables: Vec<(&'a str, Option<Table>, bool)>,
}

impl Tool {
    /// A tool that prints keys and values with this between them.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn new(
        options: Options,
        default_type: String,
        separator: &'static str,
    ) -> io::Result<Self> {
        Ok(Self {
            options,
            default_type,
            separator,
            json: false,
            when_logged: "",
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
        })
    }

    /// Type and name of a table as it was given, perhaps without a type.
    pub fn split<'a>(&'a self, word: &'a str) -> (&'a str, &'a str) {
        word.split_once(':').unwrap_or((&self.default_type, word))
    }

    /// Type and name as they were given.
    pub(crate) fn spelled(&self, word: &str) -> String {
        let (kind, name) = self.split(word);
        format!("{kind}:{name}")
    }

    pub(crate) fn open(&self, word: &str) -> Result<Table, Stop> {
        let (kind, name) = self.split(word);
        if kind == "proxy" && !name.is_empty() {
            self.proxy(name, false)?;
        }
        Ok(open(&format!("{kind}:{name}"), &self.options)?)
    }

    /// A table of the proxy server, which serves it.
    pub(crate) fn proxy(&self, name: &str, write: bool) -> Result<Proxy, Stop> {
        let proxy = Proxy::for_command(name, &self.options, write);
        Ok(self.runtime.block_on(proxy)?)
    }

    /// The tables with these names.
    pub fn tables<'a>(&'a self, words: &[&'a str]) -> Tables<'a> {
        Tables {
            tool: self,
            tables: words.iter().map(|word| (*word, None, false)).collect(),
        }
    }

    /// Looks a key up. `known`: whether something was found in this table before.
    fn ask(&self, table: &Table, key: &[u8], known: bool) -> Result<Option<Vec<u8>>, Stop> {
        // LMDB has no empty keys. Once it is known that keys end in a NUL byte, they are none.
        let ends_in_null = self.options.null.unwrap_or(known);
        if key.is_empty() && !ends_in_null && Format::of(table.kind()) == Some(Format::Lmdb) {
            let title = table.title();
            return Err(Stop::Fatal(format!("error reading {title}: {BAD_SIZE}")));
        }
        let lookup = match table.lookup_local(key) {
            Some(answer) => answer,
            None => tokio::task::LocalSet::new().block_on(&self.runtime, table.lookup(key)),
        };
        let value = match lookup {
            Lookup::Missing => return Ok(None),
            // What is wrong was logged.
            Lookup::Unavailable(LookupError(why)) if why.is_empty() => {
                let title = table.title();
                let more = self.when_logged;
                return Err(Stop::Fatal(format!("table {title}: query error{more}")));
            }
            Lookup::Unavailable(err) => {
                let title = table.title();
                return Err(Stop::Fatal(format!("table {title}: query error: {err}")));
            }
            Lookup::Found(value) if self.options.value_is_file => {
                match file_value::decoded(&value) {
                    Ok(value) => value,
                    Err(why) => {
                        let (title, key) = (table.title(), String::from_utf8_lossy(key));
                        pf_log::warning!("table {title}: key {key}: {why}");
                        return Err(Stop::Fatal(format!("table {title}: query error")));
                    }
                }
            }
            Lookup::Found(value) => value,
        };
        Ok(Some(value))
    }

    /// Looks a key up, and prints the value alone. Whether it is there.
    ///
    /// # Errors
    /// The table cannot be opened or cannot tell.
    pub fn query(&self, word: &str, key: &[u8], out: &mut impl Write) -> Result<bool, Stop> {
        let table = self.open(word)?;
        let Some(value) = self.ask(&table, key, false)? else {
            return Ok(false);
        };
        if value.is_empty() {
            empty_value(&self.spelled(word), key);
        }
        if self.json {
            self.print(out, key, &value)?;
        } else {
            out.write_all(&value)?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok(true)
    }

    /// Prints all entries of a table.
    ///
    /// # Errors
    /// The table cannot be opened or listed.
    pub fn list(&self, word: &str, out: &mut impl Write) -> Result<(), Stop> {
        let table = self.open(word)?;
        let title = table.title();
        let entries = match table.kind() {
            "proxy" => {
                let proxy = Proxy::new(table.name(), &self.options, false);
                Some(self.runtime.block_on(proxy.list()))
            }
            _ => table.entries(),
        };
        let entries = match entries {
            Some(Ok(entries)) => entries,
            Some(Err(err)) => {
                return Err(Stop::Fatal(format!("table {title}: sequence error: {err}")));
            }
            None => {
                let title = undebugged(&title);
                return Err(Stop::Fatal(format!(
                    "table {title}: sequence operation is not supported"
                )));
            }
        };
        for (key, value) in entries {
            if key.is_empty() {
                let spelled = self.spelled(word);
                pf_log::warning!("table {spelled}: empty lookup key value is not allowed");
            } else if value.is_empty() {
                empty_value(&self.spelled(word), &key);
            }
            if self.options.value_is_file {
                match file_value::decoded(&value) {
                    Ok(value) => self.print(out, &key, &value)?,
                    Err(why) => {
                        let key = String::from_utf8_lossy(&key);
                        pf_log::warning!("table {title}: key {key}: {why}");
                    }
                }
            } else {
                self.print(out, &key, &value)?;
            }
        }
        out.flush()?;
        Ok(())
    }

    fn print(&self, out: &mut impl Write, key: &[u8], value: &[u8]) -> io::Result<()> {
        if self.json {
            out.write_all(&[b"{\"", &*json(key), b"\": \"", &json(value), b"\"}\n"].concat())?;
        } else {
            out.write_all(key)?;
            out.write_all(self.separator.as_bytes())?;
            out.write_all(value)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// The table itself, whose doings `debug:` logs.
fn undebugged(mut title: &str) -> &str {
    while let Some(inner) = title.strip_prefix("debug:") {
        title = inner;
    }
    title
}

fn empty_value(title: &str, key: &[u8]) {
    let key = String::from_utf8_lossy(key);
    pf_log::warning!("table {title}: key {key}: empty string result is not allowed");
    pf_log::warning!("table {title} should return NO RESULT in case of NOT FOUND");
}

impl Tables<'_> {
    /// Prints the key and its value in the first table that has it. Whether one has.
    ///
    /// # Errors
    /// A table cannot be opened or cannot tell.
    pub fn query(&mut self, key: &[u8], out: &mut impl Write) -> Result<bool, Stop> {
        for (word, table, known) in &mut self.tables {
            let table = match table {
                Some(table) => table,
                None => table.insert(self.tool.open(word)?),
            };
            if let Some(value) = self.tool.ask(table, key, *known)? {
                *known = true;
                if value.is_empty() {
                    empty_value(&table.title(), key);
                }
                self.tool.print(out, key, &value)?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The lines of an input, without their ends.
pub fn input_lines(input: impl BufRead) -> impl Iterator<Item = io::Result<Vec<u8>>> {
    input.split(b'\n')
}

/// Text within a JSON string; what is not UTF-8 stays as it is.
fn json(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            0x08 => out.extend(b"\\b"),
            0x0c => out.extend(b"\\f"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0..=0x1f | 0x7f => out.extend(format!("\\u{byte:04X}").into_bytes()),
            _ => out.push(byte),
        }
    }
    out
}

/// Becomes the owner of a source, while the result lives, when root makes the index, so that the index has the same owner, and so that the owner gains
/// nothing by what root does in his directory. Warns when root owns the source, but not its directory.
///
/// # Errors
/// The directory cannot be looked at, or the rights cannot be changed.
pub fn become_owner(
    source: &Metadata,
    source_path: &str,
    name: &str,
) -> Result<Option<EffectiveIdentity>, Stop> {
    if identity::real_uid() != 0 {
        return Ok(None);
    }
    if source.uid() != 0 {
        return EffectiveIdentity::switch(source.uid(), source.gid())
            .map(Some)
            .map_err(|err| Stop::Fatal(format!("cannot become uid {}: {err}", source.uid())));
    }
    let path = Path::new(name);
    let directory = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    };
    let shown = directory.display();
    let status = std::fs::metadata(directory)
        .map_err(|err| Stop::Fatal(format!("stat {shown}: {}", reason(&err))))?;
    if status.uid() != 0 {
        pf_log::warning!(
            "Creating root-owned database file(s) {name}.* in non-root-owned directory {shown}. Files {source_path}, {name}.*, and directory {shown} should have the same owner. Please fix ownership to avoid a privilege-escalation attack."
        );
    }
    Ok(None)
}

/// The umask with which an index is made: nobody but the owner may write it, and only those read it who may read the source.
pub fn index_umask(source: &Metadata) -> u32 {
    0o022 | (!source.mode() & 0o077)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_text() {
        assert_eq!(
            json(b"a\"\\\n\x7f\x01\xff"),
            b"a\\\"\\\\\\n\\u007F\\u0001\xff"
        );
    }

    #[test]
    fn answers_are_printed_as_the_peer_does() {
        let mut tool = Tool::new(Options::default(), "inline".into(), "\t").unwrap();
        let mut out = Vec::new();
        assert!(tool.query("{a=b}", b"A", &mut out).unwrap());
        assert!(!tool.query("inline:{a=b}", b"c", &mut out).unwrap());
        let mut tables = tool.tables(&["inline:{a=b}", "static:x"]);
        assert!(tables.query(b"q", &mut out).unwrap());
        tool.list("inline:{a=b}", &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "b\nq\tx\na\tb\n");
        tool.json = true;
        let mut out = Vec::new();
        tool.query("static:\"", b"k", &mut out).unwrap();
        assert_eq!(out, b"{\"k\": \"\\\"\"}\n");
        let why = |result: Result<bool, Stop>| result.unwrap_err().to_string();
        assert_eq!(
            why(tool.query("fail:x", b"k", &mut Vec::new())),
            "table fail:x: query error: Application error"
        );
        let key = || [Ok(b"k"[..].into())];
        assert_eq!(
            why(tool.delete(&["static:x"], key())),
            "table static:x: delete operation is not supported"
        );
        assert_eq!(
            why(tool.delete(&["regexp:/x"], key())),
            "regexp:/x map requires O_RDONLY access mode"
        );
    }
}
