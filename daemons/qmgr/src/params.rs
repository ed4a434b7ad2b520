//! The parameters that the queue manager reads. Those of a transport are found by its name when it is first used.

use std::time::Duration;

use pf_config::{Config, Error, param};
use pf_log::{info, warning};

use crate::feedback::{Feedback, short};
use crate::intake::Refill;
use crate::route::{ERROR, RETRY};

/// Parameters for all mail.
#[derive(Debug)]
pub struct Params {
    pub active_limit: usize,
    pub recipient_limit: usize,
    pub recipient_minimum: usize,
    pub queue_run_delay: Duration,
    pub minimal_backoff: Duration,
    pub maximal_backoff: Duration,
    pub maximal_lifetime: Duration,
    pub bounce_lifetime: Duration,
    pub transport_retry: Duration,
    pub defer_transports: Vec<String>,
    pub daemon_timeout: Duration,
    pub ipc_timeout: Duration,
    pub double_bounce: String,
    pub verp_delimiters: String,
    pub default_filter_nexthop: String,
    pub myhostname: String,
    pub process_limit: usize,
    pub flow_control: bool,
    pub probe_limit: usize,
    pub plain_bounces: bool,
    pub recipient_delimiter: String,
    pub delay_cleared: bool,
    /// How often it is told that one destination takes up the queue; zero: never.
    pub clog_warning: Duration,
}

impl Params {
    /// Reads all of them.
    ///
    /// # Errors
    /// One has a bad value.
    pub fn read(config: &Config) -> Result<Self, Error> {
        let defer = config.get(param::DEFER_TRANSPORTS)?;
        let mut params = Self {
            active_limit: config.count(param::QMGR_MESSAGE_ACTIVE_LIMIT)?,
            recipient_limit: config.count(param::QMGR_MESSAGE_RECIPIENT_LIMIT)?,
            recipient_minimum: config.count(param::QMGR_MESSAGE_RECIPIENT_MINIMUM)?,
            queue_run_delay: config.get(param::QUEUE_RUN_DELAY)?,
            minimal_backoff: config.get(param::MINIMAL_BACKOFF_TIME)?,
            maximal_backoff: config.get(param::MAXIMAL_BACKOFF_TIME)?,
            maximal_lifetime: config.get(param::MAXIMAL_QUEUE_LIFETIME)?,
            bounce_lifetime: config.get(param::BOUNCE_QUEUE_LIFETIME)?,
            transport_retry: config.get(param::TRANSPORT_RETRY_TIME)?,
            defer_transports: pf_text::split::list(&defer).map(str::to_owned).collect(),
            daemon_timeout: config.get(param::QMGR_DAEMON_TIMEOUT)?,
            ipc_timeout: config.get(param::QMGR_IPC_TIMEOUT)?,
            double_bounce: config.get(param::DOUBLE_BOUNCE_SENDER)?,
            verp_delimiters: config.get(param::DEFAULT_VERP_DELIMITERS)?,
            default_filter_nexthop: config.get(param::DEFAULT_FILTER_NEXTHOP)?,
            myhostname: config.get(param::MYHOSTNAME)?,
            process_limit: config.count(param::DEFAULT_PROCESS_LIMIT)?,
            flow_control: !config.get(param::IN_FLOW_DELAY)?.is_zero(),
            probe_limit: config.count(param::ADDRESS_VERIFY_PENDING_REQUEST_LIMIT)?,
            plain_bounces: config.get(param::DISABLE_VERP_BOUNCES)?,
            recipient_delimiter: config.get(param::RECIPIENT_DELIMITER)?,
            delay_cleared: config.get(param::CONFIRM_DELAY_CLEARED)?,
            clog_warning: if config.get(param::HELPFUL_WARNINGS)? {
                config.get(param::QMGR_CLOG_WARN_TIME)?
            } else {
                Duration::ZERO
            },
        };
        for key in [
            param::DEFAULT_DESTINATION_CONCURRENCY_LIMIT,
            param::DEFAULT_DESTINATION_RECIPIENT_LIMIT,
            param::DEFAULT_DESTINATION_CONCURRENCY_FAILED_COHORT_LIMIT,
            param::DEFAULT_DELIVERY_SLOT_COST,
            param::DEFAULT_DELIVERY_SLOT_LOAN,
            param::DEFAULT_DELIVERY_SLOT_DISCOUNT,
            param::DEFAULT_MINIMUM_DELIVERY_SLOTS,
            param::DEFAULT_RECIPIENT_LIMIT,
            param::DEFAULT_EXTRA_RECIPIENT_LIMIT,
            param::DEFAULT_RECIPIENT_REFILL_LIMIT,
            param::INITIAL_DESTINATION_CONCURRENCY,
            param::LOCAL_DESTINATION_RECIPIENT_LIMIT,
            param::LOCAL_DESTINATION_CONCURRENCY_LIMIT,
        ] {
            config.get(key)?;
        }
        for key in [
            param::DEFAULT_DESTINATION_RATE_DELAY,
            param::DEFAULT_TRANSPORT_RATE_DELAY,
            param::DEFAULT_RECIPIENT_REFILL_DELAY,
        ] {
            config.get(key)?;
        }
        for key in [
            param::DEFAULT_DESTINATION_CONCURRENCY_POSITIVE_FEEDBACK,
            param::DEFAULT_DESTINATION_CONCURRENCY_NEGATIVE_FEEDBACK,
        ] {
            config.get(key)?;
        }
        if params.recipient_limit < params.active_limit {
            adjusted(
                "qmgr_message_recipient_limit",
                "smaller",
                "qmgr_message_active_limit",
            );
            params.recipient_limit = params.active_limit;
        }
        if params.bounce_lifetime > params.maximal_lifetime {
            adjusted("bounce_queue_lifetime", "larger", "maximal_queue_lifetime");
            params.bounce_lifetime = params.maximal_lifetime;
        }
        Ok(params)
    }
}

