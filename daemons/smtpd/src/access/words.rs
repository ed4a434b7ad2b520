//! Restriction lists: parsed once, so that evaluating one compares no strings.

use pf_text::split::list_braces;

/// Whom or what a restriction looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    Client,
    ReverseClient,
    Helo,
    Sender,
    Recipient,
    Etrn,
}

/// Which servers of a domain `check_*_{mx,ns,a}_access` look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Servers {
    Mx,
    Ns,
    Addresses,
}

impl Servers {
    /// The name of the record type.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Servers::Mx => "MX",
            Servers::Ns => "NS",
            Servers::Addresses => "A",
        }
    }
}

/// What a word of a restriction list means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Holds a colon: a table, or a server.
    Table,
    WarnIfReject,
    Permit,
    Defer,
    Reject,
    RejectUnauthPipelining,
    CheckPolicyService,
    DeferIfPermit,
    DeferIfReject,
    Sleep,
    RejectPlaintextSession,
    RejectUnknownClient,
    RejectUnknownReverseClient,
    PermitInetInterfaces,
    PermitMynetworks,
    /// `check_*_access`.
    Access(About),
    /// `check_*_{mx,ns,a}_access`.
    ServerAccess(About, Servers),
    CheckCcertAccess,
    CheckSaslAccess,
    RejectMapsRbl,
    RejectRblClient,
    PermitDnswlClient,
    RejectRhsbl(About),
    PermitRhswlClient,
    RejectInvalidHelo,
    RejectUnknownHelo,
    RejectNonFqdnHelo,
    PermitNakedIpAddress,
    RejectUnknownDomain(About),
    RejectUnverified(About),
    RejectNonFqdn(About),
    RejectUnlisted(About),
    RejectAuthenticatedSenderLoginMismatch,
    RejectKnownSenderLoginMismatch,
    RejectUnauthenticatedSenderLoginMismatch,
    PermitMxBackup,
    PermitAuthDestination,
    RejectUnauthDestination,
    DeferUnauthDestination,
    CheckRelayDomains,
    PermitSaslAuthenticated,
    PermitTlsAllClientcerts,
    PermitTlsClientcerts,
    RejectMultiRecipientBounce,
    /// Not built in: a restriction class, an argument, or a mistake.
    Other,
}

