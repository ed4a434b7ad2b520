//! The parameters that every program reads, whether it uses them or not: a bad value of one stops them all.

use crate::table::{Kind, Row};
use crate::values::Value as _;
use crate::{Config, Error, table};

/// In the order in which a program complains.
const GENERAL: [&str; 124] = [
    "syslog_facility",
    "inet_protocols",
    "multi_instance_directories",
    "multi_instance_group",
    "multi_instance_name",
    "maillog_file",
    "maillog_file_prefixes",
    "maillog_file_compressor",
    "maillog_file_rotate_suffix",
    "maillog_file_permissions",
    "postlog_service_name",
    "dnssec_probe",
    "known_tcp_ports",
    "daemon_table_open_error_is_fatal",
    "dns_ncache_ttl_fix_enable",
    "smtputf8_enable",
    "enable_idna2003_compatibility",
    "respectful_logging",
    "requiretls_enable",
    "tls_required_enable",
    "non_bdb_migration_log_redirect",
    "myhostname",
    "mydomain",
    "mail_name",
    "syslog_name",
    "mail_owner",
    "setgid_group",
    "mydestination",
    "myorigin",
    "relayhost",
    "daemon_directory",
    "data_directory",
    "command_directory",
    "meta_directory",
    "queue_directory",
    "shlib_directory",
    "process_id_directory",
    "inet_interfaces",
    "proxy_interfaces",
    "double_bounce_sender",
    "default_privs",
    "default_database_type",
    "default_cache_db_type",
    "alias_database",
    "hash_queue_names",
    "recipient_delimiter",
    "relay_domains",
    "fast_flush_domains",
    "export_environment",
    "import_environment",
    "mynetworks_style",
    "debug_peer_list",
    "default_verp_delimiters",
    "verp_delimiter_filter",
    "parent_domain_matches_subdomains",
    "alternate_config_directories",
    "bounce_service_name",
    "cleanup_service_name",
    "defer_service_name",
    "pickup_service_name",
    "queue_service_name",
    "rewrite_service_name",
    "showq_service_name",
    "error_service_name",
    "flush_service_name",
    "address_verify_service_name",
    "trace_service_name",
    "proxymap_service_name",
    "proxywrite_service_name",
    "internal_mail_filter_classes",
    "multi_instance_wrapper",
    "default_delivery_status_filter",
    "smtputf8_autodetect_classes",
    "message_drop_headers",
    "info_log_address_format",
    "non_bdb_migration_level",
    "non_bdb_custom_mapping",
    "mynetworks",
    "default_process_limit",
    "max_use",
    "dont_remove",
    "line_length_limit",
    "hash_queue_depth",
    "fork_attempts",
    "deliver_lock_attempts",
    "debug_peer_level",
    "fault_injection_code",
    "header_size_limit",
    "header_address_token_limit",
    "mime_nesting_limit",
    "mime_boundary_length_limit",
    "delay_logging_resolution_limit",
    "tcp_windowsize",
    "socketmap_max_reply_size",
    "message_size_limit",
    "lmdb_map_size",
    "application_event_drain_time",
    "max_idle",
    "ipc_timeout",
    "ipc_idle",
    "ipc_ttl",
    "trigger_timeout",
    "fork_delay",
    "deliver_lock_delay",
    "stale_lock_time",
    "daemon_timeout",
    "in_flow_delay",
    "disable_dns_lookups",
    "soft_bounce",
    "owner_request_special",
    "strict_8bitmime",
    "strict_7bit_headers",
    "strict_8bitmime_body",
    "strict_mime_encoding_domain",
    "disable_mime_input_processing",
    "disable_mime_output_conversion",
    "address_verify_negative_cache",
    "backwards_bounce_logfile_compatibility",
    "helpful_warnings",
    "send_cyrus_sasl_authzid",
    "multi_instance_enable",
    "enable_long_queue_ids",
    "strict_smtputf8",
    "enable_original_recipient",
];

impl Config {
    /// Reads the parameters that every program reads.
    ///
    /// # Errors
    /// One of them cannot be expanded, is not of its type, out of range or none of those there are.
    pub(crate) fn general(&self) -> Result<(), Error> {
        GENERAL
            .into_iter()
            .filter_map(table::find)
            .try_for_each(|row| self.validate(row))?;
        self.migration_level().map(drop)
    }

    fn validate(&self, row: &'static Row) -> Result<(), Error> {
        let text = self.text(row)?;
        match row.kind {
            Kind::Text | Kind::Raw => String::read(row, &text).map(drop),
            Kind::Bool | Kind::BoolExpr => bool::read(row, &text).map(drop),
            Kind::Int | Kind::IntExpr | Kind::Long => i64::read(row, &text).map(drop),
            Kind::Time => std::time::Duration::read(row, &text).map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_in_the_table() {
        for name in GENERAL {
            assert!(table::find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_bad_value_stops_every_program() {
        let complaint = |name, value| {
            Config::for_tests(&[("myhostname", "h.example"), (name, value)])
                .check()
                .unwrap_err()
                .0
        };
        assert_eq!(
            complaint("message_size_limit", "many"),
            "bad numerical configuration: message_size_limit = many"
        );
        assert_eq!(
            complaint("relay_domains", "$relay_domains"),
            "dictionary mail_dict: macro processing error"
        );
        assert_eq!(
            complaint("soft_bounce", "maybe"),
            "bad boolean configuration: soft_bounce = maybe"
        );
        assert_eq!(
            complaint("non_bdb_migration_level", "maybe"),
            "invalid non-Berkeley-DB migration level: 'maybe'"
        );
    }
}