fn adjusted(name: &str, how: &str, other: &str) {
    warning!("{name} is {how} than {other} - adjusting {name}");
}

/// Parameters of one transport.
#[derive(Debug, Clone)]
pub struct TransportParams {
    /// The most deliveries to one destination at once; 0 for no limit.
    pub concurrency: usize,
    /// How many at once to a destination that was just met.
    pub initial: usize,
    /// The most recipients in one delivery; 0 for no limit.
    pub recipients: usize,
    /// The pause after each delivery to a destination.
    pub rate_delay: Duration,
    /// The pause after each delivery by the transport.
    pub transport_rate_delay: Duration,
    /// How many recipients of a waiting message must be delivered before it may be overtaken by one recipient; 0: never.
    pub slot_cost: usize,
    /// How many slots a message may borrow.
    pub slot_loan: usize,
    /// Which share of the slots, in percent, is not needed.
    pub slot_discount: usize,
    /// The fewest slots a message must have to be overtaken.
    pub minimum_slots: usize,
    pub positive: Feedback,
    pub negative: Feedback,
    /// How many failures in a row, in cohorts, make a destination dead; 0: it never is.
    pub cohort_limit: usize,
    /// Whether what deliveries change is told.
    pub feedback_debug: bool,
    /// How many recipients in memory it can lend.
    pub in_memory: usize,
    /// How many more it lends to messages that overtake others.
    pub extra: usize,
    pub refill: Refill,
}

impl TransportParams {
    /// The parameters of a transport that sets none itself.
    ///
    /// # Errors
    /// One has a bad value.
    pub fn general(config: &Config) -> Result<Self, Error> {
        Self::of(config, "default", false)
    }

    /// Reads the parameters of a transport: `<name>_...` or the defaults. Tells of its feedback, when that is to be told.
    ///
    /// # Errors
    /// One has a bad value.
    pub fn read(config: &Config, transport: &str) -> Result<Self, Error> {
        let debug = config.get(param::DESTINATION_CONCURRENCY_FEEDBACK_DEBUG)?;
        Self::of(config, transport, debug)
    }