/// The built-in names.
const NAMES: &[(&str, Kind)] = &[
    ("check_ccert_access", Kind::CheckCcertAccess),
    (
        "check_client_a_access",
        Kind::ServerAccess(About::Client, Servers::Addresses),
    ),
    ("check_client_access", Kind::Access(About::Client)),
    (
        "check_client_mx_access",
        Kind::ServerAccess(About::Client, Servers::Mx),
    ),
    (
        "check_client_ns_access",
        Kind::ServerAccess(About::Client, Servers::Ns),
    ),
    ("check_etrn_access", Kind::Access(About::Etrn)),
    (
        "check_helo_a_access",
        Kind::ServerAccess(About::Helo, Servers::Addresses),
    ),
    ("check_helo_access", Kind::Access(About::Helo)),
    (
        "check_helo_mx_access",
        Kind::ServerAccess(About::Helo, Servers::Mx),
    ),
    (
        "check_helo_ns_access",
        Kind::ServerAccess(About::Helo, Servers::Ns),
    ),
    ("check_policy_service", Kind::CheckPolicyService),
    (
        "check_recipient_a_access",
        Kind::ServerAccess(About::Recipient, Servers::Addresses),
    ),
    ("check_recipient_access", Kind::Access(About::Recipient)),
    (
        "check_recipient_maps",
        Kind::RejectUnlisted(About::Recipient),
    ),
    (
        "check_recipient_mx_access",
        Kind::ServerAccess(About::Recipient, Servers::Mx),
    ),
    (
        "check_recipient_ns_access",
        Kind::ServerAccess(About::Recipient, Servers::Ns),
    ),
    ("check_relay_domains", Kind::CheckRelayDomains),
    (
        "check_reverse_client_hostname_a_access",
        Kind::ServerAccess(About::ReverseClient, Servers::Addresses),
    ),
    (
        "check_reverse_client_hostname_access",
        Kind::Access(About::ReverseClient),
    ),
    (
        "check_reverse_client_hostname_mx_access",
        Kind::ServerAccess(About::ReverseClient, Servers::Mx),
    ),
    (
        "check_reverse_client_hostname_ns_access",
        Kind::ServerAccess(About::ReverseClient, Servers::Ns),
    ),
    ("check_sasl_access", Kind::CheckSaslAccess),
    (
        "check_sender_a_access",
        Kind::ServerAccess(About::Sender, Servers::Addresses),
    ),
    ("check_sender_access", Kind::Access(About::Sender)),
    (
        "check_sender_mx_access",
        Kind::ServerAccess(About::Sender, Servers::Mx),
    ),
    (
        "check_sender_ns_access",
        Kind::ServerAccess(About::Sender, Servers::Ns),
    ),
    ("defer", Kind::Defer),
    ("defer_if_permit", Kind::DeferIfPermit),
    ("defer_if_reject", Kind::DeferIfReject),
    ("defer_unauth_destination", Kind::DeferUnauthDestination),
    ("permit", Kind::Permit),
    ("permit_auth_destination", Kind::PermitAuthDestination),
    ("permit_dnswl_client", Kind::PermitDnswlClient),
    ("permit_inet_interfaces", Kind::PermitInetInterfaces),
    ("permit_mx_backup", Kind::PermitMxBackup),
    ("permit_mynetworks", Kind::PermitMynetworks),
    ("permit_naked_ip_address", Kind::PermitNakedIpAddress),
    ("permit_rhswl_client", Kind::PermitRhswlClient),
    ("permit_sasl_authenticated", Kind::PermitSaslAuthenticated),
    ("permit_tls_all_clientcerts", Kind::PermitTlsAllClientcerts),
    ("permit_tls_clientcerts", Kind::PermitTlsClientcerts),
    ("reject", Kind::Reject),
    (
        "reject_authenticated_sender_login_mismatch",
        Kind::RejectAuthenticatedSenderLoginMismatch,
    ),
    ("reject_invalid_helo_hostname", Kind::RejectInvalidHelo),
    ("reject_invalid_hostname", Kind::RejectInvalidHelo),
    (
        "reject_known_sender_login_mismatch",
        Kind::RejectKnownSenderLoginMismatch,
    ),
    ("reject_maps_rbl", Kind::RejectMapsRbl),
    (
        "reject_multi_recipient_bounce",
        Kind::RejectMultiRecipientBounce,
    ),
    ("reject_non_fqdn_helo_hostname", Kind::RejectNonFqdnHelo),
    ("reject_non_fqdn_hostname", Kind::RejectNonFqdnHelo),
    (
        "reject_non_fqdn_recipient",
        Kind::RejectNonFqdn(About::Recipient),
    ),
    ("reject_non_fqdn_sender", Kind::RejectNonFqdn(About::Sender)),
    ("reject_plaintext_session", Kind::RejectPlaintextSession),
    ("reject_rbl", Kind::RejectRblClient),
    ("reject_rbl_client", Kind::RejectRblClient),
    ("reject_rhsbl_client", Kind::RejectRhsbl(About::Client)),
    ("reject_rhsbl_helo", Kind::RejectRhsbl(About::Helo)),
    (
        "reject_rhsbl_recipient",
        Kind::RejectRhsbl(About::Recipient),
    ),
    (
        "reject_rhsbl_reverse_client",
        Kind::RejectRhsbl(About::ReverseClient),
    ),
    ("reject_rhsbl_sender", Kind::RejectRhsbl(About::Sender)),
    ("reject_unauth_destination", Kind::RejectUnauthDestination),
    ("reject_unauth_pipelining", Kind::RejectUnauthPipelining),
    (
        "reject_unauthenticated_sender_login_mismatch",
        Kind::RejectUnauthenticatedSenderLoginMismatch,
    ),
    (
        "reject_unknown_address",
        Kind::RejectUnknownDomain(About::Sender),
    ),
    ("reject_unknown_client", Kind::RejectUnknownClient),
    ("reject_unknown_client_hostname", Kind::RejectUnknownClient),
    ("reject_unknown_helo_hostname", Kind::RejectUnknownHelo),
    ("reject_unknown_hostname", Kind::RejectUnknownHelo),
    (
        "reject_unknown_recipient_domain",
        Kind::RejectUnknownDomain(About::Recipient),
    ),
    (
        "reject_unknown_reverse_client_hostname",
        Kind::RejectUnknownReverseClient,
    ),
    (
        "reject_unknown_sender_domain",
        Kind::RejectUnknownDomain(About::Sender),
    ),
    (
        "reject_unlisted_recipient",
        Kind::RejectUnlisted(About::Recipient),
    ),
    (
        "reject_unlisted_sender",
        Kind::RejectUnlisted(About::Sender),
    ),
    (
        "reject_unverified_recipient",
        Kind::RejectUnverified(About::Recipient),
    ),
    (
        "reject_unverified_sender",
        Kind::RejectUnverified(About::Sender),
    ),
    ("sleep", Kind::Sleep),
    ("warn_if_reject", Kind::WarnIfReject),
];

