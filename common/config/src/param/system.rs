//! Directories, services, accounts, networks, logging, processes.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Whether hosts are looked up in the old way when there is no SRV record.
    ALLOW_SRV_LOOKUP_FALLBACK: bool = Bool "allow_srv_lookup_fallback", "no", (0, 0), "smtp", true;
    /// Further directories that set-group-id programs may take their configuration from.
    ALTERNATE_CONFIG_DIRECTORIES: String = Text "alternate_config_directories", "", (0, 0), "all", true;
    /// How long a program that is to end waits for what is under way.
    APPLICATION_EVENT_DRAIN_TIME: Duration = Time "application_event_drain_time", "100s", (1, 0), "all", true;
    /// Who may flush the queue.
    AUTHORIZED_FLUSH_USERS: String = Text "authorized_flush_users", "static:anyone", (0, 0), "postqueue", true;
    /// Who may see the queue.
    AUTHORIZED_MAILQ_USERS: String = Text "authorized_mailq_users", "static:anyone", (0, 0), "postqueue", true;
    /// Who may submit mail with sendmail.
    AUTHORIZED_SUBMIT_USERS: String = Text "authorized_submit_users", "static:anyone", (0, 0), "postdrop sendmail", true;
    /// Memory for making a Berkeley DB table, in bytes; not used here.
    BERKELEY_DB_CREATE_BUFFER_SIZE: i64 = Int "berkeley_db_create_buffer_size", "16777216", (1, 0), "all", false;
    /// Memory for reading a Berkeley DB table, in bytes; not used here.
    BERKELEY_DB_READ_BUFFER_SIZE: i64 = Int "berkeley_db_read_buffer_size", "131072", (1, 0), "all", false;
    /// The release whose defaults are kept.
    COMPATIBILITY_LEVEL: String = Text "compatibility_level", "0", (0, 0), "all", true;
    /// Where main.cf and master.cf are.
    CONFIG_DIRECTORY: String = Text "config_directory", "", (1, 0), "all", true;
    /// How long to wait for the connection cache.
    CONNECTION_CACHE_PROTOCOL_TIMEOUT: Duration = Time "connection_cache_protocol_timeout", "5s", (1, 0), "smtp", true;
    /// The service that keeps idle connections.
    CONNECTION_CACHE_SERVICE_NAME: String = Text "connection_cache_service_name", "scache", (1, 0), "smtp", true;
    /// How often the statistics of the connection cache are logged.
    CONNECTION_CACHE_STATUS_UPDATE_TIME: Duration = Time "connection_cache_status_update_time", "600s", (1, 0), "scache", true;
    /// How long any connection may be kept idle.
    CONNECTION_CACHE_TTL_LIMIT: Duration = Time "connection_cache_ttl_limit", "2s", (1, 0), "scache", true;
    /// Where the daemons are.
    DAEMON_DIRECTORY: String = Text "daemon_directory", "/usr/lib/postfix/sbin", (1, 0), "all", true;
    /// Whether a daemon ends when it cannot open a table, instead of going on without.
    DAEMON_TABLE_OPEN_ERROR_IS_FATAL: bool = Bool "daemon_table_open_error_is_fatal", "no", (0, 0), "all", true;
    /// How long a daemon may take for one request.
    DAEMON_TIMEOUT: Duration = Time "daemon_timeout", "18000s", (1, 0), "all", true;
    /// Where daemons keep files of their own.
    DATA_DIRECTORY: String = Text "data_directory", "/var/lib/postfix", (1, 0), "all", true;
    /// By how much logging is more verbose for the peers in debug_peer_list.
    DEBUG_PEER_LEVEL: i64 = Int "debug_peer_level", "2", (1, 0), "all", true;
    /// Peers whose sessions are logged in more detail.
    DEBUG_PEER_LIST: String = Text "debug_peer_list", "", (0, 0), "all", true;
    /// What is run when a daemon is started with -D.
    DEBUGGER_COMMAND: String = Text "debugger_command", "", (0, 0), "all", true;
    /// Whether the clients do without DNS.
    DISABLE_DNS_LOOKUPS: bool = Bool "disable_dns_lookups", "no", (0, 0), "all", true;
    /// Whether the TTL of negative answers is computed as the RFC says.
    DNS_NCACHE_TTL_FIX_ENABLE: bool = Bool "dns_ncache_ttl_fix_enable", "no", (0, 0), "all", true;
    /// The query that finds out whether the resolver validates; empty for none.
    DNSSEC_PROBE: String = Text "dnssec_probe", "ns:.", (0, 0), "all", false;
    /// Whether delivered messages are moved to the queue saved instead of being removed; 1 for yes.
    DONT_REMOVE: i64 = Int "dont_remove", "0", (0, 0), "all", true;
    /// Which environment variables commands outside the mail system get.
    EXPORT_ENVIRONMENT: String = Text "export_environment", "TZ MAIL_CONFIG LANG", (0, 0), "all", true;
    /// For tests.
    FAULT_INJECTION_CODE: i64 = Int "fault_injection_code", "0", (0, 0), "all", true;
    /// How often a process that cannot be made is tried.
    FORK_ATTEMPTS: i64 = Int "fork_attempts", "5", (1, 0), "all", true;
    /// Pause between these tries.
    FORK_DELAY: Duration = Time "fork_delay", "1s", (1, 0), "all", true;
    /// Where the documentation is.
    HTML_DIRECTORY: String = Text "html_directory", "/usr/share/doc/postfix/html", (1, 0), "postfix", true;
    /// Whether a failed SRV lookup counts as no SRV record.
    IGNORE_SRV_LOOKUP_ERROR: bool = Bool "ignore_srv_lookup_error", "no", (0, 0), "smtp", true;
    /// Which environment variables the mail system takes in.
    IMPORT_ENVIRONMENT: String = Text "import_environment", "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME XDG_RUNTIME_DIR", (0, 0), "all", true;
    /// The addresses on which mail is received.
    INET_INTERFACES: String = Text "inet_interfaces", "all", (0, 0), "all", true;
    /// Which of IPv4 and IPv6 is used.
    INET_PROTOCOLS: String = Text "inet_protocols", "all", (0, 0), "all", true;
    /// How addresses are written in the log: external or internal.
    INFO_LOG_ADDRESS_FORMAT: String = Text "info_log_address_format", "external", (1, 0), "all", true;
    /// When a client closes an idle connection to another program.
    IPC_IDLE: Duration = Time "ipc_idle", "5s", (1, 0), "all", true;
    /// How long to wait for another program of the mail system.
    IPC_TIMEOUT: Duration = Time "ipc_timeout", "3600s", (1, 0), "all", true;
    /// When a client closes a busy connection to another program.
    IPC_TTL: Duration = Time "ipc_ttl", "1000s", (1, 0), "all", true;
    /// Names of ports that need no lookup.
    KNOWN_TCP_PORTS: String = Text "known_tcp_ports", "lmtp=24, smtp=25, smtps=submissions=465, submission=587", (0, 0), "all", true;
    /// The size with which an LMDB table begins, in bytes.
    LMDB_MAP_SIZE: i64 = Long "lmdb_map_size", "16777216", (1, 0), "all", true;
    /// The name of the mail system.
    MAIL_NAME: String = Text "mail_name", "Postfix", (1, 0), "all", true;
    /// The user that owns the queue and most processes.
    MAIL_OWNER: String = Text "mail_owner", "postfix", (1, 0), "all", true;
    /// The date of the release.
    MAIL_RELEASE_DATE: String = Text "mail_release_date", "20260907", (1, 0), "all", true;
    /// The version of the mail system.
    MAIL_VERSION: String = Text "mail_version", "3.11.7-rs.0.1.0", (1, 0), "all", true;
    /// The file that gets the log instead of the system's log daemon.
    MAILLOG_FILE: String = Text "maillog_file", "", (0, 0), "all", true;
    /// The program that compresses a log file that was set aside.
    MAILLOG_FILE_COMPRESSOR: String = Text "maillog_file_compressor", "gzip", (1, 0), "all", true;
    /// The permissions of a new log file.
    MAILLOG_FILE_PERMISSIONS: String = Text "maillog_file_permissions", "0600", (1, 0), "all", true;
    /// How the name of maillog_file may begin.
    MAILLOG_FILE_PREFIXES: String = Text "maillog_file_prefixes", "/var, /dev/stdout", (1, 0), "all", true;
    /// What is added to the name of a log file that is set aside.
    MAILLOG_FILE_ROTATE_SUFFIX: String = Text "maillog_file_rotate_suffix", "%Y%m%d-%H%M%S", (1, 0), "all", true;
    /// Where mailq is.
    MAILQ_PATH: String = Text "mailq_path", "/usr/bin/mailq", (1, 0), "postfix", true;
    /// Where the manual pages are.
    MANPAGE_DIRECTORY: String = Text "manpage_directory", "/usr/share/man", (1, 0), "postfix", true;
    /// Services of master.cf that are switched off.
    MASTER_SERVICE_DISABLE: String = Text "master_service_disable", "", (0, 0), "master", true;
    /// How long a process waits for a client before it ends.
    MAX_IDLE: Duration = Time "max_idle", "100s", (1, 0), "all", true;
    /// How many clients a process serves before it ends.
    MAX_USE: i64 = Int "max_use", "100", (1, 0), "all", true;
    /// Where files about the installation are.
    META_DIRECTORY: String = Text "meta_directory", "/usr/share/postfix", (1, 0), "all", true;
    /// The configuration directories of further instances.
    MULTI_INSTANCE_DIRECTORIES: String = Text "multi_instance_directories", "", (0, 0), "all", true;
    /// Whether this instance is started by the manager of instances.
    MULTI_INSTANCE_ENABLE: bool = Bool "multi_instance_enable", "no", (0, 0), "all", true;
    /// The group of this instance.
    MULTI_INSTANCE_GROUP: String = Text "multi_instance_group", "", (0, 0), "all", true;
    /// The name of this instance.
    MULTI_INSTANCE_NAME: String = Text "multi_instance_name", "", (0, 0), "all", true;
    /// The command that manages instances.
    MULTI_INSTANCE_WRAPPER: String = Text "multi_instance_wrapper", "", (0, 0), "all", true;
    /// The domain of this machine.
    MYDOMAIN: String = Text "mydomain", "", (1, 0), "all", true;
    /// The name of this machine.
    MYHOSTNAME: String = Text "myhostname", "", (1, 0), "all", true;
    /// Clients that are trusted.
    MYNETWORKS: String = Text "mynetworks", "", (0, 0), "all", true;
    /// How mynetworks is made when it is not set: host, subnet or class.
    MYNETWORKS_STYLE: String = Text "mynetworks_style", "${{$compatibility_level} <level {2} ? {subnet} : {host}}", (1, 0), "all", true;
    /// What hash and btree tables become without Berkeley DB, by table.
    NON_BDB_CUSTOM_MAPPING: String = Text "non_bdb_custom_mapping", "", (0, 0), "all", true;
    /// Below which directories root's tables may be converted from Berkeley DB.
    NON_BDB_MIGRATION_ALLOW_ROOT_PREFIXES: String = Text "non_bdb_migration_allow_root_prefixes", "/etc /usr/local/etc", (0, 0), "nbdb_reindexd", true;
    /// Below which directories users' tables may be converted from Berkeley DB.
    NON_BDB_MIGRATION_ALLOW_USER_PREFIXES: String = Text "non_bdb_migration_allow_user_prefixes", "$data_directory /var/lib/mailman /var/lib/mailman3", (0, 0), "nbdb_reindexd", true;
    /// How much is done to leave Berkeley DB behind.
    NON_BDB_MIGRATION_LEVEL: String = Text "non_bdb_migration_level", "disable", (1, 0), "all", true;
    /// Whether the replacement of Berkeley DB tables is logged.
    NON_BDB_MIGRATION_LOG_REDIRECT: bool = BoolExpr "non_bdb_migration_log_redirect", "yes", (0, 0), "all", true;
    /// The service that converts tables from Berkeley DB.
    NON_BDB_MIGRATION_SERVICE_NAME: String = Text "non_bdb_migration_service_name", "nbdb_reindex", (0, 0), "all", true;
    /// What happens when text instead of an empty line follows the headers.
    NON_EMPTY_END_OF_HEADER_ACTION: String = Text "non_empty_end_of_header_action", "fix_quietly", (1, 0), "cleanup", true;
    /// Which lists of domains match subdomains without a dot in front.
    PARENT_DOMAIN_MATCHES_SUBDOMAINS: String = Text "parent_domain_matches_subdomains", "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps", (0, 0), "all", true;
    /// The service that takes in mail of local users.
    PICKUP_SERVICE_NAME: String = Text "pickup_service_name", "pickup", (1, 0), "all", true;
    /// As default_delivery_status_filter, for the pipe agent.
    PIPE_DELIVERY_STATUS_FILTER: String = Text "pipe_delivery_status_filter", "$default_delivery_status_filter", (0, 0), "pipe", true;
    /// The service that writes maillog_file.
    POSTLOG_SERVICE_NAME: String = Text "postlog_service_name", "postlog", (1, 0), "all", true;
    /// How long writing to the log may take.
    POSTLOGD_WATCHDOG_TIMEOUT: Duration = Time "postlogd_watchdog_timeout", "10s", (10, 0), "postlogd", true;
    /// Commands of the instance manager that run in each instance.
    POSTMULTI_CONTROL_COMMANDS: String = Text "postmulti_control_commands", "reload flush", (0, 0), "postmulti", false;
    /// Commands of the instance manager that run in enabled instances, in order.
    POSTMULTI_START_COMMANDS: String = Text "postmulti_start_commands", "start", (0, 0), "postmulti", false;
    /// Commands of the instance manager that run in reverse order.
    POSTMULTI_STOP_COMMANDS: String = Text "postmulti_stop_commands", "stop abort drain quick-stop", (0, 0), "postmulti", false;
    /// The id of the process.
    PROCESS_ID: i64 = Int "process_id", "", (0, 0), "all", true;
    /// Where master keeps its lock file, below the queue directory.
    PROCESS_ID_DIRECTORY: String = Text "process_id_directory", "pid", (1, 0), "all", true;
    /// The name of the program.
    PROCESS_NAME: String = Text "process_name", "", (0, 0), "all", true;
    /// The service that reads tables for others.
    PROXYMAP_SERVICE_NAME: String = Text "proxymap_service_name", "proxymap", (1, 0), "all", true;
    /// The service that changes tables for others.
    PROXYWRITE_SERVICE_NAME: String = Text "proxywrite_service_name", "proxywrite", (1, 0), "all", true;
    /// Where the documentation is as plain text.
    README_DIRECTORY: String = Text "readme_directory", "/usr/share/doc/postfix", (1, 0), "postfix", true;
    /// Which steps of taking in mail are skipped.
    RECEIVE_OVERRIDE_OPTIONS: String = Text "receive_override_options", "", (0, 0), "pickup qmqpd smtpd", true;
    /// Whether the log speaks of allowlists and denylists.
    RESPECTFUL_LOGGING: bool = BoolExpr "respectful_logging", "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", (0, 0), "all", true;
    /// Where sample configurations are.
    SAMPLE_DIRECTORY: String = Text "sample_directory", "/etc/postfix", (1, 0), "postfix", true;
    /// Whether the SASL client sends an authorisation id.
    SEND_CYRUS_SASL_AUTHZID: bool = Bool "send_cyrus_sasl_authzid", "no", (0, 0), "all", true;
    /// When sendmail takes CRLF for the end of a line.
    SENDMAIL_FIX_LINE_ENDINGS: String = Text "sendmail_fix_line_endings", "always", (1, 0), "sendmail", true;
    /// Where sendmail is.
    SENDMAIL_PATH: String = Text "sendmail_path", "/usr/sbin/sendmail", (1, 0), "postfix", true;
    /// The name of the service in master.cf.
    SERVICE_NAME: String = Text "service_name", "", (0, 0), "all", true;
    /// How long master waits after a service failed.
    SERVICE_THROTTLE_TIME: Duration = Time "service_throttle_time", "60s", (1, 0), "master", true;
    /// The group of postdrop and postqueue.
    SETGID_GROUP: String = Text "setgid_group", "postdrop", (1, 0), "all", true;
    /// Where plug-ins are.
    SHLIB_DIRECTORY: String = Text "shlib_directory", "/usr/lib/postfix", (1, 0), "all", true;
    /// The service that lists the queue.
    SHOWQ_SERVICE_NAME: String = Text "showq_service_name", "showq", (1, 0), "all", true;
    /// The longest reply of a socketmap server, in bytes.
    SOCKETMAP_MAX_REPLY_SIZE: i64 = Int "socketmap_max_reply_size", "100000", (1, 0), "all", true;
    /// Set by master while all processes of a service are busy.
    STRESS: String = Text "stress", "", (0, 0), "smtpd", true;
    /// The syslog facility of the log.
    SYSLOG_FACILITY: String = Text "syslog_facility", "mail", (1, 0), "all", true;
    /// What stands before the program's name in the log.
    SYSLOG_NAME: String = Text "syslog_name", "${multi_instance_name?{$multi_instance_name}:{postfix}}", (1, 0), "all", true;
    /// A limit for the TCP window, in bytes; 0 for none.
    TCP_WINDOWSIZE: i64 = Int "tcp_windowsize", "0", (0, 0), "all", true;
    /// How long waking up a service may take.
    TRIGGER_TIMEOUT: Duration = Time "trigger_timeout", "10s", (1, 0), "all", true;
    /// Services whose servers are found by SRV records.
    USE_SRV_LOOKUP: String = Text "use_srv_lookup", "", (0, 0), "smtp", true;
    /// As default_delivery_status_filter, for the virtual agent.
    VIRTUAL_DELIVERY_STATUS_FILTER: String = Text "virtual_delivery_status_filter", "$default_delivery_status_filter", (0, 0), "virtual", true;
    /// How mail for virtual_mailbox_domains is delivered.
    VIRTUAL_TRANSPORT: String = Text "virtual_transport", "virtual", (1, 0), "trivial-rewrite", true;
}