    fn of(config: &Config, transport: &str, feedback_debug: bool) -> Result<Self, Error> {
        let count = |suffix: &str| {
            let own = config.int(&format!("{transport}_{suffix}"))?;
            let value = match own {
                Some(value) => Some(value),
                None => config.int(&format!("default_{suffix}"))?,
            };
            Ok::<_, Error>(usize::try_from(value.unwrap_or(0)).unwrap_or(0))
        };
        let time = |suffix: &str| {
            let own = config.time(&format!("{transport}_{suffix}"))?;
            let value = match own {
                Some(value) => Some(value),
                None => config.time(&format!("default_{suffix}"))?,
            };
            Ok::<_, Error>(value.unwrap_or_default())
        };
        let usual = config.count(param::INITIAL_DESTINATION_CONCURRENCY)?;
        let feedback = |suffix: &str| {
            let own = config.string(&format!("{transport}_{suffix}"))?;
            let general = config.string(&format!("default_{suffix}"))?;
            let name = match &own {
                Some(own) if general.as_ref() != Some(own) => format!("{transport}_{suffix}"),
                _ => format!("default_{suffix}"),
            };
            let text = own.or(general).unwrap_or_default();
            let feedback = Feedback::parse(&text).unwrap_or_else(|| {
                warning!("{name}: ignoring malformed or unreasonable feedback: {text}");
                Feedback::WHOLE
            });
            if feedback_debug {
                info!(
                    "{transport}: {name} feedback type {} value at {usual}: {}",
                    feedback.kind(),
                    short(feedback.amount(usual))
                );
            }
            Ok::<_, Error>(feedback)
        };
        let rate_delay = time("destination_rate_delay")?;
        let concurrency = if rate_delay.is_zero() {
            count("destination_concurrency_limit")?
        } else {
            1
        };
        let initial = match config.int(&format!("{transport}_initial_destination_concurrency"))? {
            Some(value) => usize::try_from(value).unwrap_or(1),
            None => usual,
        };
        Ok(Self {
            initial: if concurrency > 0 {
                initial.min(concurrency)
            } else {
                initial
            }
            .max(1),
            concurrency,
            recipients: count("destination_recipient_limit")?,
            rate_delay,
            transport_rate_delay: time("transport_rate_delay")?,
            slot_cost: count("delivery_slot_cost")?,
            slot_loan: count("delivery_slot_loan")?,
            slot_discount: count("delivery_slot_discount")?,
            minimum_slots: count("minimum_delivery_slots")?,
            positive: feedback("destination_concurrency_positive_feedback")?,
            negative: feedback("destination_concurrency_negative_feedback")?,
            cohort_limit: count("destination_concurrency_failed_cohort_limit")?,
            // The agents of what failed already say nothing about a destination.
            feedback_debug: feedback_debug && transport != ERROR && transport != RETRY,
            in_memory: count("recipient_limit")?,
            extra: count("extra_recipient_limit")?,
            refill: Refill {
                limit: count("recipient_refill_limit")?,
                delay: time("recipient_refill_delay")?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_defaults_are_refused_before_any_transport_needs_them() {
        for (name, value, why) in [
            (
                "default_delivery_slot_discount",
                "101",
                "invalid default_delivery_slot_discount parameter value 101 > 100",
            ),
            (
                "default_recipient_refill_delay",
                "0",
                "invalid default_recipient_refill_delay: 0 (min 1)",
            ),
            (
                "default_destination_concurrency_negative_feedback",
                "",
                "bad string length 0 < 1: default_destination_concurrency_negative_feedback = ",
            ),
        ] {
            let err = Params::read(&Config::for_tests(&[(name, value)])).unwrap_err();
            assert_eq!(err.to_string(), why);
        }
        assert!(Params::read(&Config::for_tests(&[])).is_ok());
    }
}
