//! The settings of one program: what `main.cf` and the command line say, over the defaults of the table.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::compat::Level;
use crate::expand::{self, Options, Purpose, Values};
use crate::table::{self, Kind, Param, Row};
use crate::values::{self, Value};
use crate::{DEFAULT_DIRECTORY, Error, NO_SERVICE_NAME, Source, main_cf, param, system, transport};

/// What `main.cf` is called in the complaint about a value that cannot be expanded.
const DICTIONARY: &str = "mail_dict";

/// The settings of one program.
#[derive(Debug, Clone)]
pub struct Config {
    dir: PathBuf,
    values: HashMap<String, String>,
    process_name: String,
    service_name: String,
    level: Level,
}

impl Config {
    /// Reads `main.cf` in the directory of `source`, then applies its overrides.
    ///
    /// A set-user-id or set-group-id program takes another directory than the default one only when the default `main.cf`
    /// names it in `alternate_config_directories` or `multi_instance_directories`.
    ///
    /// # Errors
    /// The file cannot be read, has a bad line or a bad `compatibility_level`, or the directory is not allowed.
    pub fn load(source: &Source) -> Result<Self, Error> {
        if !source.is_default() && pf_sys::identity::has_borrowed_rights() {
            check_directory(&source.dir)?;
        }
        let path = source.dir.join("main.cf");
        let mut values: HashMap<String, String> = read_settings(&path)?.into_iter().collect();
        values.extend(source.overrides.iter().cloned());
        Self::new(source.dir.clone(), values)
    }

