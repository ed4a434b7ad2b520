//! One open table.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::{Lookup, LookupError, Options};

/// A table that cannot be opened; the text is what Postfix logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenError(pub String);

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OpenError {}

/// An answer that may take time.
pub(crate) type Answer<'a> = Pin<Box<dyn Future<Output = Lookup<Vec<u8>>> + 'a>>;

/// Name and value of an entry.
pub type Entry = (Vec<u8>, Vec<u8>);

/// A table that answers at once.
pub(crate) trait Local {
    fn get(&self, key: &[u8]) -> Lookup<Vec<u8>>;

    /// All entries, for types that can list them.
    fn entries(&self) -> Option<Result<Vec<Entry>, LookupError>> {
        None
    }
}

/// A table that asks somebody else.
pub(crate) trait Remote {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a>;

    /// As for a table that answers at once.
    fn entries(&self) -> Option<Result<Vec<Entry>, LookupError>> {
        None
    }
}

pub(crate) enum Inner {
    Local(Box<dyn Local>),
    Remote(Box<dyn Remote>),
    /// A table that could not be opened.
    Broken(String),
}

/// What a type of table is like, whatever its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Keys are fixed strings.
    Fixed,
    /// Keys are patterns: partial keys make no sense.
    Pattern,
}

/// Opens a table's content from its name.
pub(crate) type Opener = fn(&str, &Options) -> Result<Inner, OpenError>;

/// The file behind a table, as it was when the table was opened.
struct Watched {
    path: PathBuf,
    seen: Option<(i64, i64, u64, u64)>,
    checked: Instant,
}

/// Whether a table has changed that is out of reach, and who waits for that.
static RESTART: AtomicBool = AtomicBool::new(false);
static WANTED: Notify = Notify::const_new();

/// Remembers, and says once, that a table has changed but is out of reach of this process as it is now.
pub(crate) fn want_restart(title: &str) {
    if !RESTART.swap(true, Ordering::Relaxed) {
        pf_log::info!("table {title} has changed -- restarting");
        WANTED.notify_one();
    }
}

/// Whether a table has changed that this process cannot open again, since it has given up its rights or entered a jail since: a
/// daemon then ends when it has no clients, and a new process takes over. Until then the old content serves on.
pub fn needs_restart() -> bool {
    RESTART.load(Ordering::Relaxed)
}

/// Returns once [`needs_restart`] says yes; one task of the process may wait for that.
pub async fn restart_wanted() {
    while !needs_restart() {
        WANTED.notified().await;
    }
}

/// How often a table's file is looked at, at the most.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// One open table, named `type:name`. All users of a table in a thread who want it the same way share what is behind it.
pub struct Table(Rc<Content>);

thread_local! {
    /// The tables that are open, and how each was asked for.
    static OPEN: RefCell<Vec<(String, Options, Weak<Content>)>> = const { RefCell::new(Vec::new()) };
}

/// What all users of a table share.
struct Content {
    kind: String,
    name: String,
    nature: Nature,
    options: Options,
    opener: Opener,
    inner: RefCell<Rc<Inner>>,
    watched: Option<RefCell<Watched>>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table({}:{})", self.0.kind, self.0.name)
    }
}

impl Table {
    /// The table that was asked for in the same way before and is still open.
    pub(crate) fn shared(spec: &str, options: &Options) -> Option<Self> {
        OPEN.with_borrow(|open| {
            open.iter()
                .filter(|(known, how, _)| known == spec && how == options)
                .find_map(|(.., content)| content.upgrade())
                .map(Self)
        })
    }

    /// From now on this table is the one for all that ask for it in this way.
    pub(crate) fn share(self, spec: &str, options: &Options) -> Self {
        OPEN.with_borrow_mut(|open| {
            open.retain(|(.., content)| content.strong_count() > 0);
            open.push((spec.to_owned(), options.clone(), Rc::downgrade(&self.0)));
        });
        self
    }

    pub(crate) fn new(
        kind: &str,
        name: &str,
        nature: Nature,
        file: Option<PathBuf>,
        opener: Opener,
        options: &Options,
    ) -> Result<Self, OpenError> {
        // The file is looked at first: when it changes while it is read, it is read again later.
        let watched = file.map(|path| {
            RefCell::new(Watched {
                seen: stamp(&path),
                path,
                checked: Instant::now(),
            })
        });
        let inner = opener(name, options)?;
        Ok(Self(Rc::new(Content {
            kind: kind.to_owned(),
            name: name.to_owned(),
            nature,
            options: options.clone(),
            opener,
            inner: RefCell::new(inner.into()),
            watched,
        })))
    }

    /// A table that stands for one that could not be opened: each lookup cannot tell.
    pub(crate) fn broken(spec: &str, why: &OpenError) -> Self {
        let (kind, name) = spec.split_once(':').unwrap_or((spec, ""));
        Self(Rc::new(Content {
            kind: kind.to_owned(),
            name: name.to_owned(),
            nature: Nature::Fixed,
            options: Options::default(),
            opener: |_, _| Err(OpenError("not a table".into())),
            inner: RefCell::new(Inner::Broken(why.0.clone()).into()),
            watched: None,
        }))
    }

