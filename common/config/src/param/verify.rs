//! Address verification probes.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Address verify cache cleanup interval.
    ADDRESS_VERIFY_CACHE_CLEANUP_INTERVAL: Duration = Time "address_verify_cache_cleanup_interval", "12h", (0, 0), "verify", true;
    /// Address verify default transport.
    ADDRESS_VERIFY_DEFAULT_TRANSPORT: String = Text "address_verify_default_transport", "$default_transport", (1, 0), "trivial-rewrite", true;
    /// Address verify local transport.
    ADDRESS_VERIFY_LOCAL_TRANSPORT: String = Text "address_verify_local_transport", "$local_transport", (1, 0), "trivial-rewrite", true;
    /// Address verify map.
    ADDRESS_VERIFY_MAP: String = Text "address_verify_map", "$default_cache_db_type:$data_directory/verify_cache", (0, 0), "proxymap verify", true;
    /// Address verify negative cache.
    ADDRESS_VERIFY_NEGATIVE_CACHE: bool = Bool "address_verify_negative_cache", "yes", (0, 0), "all", true;
    /// Address verify negative expire time.
    ADDRESS_VERIFY_NEGATIVE_EXPIRE_TIME: Duration = Time "address_verify_negative_expire_time", "3d", (1, 0), "verify", true;
    /// Address verify negative refresh time.
    ADDRESS_VERIFY_NEGATIVE_REFRESH_TIME: Duration = Time "address_verify_negative_refresh_time", "3h", (1, 0), "verify", true;
    /// Address verify pending request limit.
    ADDRESS_VERIFY_PENDING_REQUEST_LIMIT: i64 = Int "address_verify_pending_request_limit", "5000", (1, 0), "qmgr", true;
    /// Address verify poll count.
    ADDRESS_VERIFY_POLL_COUNT: i64 = IntExpr "address_verify_poll_count", "${stress?{1}:{3}}", (1, 0), "smtpd", true;
    /// Address verify poll delay.
    ADDRESS_VERIFY_POLL_DELAY: Duration = Time "address_verify_poll_delay", "3s", (1, 0), "smtpd", true;
    /// Address verify positive expire time.
    ADDRESS_VERIFY_POSITIVE_EXPIRE_TIME: Duration = Time "address_verify_positive_expire_time", "31d", (1, 0), "verify", true;
    /// Address verify positive refresh time.
    ADDRESS_VERIFY_POSITIVE_REFRESH_TIME: Duration = Time "address_verify_positive_refresh_time", "7d", (1, 0), "verify", true;
    /// Address verify relay transport.
    ADDRESS_VERIFY_RELAY_TRANSPORT: String = Text "address_verify_relay_transport", "$relay_transport", (1, 0), "trivial-rewrite", true;
    /// Address verify relayhost.
    ADDRESS_VERIFY_RELAYHOST: String = Text "address_verify_relayhost", "$relayhost", (0, 0), "trivial-rewrite", true;
    /// Address verify sender.
    ADDRESS_VERIFY_SENDER: String = Text "address_verify_sender", "$double_bounce_sender", (0, 0), "smtpd verify", true;
    /// Address verify sender dependent default transport maps.
    ADDRESS_VERIFY_SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS: String = Text "address_verify_sender_dependent_default_transport_maps", "$sender_dependent_default_transport_maps", (0, 0), "trivial-rewrite", true;
    /// Address verify sender dependent relayhost maps.
    ADDRESS_VERIFY_SENDER_DEPENDENT_RELAYHOST_MAPS: String = Text "address_verify_sender_dependent_relayhost_maps", "$sender_dependent_relayhost_maps", (0, 0), "trivial-rewrite", true;
    /// Address verify sender ttl.
    ADDRESS_VERIFY_SENDER_TTL: Duration = Time "address_verify_sender_ttl", "0s", (0, 0), "smtpd verify", true;
    /// Address verify service name.
    ADDRESS_VERIFY_SERVICE_NAME: String = Text "address_verify_service_name", "verify", (1, 0), "all", true;
    /// Address verify transport maps.
    ADDRESS_VERIFY_TRANSPORT_MAPS: String = Text "address_verify_transport_maps", "$transport_maps", (0, 0), "trivial-rewrite", true;
    /// Address verify virtual transport.
    ADDRESS_VERIFY_VIRTUAL_TRANSPORT: String = Text "address_verify_virtual_transport", "$virtual_transport", (1, 0), "trivial-rewrite", true;
}
