//! The parameters that this daemon reads; `smtp_...` or `lmtp_...` by its name.

use std::net::IpAddr;
use std::time::Duration;

use pf_checks::{Checks, Party};
use pf_config::{Config, Error, param};
use pf_maps::match_list::{MatchList, Subdomains};
use pf_maps::{Maps, Options};
use pf_proto::cleanup::SourceSet;

use crate::generic::Generic;

/// How far an address probe goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyTarget {
    /// Up to the answer to RCPT.
    Rcpt,
    /// Up to the answer to DATA.
    Data,
}

/// Which address families are tried first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// As they come.
    Any,
    /// IPv4 first.
    V4,
    /// IPv6 first.
    V6,
}

impl Preference {
    /// In the words of `smtp_address_preference`.
    fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "ipv4" => Some(Self::V4),
            "ipv6" => Some(Self::V6),
            "" | "any" => Some(Self::Any),
            _ => None,
        }
    }
}

/// All parameters, read once.
pub struct Params {
    /// Whether this is the LMTP client.
    pub lmtp: bool,
    /// The name in `master.cf`.
    pub service: String,
    /// There are credentials, which may depend on destination and server, and perhaps on the sender.
    pub credentials: bool,
    pub sender_credentials: bool,
    pub ipc_timeout: Duration,
    pub helo_name: String,
    pub connect_timeout: Duration,
    pub helo_timeout: Duration,
    pub xforward_timeout: Duration,
    pub mail_timeout: Duration,
    pub rcpt_timeout: Duration,
    pub data_init_timeout: Duration,
    pub data_xfer_timeout: Duration,
    pub data_done_timeout: Duration,
    pub rset_timeout: Duration,
    pub quit_timeout: Duration,
    pub port: String,
    /// `known_tcp_ports`
    pub known_ports: String,
    pub line_length_limit: usize,
    pub mx_address_limit: usize,
    pub mx_session_limit: usize,
    pub randomize: bool,
    pub preference: Preference,
    pub ipv4: bool,
    pub ipv6: bool,
    pub balance: bool,
    pub fallback: Vec<String>,
    /// The same as it was written.
    pub fallback_text: String,
    pub skip_5xx_greeting: bool,
    pub skip_quit_response: bool,
    pub always_ehlo: bool,
    pub never_ehlo: bool,
    pub quote_envelope: bool,
    pub send_xforward: bool,
    pub discard_keywords: String,
    pub discard_maps: Maps,
    pub bind_address: Option<IpAddr>,
    pub bind_address6: Option<IpAddr>,
    pub bind_enforce: bool,
    pub defer_no_mx_address: bool,
    pub ignore_mx_error: bool,
    pub cache_on_demand: bool,
    pub cache_destinations: MatchList,
    pub cache_time: Duration,
    pub reuse_time: Duration,
    pub reuse_count: u32,
    /// What the log says of TLS: the level that was asked for; `None` when it says nothing.
    pub tls_level: Option<String>,
    pub disable_conversion: bool,
    pub own_addresses: Vec<IpAddr>,
    pub proxy_addresses: Vec<IpAddr>,
    pub myhostname: String,
    pub myorigin: String,
    pub mail_name: String,
    pub relayhost: String,
    pub best_mx_transport: String,
    pub soft_bounce: bool,
    pub helpful_warnings: bool,
    pub verify_target: VerifyTarget,
    pub reply_filter: Maps,
    /// `line_length_limit`
    pub reply_line_limit: usize,
    pub per_request_deadline: bool,
    /// Bytes in a second.
    pub min_data_rate: usize,
    pub pix_maps: Maps,
    pub pix_workarounds: String,
    pub pix_threshold: Duration,
    pub pix_delay: Duration,
    pub checks: Checks,
    pub generic: Generic,
    /// The services that are looked up as SRV records.
    pub srv_services: Vec<String>,
    pub srv_fallback: bool,
    pub ignore_srv_error: bool,
    /// `flags=` of master.cf: D, O, R, X.
    pub added_headers: String,
    /// Nobody delivers the mail any further.
    pub final_delivery: bool,
    pub notify_protocol: bool,
    pub notify_data: bool,
    pub double_bounce_sender: String,
    pub error_recipient: String,
    pub standard_from: bool,
    pub internal_mail_filter: SourceSet,
    pub notice_autodetect: SourceSet,
    pub cleanup_service: String,
}