/// One word of a restriction list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) kind: Kind,
}

impl Word {
    fn new(text: &str) -> Self {
        let kind = if text.contains(':') {
            Kind::Table
        } else {
            let lower = text.to_ascii_lowercase();
            NAMES
                .binary_search_by(|(name, _)| (*name).cmp(lower.as_str()))
                .ok()
                .and_then(|at| NAMES.get(at))
                .map_or(Kind::Other, |(_, kind)| *kind)
        };
        Self {
            text: text.to_owned(),
            kind,
        }
    }
}

/// Parses a restriction list.
pub(crate) fn parse(list: &str) -> Vec<Word> {
    list_braces(list).map(Word::new).collect()
}

/// Whether one of the restrictions that keep a server from relaying for everybody can be reached. `classes` finds the words of a
/// restriction class; `warn` gets a text for each restriction that never takes effect.
pub(crate) fn has_required(
    words: &[Word],
    classes: &impl Fn(&str) -> Option<Vec<Word>>,
    warn: &mut impl FnMut(String),
    depth: u32,
) -> bool {
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        match word.kind {
            Kind::WarnIfReject if rest.peek().is_some() => {
                rest.next();
            }
            Kind::Permit => {
                if let Some(next) = rest.peek() {
                    warn(format!(
                        "restriction `{}' after `{}' is ignored",
                        next.text, word.text
                    ));
                }
                return false;
            }
            Kind::RejectUnauthDestination
            | Kind::DeferUnauthDestination
            | Kind::Reject
            | Kind::Defer
            | Kind::DeferIfPermit
            | Kind::CheckRelayDomains => return true,
            _ => {
                // A class that names itself ends here instead of never.
                if depth < 100
                    && let Some(class) = classes(&word.text)
                    && has_required(&class, classes, warn, depth + 1)
                {
                    return true;
                }
            }
        }
    }
    false
}

/// The names of the restrictions of [`has_required`], as the fatal message lists them.
pub(crate) const REQUIRED: &str = "reject_unauth_destination, defer_unauth_destination, reject, defer, defer_if_permit or check_relay_domains";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_for_the_search() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn words_keep_their_braces() {
        let words = parse("check_client_access inline:{ {a = b c} }, Permit hash:/x my_class");
        let kinds: Vec<Kind> = words.iter().map(|word| word.kind).collect();
        assert_eq!(
            kinds,
            [
                Kind::Access(About::Client),
                Kind::Table,
                Kind::Permit,
                Kind::Table,
                Kind::Other
            ]
        );
        assert_eq!(words[1].text, "inline:{ {a = b c} }");
    }

    #[test]
    fn a_relay_needs_one_working_refusal() {
        let required = |list: &str| {
            let classes = |name: &str| match name {
                "strict" => Some(parse("permit_mynetworks reject")),
                "loop" => Some(parse("loop")),
                _ => None,
            };
            let mut warnings = Vec::new();
            let found = has_required(&parse(list), &classes, &mut |text| warnings.push(text), 0);
            (found, warnings)
        };
        assert!(required("permit_mynetworks defer_unauth_destination").0);
        assert!(required("permit_mynetworks strict").0);
        assert!(!required("warn_if_reject reject").0);
        assert!(!required("loop").0);
        let (found, warnings) = required("permit, reject");
        assert!(!found);
        assert_eq!(warnings, ["restriction `reject' after `permit' is ignored"]);
    }
}