    /// As [`load`](Self::load), for a daemon: its process name and the service name that master gave it.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn for_daemon(
        source: &Source,
        process_name: &str,
        service_name: &str,
    ) -> Result<Self, Error> {
        let mut config = Self::load(source)?;
        config.process_name = process_name.to_owned();
        config.service_name = service_name.to_owned();
        Ok(config)
    }

    /// Settings without a file, over the defaults.
    ///
    /// # Panics
    /// `compatibility_level` is malformed.
    #[allow(clippy::panic, reason = "for tests only")]
    pub fn for_tests(settings: &[(&str, &str)]) -> Self {
        let values = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        match Self::new(PathBuf::from(DEFAULT_DIRECTORY), values) {
            Ok(config) => config,
            Err(err) => panic!("{err}"),
        }
    }

    fn new(dir: PathBuf, values: HashMap<String, String>) -> Result<Self, Error> {
        let mut config = Self {
            dir,
            values,
            process_name: system::process_name(),
            service_name: NO_SERVICE_NAME.to_owned(),
            level: Level::new(0, 0),
        };
        config.find_level()?;
        Ok(config)
    }

    fn find_level(&mut self) -> Result<(), Error> {
        let level = self.get(param::COMPATIBILITY_LEVEL)?;
        self.level = Level::parse(&level).map_err(|err| Error(err.to_string()))?;
        Ok(())
    }

    /// The directory of `main.cf`.
    pub fn directory(&self) -> &Path {
        &self.dir
    }

    /// The value of `compatibility_level`.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Sets a parameter, as `-o` does.
    ///
    /// # Errors
    /// The new `compatibility_level` is malformed.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        self.values.insert(name.to_owned(), value.to_owned());
        if name == param::COMPATIBILITY_LEVEL.name() {
            self.find_level()?;
        }
        Ok(())
    }

    /// Sets `$process_name` and `$service_name`.
    pub fn set_names(&mut self, process_name: &str, service_name: &str) {
        process_name.clone_into(&mut self.process_name);
        service_name.clone_into(&mut self.service_name);
    }

    /// Whether `main.cf` or the command line sets this parameter.
    pub fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The value of a parameter, expanded and checked.
    ///
    /// # Errors
    /// The value cannot be expanded, is not of its type or out of range.
    pub fn get<T: Value>(&self, key: Param<T>) -> Result<T, Error> {
        let row = key.row();
        let mut text = self.text(row)?;
        if row.name == "myorigin" && text.starts_with('/') {
            text = system::first_line(row.name, &text)?;
        }
        T::read(row, &text)
    }

    /// A number as a size; a negative one counts as 0.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn count(&self, key: Param<i64>) -> Result<usize, Error> {
        self.get(key)
            .map(|value| usize::try_from(value).unwrap_or(0))
    }

    /// The expanded text of a parameter in the table.
    pub(crate) fn text(&self, row: &'static Row) -> Result<String, Error> {
        let text = self.unexpanded(row.name).unwrap_or_default();
        if row.kind == Kind::Raw {
            Ok(text.into_owned())
        } else {
            self.expand(&text)
        }
    }

    /// The expanded value by name, also of one that is not in the table; `None` when it is set nowhere and has no default.
    ///
    /// # Errors
    /// The value cannot be expanded.
    pub fn string(&self, name: &str) -> Result<Option<String>, Error> {
        match (table::find(name), self.unexpanded(name)) {
            (_, None) => Ok(None),
            (Some(row), Some(text)) if row.kind == Kind::Raw => Ok(Some(text.into_owned())),
            (_, Some(text)) => self.expand(&text).map(Some),
        }
    }

    /// A time by name; without unit it has the unit of the parameter's default, or of the general parameter's behind the name
    /// of a transport's own.
    ///
    /// # Errors
    /// The value is not a time.
    pub fn time(&self, name: &str) -> Result<Option<Duration>, Error> {
        let row = table::find(name).or_else(|| transport::fallback(name).and_then(table::find));
        let unit = row.map_or(b's', |row| values::default_unit(row.default));
        self.string(name)?
            .map(|text| values::time(name, &text, unit))
            .transpose()
    }

    /// A number by name.
    ///
    /// # Errors
    /// The value is not a number.
    pub fn int(&self, name: &str) -> Result<Option<i64>, Error> {
        self.string(name)?
            .map(|text| values::long(name, &text))
            .transpose()
    }

    /// `yes` or `no` by name.
    ///
    /// # Errors
    /// The value is neither.
    pub fn bool(&self, name: &str) -> Result<Option<bool>, Error> {
        self.string(name)?
            .map(|text| values::boolean(name, &text))
            .transpose()
    }

    /// The value by name as it is written, or the default before expansion.
    pub fn raw(&self, name: &str) -> Option<String> {
        self.unexpanded(name).map(Cow::into_owned)
    }

    /// What `main.cf` or the command line say, or the default.
    fn unexpanded(&self, name: &str) -> Option<Cow<'_, str>> {
        match table::find(name) {
            Some(row) if row.computed() => self.computed(name),
            Some(row) => Some(match self.values.get(name) {
                Some(value) => Cow::Borrowed(value),
                None => Cow::Borrowed(row.default),
            }),
            None => match self.values.get(name) {
                Some(value) => Some(Cow::Borrowed(value)),
                None => transport::fallback(name).map(|general| Cow::Owned(format!("${general}"))),
            },
        }
    }

    /// Parameters whose default is found out now.
    fn computed(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "process_name" => return Some(Cow::Borrowed(&self.process_name)),
            "service_name" => return Some(Cow::Borrowed(&self.service_name)),
            "process_id" => return Some(Cow::Owned(std::process::id().to_string())),
            "config_directory" => return Some(self.dir.to_string_lossy()),
            _ => {}
        }
        if let Some(value) = self.values.get(name) {
            return Some(Cow::Borrowed(value));
        }
        match name {
            "myhostname" => {
                let domain = self.values.get("mydomain");
                let domain = domain.and_then(|text| self.expand(text).ok());
                Some(Cow::Owned(system::full_hostname(domain.as_deref())))
            }
            "mydomain" => {
                let host = match self.values.get("myhostname") {
                    Some(text) => self.expand(text).ok()?,
                    None => system::full_hostname(None),
                };
                Some(Cow::Owned(system::domain_of(&host).to_owned()))
            }
            "mynetworks" => match self.own_networks() {
                Ok(networks) => Some(Cow::Owned(networks)),
                Err(err) => {
                    pf_log::warning!("{err}");
                    Some(Cow::Borrowed(""))
                }
            },
            _ => None,
        }
    }

    /// The networks that `mynetworks` stands for when it is not set: those of the own interfaces, as `mynetworks_style` says.
    ///
    /// # Errors
    /// A parameter that this depends on has a bad value.
    pub fn own_networks(&self) -> Result<String, Error> {
        let style = self.get(param::MYNETWORKS_STYLE)?;
        let interfaces = self.get(param::INET_INTERFACES)?;
        let protocols = self.get(param::INET_PROTOCOLS)?;
        system::networks(&style, &interfaces, &protocols)
    }

    /// Expands `$name` with the settings of this program.
    ///
    /// # Errors
    /// The syntax is wrong or values refer to each other in a circle. What exactly is logged as a warning.
    pub fn expand(&self, text: &str) -> Result<String, Error> {
        if !text.contains('$') {
            return Ok(text.to_owned());
        }
        let options = Options {
            recursive: true,
            ..Options::default()
        };
        match expand::expand(text.as_bytes(), &options, &mut Settings(self)) {
            Ok(expanded) => Ok(String::from_utf8_lossy(&expanded.text).into_owned()),
            Err(err) => {
                pf_log::warning!("{err}");
                Err(Error(format!(
                    "dictionary {DICTIONARY}: macro processing error"
                )))
            }
        }
    }

    /// Whether a parameter has an old default only because `compatibility_level` is below the level that changed it: what
    /// Postfix logs as "using backwards-compatible default setting".
    pub fn legacy_default<T>(&self, key: Param<T>) -> bool {
        !self.is_set(key.name())
            && LEVEL_OF_CHANGE
                .iter()
                .any(|(name, level)| *name == key.name() && self.level < *level)
    }
}