impl Params {
    /// Reads all parameters.
    ///
    /// # Errors
    /// One has a bad value.
    pub fn read(
        config: &Config,
        lmtp: bool,
        argv: &[String],
        service: &str,
    ) -> Result<Self, Error> {
        let prefix = if lmtp { "lmtp" } else { "smtp" };
        let name = |suffix: &str| format!("{prefix}_{suffix}");
        let text = |suffix: &str| Ok::<_, Error>(config.string(&name(suffix))?.unwrap_or_default());
        let time = |suffix: &str| {
            Ok::<_, Error>(
                config
                    .time(&name(suffix))?
                    .unwrap_or(Duration::from_secs(300)),
            )
        };
        let yes = |suffix: &str| Ok::<_, Error>(config.bool(&name(suffix))?.unwrap_or(false));
        let count = |suffix: &str| {
            Ok::<_, Error>(usize::try_from(config.int(&name(suffix))?.unwrap_or(0)).unwrap_or(0))
        };
        let options = Options::from_config(config)?;
        let maps = |suffix: &str| Maps::open(&name(suffix), &text(suffix)?, &options);
        let protocols = config.get(param::INET_PROTOCOLS)?;
        let (ipv4, ipv6) = pf_config::system::families(&protocols)?;
        let tls_level = if yes("log_tls_feature_status")? {
            let level = text("tls_security_level")?;
            Some(if level.is_empty() {
                "none".to_owned()
            } else {
                level
            })
        } else {
            None
        };
        let classes = config.get(param::NOTIFY_CLASSES)?;
        let notifies = |class: &str| pf_text::split::list(&classes).any(|name| name == class);
        let sources = |parameter: &str, value: String| {
            SourceSet::parse(&value).map_err(|word| {
                Error(format!(
                    "unknown {parameter} value \"{word}\" in \"{value}\""
                ))
            })
        };
        let flags = delivery_flags(argv)?;
        let final_delivery = flags.contains('X') || lmtp && config.get(param::LMTP_ASSUME_FINAL)?;
        let credentials = !text("sasl_password_maps")?.is_empty();
        let preference = text("address_preference")?;
        let preference = Preference::parse(&preference).ok_or_else(|| {
            let name = name("address_preference");
            Error(format!("bad {name} value: {preference}"))
        })?;
        let target = text("address_verify_target")?;
        let verify_target = match target.to_ascii_lowercase().as_str() {
            "rcpt" => VerifyTarget::Rcpt,
            "data" => VerifyTarget::Data,
            _ => {
                return Err(Error(format!(
                    "bad protocol stage: \"{} = {target}\"",
                    name("address_verify_target")
                )));
            }
        };
        let source = |suffix: &str| {
            let value = text(suffix)?;
            let bare = value
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .unwrap_or(&value);
            if bare.is_empty() {
                return Ok(None);
            }
            let address = bare.parse::<IpAddr>();
            address
                .map(Some)
                .map_err(|_| Error(format!("bad {} parameter: {value}", name(suffix))))
        };
        let table = |suffix: &str| Ok::<_, Error>((name(suffix), text(suffix)?));
        let tables = [
            table("header_checks")?,
            table("mime_header_checks")?,
            table("nested_header_checks")?,
            table("body_checks")?,
        ];
        let checks = Checks::open(
            Party::Client,
            tables
                .each_ref()
                .map(|(name, value)| (name.as_str(), value.as_str())),
            &options,
        )?;
        let proxies = config.get(param::PROXY_INTERFACES)?;
        let interfaces =
            pf_config::system::own_interfaces(&config.get(param::INET_INTERFACES)?, &protocols)?;
        Ok(Self {
            lmtp,
            service: service.to_owned(),
            credentials,
            sender_credentials: credentials && yes("sender_dependent_authentication")?,
            ipc_timeout: config.get(param::IPC_TIMEOUT)?,
            helo_name: text(if lmtp { "lhlo_name" } else { "helo_name" })?,
            connect_timeout: time("connect_timeout")?,
            helo_timeout: time(if lmtp { "lhlo_timeout" } else { "helo_timeout" })?,
            xforward_timeout: time("xforward_timeout")?,
            mail_timeout: time("mail_timeout")?,
            rcpt_timeout: time("rcpt_timeout")?,
            data_init_timeout: time("data_init_timeout")?,
            data_xfer_timeout: time("data_xfer_timeout")?,
            data_done_timeout: time("data_done_timeout")?,
            rset_timeout: time("rset_timeout")?,
            quit_timeout: time("quit_timeout")?,
            port: text("tcp_port")?,
            known_ports: config.get(param::KNOWN_TCP_PORTS)?,
            line_length_limit: count("line_length_limit")?,
            mx_address_limit: count("mx_address_limit")?,
            mx_session_limit: count("mx_session_limit")?,
            randomize: yes("randomize_addresses")?,
            preference,
            ipv4,
            ipv6,
            balance: yes("balance_inet_protocols")?,
            fallback: pf_text::split::list(&text("fallback_relay")?)
                .map(str::to_owned)
                .collect(),
            fallback_text: text("fallback_relay")?,
            skip_5xx_greeting: yes("skip_5xx_greeting")?,
            skip_quit_response: yes("skip_quit_response")?,
            always_ehlo: !lmtp && yes("always_send_ehlo")?,
            never_ehlo: !lmtp && yes("never_send_ehlo")?,
            quote_envelope: config.bool(&name("quote_rfc821_envelope"))?.unwrap_or(true),
            send_xforward: yes("send_xforward_command")?,
            discard_keywords: text(if lmtp {
                "discard_lhlo_keywords"
            } else {
                "discard_ehlo_keywords"
            })?,
            discard_maps: maps(if lmtp {
                "discard_lhlo_keyword_address_maps"
            } else {
                "discard_ehlo_keyword_address_maps"
            })?,
            bind_address: source("bind_address")?,
            bind_address6: source("bind_address6")?,
            bind_enforce: yes("bind_address_enforce")?,
            defer_no_mx_address: yes("defer_if_no_mx_address_found")?,
            ignore_mx_error: config.bool("ignore_mx_lookup_error")?.unwrap_or(false),
            cache_on_demand: yes("connection_cache_on_demand")?,
            cache_destinations: MatchList::parse(
                &name("connection_cache_destinations"),
                &text("connection_cache_destinations")?,
                Subdomains::Never,
                &options,
            ),
            cache_time: time("connection_cache_time_limit")?,
            reuse_time: time("connection_reuse_time_limit")?,
            reuse_count: u32::try_from(count("connection_reuse_count_limit")?).unwrap_or(0),
            tls_level,
            disable_conversion: config.get(param::DISABLE_MIME_OUTPUT_CONVERSION)?,
            own_addresses: interfaces.into_iter().map(|(address, _)| address).collect(),
            proxy_addresses: pf_text::split::list(&proxies)
                .filter_map(|word| word.trim_matches(['[', ']']).parse().ok())
                .collect(),
            myhostname: config.get(param::MYHOSTNAME)?,
            myorigin: config.get(param::MYORIGIN)?,
            mail_name: config.get(param::MAIL_NAME)?,
            relayhost: config.get(param::RELAYHOST)?,
            best_mx_transport: config.get(param::BEST_MX_TRANSPORT)?,
            soft_bounce: config.get(param::SOFT_BOUNCE)?,
            helpful_warnings: config.get(param::HELPFUL_WARNINGS)?,
            verify_target,
            reply_filter: maps("reply_filter")?,
            reply_line_limit: config.count(param::LINE_LENGTH_LIMIT)?.max(1),
            per_request_deadline: yes("per_request_deadline")?,
            min_data_rate: count("min_data_rate")?,
            pix_maps: maps("pix_workaround_maps")?,
            pix_workarounds: text("pix_workarounds")?,
            pix_threshold: time("pix_workaround_threshold_time")?,
            pix_delay: time("pix_workaround_delay_time")?,
            checks,
            generic: Generic::new(config, maps("generic_maps")?)?,
            srv_services: pf_text::split::list(&config.get(param::USE_SRV_LOOKUP)?)
                .map(str::to_owned)
                .collect(),
            srv_fallback: config.get(param::ALLOW_SRV_LOOKUP_FALLBACK)?,
            ignore_srv_error: config.get(param::IGNORE_SRV_LOOKUP_ERROR)?,
            added_headers: flags.chars().filter(|flag| "DOR".contains(*flag)).collect(),
            final_delivery,
            notify_protocol: notifies("protocol"),
            notify_data: notifies("data"),
            double_bounce_sender: config.get(param::DOUBLE_BOUNCE_SENDER)?,
            error_recipient: config.get(param::ERROR_NOTICE_RECIPIENT)?,
            standard_from: config.get(param::HEADER_FROM_FORMAT)? == "standard",
            internal_mail_filter: sources(
                "internal_mail_filter_classes",
                config.get(param::INTERNAL_MAIL_FILTER_CLASSES)?,
            )?,
            notice_autodetect: sources(
                "smtputf8_autodetect_classes",
                config.get(param::SMTPUTF8_AUTODETECT_CLASSES)?,
            )?,
            cleanup_service: config.get(param::CLEANUP_SERVICE_NAME)?,
        })
    }

