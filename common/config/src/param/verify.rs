//! Address verification probes.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Pause between two searches for outdated entries in the verification cache.
    ADDRESS_VERIFY_CACHE_CLEANUP_INTERVAL: Duration = Time "address_verify_cache_cleanup_interval", "12h", (0, 0), "verify", true;
    /// What probes use instead of default_transport.
    ADDRESS_VERIFY_DEFAULT_TRANSPORT: String = Text "address_verify_default_transport", "$default_transport", (1, 0), "trivial-rewrite", true;
    /// What probes use instead of local_transport.
    ADDRESS_VERIFY_LOCAL_TRANSPORT: String = Text "address_verify_local_transport", "$local_transport", (1, 0), "trivial-rewrite", true;
    /// Where the results of address verification are kept; empty for memory only.
    ADDRESS_VERIFY_MAP: String = Text "address_verify_map", "$default_cache_db_type:$data_directory/verify_cache", (0, 0), "proxymap verify", true;
    /// Whether failed probes are remembered too.
    ADDRESS_VERIFY_NEGATIVE_CACHE: bool = Bool "address_verify_negative_cache", "yes", (0, 0), "all", true;
    /// How long a failed probe is believed when it cannot be repeated.
    ADDRESS_VERIFY_NEGATIVE_EXPIRE_TIME: Duration = Time "address_verify_negative_expire_time", "3d", (1, 0), "verify", true;
    /// How old a failed probe may be before it is repeated.
    ADDRESS_VERIFY_NEGATIVE_REFRESH_TIME: Duration = Time "address_verify_negative_refresh_time", "3h", (1, 0), "verify", true;
    /// The most probes under way before new ones are held back.
    ADDRESS_VERIFY_PENDING_REQUEST_LIMIT: i64 = Int "address_verify_pending_request_limit", "5000", (1, 0), "qmgr", true;
    /// How often the result of a probe is asked for before the client is deferred.
    ADDRESS_VERIFY_POLL_COUNT: i64 = IntExpr "address_verify_poll_count", "${stress?{1}:{3}}", (1, 0), "smtpd", true;
    /// Pause between asking for the result of a probe.
    ADDRESS_VERIFY_POLL_DELAY: Duration = Time "address_verify_poll_delay", "3s", (1, 0), "smtpd", true;
    /// How long a successful probe is believed when it cannot be repeated.
    ADDRESS_VERIFY_POSITIVE_EXPIRE_TIME: Duration = Time "address_verify_positive_expire_time", "31d", (1, 0), "verify", true;
    /// How old a successful probe may be before it is repeated.
    ADDRESS_VERIFY_POSITIVE_REFRESH_TIME: Duration = Time "address_verify_positive_refresh_time", "7d", (1, 0), "verify", true;
    /// What probes use instead of relay_transport.
    ADDRESS_VERIFY_RELAY_TRANSPORT: String = Text "address_verify_relay_transport", "$relay_transport", (1, 0), "trivial-rewrite", true;
    /// What probes use instead of relayhost.
    ADDRESS_VERIFY_RELAYHOST: String = Text "address_verify_relayhost", "$relayhost", (0, 0), "trivial-rewrite", true;
    /// The sender of probes.
    ADDRESS_VERIFY_SENDER: String = Text "address_verify_sender", "$double_bounce_sender", (0, 0), "smtpd verify", true;
    /// What probes use instead of sender_dependent_default_transport_maps.
    ADDRESS_VERIFY_SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS: String = Text "address_verify_sender_dependent_default_transport_maps", "$sender_dependent_default_transport_maps", (0, 0), "trivial-rewrite", true;
    /// What probes use instead of sender_dependent_relayhost_maps.
    ADDRESS_VERIFY_SENDER_DEPENDENT_RELAYHOST_MAPS: String = Text "address_verify_sender_dependent_relayhost_maps", "$sender_dependent_relayhost_maps", (0, 0), "trivial-rewrite", true;
    /// How long the changing part of the probe sender stays the same; 0 for no such part.
    ADDRESS_VERIFY_SENDER_TTL: Duration = Time "address_verify_sender_ttl", "0s", (0, 0), "smtpd verify", true;
    /// The service that keeps the results of probes.
    ADDRESS_VERIFY_SERVICE_NAME: String = Text "address_verify_service_name", "verify", (1, 0), "all", true;
    /// What probes use instead of transport_maps.
    ADDRESS_VERIFY_TRANSPORT_MAPS: String = Text "address_verify_transport_maps", "$transport_maps", (0, 0), "trivial-rewrite", true;
    /// What probes use instead of virtual_transport.
    ADDRESS_VERIFY_VIRTUAL_TRANSPORT: String = Text "address_verify_virtual_transport", "$virtual_transport", (1, 0), "trivial-rewrite", true;
}