/// The level from which on a parameter has its new default.
const LEVEL_OF_CHANGE: &[(&str, Level)] = &[
    ("append_dot_mydomain", Level::new(1, 0)),
    ("smtputf8_enable", Level::new(1, 0)),
    ("smtpd_relay_restrictions", Level::new(1, 0)),
    ("relay_domains", Level::new(2, 0)),
    ("fast_flush_domains", Level::new(2, 0)),
    ("mynetworks_style", Level::new(2, 0)),
    ("smtpd_tls_fingerprint_digest", Level::new(3, 6)),
    ("smtp_tls_fingerprint_digest", Level::new(3, 6)),
    ("lmtp_tls_fingerprint_digest", Level::new(3, 6)),
    (
        "smtpd_relay_before_recipient_restrictions",
        Level::new(3, 6),
    ),
    ("respectful_logging", Level::new(3, 6)),
    ("smtp_tlsrpt_skip_reused_handshakes", Level::new(3, 11)),
    ("smtp_tls_security_level", Level::new(3, 11)),
    ("tlsproxy_client_security_level", Level::new(3, 11)),
];

/// The settings as values of an expansion.
struct Settings<'a>(&'a Config);

impl Values for Settings<'_> {
    fn value(&mut self, name: &str, _: Purpose) -> Option<Cow<'_, [u8]>> {
        self.0.unexpanded(name).map(|value| match value {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        })
    }

    fn has_function(&self, name: &str) -> bool {
        expand::DOMAIN_FUNCTIONS.contains(&name)
    }

    fn call(&mut self, name: &str, text: &[u8]) -> Option<Result<Vec<u8>, expand::Error>> {
        expand::domain_function(name, text)
    }
}

fn read_settings(path: &Path) -> Result<BTreeMap<String, String>, Error> {
    let shown = path.display().to_string();
    let text =
        system::read_quiet_file(path).map_err(|err| Error(system::unreadable(&shown, &err)))?;
    let mut values = BTreeMap::new();
    main_cf::parse(&shown, &text, &mut values, |warning| {
        pf_log::warning!("{warning}");
    })?;
    Ok(values)
}