    /// Whether what is said in a session is kept for the postmaster.
    pub fn keeps_history(&self) -> bool {
        self.notify_protocol || self.notify_data
    }

    /// The full name of one of our parameters.
    pub fn name(&self, suffix: &str) -> String {
        format!("{}_{suffix}", if self.lmtp { "lmtp" } else { "smtp" })
    }

    /// Whether a TLS level was configured that forbids plain text.
    pub fn tls_mandatory(&self) -> bool {
        self.tls_level
            .as_deref()
            .is_some_and(|level| !matches!(level, "none" | "may"))
    }

    /// What the log says of TLS, once a session was there and before.
    pub fn tls_note(&self, in_session: bool) -> Option<String> {
        let level = self.tls_level.as_deref()?;
        Some(match (level, in_session) {
            ("none", true) => "none".to_owned(),
            (level, true) => format!("{level}:none"),
            (level, false) => format!("{level}?"),
        })
    }
}

/// The letters of `flags=` in `master.cf`; the last one counts.
fn delivery_flags(argv: &[String]) -> Result<String, Error> {
    let mut flags = String::new();
    for word in argv {
        let letters = word
            .split_at_checked(6)
            .filter(|(name, _)| name.eq_ignore_ascii_case("flags="));
        let Some((_, letters)) = letters else {
            return Err(Error(format!("unknown attribute name: {word}")));
        };
        if let Some(letter) = letters.chars().find(|letter| !"DORX".contains(*letter)) {
            return Err(Error(format!(
                "unknown {word} value \"{letter}\" in \"{letters}\""
            )));
        }
        letters.clone_into(&mut flags);
    }
    Ok(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_the_command_line() {
        let flags = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            delivery_flags(&words).map_err(|err| err.0)
        };
        assert_eq!(flags(&[]), Ok(String::new()));
        assert_eq!(flags(&["flags=D", "FLAGS=OX"]), Ok("OX".to_owned()));
        assert_eq!(
            flags(&["x=y"]),
            Err("unknown attribute name: x=y".to_owned())
        );
        assert_eq!(
            flags(&["flags=DZ"]),
            Err("unknown flags=DZ value \"Z\" in \"DZ\"".to_owned())
        );
    }
}
