//! Directories, services, accounts, networks, logging, processes.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Allow srv lookup fallback.
    ALLOW_SRV_LOOKUP_FALLBACK: bool = Bool "allow_srv_lookup_fallback", "no", (0, 0), "smtp", true;
    /// Alternate config directories.
    ALTERNATE_CONFIG_DIRECTORIES: String = Text "alternate_config_directories", "", (0, 0), "all", true;
    /// Application event drain time.
    APPLICATION_EVENT_DRAIN_TIME: Duration = Time "application_event_drain_time", "100s", (1, 0), "all", true;
    /// Authorized flush users.
    AUTHORIZED_FLUSH_USERS: String = Text "authorized_flush_users", "static:anyone", (0, 0), "postqueue", true;
    /// Authorized mailq users.
    AUTHORIZED_MAILQ_USERS: String = Text "authorized_mailq_users", "static:anyone", (0, 0), "postqueue", true;
    /// Authorized submit users.
    AUTHORIZED_SUBMIT_USERS: String = Text "authorized_submit_users", "static:anyone", (0, 0), "postdrop sendmail", true;
    /// Berkeley db create buffer size.
    BERKELEY_DB_CREATE_BUFFER_SIZE: i64 = Int "berkeley_db_create_buffer_size", "16777216", (1, 0), "all", false;
    /// Berkeley db read buffer size.
    BERKELEY_DB_READ_BUFFER_SIZE: i64 = Int "berkeley_db_read_buffer_size", "131072", (1, 0), "all", false;
    /// Compatibility level.
    COMPATIBILITY_LEVEL: String = Text "compatibility_level", "0", (0, 0), "all", true;
    /// Config directory.
    CONFIG_DIRECTORY: String = Text "config_directory", "", (1, 0), "all", true;
    /// Connection cache protocol timeout.
    CONNECTION_CACHE_PROTOCOL_TIMEOUT: Duration = Time "connection_cache_protocol_timeout", "5s", (1, 0), "smtp", true;
    /// Connection cache service name.
    CONNECTION_CACHE_SERVICE_NAME: String = Text "connection_cache_service_name", "scache", (1, 0), "smtp", true;
    /// Connection cache status update time.
    CONNECTION_CACHE_STATUS_UPDATE_TIME: Duration = Time "connection_cache_status_update_time", "600s", (1, 0), "scache", true;
    /// Connection cache ttl limit.
    CONNECTION_CACHE_TTL_LIMIT: Duration = Time "connection_cache_ttl_limit", "2s", (1, 0), "scache", true;
    /// Daemon directory.
    DAEMON_DIRECTORY: String = Text "daemon_directory", "/usr/lib/postfix/sbin", (1, 0), "all", true;
    /// Daemon table open error is fatal.
    DAEMON_TABLE_OPEN_ERROR_IS_FATAL: bool = Bool "daemon_table_open_error_is_fatal", "no", (0, 0), "all", true;
    /// Daemon timeout.
    DAEMON_TIMEOUT: Duration = Time "daemon_timeout", "18000s", (1, 0), "all", true;
    /// Data directory.
    DATA_DIRECTORY: String = Text "data_directory", "/var/lib/postfix", (1, 0), "all", true;
    /// Debug peer level.
    DEBUG_PEER_LEVEL: i64 = Int "debug_peer_level", "2", (1, 0), "all", true;
    /// Debug peer list.
    DEBUG_PEER_LIST: String = Text "debug_peer_list", "", (0, 0), "all", true;
    /// Debugger command.
    DEBUGGER_COMMAND: String = Text "debugger_command", "", (0, 0), "all", true;
    /// Disable dns lookups.
    DISABLE_DNS_LOOKUPS: bool = Bool "disable_dns_lookups", "no", (0, 0), "all", true;
    /// Dns ncache ttl fix enable.
    DNS_NCACHE_TTL_FIX_ENABLE: bool = Bool "dns_ncache_ttl_fix_enable", "no", (0, 0), "all", true;
    /// Dnssec probe.
    DNSSEC_PROBE: String = Text "dnssec_probe", "ns:.", (0, 0), "all", false;
    /// Dont remove.
    DONT_REMOVE: i64 = Int "dont_remove", "0", (0, 0), "all", true;
    /// Export environment.
    EXPORT_ENVIRONMENT: String = Text "export_environment", "TZ MAIL_CONFIG LANG", (0, 0), "all", true;
    /// Fault injection code.
    FAULT_INJECTION_CODE: i64 = Int "fault_injection_code", "0", (0, 0), "all", true;
    /// Fork attempts.
    FORK_ATTEMPTS: i64 = Int "fork_attempts", "5", (1, 0), "all", true;
    /// Fork delay.
    FORK_DELAY: Duration = Time "fork_delay", "1s", (1, 0), "all", true;
    /// Html directory.
    HTML_DIRECTORY: String = Text "html_directory", "/usr/share/doc/postfix/html", (1, 0), "postfix", true;
    /// Ignore srv lookup error.
    IGNORE_SRV_LOOKUP_ERROR: bool = Bool "ignore_srv_lookup_error", "no", (0, 0), "smtp", true;
    /// Import environment.
    IMPORT_ENVIRONMENT: String = Text "import_environment", "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME XDG_RUNTIME_DIR", (0, 0), "all", true;
    /// Inet interfaces.
    INET_INTERFACES: String = Text "inet_interfaces", "all", (0, 0), "all", true;
    /// Inet protocols.
    INET_PROTOCOLS: String = Text "inet_protocols", "all", (0, 0), "all", true;
    /// Info log address format.
    INFO_LOG_ADDRESS_FORMAT: String = Text "info_log_address_format", "external", (1, 0), "all", true;
    /// Ipc idle.
    IPC_IDLE: Duration = Time "ipc_idle", "5s", (1, 0), "all", true;
    /// Ipc timeout.
    IPC_TIMEOUT: Duration = Time "ipc_timeout", "3600s", (1, 0), "all", true;
    /// Ipc ttl.
    IPC_TTL: Duration = Time "ipc_ttl", "1000s", (1, 0), "all", true;
    /// Known tcp ports.
    KNOWN_TCP_PORTS: String = Text "known_tcp_ports", "lmtp=24, smtp=25, smtps=submissions=465, submission=587", (0, 0), "all", true;
    /// Lmdb map size.
    LMDB_MAP_SIZE: i64 = Long "lmdb_map_size", "16777216", (1, 0), "all", true;
    /// Mail name.
    MAIL_NAME: String = Text "mail_name", "Postfix", (1, 0), "all", true;
    /// Mail owner.
    MAIL_OWNER: String = Text "mail_owner", "postfix", (1, 0), "all", true;
    /// Mail release date.
    MAIL_RELEASE_DATE: String = Text "mail_release_date", "20260907", (1, 0), "all", true;
    /// Mail version.
    MAIL_VERSION: String = Text "mail_version", "3.11.7-rs.0.1.0", (1, 0), "all", true;
    /// Maillog file.
    MAILLOG_FILE: String = Text "maillog_file", "", (0, 0), "all", true;
    /// Maillog file compressor.
    MAILLOG_FILE_COMPRESSOR: String = Text "maillog_file_compressor", "gzip", (1, 0), "all", true;
    /// Maillog file permissions.
    MAILLOG_FILE_PERMISSIONS: String = Text "maillog_file_permissions", "0600", (1, 0), "all", true;
    /// Maillog file prefixes.
    MAILLOG_FILE_PREFIXES: String = Text "maillog_file_prefixes", "/var, /dev/stdout", (1, 0), "all", true;
    /// Maillog file rotate suffix.
    MAILLOG_FILE_ROTATE_SUFFIX: String = Text "maillog_file_rotate_suffix", "%Y%m%d-%H%M%S", (1, 0), "all", true;
    /// Mailq path.
    MAILQ_PATH: String = Text "mailq_path", "/usr/bin/mailq", (1, 0), "postfix", true;
    /// Manpage directory.
    MANPAGE_DIRECTORY: String = Text "manpage_directory", "/usr/share/man", (1, 0), "postfix", true;
    /// Master service disable.
    MASTER_SERVICE_DISABLE: String = Text "master_service_disable", "", (0, 0), "master", true;
    /// Max idle.
    MAX_IDLE: Duration = Time "max_idle", "100s", (1, 0), "all", true;
    /// Max use.
    MAX_USE: i64 = Int "max_use", "100", (1, 0), "all", true;
    /// Meta directory.
    META_DIRECTORY: String = Text "meta_directory", "/usr/share/postfix", (1, 0), "all", true;
    /// Multi instance directories.
    MULTI_INSTANCE_DIRECTORIES: String = Text "multi_instance_directories", "", (0, 0), "all", true;
    /// Multi instance enable.
    MULTI_INSTANCE_ENABLE: bool = Bool "multi_instance_enable", "no", (0, 0), "all", true;
    /// Multi instance group.
    MULTI_INSTANCE_GROUP: String = Text "multi_instance_group", "", (0, 0), "all", true;
    /// Multi instance name.
    MULTI_INSTANCE_NAME: String = Text "multi_instance_name", "", (0, 0), "all", true;
    /// Multi instance wrapper.
    MULTI_INSTANCE_WRAPPER: String = Text "multi_instance_wrapper", "", (0, 0), "all", true;
    /// Mydomain.
    MYDOMAIN: String = Text "mydomain", "", (1, 0), "all", true;
    /// Myhostname.
    MYHOSTNAME: String = Text "myhostname", "", (1, 0), "all", true;
    /// Mynetworks.
    MYNETWORKS: String = Text "mynetworks", "", (0, 0), "all", true;
    /// Mynetworks style.
    MYNETWORKS_STYLE: String = Text "mynetworks_style", "${{$compatibility_level} <level {2} ? {subnet} : {host}}", (1, 0), "all", true;
    /// Non bdb custom mapping.
    NON_BDB_CUSTOM_MAPPING: String = Text "non_bdb_custom_mapping", "", (0, 0), "all", false;
    /// Non bdb migration allow root prefixes.
    NON_BDB_MIGRATION_ALLOW_ROOT_PREFIXES: String = Text "non_bdb_migration_allow_root_prefixes", "/etc /usr/local/etc", (0, 0), "nbdb_reindexd", false;
    /// Non bdb migration allow user prefixes.
    NON_BDB_MIGRATION_ALLOW_USER_PREFIXES: String = Text "non_bdb_migration_allow_user_prefixes", "$data_directory /var/lib/mailman /var/lib/mailman3", (0, 0), "nbdb_reindexd", false;
    /// Non bdb migration level.
    NON_BDB_MIGRATION_LEVEL: String = Text "non_bdb_migration_level", "disable", (1, 0), "all", false;
    /// Non bdb migration log redirect.
    NON_BDB_MIGRATION_LOG_REDIRECT: bool = BoolExpr "non_bdb_migration_log_redirect", "yes", (0, 0), "all", false;
    /// Non bdb migration service name.
    NON_BDB_MIGRATION_SERVICE_NAME: String = Text "non_bdb_migration_service_name", "nbdb_reindex", (0, 0), "all", false;
    /// Non empty end of header action.
    NON_EMPTY_END_OF_HEADER_ACTION: String = Text "non_empty_end_of_header_action", "fix_quietly", (1, 0), "cleanup", true;
    /// Parent domain matches subdomains.
    PARENT_DOMAIN_MATCHES_SUBDOMAINS: String = Text "parent_domain_matches_subdomains", "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps", (0, 0), "all", true;
    /// Pickup service name.
    PICKUP_SERVICE_NAME: String = Text "pickup_service_name", "pickup", (1, 0), "all", true;
    /// Pipe delivery status filter.
    PIPE_DELIVERY_STATUS_FILTER: String = Text "pipe_delivery_status_filter", "$default_delivery_status_filter", (0, 0), "pipe", true;
    /// Postlog service name.
    POSTLOG_SERVICE_NAME: String = Text "postlog_service_name", "postlog", (1, 0), "all", true;
    /// Postlogd watchdog timeout.
    POSTLOGD_WATCHDOG_TIMEOUT: Duration = Time "postlogd_watchdog_timeout", "10s", (10, 0), "postlogd", true;
    /// Postmulti control commands.
    POSTMULTI_CONTROL_COMMANDS: String = Text "postmulti_control_commands", "reload flush", (0, 0), "postmulti", false;
    /// Postmulti start commands.
    POSTMULTI_START_COMMANDS: String = Text "postmulti_start_commands", "start", (0, 0), "postmulti", false;
    /// Postmulti stop commands.
    POSTMULTI_STOP_COMMANDS: String = Text "postmulti_stop_commands", "stop abort drain quick-stop", (0, 0), "postmulti", false;
    /// Process id.
    PROCESS_ID: i64 = Int "process_id", "", (0, 0), "all", true;
    /// Process id directory.
    PROCESS_ID_DIRECTORY: String = Text "process_id_directory", "pid", (1, 0), "all", true;
    /// Process name.
    PROCESS_NAME: String = Text "process_name", "", (0, 0), "all", true;
    /// Proxymap service name.
    PROXYMAP_SERVICE_NAME: String = Text "proxymap_service_name", "proxymap", (1, 0), "all", true;
    /// Proxywrite service name.
    PROXYWRITE_SERVICE_NAME: String = Text "proxywrite_service_name", "proxywrite", (1, 0), "all", true;
    /// Readme directory.
    README_DIRECTORY: String = Text "readme_directory", "/usr/share/doc/postfix", (1, 0), "postfix", true;
    /// Receive override options.
    RECEIVE_OVERRIDE_OPTIONS: String = Text "receive_override_options", "", (0, 0), "pickup qmqpd smtpd", true;
    /// Respectful logging.
    RESPECTFUL_LOGGING: bool = BoolExpr "respectful_logging", "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", (0, 0), "all", true;
    /// Sample directory.
    SAMPLE_DIRECTORY: String = Text "sample_directory", "/etc/postfix", (1, 0), "postfix", true;
    /// Send cyrus sasl authzid.
    SEND_CYRUS_SASL_AUTHZID: bool = Bool "send_cyrus_sasl_authzid", "no", (0, 0), "all", true;
    /// Sendmail fix line endings.
    SENDMAIL_FIX_LINE_ENDINGS: String = Text "sendmail_fix_line_endings", "always", (1, 0), "sendmail", true;
    /// Sendmail path.
    SENDMAIL_PATH: String = Text "sendmail_path", "/usr/sbin/sendmail", (1, 0), "postfix", true;
    /// Service name.
    SERVICE_NAME: String = Text "service_name", "", (0, 0), "all", true;
    /// Service throttle time.
    SERVICE_THROTTLE_TIME: Duration = Time "service_throttle_time", "60s", (1, 0), "master", true;
    /// Setgid group.
    SETGID_GROUP: String = Text "setgid_group", "postdrop", (1, 0), "all", true;
    /// Shlib directory.
    SHLIB_DIRECTORY: String = Text "shlib_directory", "/usr/lib/postfix", (1, 0), "all", true;
    /// Showq service name.
    SHOWQ_SERVICE_NAME: String = Text "showq_service_name", "showq", (1, 0), "all", true;
    /// Socketmap max reply size.
    SOCKETMAP_MAX_REPLY_SIZE: i64 = Int "socketmap_max_reply_size", "100000", (1, 0), "all", true;
    /// Stress.
    STRESS: String = Text "stress", "", (0, 0), "smtpd", true;
    /// Syslog facility.
    SYSLOG_FACILITY: String = Text "syslog_facility", "mail", (1, 0), "all", true;
    /// Syslog name.
    SYSLOG_NAME: String = Text "syslog_name", "${multi_instance_name?{$multi_instance_name}:{postfix}}", (1, 0), "all", true;
    /// Tcp windowsize.
    TCP_WINDOWSIZE: i64 = Int "tcp_windowsize", "0", (0, 0), "all", true;
    /// Trigger timeout.
    TRIGGER_TIMEOUT: Duration = Time "trigger_timeout", "10s", (1, 0), "all", true;
    /// Use srv lookup.
    USE_SRV_LOOKUP: String = Text "use_srv_lookup", "", (0, 0), "smtp", true;
    /// Virtual delivery status filter.
    VIRTUAL_DELIVERY_STATUS_FILTER: String = Text "virtual_delivery_status_filter", "$default_delivery_status_filter", (0, 0), "virtual", true;
    /// Virtual transport.
    VIRTUAL_TRANSPORT: String = Text "virtual_transport", "virtual", (1, 0), "trivial-rewrite", true;
}