    /// `type:name`, as log lines have it.
    pub fn title(&self) -> String {
        // The one type that Postfix names by its file, once that is open.
        let open = !matches!(&**self.0.inner.borrow(), Inner::Broken(_));
        let suffix = if self.0.kind == "cdb" && open {
            ".cdb"
        } else {
            ""
        };
        format!("{}:{}{suffix}", self.0.kind, self.0.name)
    }

    /// The type.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The name behind the type.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether keys are patterns, so that looking up parts of an address makes no sense.
    pub fn is_pattern(&self) -> bool {
        self.0.nature == Nature::Pattern
    }

    /// Looks a key up.
    pub async fn lookup(&self, key: &[u8]) -> Lookup<Vec<u8>> {
        if let Some(answer) = self.lookup_local(key) {
            return answer;
        }
        let Some(prepared) = self.prepared(key) else {
            return Lookup::Missing;
        };
        let inner = self.0.inner.borrow().clone();
        let answer = match &*inner {
            Inner::Remote(table) => table.get(&prepared).await,
            Inner::Local(table) => table.get(&prepared),
            Inner::Broken(_) => Lookup::Missing,
        };
        self.checked(key, answer)
    }

    /// Looks a key up in a table that answers at once; `None` for one that asks somebody else.
    pub fn lookup_local(&self, key: &[u8]) -> Option<Lookup<Vec<u8>>> {
        self.refresh();
        let inner = self.0.inner.borrow();
        if let Inner::Remote(_) = &**inner {
            return None;
        }
        let Some(prepared) = self.prepared(key) else {
            return Some(Lookup::Missing);
        };
        let answer = match &**inner {
            Inner::Local(table) => table.get(&prepared),
            Inner::Remote(_) => return None,
            Inner::Broken(why) => {
                pf_log::warning!("{} is unavailable. {why}", self.title());
                Lookup::Unavailable(LookupError(format!(
                    "{} is unavailable. {why}",
                    self.title()
                )))
            }
        };
        Some(self.checked(key, answer))
    }

    /// The answer to the key as it was asked for, unless it is not in the encoding that it must be in.
    fn checked(&self, key: &[u8], answer: Lookup<Vec<u8>>) -> Lookup<Vec<u8>> {
        if let (true, Lookup::Found(value)) = (self.0.options.utf8, &answer)
            && !value.is_ascii()
            && std::str::from_utf8(value).is_err()
        {
            pf_log::warning!(
                "{}: key \"{}\": non-UTF-8 value \"{}\": malformed UTF-8 or invalid codepoint",
                self.title(),
                pf_text::Show(key),
                pf_text::Show(value)
            );
            return Lookup::Unavailable(LookupError(String::new()));
        }
        answer
    }

    /// All entries, for types that can list them; `None` for the others.
    pub fn entries(&self) -> Option<Result<Vec<Entry>, LookupError>> {
        match &**self.0.inner.borrow() {
            Inner::Local(table) => table.entries(),
            Inner::Remote(table) => table.entries(),
            Inner::Broken(_) => None,
        }
    }

    /// The key as the table has it; `None` when no key of the table can be equal to it.
    fn prepared<'a>(&self, key: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        if self.0.options.utf8
            && self.0.kind != "debug"
            && !key.is_ascii()
            && std::str::from_utf8(key).is_err()
        {
            pf_log::warning!(
                "{}: non-UTF-8 key \"{}\": malformed UTF-8 or invalid codepoint",
                self.title(),
                pf_text::Show(key)
            );
            return None;
        }
        // Tables that pass the key on leave that to the others.
        let passes_on = matches!(&*self.0.kind, "debug" | "unionmap" | "pipemap" | "proxy");
        let folded = self.0.options.fold && self.0.nature == Nature::Fixed && !passes_on;
        if folded
            && key
                .iter()
                .any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii())
        {
            return Some(Cow::Owned(pf_text::case::fold(key, self.0.options.utf8)));
        }
        Some(Cow::Borrowed(key))
    }

    /// Opens the table again when its file has changed. When that fails, the old content serves on.
    fn refresh(&self) {
        let Some(watched) = &self.0.watched else {
            return;
        };
        let mut watched = watched.borrow_mut();
        if watched.checked.elapsed() < CHECK_INTERVAL {
            return;
        }
        watched.checked = Instant::now();
        let now = stamp(&watched.path);
        if now == watched.seen || now.is_none() {
            return;
        }
        match (self.0.opener)(&self.0.name, &self.0.options) {
            Ok(inner) => {
                pf_log::info!("table {} has changed -- reopened", self.title());
                *self.0.inner.borrow_mut() = inner.into();
                watched.seen = now;
            }
            Err(err) => {
                if !needs_restart() {
                    pf_log::warning!("{err}");
                }
                want_restart(&self.title());
            }
        }
    }
}

/// What changes when a file is written or replaced.
fn stamp(path: &Path) -> Option<(i64, i64, u64, u64)> {
    let status = fs::metadata(path).ok()?;
    Some((
        status.mtime(),
        status.mtime_nsec(),
        status.ino(),
        status.size(),
    ))
}
