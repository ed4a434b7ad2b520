//! Delivery to local and virtual mailboxes.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Alias database.
    ALIAS_DATABASE: String = Text "alias_database", "$default_database_type:/etc/aliases", (0, 0), "all", true;
    /// Alias maps.
    ALIAS_MAPS: String = Text "alias_maps", "$default_database_type:/etc/aliases, nis:mail.aliases", (0, 0), "local proxymap smtpd", true;
    /// Allow mail to commands.
    ALLOW_MAIL_TO_COMMANDS: String = Text "allow_mail_to_commands", "alias, forward", (0, 0), "local", true;
    /// Allow mail to files.
    ALLOW_MAIL_TO_FILES: String = Text "allow_mail_to_files", "alias, forward", (0, 0), "local", true;
    /// Allow min user.
    ALLOW_MIN_USER: bool = Bool "allow_min_user", "no", (0, 0), "trivial-rewrite", true;
    /// Biff.
    BIFF: bool = Bool "biff", "yes", (0, 0), "local", true;
    /// Command directory.
    COMMAND_DIRECTORY: String = Text "command_directory", "/usr/sbin", (1, 0), "all", true;
    /// Command execution directory.
    COMMAND_EXECUTION_DIRECTORY: String = Raw "command_execution_directory", "", (0, 0), "local", true;
    /// Command expansion filter.
    COMMAND_EXPANSION_FILTER: String = Text "command_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", (1, 0), "local", true;
    /// Command time limit.
    COMMAND_TIME_LIMIT: Duration = Time "command_time_limit", "1000s", (1, 0), "local pipe spawn", true;
    /// Deliver lock attempts.
    DELIVER_LOCK_ATTEMPTS: i64 = Int "deliver_lock_attempts", "20", (1, 0), "all", true;
    /// Deliver lock delay.
    DELIVER_LOCK_DELAY: Duration = Time "deliver_lock_delay", "1s", (1, 0), "all", true;
    /// Execution directory expansion filter.
    EXECUTION_DIRECTORY_EXPANSION_FILTER: String = Text "execution_directory_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", (1, 0), "local", true;
    /// Expand owner alias.
    EXPAND_OWNER_ALIAS: bool = Bool "expand_owner_alias", "no", (0, 0), "local", true;
    /// Fallback transport.
    FALLBACK_TRANSPORT: String = Text "fallback_transport", "", (0, 0), "local", true;
    /// Fallback transport maps.
    FALLBACK_TRANSPORT_MAPS: String = Text "fallback_transport_maps", "", (0, 0), "local", true;
    /// Forward expansion filter.
    FORWARD_EXPANSION_FILTER: String = Text "forward_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", (1, 0), "local", true;
    /// Forward path.
    FORWARD_PATH: String = Raw "forward_path", "$home/.forward${recipient_delimiter}${extension}, $home/.forward", (0, 0), "local", true;
    /// Frozen delivered to.
    FROZEN_DELIVERED_TO: bool = Bool "frozen_delivered_to", "yes", (0, 0), "local", true;
    /// Home mailbox.
    HOME_MAILBOX: String = Text "home_mailbox", "", (0, 0), "local", true;
    /// Ignore mx lookup error.
    IGNORE_MX_LOOKUP_ERROR: bool = Bool "ignore_mx_lookup_error", "no", (0, 0), "smtp", true;
    /// Local command shell.
    LOCAL_COMMAND_SHELL: String = Text "local_command_shell", "", (0, 0), "local", true;
    /// Local delivery status filter.
    LOCAL_DELIVERY_STATUS_FILTER: String = Text "local_delivery_status_filter", "$default_delivery_status_filter", (0, 0), "local", true;
    /// Local recipient maps.
    LOCAL_RECIPIENT_MAPS: String = Text "local_recipient_maps", "proxy:unix:passwd.byname $alias_maps", (0, 0), "proxymap smtpd", true;
    /// Local transport.
    LOCAL_TRANSPORT: String = Text "local_transport", "local:$myhostname", (1, 0), "trivial-rewrite", true;
    /// Luser relay.
    LUSER_RELAY: String = Raw "luser_relay", "", (0, 0), "local", true;
    /// Mail spool directory.
    MAIL_SPOOL_DIRECTORY: String = Text "mail_spool_directory", "/var/mail", (0, 0), "local virtual", true;
    /// Mailbox command.
    MAILBOX_COMMAND: String = Raw "mailbox_command", "", (0, 0), "local", true;
    /// Mailbox command maps.
    MAILBOX_COMMAND_MAPS: String = Text "mailbox_command_maps", "", (0, 0), "local", true;
    /// Mailbox delivery lock.
    MAILBOX_DELIVERY_LOCK: String = Text "mailbox_delivery_lock", "fcntl, dotlock", (1, 0), "local", true;
    /// Mailbox size limit.
    MAILBOX_SIZE_LIMIT: i64 = Long "mailbox_size_limit", "51200000", (0, 0), "local", true;
    /// Mailbox transport.
    MAILBOX_TRANSPORT: String = Text "mailbox_transport", "", (0, 0), "local", true;
    /// Mailbox transport maps.
    MAILBOX_TRANSPORT_MAPS: String = Text "mailbox_transport_maps", "", (0, 0), "local", true;
    /// Newaliases path.
    NEWALIASES_PATH: String = Text "newaliases_path", "/usr/bin/newaliases", (1, 0), "postfix", true;
    /// Owner request special.
    OWNER_REQUEST_SPECIAL: bool = Bool "owner_request_special", "yes", (0, 0), "all", true;
    /// Prepend delivered header.
    PREPEND_DELIVERED_HEADER: String = Text "prepend_delivered_header", "command, file, forward", (0, 0), "local", true;
    /// Propagate unmatched extensions.
    PROPAGATE_UNMATCHED_EXTENSIONS: String = Text "propagate_unmatched_extensions", "canonical, virtual", (0, 0), "cleanup local smtp", true;
    /// Recipient delimiter.
    RECIPIENT_DELIMITER: String = Text "recipient_delimiter", "", (0, 0), "all", true;
    /// Require home directory.
    REQUIRE_HOME_DIRECTORY: bool = Bool "require_home_directory", "no", (0, 0), "local", true;
    /// Reset owner alias.
    RESET_OWNER_ALIAS: bool = Bool "reset_owner_alias", "no", (0, 0), "local", true;
    /// Stale lock time.
    STALE_LOCK_TIME: Duration = Time "stale_lock_time", "500s", (1, 0), "all", true;
    /// Strict mailbox ownership.
    STRICT_MAILBOX_OWNERSHIP: bool = Bool "strict_mailbox_ownership", "yes", (0, 0), "local virtual", true;
    /// Sun mailtool compatibility.
    SUN_MAILTOOL_COMPATIBILITY: bool = Bool "sun_mailtool_compatibility", "no", (0, 0), "local", true;
    /// Virtual gid maps.
    VIRTUAL_GID_MAPS: String = Text "virtual_gid_maps", "", (0, 0), "virtual", true;
    /// Virtual mailbox base.
    VIRTUAL_MAILBOX_BASE: String = Text "virtual_mailbox_base", "", (1, 0), "virtual", true;
    /// Virtual mailbox domains.
    VIRTUAL_MAILBOX_DOMAINS: String = Text "virtual_mailbox_domains", "$virtual_mailbox_maps", (0, 0), "proxymap trivial-rewrite", true;
    /// Virtual mailbox limit.
    VIRTUAL_MAILBOX_LIMIT: i64 = Long "virtual_mailbox_limit", "51200000", (0, 0), "virtual", true;
    /// Virtual mailbox lock.
    VIRTUAL_MAILBOX_LOCK: String = Text "virtual_mailbox_lock", "fcntl, dotlock", (1, 0), "virtual", true;
    /// Virtual mailbox maps.
    VIRTUAL_MAILBOX_MAPS: String = Text "virtual_mailbox_maps", "", (0, 0), "proxymap smtpd trivial-rewrite virtual", true;
    /// Virtual minimum uid.
    VIRTUAL_MINIMUM_UID: i64 = Int "virtual_minimum_uid", "100", (1, 0), "virtual", true;
    /// Virtual uid maps.
    VIRTUAL_UID_MAPS: String = Text "virtual_uid_maps", "", (0, 0), "virtual", true;
}
