//! Delivery to local and virtual mailboxes.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// The alias files that newaliases indexes.
    ALIAS_DATABASE: String = Text "alias_database", "$default_database_type:/etc/aliases", (0, 0), "all", true;
    /// Where local delivery looks up aliases.
    ALIAS_MAPS: String = Text "alias_maps", "$default_database_type:/etc/aliases", (0, 0), "local proxymap smtpd", true;
    /// From which sources mail may go to a command.
    ALLOW_MAIL_TO_COMMANDS: String = Text "allow_mail_to_commands", "alias, forward", (0, 0), "local", true;
    /// From which sources mail may go to a file.
    ALLOW_MAIL_TO_FILES: String = Text "allow_mail_to_files", "alias, forward", (0, 0), "local", true;
    /// Whether an address may begin with a minus sign.
    ALLOW_MIN_USER: bool = Bool "allow_min_user", "no", (0, 0), "trivial-rewrite", true;
    /// Whether logged-in users are told of new mail.
    BIFF: bool = Bool "biff", "yes", (0, 0), "local", true;
    /// Where the commands are.
    COMMAND_DIRECTORY: String = Text "command_directory", "/usr/sbin", (1, 0), "all", true;
    /// Where local delivery runs commands; empty for the queue directory.
    COMMAND_EXECUTION_DIRECTORY: String = Raw "command_execution_directory", "", (0, 0), "local", true;
    /// Which characters an address may bring into a command.
    COMMAND_EXPANSION_FILTER: String = Text "command_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", (1, 0), "local", true;
    /// How long a command may run for one delivery.
    COMMAND_TIME_LIMIT: Duration = Time "command_time_limit", "1000s", (1, 0), "local pipe spawn", true;
    /// How often a lock on a mailbox or log is tried.
    DELIVER_LOCK_ATTEMPTS: i64 = Int "deliver_lock_attempts", "20", (1, 0), "all", true;
    /// Pause between these tries.
    DELIVER_LOCK_DELAY: Duration = Time "deliver_lock_delay", "1s", (1, 0), "all", true;
    /// Which characters an address may bring into the name of a directory.
    EXECUTION_DIRECTORY_EXPANSION_FILTER: String = Text "execution_directory_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", (1, 0), "local", true;
    /// Whether the envelope sender becomes what owner-alias stands for instead of owner-alias itself.
    EXPAND_OWNER_ALIAS: bool = Bool "expand_owner_alias", "no", (0, 0), "local", true;
    /// Where local delivery sends users that do not exist.
    FALLBACK_TRANSPORT: String = Text "fallback_transport", "", (0, 0), "local", true;
    /// As fallback_transport, by user.
    FALLBACK_TRANSPORT_MAPS: String = Text "fallback_transport_maps", "", (0, 0), "local", true;
    /// Which characters an address may bring into the name of a .forward file.
    FORWARD_EXPANSION_FILTER: String = Text "forward_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", (1, 0), "local", true;
    /// Where users' .forward files are.
    FORWARD_PATH: String = Raw "forward_path", "$home/.forward${recipient_delimiter}${extension}, $home/.forward", (0, 0), "local", true;
    /// Whether Delivered-To is only looked at as the message stands at the start.
    FROZEN_DELIVERED_TO: bool = Bool "frozen_delivered_to", "yes", (0, 0), "local", true;
    /// The mailbox relative to the home directory; with a slash at the end a Maildir.
    HOME_MAILBOX: String = Text "home_mailbox", "", (0, 0), "local", true;
    /// Whether a failed MX lookup counts as no MX record.
    IGNORE_MX_LOOKUP_ERROR: bool = Bool "ignore_mx_lookup_error", "no", (0, 0), "smtp", true;
    /// The program that runs commands of local delivery; empty for sh when needed.
    LOCAL_COMMAND_SHELL: String = Text "local_command_shell", "", (0, 0), "local", true;
    /// As default_delivery_status_filter, for local delivery.
    LOCAL_DELIVERY_STATUS_FILTER: String = Text "local_delivery_status_filter", "$default_delivery_status_filter", (0, 0), "local", true;
    /// Tables of all local recipients; empty to accept any.
    LOCAL_RECIPIENT_MAPS: String = Text "local_recipient_maps", "proxy:unix:passwd.byname $alias_maps", (0, 0), "proxymap smtpd", true;
    /// How mail for local domains is delivered.
    LOCAL_TRANSPORT: String = Text "local_transport", "local:$myhostname", (1, 0), "trivial-rewrite", true;
    /// Where mail for local users that do not exist goes.
    LUSER_RELAY: String = Raw "luser_relay", "", (0, 0), "local", true;
    /// Where users' mailboxes are.
    MAIL_SPOOL_DIRECTORY: String = Text "mail_spool_directory", "/var/mail", (0, 0), "local virtual", true;
    /// The command that delivers to mailboxes.
    MAILBOX_COMMAND: String = Raw "mailbox_command", "", (0, 0), "local", true;
    /// As mailbox_command, by user.
    MAILBOX_COMMAND_MAPS: String = Text "mailbox_command_maps", "", (0, 0), "local", true;
    /// How mailboxes are locked.
    MAILBOX_DELIVERY_LOCK: String = Text "mailbox_delivery_lock", "fcntl, dotlock", (1, 0), "local", true;
    /// The greatest mailbox, in bytes; 0 for no limit.
    MAILBOX_SIZE_LIMIT: i64 = Long "mailbox_size_limit", "51200000", (0, 0), "local", true;
    /// Where local delivery sends all users.
    MAILBOX_TRANSPORT: String = Text "mailbox_transport", "", (0, 0), "local", true;
    /// As mailbox_transport, by user.
    MAILBOX_TRANSPORT_MAPS: String = Text "mailbox_transport_maps", "", (0, 0), "local", true;
    /// Where newaliases is.
    NEWALIASES_PATH: String = Text "newaliases_path", "/usr/bin/newaliases", (1, 0), "postfix", true;
    /// Whether owner-x and x-request are not split at the delimiter.
    OWNER_REQUEST_SPECIAL: bool = Bool "owner_request_special", "yes", (0, 0), "all", true;
    /// Into which deliveries Delivered-To is put.
    PREPEND_DELIVERED_HEADER: String = Text "prepend_delivered_header", "command, file, forward", (0, 0), "local", true;
    /// Which tables keep an address extension that they did not match.
    PROPAGATE_UNMATCHED_EXTENSIONS: String = Text "propagate_unmatched_extensions", "canonical, virtual", (0, 0), "cleanup local smtp", true;
    /// Characters that set off an address extension.
    RECIPIENT_DELIMITER: String = Text "recipient_delimiter", "", (0, 0), "all", true;
    /// Whether local delivery needs the user's home directory.
    REQUIRE_HOME_DIRECTORY: bool = Bool "require_home_directory", "no", (0, 0), "local", true;
    /// Whether owner-alias is looked up anew for aliases within aliases.
    RESET_OWNER_ALIAS: bool = Bool "reset_owner_alias", "no", (0, 0), "local", true;
    /// How old a lock file must be to be removed.
    STALE_LOCK_TIME: Duration = Time "stale_lock_time", "500s", (1, 0), "all", true;
    /// Whether a mailbox must belong to its user.
    STRICT_MAILBOX_OWNERSHIP: bool = Bool "strict_mailbox_ownership", "yes", (0, 0), "local virtual", true;
    /// Ignored.
    SUN_MAILTOOL_COMPATIBILITY: bool = Bool "sun_mailtool_compatibility", "no", (0, 0), "local", true;
    /// The group of each virtual mailbox.
    VIRTUAL_GID_MAPS: String = Text "virtual_gid_maps", "", (0, 0), "virtual", true;
    /// The directory of all virtual mailboxes.
    VIRTUAL_MAILBOX_BASE: String = Text "virtual_mailbox_base", "", (1, 0), "virtual", true;
    /// Domains that are delivered to virtual mailboxes.
    VIRTUAL_MAILBOX_DOMAINS: String = Text "virtual_mailbox_domains", "$virtual_mailbox_maps", (0, 0), "proxymap trivial-rewrite", true;
    /// The greatest virtual mailbox, in bytes; 0 for no limit.
    VIRTUAL_MAILBOX_LIMIT: i64 = Long "virtual_mailbox_limit", "51200000", (0, 0), "virtual", true;
    /// How virtual mailboxes are locked.
    VIRTUAL_MAILBOX_LOCK: String = Text "virtual_mailbox_lock", "fcntl, dotlock", (1, 0), "virtual", true;
    /// Tables of virtual mailboxes.
    VIRTUAL_MAILBOX_MAPS: String = Text "virtual_mailbox_maps", "", (0, 0), "proxymap smtpd trivial-rewrite virtual", true;
    /// The least user id of virtual mailboxes.
    VIRTUAL_MINIMUM_UID: i64 = Int "virtual_minimum_uid", "100", (1, 0), "virtual", true;
    /// The user of each virtual mailbox.
    VIRTUAL_UID_MAPS: String = Text "virtual_uid_maps", "", (0, 0), "virtual", true;
}
