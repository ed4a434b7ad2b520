//! The parameters of local(8).

use std::time::Duration;

use anyhow::{Result, ensure};
use pf_config::{Config, param};
use pf_delivery::mbox::Locks;

/// From which kind of expansion a command or a file comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expansion {
    /// None: the recipient itself.
    None,
    /// An alias.
    Alias,
    /// A `.forward` file.
    Forward,
    /// An `:include:` file.
    Include,
}

/// A set of expansions, as `allow_mail_to_commands` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expansions {
    alias: bool,
    forward: bool,
    include: bool,
}

impl Expansions {
    fn parse(name: &str, value: &str) -> Result<Self> {
        let mut set = Self::default();
        for word in pf_text::split::list(value) {
            match word.to_ascii_lowercase().as_str() {
                "alias" => set.alias = true,
                "forward" => set.forward = true,
                "include" => set.include = true,
                _ => anyhow::bail!("unknown {name} value \"{word}\" in \"{value}\""),
            }
        }
        Ok(set)
    }

    /// Whether the expansion is in the set.
    pub fn has(self, expansion: Expansion) -> bool {
        match expansion {
            Expansion::None => false,
            Expansion::Alias => self.alias,
            Expansion::Forward => self.forward,
            Expansion::Include => self.include,
        }
    }
}

/// Where a `Delivered-To:` header is added (`prepend_delivered_header`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeliveredHeader {
    /// For commands.
    pub command: bool,
    /// For files and mailboxes.
    pub file: bool,
    /// For forwarded mail.
    pub forward: bool,
}

/// The parameters.
#[derive(Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each one is a parameter of its own"
)]
pub struct Params {
    /// `allow_mail_to_commands`
    pub commands: Expansions,
    /// `allow_mail_to_files`
    pub files: Expansions,
    /// `biff`
    pub biff: bool,
    /// `cleanup_service_name`
    pub cleanup_service: String,
    /// `command_execution_directory`
    pub command_directory: String,
    /// `command_expansion_filter`
    pub command_filter: String,
    /// `command_time_limit`
    pub command_limit: Duration,
    /// `prepend_delivered_header`
    pub delivered_header: DeliveredHeader,
    /// `default_privs`: user and group
    pub default_privs: (u32, u32),
    /// `duplicate_filter_limit`; 0: none
    pub duplicate_limit: usize,
    /// `enable_original_recipient`
    pub original_recipient: bool,
    /// `execution_directory_expansion_filter`
    pub directory_filter: String,
    /// `expand_owner_alias`
    pub expand_owner: bool,
    /// `export_environment`
    pub export: String,
    /// `fallback_transport`
    pub fallback_transport: String,
    /// `forward_expansion_filter`
    pub forward_filter: String,
    /// `forward_path`
    pub forward_path: String,
    /// `frozen_delivered_to`
    pub frozen_delivered: bool,
    /// `home_mailbox`
    pub home_mailbox: String,
    /// `ipc_timeout`
    pub ipc_timeout: Duration,
    /// `line_length_limit`
    pub line_limit: usize,
    /// `local_command_shell`
    pub shell: String,
    /// `mailbox_delivery_lock`
    pub locks: Locks,
    /// `luser_relay`
    pub luser_relay: String,
    /// `mail_name`
    pub mail_name: String,
    /// `mail_owner`: user and group
    pub mail_owner: (u32, u32),
    /// `mail_spool_directory`
    pub spool_directory: String,
    /// `mailbox_command`
    pub mailbox_command: String,
    /// `mailbox_transport`
    pub mailbox_transport: String,
    /// `myhostname`
    pub myhostname: String,
    /// `owner_request_special`
    pub owner_special: bool,
    /// `propagate_unmatched_extensions`
    pub propagate: Expansions,
    /// `double_bounce_sender`
    pub double_bounce: String,
    /// `recipient_delimiter`
    pub delimiters: Vec<u8>,
    /// `reset_owner_alias`
    pub reset_owner: bool,
    /// `require_home_directory`
    pub require_home: bool,
    /// `strict_mailbox_ownership`
    pub strict_owner: bool,
    /// `smtputf8_autodetect_classes` holds `forward`, and `smtputf8_enable` is on
    pub autodetect_utf8: bool,
}

