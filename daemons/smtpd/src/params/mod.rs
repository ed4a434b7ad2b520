//! The parameters that this daemon reads, once.

mod restrictions;
mod settings;

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Result, bail};
use pf_config::{Config, param};
use pf_proto::cleanup::{Flags, Source, SourceSet};

pub(crate) use self::restrictions::Restrictions;
use self::settings::families;
pub(crate) use self::settings::{
    Codes, Compatible, Names, Rates, RecipientTables, Transparency, Unverified,
};

use crate::access::TempfailAction;
use crate::logline::AddressForm;
use crate::session::content::BareLf;
use crate::session::errors::Classes;
use crate::session::hostname::Families;
use crate::text::unescape;

/// Everything that this daemon reads from the configuration.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    pub(crate) myhostname: String,
    pub(crate) mail_name: String,
    pub(crate) myorigin: String,
    pub(crate) banner: String,
    pub(crate) command_directory: String,
    pub(crate) cleanup_service: String,
    pub(crate) flush_service: String,
    pub(crate) verify_service: String,
    pub(crate) rewrite_service: String,
    pub(crate) ipc_timeout: Duration,
    pub(crate) families: Families,
    pub(crate) soft_bounce: bool,
    pub(crate) address_form: AddressForm,
    pub(crate) codes: Codes,
    pub(crate) restrictions: Restrictions,
    pub(crate) delay_reject: bool,
    pub(crate) relay_before_recipient: bool,
    pub(crate) reject_unlisted_sender: bool,
    pub(crate) reject_unlisted_recipient: bool,
    pub(crate) allow_untrusted_routing: bool,
    pub(crate) parents_match_subdomains: bool,
    pub(crate) null_access_key: String,
    pub(crate) double_bounce_sender: String,
    pub(crate) show_unknown_table: bool,
    pub(crate) recipient_tables: RecipientTables,
    pub(crate) transparency: Transparency,
    pub(crate) cleanup_flags: Flags,
    pub(crate) smtputf8_autodetect: bool,
    pub(crate) compatible: Compatible,
    pub(crate) log_permit_actions: Names,
    pub(crate) unknown_helo_tempfail: TempfailAction,
    pub(crate) unknown_address_tempfail: TempfailAction,
    pub(crate) unverified_sender: Unverified,
    pub(crate) unverified_recipient: Unverified,
    pub(crate) verify_poll_count: i64,
    pub(crate) verify_poll_delay: Duration,
    pub(crate) verify_sender: String,
    pub(crate) verify_sender_ttl: Duration,
    pub(crate) restrict_mx_backup: bool,
    pub(crate) warned_mx_backup: Cell<bool>,
    pub(crate) default_rbl_reply: String,
    pub(crate) expansion_filter: Vec<u8>,
    pub(crate) policy_default_action: String,
    pub(crate) sasl_enable: bool,
    pub(crate) sasl_authenticated_header: bool,
    pub(crate) tls_ask_ccert: bool,
    /// TLS is asked for, which this server does not have yet.
    pub(crate) tls_wanted: bool,
    pub(crate) tls_enforced: bool,
    pub(crate) tls_wrapper: bool,
    pub(crate) smtputf8_enable: bool,
    pub(crate) strict_smtputf8: bool,
    pub(crate) strict_envelopes: bool,
    pub(crate) helo_required: bool,
    pub(crate) disable_vrfy: bool,
    pub(crate) discard_ehlo_keywords: String,
    pub(crate) line_length_limit: usize,
    pub(crate) message_size_limit: u64,
    pub(crate) queue_minfree: u64,
    pub(crate) recipient_limit: i64,
    pub(crate) recipient_overshoot: i64,
    pub(crate) soft_error_limit: i64,
    pub(crate) hard_error_limit: i64,
    pub(crate) junk_limit: i64,
    pub(crate) error_sleep: Duration,
    pub(crate) timeout: Duration,
    pub(crate) request_deadline: bool,
    /// Bytes per second that earn a client more time.
    pub(crate) min_data_rate: i64,
    pub(crate) history_threshold: i64,
    pub(crate) notify_classes: Classes,
    pub(crate) bounce_recipient: String,
    pub(crate) error_recipient: String,
    pub(crate) standard_from: bool,
    pub(crate) delay_open: bool,
    pub(crate) hide_client_session: bool,
    pub(crate) content_filter: String,
    pub(crate) verp_default: String,
    pub(crate) verp_filter: String,
    pub(crate) client_port_logging: bool,
    pub(crate) peername_lookup: bool,
    pub(crate) upstream_proxy: String,
    pub(crate) upstream_proxy_timeout: Duration,
    pub(crate) forbid_unauth_pipelining: bool,
    pub(crate) bare_newline: BareLf,
    pub(crate) reject_footer: String,
    pub(crate) rates: Rates,
    pub(crate) proxy_filter: Option<String>,
    pub(crate) proxy_timeout: Duration,
    pub(crate) proxy_ehlo: String,
    pub(crate) proxy_speed_adjust: bool,
    pub(crate) internal_mail_filter: SourceSet,
    pub(crate) notice_autodetect: SourceSet,
}

