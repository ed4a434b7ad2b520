//! Parameters whose name begins with the name of a transport (`smtp_destination_concurrency_limit`): they exist for
//! each transport of `master.cf`, and fall back to a general parameter.

/// Ending of the name, and the general parameter that is the default.
pub const SUFFIXES: &[(&str, &str)] = &[
    ("_recipient_limit", "default_recipient_limit"),
    (
        "_initial_destination_concurrency",
        "initial_destination_concurrency",
    ),
    (
        "_destination_concurrency_limit",
        "default_destination_concurrency_limit",
    ),
    (
        "_destination_recipient_limit",
        "default_destination_recipient_limit",
    ),
    ("_delivery_slot_cost", "default_delivery_slot_cost"),
    ("_delivery_slot_loan", "default_delivery_slot_loan"),
    ("_delivery_slot_discount", "default_delivery_slot_discount"),
    ("_minimum_delivery_slots", "default_minimum_delivery_slots"),
    ("_extra_recipient_limit", "default_extra_recipient_limit"),
    ("_recipient_refill_limit", "default_recipient_refill_limit"),
    ("_recipient_refill_delay", "default_recipient_refill_delay"),
    (
        "_destination_concurrency_positive_feedback",
        "default_destination_concurrency_positive_feedback",
    ),
    (
        "_destination_concurrency_negative_feedback",
        "default_destination_concurrency_negative_feedback",
    ),
    (
        "_destination_concurrency_failed_cohort_limit",
        "default_destination_concurrency_failed_cohort_limit",
    ),
    ("_destination_rate_delay", "default_destination_rate_delay"),
    ("_transport_rate_delay", "default_transport_rate_delay"),
];

/// Further parameters of a service that runs a command: ending, and the general parameter.
pub const COMMAND_SUFFIXES: &[(&str, &str)] = &[("_time_limit", "command_time_limit")];

/// The general parameter behind the name of a transport's own, the longest ending first.
pub fn fallback(name: &str) -> Option<&'static str> {
    SUFFIXES
        .iter()
        .chain(COMMAND_SUFFIXES)
        .filter(|(suffix, general)| {
            name != *general && name.len() > suffix.len() && name.ends_with(suffix)
        })
        .max_by_key(|(suffix, _)| suffix.len())
        .map(|(_, general)| *general)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_ending_counts() {
        assert_eq!(
            fallback("smtp_destination_recipient_limit"),
            Some("default_destination_recipient_limit")
        );
        assert_eq!(
            fallback("my_recipient_limit"),
            Some("default_recipient_limit")
        );
        assert_eq!(fallback("default_recipient_limit"), None);
        assert_eq!(fallback("myhostname"), None);
    }
}
