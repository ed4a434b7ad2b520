//! The queue, its manager, notifications about undeliverable mail.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Who gets non-delivery reports that could not be delivered to their sender.
    TWOBOUNCE_NOTICE_RECIPIENT: String = Text "2bounce_notice_recipient", "postmaster", (1, 0), "bounce", true;
    /// Whether bounce logs also have the line that very old programs read.
    BACKWARDS_BOUNCE_LOGFILE_COMPATIBILITY: bool = Bool "backwards_bounce_logfile_compatibility", "yes", (0, 0), "all", true;
    /// Who gets the postmaster's copies of non-delivery reports.
    BOUNCE_NOTICE_RECIPIENT: String = Text "bounce_notice_recipient", "postmaster", (1, 0), "bounce smtpd", true;
    /// How long a non-delivery report is tried; 0 for once.
    BOUNCE_QUEUE_LIFETIME: Duration = Time "bounce_queue_lifetime", "5d", (0, 8_640_000), "qmgr", true;
    /// The service that logs and reports recipients that cannot be reached.
    BOUNCE_SERVICE_NAME: String = Text "bounce_service_name", "bounce", (1, 0), "all", true;
    /// The greatest message that a report returns whole, in bytes.
    BOUNCE_SIZE_LIMIT: i64 = Int "bounce_size_limit", "50000", (1, 0), "bounce", true;
    /// A file with templates for reports.
    BOUNCE_TEMPLATE_FILE: String = Text "bounce_template_file", "", (0, 0), "bounce", true;
    /// Whether a sender who was warned of a delay is told when mail is delivered.
    CONFIRM_DELAY_CLEARED: bool = Bool "confirm_delay_cleared", "no", (0, 0), "qmgr", true;
    /// The table type of caches with one writer.
    DEFAULT_CACHE_DB_TYPE: String = Text "default_cache_db_type", "sled", (1, 0), "all", true;
    /// The table type of postmap, postalias and newaliases.
    DEFAULT_DATABASE_TYPE: String = Text "default_database_type", "lmdb", (1, 0), "all", true;
    /// How many recipients must be delivered before another message may overtake.
    DEFAULT_DELIVERY_SLOT_COST: i64 = Int "default_delivery_slot_cost", "5", (0, 0), "qmgr", true;
    /// By how much percent overtaking is made easier.
    DEFAULT_DELIVERY_SLOT_DISCOUNT: i64 = Int "default_delivery_slot_discount", "50", (0, 100), "qmgr", true;
    /// How many slots a message may borrow to overtake.
    DEFAULT_DELIVERY_SLOT_LOAN: i64 = Int "default_delivery_slot_loan", "3", (0, 0), "qmgr", true;
    /// Tables that change what a delivery agent reports.
    DEFAULT_DELIVERY_STATUS_FILTER: String = Text "default_delivery_status_filter", "", (0, 0), "all", true;
    /// How many failed rounds make a destination dead.
    DEFAULT_DESTINATION_CONCURRENCY_FAILED_COHORT_LIMIT: i64 = Int "default_destination_concurrency_failed_cohort_limit", "1", (0, 0), "qmgr", true;
    /// The most deliveries at a time to one destination.
    DEFAULT_DESTINATION_CONCURRENCY_LIMIT: i64 = Int "default_destination_concurrency_limit", "20", (0, 0), "qmgr", true;
    /// By how much a failed delivery lowers the concurrency.
    DEFAULT_DESTINATION_CONCURRENCY_NEGATIVE_FEEDBACK: String = Text "default_destination_concurrency_negative_feedback", "1", (1, 0), "qmgr", true;
    /// By how much a good delivery raises the concurrency.
    DEFAULT_DESTINATION_CONCURRENCY_POSITIVE_FEEDBACK: String = Text "default_destination_concurrency_positive_feedback", "1", (1, 0), "qmgr", true;
    /// Pause between deliveries to one destination.
    DEFAULT_DESTINATION_RATE_DELAY: Duration = Time "default_destination_rate_delay", "0s", (0, 0), "qmgr", true;
    /// The most recipients of one delivery.
    DEFAULT_DESTINATION_RECIPIENT_LIMIT: i64 = Int "default_destination_recipient_limit", "50", (0, 0), "qmgr", true;
    /// How many recipients of overtaking messages may be in memory besides.
    DEFAULT_EXTRA_RECIPIENT_LIMIT: i64 = Int "default_extra_recipient_limit", "1000", (0, 0), "qmgr", true;
    /// The destination of content filters that name none.
    DEFAULT_FILTER_NEXTHOP: String = Text "default_filter_nexthop", "", (0, 0), "qmgr", true;
    /// How many slots a message must be able to earn before any may overtake it.
    DEFAULT_MINIMUM_DELIVERY_SLOTS: i64 = Int "default_minimum_delivery_slots", "3", (0, 0), "qmgr", true;
    /// The user for deliveries that no user owns.
    DEFAULT_PRIVS: String = Text "default_privs", "nobody", (1, 0), "all", true;
    /// The most processes of a service that names no limit.
    DEFAULT_PROCESS_LIMIT: i64 = Int "default_process_limit", "100", (1, 0), "all", true;
    /// The most recipients in memory for one transport.
    DEFAULT_RECIPIENT_LIMIT: i64 = Int "default_recipient_limit", "20000", (0, 0), "qmgr", true;
    /// How long to wait before more recipients are read.
    DEFAULT_RECIPIENT_REFILL_DELAY: Duration = Time "default_recipient_refill_delay", "5s", (1, 0), "qmgr", true;
    /// How many recipients are read at a time.
    DEFAULT_RECIPIENT_REFILL_LIMIT: i64 = Int "default_recipient_refill_limit", "100", (1, 0), "qmgr", true;
    /// How mail for other domains is delivered.
    DEFAULT_TRANSPORT: String = Text "default_transport", "smtp", (1, 0), "trivial-rewrite", true;
    /// Pause between any two deliveries of a transport.
    DEFAULT_TRANSPORT_RATE_DELAY: Duration = Time "default_transport_rate_delay", "0s", (0, 0), "qmgr", true;
    /// The two characters that join sender and recipient in VERP addresses.
    DEFAULT_VERP_DELIMITERS: String = Text "default_verp_delimiters", "+=", (2, 2), "all", true;
    /// The service that logs recipients that are tried again.
    DEFER_SERVICE_NAME: String = Text "defer_service_name", "defer", (1, 0), "all", true;
    /// Transports whose mail waits until it is asked for.
    DEFER_TRANSPORTS: String = Text "defer_transports", "", (0, 0), "qmgr", true;
    /// The most digits of delays below a second in the log.
    DELAY_LOGGING_RESOLUTION_LIMIT: i64 = Int "delay_logging_resolution_limit", "2", (0, 6), "all", true;
    /// Who gets the postmaster's copies of delay warnings.
    DELAY_NOTICE_RECIPIENT: String = Text "delay_notice_recipient", "postmaster", (1, 0), "bounce", true;
    /// After which time a sender is warned of a delay; 0 for never.
    DELAY_WARNING_TIME: Duration = Time "delay_warning_time", "0h", (0, 0), "bounce cleanup", true;
    /// Whether the steps of the concurrency control are logged.
    DESTINATION_CONCURRENCY_FEEDBACK_DEBUG: bool = Bool "destination_concurrency_feedback_debug", "no", (0, 0), "qmgr", true;
    /// Whether one report is sent for all recipients of a VERP message.
    DISABLE_VERP_BOUNCES: bool = Bool "disable_verp_bounces", "no", (0, 0), "cleanup qmgr", true;
    /// The sender, without domain, of mail whose failure is never reported.
    DOUBLE_BOUNCE_SENDER: String = Text "double_bounce_sender", "double-bounce", (1, 0), "all", true;
    /// What stands for the empty sender in sender_dependent_default_transport_maps.
    EMPTY_ADDRESS_DEFAULT_TRANSPORT_MAPS_LOOKUP_KEY: String = Text "empty_address_default_transport_maps_lookup_key", "<>", (1, 0), "trivial-rewrite", true;
    /// What stands for the empty sender in local_login_sender_maps.
    EMPTY_ADDRESS_LOCAL_LOGIN_SENDER_MAPS_LOOKUP_KEY: String = Text "empty_address_local_login_sender_maps_lookup_key", "<>", (0, 0), "postdrop", true;
    /// Who gets mail for the empty address.
    EMPTY_ADDRESS_RECIPIENT: String = Text "empty_address_recipient", "MAILER-DAEMON", (1, 0), "cleanup showq trivial-rewrite", true;
    /// What stands for the empty sender in sender_dependent_relayhost_maps.
    EMPTY_ADDRESS_RELAYHOST_MAPS_LOOKUP_KEY: String = Text "empty_address_relayhost_maps_lookup_key", "<>", (1, 0), "trivial-rewrite", true;
    /// Whether queue ids are never used again.
    ENABLE_LONG_QUEUE_IDS: bool = Bool "enable_long_queue_ids", "no", (0, 0), "all", true;
    /// Whether reports refer to the message by its Message-ID.
    ENABLE_THREADED_BOUNCES: bool = BoolExpr "enable_threaded_bounces", "no", (0, 0), "bounce", true;
    /// Who gets the postmaster's notices of trouble.
    ERROR_NOTICE_RECIPIENT: String = Text "error_notice_recipient", "postmaster", (1, 0), "smtp smtpd", true;
    /// The service that refuses mail.
    ERROR_SERVICE_NAME: String = Text "error_service_name", "error", (1, 0), "all", true;
    /// Domains whose mail can be flushed by itself.
    FAST_FLUSH_DOMAINS: String = Text "fast_flush_domains", "$relay_domains", (0, 0), "all", true;
    /// When the list of mail for a domain is thrown away.
    FAST_FLUSH_PURGE_TIME: Duration = Time "fast_flush_purge_time", "7d", (1, 0), "flush", true;
    /// When a list that was not used is tried.
    FAST_FLUSH_REFRESH_TIME: Duration = Time "fast_flush_refresh_time", "12h", (1, 0), "flush", true;
    /// The service that knows which mail waits for a domain.
    FLUSH_SERVICE_NAME: String = Text "flush_service_name", "flush", (1, 0), "all", true;
    /// How many levels of subdirectories spread a queue.
    HASH_QUEUE_DEPTH: i64 = Int "hash_queue_depth", "1", (1, 0), "all", true;
    /// Which queues are spread over subdirectories.
    HASH_QUEUE_NAMES: String = Text "hash_queue_names", "deferred, defer", (1, 0), "all", true;
    /// How From is written when it has to be made: standard or obsolete.
    HEADER_FROM_FORMAT: String = Text "header_from_format", "standard", (1, 0), "bounce cleanup smtp smtpd", true;
    /// How long new mail waits when deliveries do not keep up.
    IN_FLOW_DELAY: Duration = Time "in_flow_delay", "1s", (0, 10), "all", true;
    /// The concurrency with which a destination begins.
    INITIAL_DESTINATION_CONCURRENCY: i64 = Int "initial_destination_concurrency", "5", (1, 0), "qmgr", true;
    /// The most local deliveries at a time to one user.
    LOCAL_DESTINATION_CONCURRENCY_LIMIT: i64 = Int "local_destination_concurrency_limit", "2", (0, 0), "qmgr", true;
    /// The most recipients of one local delivery.
    LOCAL_DESTINATION_RECIPIENT_LIMIT: i64 = Int "local_destination_recipient_limit", "1", (0, 0), "qmgr", true;
    /// The longest pause between tries of a message.
    MAXIMAL_BACKOFF_TIME: Duration = Time "maximal_backoff_time", "4000s", (1, 0), "qmgr", true;
    /// How long a message is tried; 0 for once.
    MAXIMAL_QUEUE_LIFETIME: Duration = Time "maximal_queue_lifetime", "5d", (0, 8_640_000), "bounce qmgr", true;
    /// The shortest pause between tries of a message.
    MINIMAL_BACKOFF_TIME: Duration = Time "minimal_backoff_time", "300s", (1, 0), "qmgr smtp", true;
    /// Which trouble the postmaster is told of.
    NOTIFY_CLASSES: String = Text "notify_classes", "resource, software", (0, 0), "bounce smtp smtpd", true;
    /// How often a congested transport is warned of; 0 for never.
    QMGR_CLOG_WARN_TIME: Duration = Time "qmgr_clog_warn_time", "300s", (0, 0), "qmgr", true;
    /// How long the queue manager may take for an event.
    QMGR_DAEMON_TIMEOUT: Duration = Time "qmgr_daemon_timeout", "1000s", (1, 0), "qmgr", true;
    /// The percentage of the queue manager's effort for mail with many recipients.
    QMGR_FUDGE_FACTOR: i64 = Int "qmgr_fudge_factor", "100", (10, 100), "qmgr", true;
    /// How long the queue manager waits for another program.
    QMGR_IPC_TIMEOUT: Duration = Time "qmgr_ipc_timeout", "60s", (1, 0), "qmgr", true;
    /// The most messages in the active queue.
    QMGR_MESSAGE_ACTIVE_LIMIT: i64 = Int "qmgr_message_active_limit", "20000", (1, 0), "qmgr", true;
    /// The most recipients in memory.
    QMGR_MESSAGE_RECIPIENT_LIMIT: i64 = Int "qmgr_message_recipient_limit", "20000", (1, 0), "qmgr", true;
    /// How many recipients of each message are in memory at least.
    QMGR_MESSAGE_RECIPIENT_MINIMUM: i64 = Int "qmgr_message_recipient_minimum", "10", (1, 0), "qmgr", true;
    /// Where the queue is.
    QUEUE_DIRECTORY: String = Text "queue_directory", "/var/spool/postfix", (1, 0), "all", true;
    /// The most attributes of a queue file.
    QUEUE_FILE_ATTRIBUTE_COUNT_LIMIT: i64 = Int "queue_file_attribute_count_limit", "100", (1, 0), "cleanup", true;
    /// Free space that must be left to accept mail, in bytes; 0 for the default.
    QUEUE_MINFREE: i64 = Long "queue_minfree", "0", (0, 0), "smtpd", true;
    /// Pause between two scans of the deferred queue.
    QUEUE_RUN_DELAY: Duration = Time "queue_run_delay", "300s", (1, 0), "qmgr smtp", true;
    /// The queue manager.
    QUEUE_SERVICE_NAME: String = Text "queue_service_name", "qmgr", (1, 0), "all", true;
    /// Whether permanent failures are made temporary.
    SOFT_BOUNCE: bool = Bool "soft_bounce", "no", (0, 0), "all", true;
    /// The service that logs and reports deliveries.
    TRACE_SERVICE_NAME: String = Text "trace_service_name", "trace", (1, 0), "all", true;
    /// How long a broken transport is left alone.
    TRANSPORT_RETRY_TIME: Duration = Time "transport_retry_time", "60s", (1, 0), "qmgr", true;
    /// A header for mail that names no recipient.
    UNDISCLOSED_RECIPIENTS_HEADER: String = Text "undisclosed_recipients_header", "", (0, 0), "cleanup", true;
    /// Which characters VERP delimiters may be.
    VERP_DELIMITER_FILTER: String = Text "verp_delimiter_filter", "-=+", (1, 0), "all", true;
}