impl Params {
    /// Reads the parameters, and checks what has to fit together.
    ///
    /// # Errors
    /// A parameter has a bad value.
    pub fn read(config: &Config) -> Result<Self> {
        let delivered = config.get(param::PREPEND_DELIVERED_HEADER)?;
        let mut delivered_header = DeliveredHeader::default();
        for word in pf_text::split::list(&delivered) {
            match word.to_ascii_lowercase().as_str() {
                "command" => delivered_header.command = true,
                "file" => delivered_header.file = true,
                "forward" => delivered_header.forward = true,
                _ => anyhow::bail!(
                    "unknown prepend_delivered_header value \"{word}\" in \"{delivered}\""
                ),
            }
        }
        let propagated = config.get(param::PROPAGATE_UNMATCHED_EXTENSIONS)?;
        let propagates = |name: &str| {
            pf_text::split::list(&propagated).any(|word| word.eq_ignore_ascii_case(name))
        };
        let classes = config.get(param::SMTPUTF8_AUTODETECT_CLASSES)?;
        let detects = pf_text::split::list(&classes)
            .any(|word| word.eq_ignore_ascii_case("forward") || word.eq_ignore_ascii_case("all"));
        let accounts = config.accounts()?;
        Ok(Self {
            commands: Expansions::parse(
                "allow_mail_to_commands",
                &config.get(param::ALLOW_MAIL_TO_COMMANDS)?,
            )?,
            files: Expansions::parse(
                "allow_mail_to_files",
                &config.get(param::ALLOW_MAIL_TO_FILES)?,
            )?,
            biff: config.get(param::BIFF)?,
            cleanup_service: config.get(param::CLEANUP_SERVICE_NAME)?,
            command_directory: config.get(param::COMMAND_EXECUTION_DIRECTORY)?,
            command_filter: config.get(param::COMMAND_EXPANSION_FILTER)?,
            command_limit: config.get(param::COMMAND_TIME_LIMIT)?,
            delivered_header,
            default_privs: accounts.default_privs,
            duplicate_limit: config.count(param::DUPLICATE_FILTER_LIMIT)?,
            original_recipient: config.get(param::ENABLE_ORIGINAL_RECIPIENT)?,
            directory_filter: config.get(param::EXECUTION_DIRECTORY_EXPANSION_FILTER)?,
            expand_owner: config.get(param::EXPAND_OWNER_ALIAS)?,
            export: config.get(param::EXPORT_ENVIRONMENT)?,
            fallback_transport: config.get(param::FALLBACK_TRANSPORT)?,
            forward_filter: config.get(param::FORWARD_EXPANSION_FILTER)?,
            forward_path: config.get(param::FORWARD_PATH)?,
            frozen_delivered: config.get(param::FROZEN_DELIVERED_TO)?,
            home_mailbox: config.get(param::HOME_MAILBOX)?,
            ipc_timeout: config.get(param::IPC_TIMEOUT)?,
            line_limit: config.count(param::LINE_LENGTH_LIMIT)?,
            shell: config.get(param::LOCAL_COMMAND_SHELL)?,
            locks: Locks::from_config(config, param::MAILBOX_DELIVERY_LOCK)?,
            luser_relay: config.get(param::LUSER_RELAY)?,
            mail_name: config.get(param::MAIL_NAME)?,
            mail_owner: accounts.mail_owner,
            spool_directory: config.get(param::MAIL_SPOOL_DIRECTORY)?,
            mailbox_command: config.get(param::MAILBOX_COMMAND)?,
            mailbox_transport: config.get(param::MAILBOX_TRANSPORT)?,
            myhostname: config.get(param::MYHOSTNAME)?,
            owner_special: config.get(param::OWNER_REQUEST_SPECIAL)?,
            propagate: Expansions {
                alias: propagates("alias"),
                forward: propagates("forward"),
                include: propagates("include"),
            },
            double_bounce: config.get(param::DOUBLE_BOUNCE_SENDER)?,
            delimiters: config.get(param::RECIPIENT_DELIMITER)?.into_bytes(),
            reset_owner: config.get(param::RESET_OWNER_ALIAS)?,
            require_home: config.get(param::REQUIRE_HOME_DIRECTORY)?,
            strict_owner: config.get(param::STRICT_MAILBOX_OWNERSHIP)?,
            autodetect_utf8: config.get(param::SMTPUTF8_ENABLE)? && detects,
        })
    }

    /// How extensions are told apart.
    pub fn extensions(&self) -> pf_address::Delimiters<'_> {
        pf_address::Delimiters {
            set: &self.delimiters,
            owner_request_special: self.owner_special,
            double_bounce_sender: self.double_bounce.as_bytes(),
        }
    }
}

/// Limits the size of files, mailboxes included. A mailbox smaller than a message would keep us from the queue file.
///
/// # Errors
/// The limits contradict each other.
pub fn limit_file_size(config: &Config) -> Result<()> {
    let mailbox = config.get(param::MAILBOX_SIZE_LIMIT)?;
    let message = config.get(param::MESSAGE_SIZE_LIMIT)?;
    if mailbox > 0 {
        ensure!(
            message > 0,
            "configuration error: mailbox_size_limit is limited but message_size_limit is unlimited"
        );
        ensure!(
            mailbox >= message,
            "configuration error: mailbox_size_limit is smaller than message_size_limit"
        );
        pf_sys::process::limit_file_size(u64::try_from(mailbox)?)?;
    }
    Ok(())
}