fn tempfail(name: &str, value: &str) -> Result<TempfailAction> {
    match TempfailAction::parse(value) {
        Some(action) => Ok(action),
        None => bail!("bad configuration: {name} = {value}"),
    }
}

fn bare_newline(value: &str) -> Result<BareLf> {
    let (reject, note) = match value.to_ascii_lowercase().as_str() {
        "no" => return Ok(BareLf::default()),
        "normalize" | "yes" => (false, false),
        "note" => (false, true),
        "reject" => (true, false),
        _ => bail!("bad parameter value: 'smtpd_forbid_bare_newline = {value}'"),
    };
    Ok(BareLf {
        strict_end: true,
        reject,
        note,
    })
}

fn size(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn prefix(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

impl Params {
    /// Makes a client's text fit for a log line or a header: what is not printable becomes `?`.
    pub(crate) fn printable<'a>(&self, text: &'a [u8]) -> std::borrow::Cow<'a, [u8]> {
        crate::text::printable(text, self.smtputf8_enable)
    }

    /// Reads everything; `service`: the name under which clients are counted. `guarded`: the restrictions apply, and must be
    /// safe; not so for a program of an ordinary user.
    #[expect(clippy::too_many_lines, reason = "one line for each parameter")]
    pub(crate) fn read(config: &Config, service: &str, guarded: bool) -> Result<Self> {
        let restrictions = if guarded {
            Restrictions::read(config)?
        } else {
            Restrictions::default()
        };
        if guarded {
            restrictions.check()?;
        }
        let transparency = Transparency::parse(&config.get(param::RECEIVE_OVERRIDE_OPTIONS)?)?;
        let notify_classes = config.get(param::NOTIFY_CLASSES)?;
        let Ok(notify_classes) = Classes::parse(&notify_classes) else {
            bail!("unknown notify_classes value in \"{notify_classes}\"");
        };
        let address_form = config.get(param::INFO_LOG_ADDRESS_FORMAT)?;
        let Some(address_form) = AddressForm::parse(&address_form) else {
            bail!("invalid parameter setting \"info_log_address_format = {address_form}\"");
        };
        let autodetect = config.get(param::SMTPUTF8_AUTODETECT_CLASSES)?;
        let autodetect = match SourceSet::parse(&autodetect) {
            Ok(set) => set,
            Err(word) => {
                bail!("unknown smtputf8_autodetect_classes value \"{word}\" in \"{autodetect}\"")
            }
        };
        let internal = config.get(param::INTERNAL_MAIL_FILTER_CLASSES)?;
        let internal = match SourceSet::parse(&internal) {
            Ok(set) => set,
            Err(word) => {
                bail!("unknown internal_mail_filter_classes value \"{word}\" in \"{internal}\"")
            }
        };
        let proxy_filter =
            Some(config.get(param::SMTPD_PROXY_FILTER)?).filter(|filter| !filter.is_empty());
        let tls_level = config.get(param::SMTPD_TLS_SECURITY_LEVEL)?;
        let tls_wrapper = config.get(param::SMTPD_TLS_WRAPPERMODE)?;
        let (mut tls_wanted, mut tls_enforced) = (
            config.get(param::SMTPD_USE_TLS)?,
            config.get(param::SMTPD_ENFORCE_TLS)?,
        );
        if !tls_wrapper && !tls_level.is_empty() {
            (tls_wanted, tls_enforced) = match tls_level.to_ascii_lowercase().as_str() {
                "none" => (false, false),
                "may" => (true, false),
                "encrypt" => (true, true),
                "verify" | "secure" | "fingerprint" => {
                    pf_log::warning!(
                        "smtpd_tls_security_level: unsupported TLS level \"{tls_level}\", using \"encrypt\""
                    );
                    (true, true)
                }
                _ => bail!("Invalid TLS level \"{tls_level}\""),
            };
        }
        let parents = config.get(param::PARENT_DOMAIN_MATCHES_SUBDOMAINS)?;
        let unverified = |reject, defer, reason, name: &str, action| -> Result<Unverified> {
            Ok(Unverified {
                reject_code: config.get(reject)?,
                defer_code: config.get(defer)?,
                reason: config.get(reason)?,
                tempfail: tempfail(name, &config.get::<String>(action)?)?,
            })
        };
        let speed_adjust = config.get(param::SMTPD_PROXY_OPTIONS)?;
        let header_from = config.get(param::HEADER_FROM_FORMAT)?;
        Ok(Self {
            service: service.to_owned(),
            myhostname: config.get(param::MYHOSTNAME)?,
            mail_name: config.get(param::MAIL_NAME)?,
            myorigin: config.get(param::MYORIGIN)?,
            banner: config.get(param::SMTPD_BANNER)?,
            command_directory: config.get(param::COMMAND_DIRECTORY)?,
            cleanup_service: config.get(param::CLEANUP_SERVICE_NAME)?,
            flush_service: config.get(param::FLUSH_SERVICE_NAME)?,
            verify_service: config.get(param::ADDRESS_VERIFY_SERVICE_NAME)?,
            rewrite_service: config.get(param::REWRITE_SERVICE_NAME)?,
            ipc_timeout: config.get(param::IPC_TIMEOUT)?,
            families: families(&config.get(param::INET_PROTOCOLS)?)?,
            soft_bounce: config.get(param::SOFT_BOUNCE)?,
            address_form,
            codes: Codes {
                unknown_client: config.get(param::UNKNOWN_CLIENT_REJECT_CODE)?,
                bad_name: config.get(param::INVALID_HOSTNAME_REJECT_CODE)?,
                unknown_name: config.get(param::UNKNOWN_HOSTNAME_REJECT_CODE)?,
                unknown_address: config.get(param::UNKNOWN_ADDRESS_REJECT_CODE)?,
                relay: config.get(param::RELAY_DOMAINS_REJECT_CODE)?,
                rbl: config.get(param::MAPS_RBL_REJECT_CODE)?,
                map_reject: config.get(param::ACCESS_MAP_REJECT_CODE)?,
                map_defer: config.get(param::ACCESS_MAP_DEFER_CODE)?,
                reject: config.get(param::REJECT_CODE)?,
                defer: config.get(param::DEFER_CODE)?,
                non_fqdn: config.get(param::NON_FQDN_REJECT_CODE)?,
                multi_recipient_bounce: config.get(param::MULTI_RECIPIENT_BOUNCE_REJECT_CODE)?,
                unknown_local: config.get(param::UNKNOWN_LOCAL_RECIPIENT_REJECT_CODE)?,
                unknown_virtual_alias: config.get(param::UNKNOWN_VIRTUAL_ALIAS_REJECT_CODE)?,
                unknown_virtual_mailbox: config.get(param::UNKNOWN_VIRTUAL_MAILBOX_REJECT_CODE)?,
                unknown_relay: config.get(param::UNKNOWN_RELAY_RECIPIENT_REJECT_CODE)?,
                plaintext: config.get(param::PLAINTEXT_REJECT_CODE)?,
                bare_newline: config.get(param::SMTPD_FORBID_BARE_NEWLINE_REJECT_CODE)?,
            },
            restrictions,
            delay_reject: config.get(param::SMTPD_DELAY_REJECT)?,
            relay_before_recipient: config.get(param::SMTPD_RELAY_BEFORE_RECIPIENT_RESTRICTIONS)?,
            reject_unlisted_sender: config.get(param::SMTPD_REJECT_UNLISTED_SENDER)?,
            reject_unlisted_recipient: config.get(param::SMTPD_REJECT_UNLISTED_RECIPIENT)?,
            allow_untrusted_routing: config.get(param::ALLOW_UNTRUSTED_ROUTING)?,
            parents_match_subdomains: pf_text::split::list(&parents)
                .any(|word| word == "smtpd_access_maps"),
            null_access_key: config.get(param::SMTPD_NULL_ACCESS_LOOKUP_KEY)?,
            double_bounce_sender: config.get(param::DOUBLE_BOUNCE_SENDER)?,
            show_unknown_table: config.get(param::SHOW_USER_UNKNOWN_TABLE_NAME)?,
            recipient_tables: RecipientTables {
                local: !config.get(param::LOCAL_RECIPIENT_MAPS)?.is_empty(),
                virtual_mailbox: !config.get(param::VIRTUAL_MAILBOX_MAPS)?.is_empty(),
                relay: !config.get(param::RELAY_RECIPIENT_MAPS)?.is_empty(),
            },
            transparency,
            cleanup_flags: transparency.cleanup_flags(),
            smtputf8_autodetect: autodetect.has(Source::Smtpd),
            compatible: Compatible {
                relay_domains: config.legacy_default(param::RELAY_DOMAINS),
                relay_restrictions: config.legacy_default(param::SMTPD_RELAY_RESTRICTIONS),
                relay_before_recipient: config
                    .legacy_default(param::SMTPD_RELAY_BEFORE_RECIPIENT_RESTRICTIONS),
                smtputf8: config.legacy_default(param::SMTPUTF8_ENABLE),
            },
            log_permit_actions: Names::parse(&config.get(param::SMTPD_LOG_ACCESS_PERMIT_ACTIONS)?),
            unknown_helo_tempfail: tempfail(
                "unknown_helo_hostname_tempfail_action",
                &config.get(param::UNKNOWN_HELO_HOSTNAME_TEMPFAIL_ACTION)?,
            )?,
            unknown_address_tempfail: tempfail(
                "unknown_address_tempfail_action",
                &config.get(param::UNKNOWN_ADDRESS_TEMPFAIL_ACTION)?,
            )?,
            unverified_sender: unverified(
                param::UNVERIFIED_SENDER_REJECT_CODE,
                param::UNVERIFIED_SENDER_DEFER_CODE,
                param::UNVERIFIED_SENDER_REJECT_REASON,
                "unverified_sender_tempfail_action",
                param::UNVERIFIED_SENDER_TEMPFAIL_ACTION,
            )?,
            unverified_recipient: unverified(
                param::UNVERIFIED_RECIPIENT_REJECT_CODE,
                param::UNVERIFIED_RECIPIENT_DEFER_CODE,
                param::UNVERIFIED_RECIPIENT_REJECT_REASON,
                "unverified_recipient_tempfail_action",
                param::UNVERIFIED_RECIPIENT_TEMPFAIL_ACTION,
            )?,
            verify_poll_count: config.get(param::ADDRESS_VERIFY_POLL_COUNT)?,
            verify_poll_delay: config.get(param::ADDRESS_VERIFY_POLL_DELAY)?,
            verify_sender: config.get(param::ADDRESS_VERIFY_SENDER)?,
            verify_sender_ttl: config.get(param::ADDRESS_VERIFY_SENDER_TTL)?,
            restrict_mx_backup: !config.get(param::PERMIT_MX_BACKUP_NETWORKS)?.is_empty(),
            warned_mx_backup: Cell::new(false),
            default_rbl_reply: config.get(param::DEFAULT_RBL_REPLY)?,
            expansion_filter: unescape(&config.get(param::SMTPD_EXPANSION_FILTER)?),
            policy_default_action: config.get(param::SMTPD_POLICY_SERVICE_DEFAULT_ACTION)?,
            sasl_enable: config.get(param::SMTPD_SASL_AUTH_ENABLE)?,
            sasl_authenticated_header: config.get(param::SMTPD_SASL_AUTHENTICATED_HEADER)?,
            tls_ask_ccert: config.get(param::SMTPD_TLS_ASK_CCERT)?,
            tls_wanted: tls_wanted || tls_enforced || tls_wrapper,
            tls_enforced: tls_enforced || tls_wrapper,
            tls_wrapper,
            smtputf8_enable: config.get(param::SMTPUTF8_ENABLE)?,
            strict_smtputf8: config.get(param::STRICT_SMTPUTF8)?,
            strict_envelopes: config.get(param::STRICT_RFC821_ENVELOPES)?,
            helo_required: config.get(param::SMTPD_HELO_REQUIRED)?,
            disable_vrfy: config.get(param::DISABLE_VRFY_COMMAND)?,
            discard_ehlo_keywords: config.get(param::SMTPD_DISCARD_EHLO_KEYWORDS)?,
            line_length_limit: config.count(param::LINE_LENGTH_LIMIT)?.max(1),
            message_size_limit: size(config.get(param::MESSAGE_SIZE_LIMIT)?),
            queue_minfree: size(config.get(param::QUEUE_MINFREE)?),
            recipient_limit: config.get(param::SMTPD_RECIPIENT_LIMIT)?,
            recipient_overshoot: config.get(param::SMTPD_RECIPIENT_OVERSHOOT_LIMIT)?,
            soft_error_limit: config.get(param::SMTPD_SOFT_ERROR_LIMIT)?,
            hard_error_limit: config.get(param::SMTPD_HARD_ERROR_LIMIT)?,
            junk_limit: config.get(param::SMTPD_JUNK_COMMAND_LIMIT)?,
            error_sleep: config.get(param::SMTPD_ERROR_SLEEP_TIME)?,
            timeout: config.get(param::SMTPD_TIMEOUT)?,
            request_deadline: config.get(param::SMTPD_PER_REQUEST_DEADLINE)?,
            min_data_rate: config.get(param::SMTPD_MIN_DATA_RATE)?,
            history_threshold: config.get(param::SMTPD_HISTORY_FLUSH_THRESHOLD)?,
            notify_classes,
            bounce_recipient: config.get(param::BOUNCE_NOTICE_RECIPIENT)?,
            error_recipient: config.get(param::ERROR_NOTICE_RECIPIENT)?,
            standard_from: header_from == "standard",
            delay_open: config.get(param::SMTPD_DELAY_OPEN_UNTIL_VALID_RCPT)?,
            hide_client_session: config.get(param::SMTPD_HIDE_CLIENT_SESSION)?,
            content_filter: config.get(param::CONTENT_FILTER)?,
            verp_default: config.get(param::DEFAULT_VERP_DELIMITERS)?,
            verp_filter: config.get(param::VERP_DELIMITER_FILTER)?,
            client_port_logging: config.get(param::SMTPD_CLIENT_PORT_LOGGING)?,
            peername_lookup: config.get(param::SMTPD_PEERNAME_LOOKUP)?,
            upstream_proxy: config.get(param::SMTPD_UPSTREAM_PROXY_PROTOCOL)?,
            upstream_proxy_timeout: config.get(param::SMTPD_UPSTREAM_PROXY_TIMEOUT)?,
            forbid_unauth_pipelining: config.get(param::SMTPD_FORBID_UNAUTH_PIPELINING)?,
            bare_newline: bare_newline(&config.get(param::SMTPD_FORBID_BARE_NEWLINE)?)?,
            reject_footer: config.get(param::SMTPD_REJECT_FOOTER)?,
            rates: Rates {
                connections: config.get(param::SMTPD_CLIENT_CONNECTION_COUNT_LIMIT)?,
                connection_rate: config.get(param::SMTPD_CLIENT_CONNECTION_RATE_LIMIT)?,
                mail: config.get(param::SMTPD_CLIENT_MESSAGE_RATE_LIMIT)?,
                recipients: config.get(param::SMTPD_CLIENT_RECIPIENT_RATE_LIMIT)?,
                auth: config.get(param::SMTPD_CLIENT_AUTH_RATE_LIMIT)?,
                tls: config.get(param::SMTPD_CLIENT_NEW_TLS_SESSION_RATE_LIMIT)?,
                v4_prefix: prefix(config.get(param::SMTPD_CLIENT_IPV4_PREFIX_LENGTH)?),
                v6_prefix: prefix(config.get(param::SMTPD_CLIENT_IPV6_PREFIX_LENGTH)?),
            },
            proxy_filter,
            proxy_timeout: config.get(param::SMTPD_PROXY_TIMEOUT)?,
            proxy_ehlo: config.get(param::SMTPD_PROXY_EHLO)?,
            proxy_speed_adjust: pf_text::split::list(&speed_adjust)
                .any(|word| word == "speed_adjust"),
            internal_mail_filter: internal,
            notice_autodetect: autodetect,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn params(settings: &[(&str, &str)]) -> Params {
        let mut all = vec![
            ("myhostname", "mail.example.com"),
            ("mydomain", "example.com"),
            ("inet_protocols", "all"),
            ("mynetworks", "127.0.0.0/8"),
            ("compatibility_level", "3.11"),
        ];
        all.extend_from_slice(settings);
        Params::read(&Config::for_tests(&all), "smtp", true).unwrap()
    }

    #[test]
    fn an_open_relay_is_refused() {
        let config = Config::for_tests(&[
            ("myhostname", "mail.example.com"),
            ("mynetworks", "127.0.0.0/8"),
            ("smtpd_relay_restrictions", "permit_mynetworks"),
        ]);
        let err = Params::read(&config, "smtp", true).unwrap_err();
        assert_eq!(
            err.to_string(),
            "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working instance of: reject_unauth_destination, defer_unauth_destination, reject, defer, defer_if_permit or check_relay_domains"
        );
    }

    #[test]
    fn stress_shortens_the_timeout() {
        assert_eq!(params(&[]).timeout, Duration::from_secs(300));
        assert_eq!(
            params(&[("stress", "yes")]).timeout,
            Duration::from_secs(10)
        );
    }
}
