//! The queue, its manager, notifications about undeliverable mail.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// 2bounce notice recipient.
    TWOBOUNCE_NOTICE_RECIPIENT: String = Text "2bounce_notice_recipient", "postmaster", (1, 0), "bounce", true;
    /// Backwards bounce logfile compatibility.
    BACKWARDS_BOUNCE_LOGFILE_COMPATIBILITY: bool = Bool "backwards_bounce_logfile_compatibility", "yes", (0, 0), "all", true;
    /// Bounce notice recipient.
    BOUNCE_NOTICE_RECIPIENT: String = Text "bounce_notice_recipient", "postmaster", (1, 0), "bounce smtpd", true;
    /// Bounce queue lifetime.
    BOUNCE_QUEUE_LIFETIME: Duration = Time "bounce_queue_lifetime", "5d", (0, 8_640_000), "qmgr", true;
    /// Bounce service name.
    BOUNCE_SERVICE_NAME: String = Text "bounce_service_name", "bounce", (1, 0), "all", true;
    /// Bounce size limit.
    BOUNCE_SIZE_LIMIT: i64 = Int "bounce_size_limit", "50000", (1, 0), "bounce", true;
    /// Bounce template file.
    BOUNCE_TEMPLATE_FILE: String = Text "bounce_template_file", "", (0, 0), "bounce", true;
    /// Confirm delay cleared.
    CONFIRM_DELAY_CLEARED: bool = Bool "confirm_delay_cleared", "no", (0, 0), "qmgr", true;
    /// Default cache db type.
    DEFAULT_CACHE_DB_TYPE: String = Text "default_cache_db_type", "sled", (1, 0), "all", true;
    /// Default database type.
    DEFAULT_DATABASE_TYPE: String = Text "default_database_type", "lmdb", (1, 0), "all", true;
    /// Default delivery slot cost.
    DEFAULT_DELIVERY_SLOT_COST: i64 = Int "default_delivery_slot_cost", "5", (0, 0), "qmgr", true;
    /// Default delivery slot discount.
    DEFAULT_DELIVERY_SLOT_DISCOUNT: i64 = Int "default_delivery_slot_discount", "50", (0, 100), "qmgr", true;
    /// Default delivery slot loan.
    DEFAULT_DELIVERY_SLOT_LOAN: i64 = Int "default_delivery_slot_loan", "3", (0, 0), "qmgr", true;
    /// Default delivery status filter.
    DEFAULT_DELIVERY_STATUS_FILTER: String = Text "default_delivery_status_filter", "", (0, 0), "all", true;
    /// Default destination concurrency failed cohort limit.
    DEFAULT_DESTINATION_CONCURRENCY_FAILED_COHORT_LIMIT: i64 = Int "default_destination_concurrency_failed_cohort_limit", "1", (0, 0), "qmgr", true;
    /// Default destination concurrency limit.
    DEFAULT_DESTINATION_CONCURRENCY_LIMIT: i64 = Int "default_destination_concurrency_limit", "20", (0, 0), "qmgr", true;
    /// Default destination concurrency negative feedback.
    DEFAULT_DESTINATION_CONCURRENCY_NEGATIVE_FEEDBACK: String = Text "default_destination_concurrency_negative_feedback", "1", (1, 0), "qmgr", true;
    /// Default destination concurrency positive feedback.
    DEFAULT_DESTINATION_CONCURRENCY_POSITIVE_FEEDBACK: String = Text "default_destination_concurrency_positive_feedback", "1", (1, 0), "qmgr", true;
    /// Default destination rate delay.
    DEFAULT_DESTINATION_RATE_DELAY: Duration = Time "default_destination_rate_delay", "0s", (0, 0), "qmgr", true;
    /// Default destination recipient limit.
    DEFAULT_DESTINATION_RECIPIENT_LIMIT: i64 = Int "default_destination_recipient_limit", "50", (0, 0), "qmgr", true;
    /// Default extra recipient limit.
    DEFAULT_EXTRA_RECIPIENT_LIMIT: i64 = Int "default_extra_recipient_limit", "1000", (0, 0), "qmgr", true;
    /// Default filter nexthop.
    DEFAULT_FILTER_NEXTHOP: String = Text "default_filter_nexthop", "", (0, 0), "qmgr", true;
    /// Default minimum delivery slots.
    DEFAULT_MINIMUM_DELIVERY_SLOTS: i64 = Int "default_minimum_delivery_slots", "3", (0, 0), "qmgr", true;
    /// Default privs.
    DEFAULT_PRIVS: String = Text "default_privs", "nobody", (1, 0), "all", true;
    /// Default process limit.
    DEFAULT_PROCESS_LIMIT: i64 = Int "default_process_limit", "100", (1, 0), "all", true;
    /// Default recipient limit.
    DEFAULT_RECIPIENT_LIMIT: i64 = Int "default_recipient_limit", "20000", (0, 0), "qmgr", true;
    /// Default recipient refill delay.
    DEFAULT_RECIPIENT_REFILL_DELAY: Duration = Time "default_recipient_refill_delay", "5s", (1, 0), "qmgr", true;
    /// Default recipient refill limit.
    DEFAULT_RECIPIENT_REFILL_LIMIT: i64 = Int "default_recipient_refill_limit", "100", (1, 0), "qmgr", true;
    /// Default transport.
    DEFAULT_TRANSPORT: String = Text "default_transport", "smtp", (1, 0), "trivial-rewrite", true;
    /// Default transport rate delay.
    DEFAULT_TRANSPORT_RATE_DELAY: Duration = Time "default_transport_rate_delay", "0s", (0, 0), "qmgr", true;
    /// Default verp delimiters.
    DEFAULT_VERP_DELIMITERS: String = Text "default_verp_delimiters", "+=", (2, 2), "all", true;
    /// Defer service name.
    DEFER_SERVICE_NAME: String = Text "defer_service_name", "defer", (1, 0), "all", true;
    /// Defer transports.
    DEFER_TRANSPORTS: String = Text "defer_transports", "", (0, 0), "qmgr", true;
    /// Delay logging resolution limit.
    DELAY_LOGGING_RESOLUTION_LIMIT: i64 = Int "delay_logging_resolution_limit", "2", (0, 6), "all", true;
    /// Delay notice recipient.
    DELAY_NOTICE_RECIPIENT: String = Text "delay_notice_recipient", "postmaster", (1, 0), "bounce", true;
    /// Delay warning time.
    DELAY_WARNING_TIME: Duration = Time "delay_warning_time", "0h", (0, 0), "bounce cleanup", true;
    /// Destination concurrency feedback debug.
    DESTINATION_CONCURRENCY_FEEDBACK_DEBUG: bool = Bool "destination_concurrency_feedback_debug", "no", (0, 0), "qmgr", true;
    /// Disable verp bounces.
    DISABLE_VERP_BOUNCES: bool = Bool "disable_verp_bounces", "no", (0, 0), "cleanup qmgr", true;
    /// Double bounce sender.
    DOUBLE_BOUNCE_SENDER: String = Text "double_bounce_sender", "double-bounce", (1, 0), "all", true;
    /// Empty address default transport maps lookup key.
    EMPTY_ADDRESS_DEFAULT_TRANSPORT_MAPS_LOOKUP_KEY: String = Text "empty_address_default_transport_maps_lookup_key", "<>", (1, 0), "trivial-rewrite", true;
    /// Empty address local login sender maps lookup key.
    EMPTY_ADDRESS_LOCAL_LOGIN_SENDER_MAPS_LOOKUP_KEY: String = Text "empty_address_local_login_sender_maps_lookup_key", "<>", (0, 0), "postdrop", true;
    /// Empty address recipient.
    EMPTY_ADDRESS_RECIPIENT: String = Text "empty_address_recipient", "MAILER-DAEMON", (1, 0), "cleanup showq trivial-rewrite", true;
    /// Empty address relayhost maps lookup key.
    EMPTY_ADDRESS_RELAYHOST_MAPS_LOOKUP_KEY: String = Text "empty_address_relayhost_maps_lookup_key", "<>", (1, 0), "trivial-rewrite", true;
    /// Enable long queue ids.
    ENABLE_LONG_QUEUE_IDS: bool = Bool "enable_long_queue_ids", "no", (0, 0), "all", true;
    /// Enable threaded bounces.
    ENABLE_THREADED_BOUNCES: bool = BoolExpr "enable_threaded_bounces", "no", (0, 0), "bounce", true;
    /// Error notice recipient.
    ERROR_NOTICE_RECIPIENT: String = Text "error_notice_recipient", "postmaster", (1, 0), "smtp smtpd", true;
    /// Error service name.
    ERROR_SERVICE_NAME: String = Text "error_service_name", "error", (1, 0), "all", true;
    /// Fast flush domains.
    FAST_FLUSH_DOMAINS: String = Text "fast_flush_domains", "$relay_domains", (0, 0), "all", true;
    /// Fast flush purge time.
    FAST_FLUSH_PURGE_TIME: Duration = Time "fast_flush_purge_time", "7d", (1, 0), "flush", true;
    /// Fast flush refresh time.
    FAST_FLUSH_REFRESH_TIME: Duration = Time "fast_flush_refresh_time", "12h", (1, 0), "flush", true;
    /// Flush service name.
    FLUSH_SERVICE_NAME: String = Text "flush_service_name", "flush", (1, 0), "all", true;
    /// Hash queue depth.
    HASH_QUEUE_DEPTH: i64 = Int "hash_queue_depth", "1", (1, 0), "all", true;
    /// Hash queue names.
    HASH_QUEUE_NAMES: String = Text "hash_queue_names", "deferred, defer", (1, 0), "all", true;
    /// Header from format.
    HEADER_FROM_FORMAT: String = Text "header_from_format", "standard", (1, 0), "bounce cleanup smtp smtpd", true;
    /// In flow delay.
    IN_FLOW_DELAY: Duration = Time "in_flow_delay", "1s", (0, 10), "all", true;
    /// Initial destination concurrency.
    INITIAL_DESTINATION_CONCURRENCY: i64 = Int "initial_destination_concurrency", "5", (1, 0), "qmgr", true;
    /// Local destination concurrency limit.
    LOCAL_DESTINATION_CONCURRENCY_LIMIT: i64 = Int "local_destination_concurrency_limit", "2", (0, 0), "qmgr", true;
    /// Local destination recipient limit.
    LOCAL_DESTINATION_RECIPIENT_LIMIT: i64 = Int "local_destination_recipient_limit", "1", (0, 0), "qmgr", true;
    /// Maximal backoff time.
    MAXIMAL_BACKOFF_TIME: Duration = Time "maximal_backoff_time", "4000s", (1, 0), "qmgr", true;
    /// Maximal queue lifetime.
    MAXIMAL_QUEUE_LIFETIME: Duration = Time "maximal_queue_lifetime", "5d", (0, 8_640_000), "bounce qmgr", true;
    /// Minimal backoff time.
    MINIMAL_BACKOFF_TIME: Duration = Time "minimal_backoff_time", "300s", (1, 0), "qmgr smtp", true;
    /// Notify classes.
    NOTIFY_CLASSES: String = Text "notify_classes", "resource, software", (0, 0), "bounce smtp smtpd", true;
    /// Qmgr clog warn time.
    QMGR_CLOG_WARN_TIME: Duration = Time "qmgr_clog_warn_time", "300s", (0, 0), "qmgr", true;
    /// Qmgr daemon timeout.
    QMGR_DAEMON_TIMEOUT: Duration = Time "qmgr_daemon_timeout", "1000s", (1, 0), "qmgr", true;
    /// Qmgr fudge factor.
    QMGR_FUDGE_FACTOR: i64 = Int "qmgr_fudge_factor", "100", (10, 100), "qmgr", true;
    /// Qmgr ipc timeout.
    QMGR_IPC_TIMEOUT: Duration = Time "qmgr_ipc_timeout", "60s", (1, 0), "qmgr", true;
    /// Qmgr message active limit.
    QMGR_MESSAGE_ACTIVE_LIMIT: i64 = Int "qmgr_message_active_limit", "20000", (1, 0), "qmgr", true;
    /// Qmgr message recipient limit.
    QMGR_MESSAGE_RECIPIENT_LIMIT: i64 = Int "qmgr_message_recipient_limit", "20000", (1, 0), "qmgr", true;
    /// Qmgr message recipient minimum.
    QMGR_MESSAGE_RECIPIENT_MINIMUM: i64 = Int "qmgr_message_recipient_minimum", "10", (1, 0), "qmgr", true;
    /// Queue directory.
    QUEUE_DIRECTORY: String = Text "queue_directory", "/var/spool/postfix", (1, 0), "all", true;
    /// Queue file attribute count limit.
    QUEUE_FILE_ATTRIBUTE_COUNT_LIMIT: i64 = Int "queue_file_attribute_count_limit", "100", (1, 0), "cleanup", true;
    /// Queue minfree.
    QUEUE_MINFREE: i64 = Long "queue_minfree", "0", (0, 0), "smtpd", true;
    /// Queue run delay.
    QUEUE_RUN_DELAY: Duration = Time "queue_run_delay", "300s", (1, 0), "qmgr smtp", true;
    /// Queue service name.
    QUEUE_SERVICE_NAME: String = Text "queue_service_name", "qmgr", (1, 0), "all", true;
    /// Soft bounce.
    SOFT_BOUNCE: bool = Bool "soft_bounce", "no", (0, 0), "all", true;
    /// Trace service name.
    TRACE_SERVICE_NAME: String = Text "trace_service_name", "trace", (1, 0), "all", true;
    /// Transport retry time.
    TRANSPORT_RETRY_TIME: Duration = Time "transport_retry_time", "60s", (1, 0), "qmgr", true;
    /// Undisclosed recipients header.
    UNDISCLOSED_RECIPIENTS_HEADER: String = Text "undisclosed_recipients_header", "", (0, 0), "cleanup", true;
    /// Verp delimiter filter.
    VERP_DELIMITER_FILTER: String = Text "verp_delimiter_filter", "-=+", (1, 0), "all", true;
}