/// Whether the default `main.cf` allows this directory to programs with borrowed privilege.
fn check_directory(dir: &Path) -> Result<(), Error> {
    let path = Path::new(DEFAULT_DIRECTORY).join("main.cf");
    let shown = dir.display().to_string();
    let allowed = read_settings(&path)?.iter().any(|(name, value)| {
        matches!(
            name.as_str(),
            "alternate_config_directories" | "multi_instance_directories"
        ) && value
            .split([',', ' ', '\t', '\r', '\n'])
            .any(|word| word == shown)
    });
    if allowed {
        return Ok(());
    }
    pf_log::error!("unauthorized configuration directory name: {shown}");
    Err(Error(format!(
        "specify \"alternate_config_directories = {shown}\" or \"multi_instance_directories = {shown}\" in {}",
        path.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_and_expansion() {
        let config = Config::for_tests(&[
            ("myhostname", "mail.example.com"),
            ("compatibility_level", "3.6"),
            ("smtpd_banner", "$myhostname $mail_name at $mydomain"),
        ]);
        assert_eq!(
            config.get(param::SMTPD_BANNER).unwrap(),
            "mail.example.com Postfix at example.com"
        );
        assert_eq!(
            config.get(param::QUEUE_RUN_DELAY).unwrap(),
            Duration::from_secs(300)
        );
        assert!(config.get(param::SMTPUTF8_ENABLE).unwrap());
        assert!(!config.get(param::APPEND_DOT_MYDOMAIN).unwrap());
        assert_eq!(config.get(param::SMTPD_HARD_ERROR_LIMIT).unwrap(), 20);
        assert_eq!(
            config.get(param::SMTPD_TIMEOUT).unwrap(),
            Duration::from_secs(300)
        );
        assert!(config.legacy_default(param::SMTP_TLS_SECURITY_LEVEL));
        assert!(!config.legacy_default(param::RELAY_DOMAINS));
    }

    #[test]
    fn raw_parameters_are_not_expanded() {
        let config = Config::for_tests(&[]);
        assert!(
            config
                .get(param::DEFAULT_RBL_REPLY)
                .unwrap()
                .contains("$rbl_code")
        );
    }

    #[test]
    fn names_of_transports() {
        let config = Config::for_tests(&[
            ("default_destination_concurrency_limit", "7"),
            ("slow_destination_rate_delay", "2m"),
        ]);
        let limit = |name| config.int(name).unwrap();
        assert_eq!(limit("slow_destination_concurrency_limit"), Some(7));
        assert_eq!(limit("local_destination_concurrency_limit"), Some(2));
        assert_eq!(
            config.time("slow_destination_rate_delay").unwrap(),
            Some(Duration::from_secs(120))
        );
        assert_eq!(config.string("no_such_name").unwrap(), None);
    }

    #[test]
    fn every_default_can_be_expanded_and_read() {
        let config = Config::for_tests(&[("myhostname", "h.example")]);
        for row in table::all() {
            let text = config.text(row).unwrap();
            match row.kind {
                Kind::Text | Kind::Raw => drop(String::read(row, &text)),
                Kind::Bool | Kind::BoolExpr => drop(bool::read(row, &text).unwrap()),
                Kind::Int | Kind::IntExpr | Kind::Long => drop(i64::read(row, &text).unwrap()),
                Kind::Time => drop(Duration::read(row, &text).unwrap()),
            }
        }
    }

    #[test]
    fn circles_are_refused() {
        let config = Config::for_tests(&[("myorigin", "a$myorigin")]);
        assert_eq!(
            config.get(param::MYORIGIN).unwrap_err().0,
            "dictionary mail_dict: macro processing error"
        );
    }

    #[test]
    fn a_file_and_its_overrides() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("main.cf"),
            "queue_run_delay = 10\nx_y = $queue_run_delay\n",
        )
        .unwrap();
        let config = Config::load(&Source {
            dir: dir.path().to_owned(),
            overrides: vec![("queue_run_delay".into(), "2m".into())],
        })
        .unwrap();
        assert_eq!(
            config.get(param::QUEUE_RUN_DELAY).unwrap(),
            Duration::from_secs(120)
        );
        assert_eq!(config.string("x_y").unwrap().unwrap(), "2m");
        let missing = Source {
            dir: dir.path().join("no"),
            overrides: Vec::new(),
        };
        assert_eq!(
            Config::load(&missing).unwrap_err().0,
            format!(
                "open {}/no/main.cf: No such file or directory",
                dir.path().display()
            )
        );
    }
}
