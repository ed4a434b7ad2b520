//! The parameters that trivial-rewrite reads.

use pf_config::{Config, Error, Param, param};

use crate::resolve::{Named, Settings, Transports};
use crate::rewrite::{Context, Rules};

/// Reads the parameters.
///
/// # Errors
/// A value is malformed.
pub fn read(config: &Config) -> Result<Settings, Error> {
    let bytes = |key| config.get::<String>(key).map(String::into_bytes);
    let flag = |key| config.get::<bool>(key);
    let named = |key: Param<String>| -> Result<Named, Error> {
        Ok(Named {
            name: key.name(),
            value: config.get(key)?.into_bytes(),
        })
    };
    let remote = bytes(param::REMOTE_HEADER_REWRITE_DOMAIN)?;
    Ok(Settings {
        rules: Rules {
            swap_bangpath: flag(param::SWAP_BANGPATH)?,
            percent_hack: flag(param::ALLOW_PERCENT_HACK)?,
            append_at_myorigin: flag(param::APPEND_AT_MYORIGIN)?,
            append_dot_mydomain: flag(param::APPEND_DOT_MYDOMAIN)?,
            local: Context {
                origin: bytes(param::MYORIGIN)?,
                domain: bytes(param::MYDOMAIN)?,
            },
            remote: Context {
                origin: remote.clone(),
                domain: remote,
            },
        },
        dequoted: flag(param::RESOLVE_DEQUOTED_ADDRESS)?,
        null_domain: flag(param::RESOLVE_NULL_DOMAIN)?,
        numeric_domain: flag(param::RESOLVE_NUMERIC_DOMAIN)?,
        allow_min_user: flag(param::ALLOW_MIN_USER)?,
        empty_address: bytes(param::EMPTY_ADDRESS_RECIPIENT)?,
        myhostname: bytes(param::MYHOSTNAME)?,
        show_table: flag(param::SHOW_USER_UNKNOWN_TABLE_NAME)?,
        null_relayhost_key: bytes(param::EMPTY_ADDRESS_RELAYHOST_MAPS_LOOKUP_KEY)?,
        null_transport_key: bytes(param::EMPTY_ADDRESS_DEFAULT_TRANSPORT_MAPS_LOOKUP_KEY)?,
        relocated_prefix: flag(param::RELOCATED_PREFIX_ENABLE)?,
        smtputf8: flag(param::SMTPUTF8_ENABLE)?,
        helpful_warnings: flag(param::HELPFUL_WARNINGS)?,
        main_cf: config.directory().join("main.cf").display().to_string(),
        legacy_append_dot: config.legacy_default(param::APPEND_DOT_MYDOMAIN),
        regular: Transports {
            local: named(param::LOCAL_TRANSPORT)?,
            virtual_mailbox: named(param::VIRTUAL_TRANSPORT)?,
            relay: named(param::RELAY_TRANSPORT)?,
            default: named(param::DEFAULT_TRANSPORT)?,
            relayhost: bytes(param::RELAYHOST)?,
            sender_transport_name: param::SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS.name(),
            sender_relayhost_name: param::SENDER_DEPENDENT_RELAYHOST_MAPS.name(),
            transport_maps_name: param::TRANSPORT_MAPS.name(),
        },
        verify: Transports {
            local: named(param::ADDRESS_VERIFY_LOCAL_TRANSPORT)?,
            virtual_mailbox: named(param::ADDRESS_VERIFY_VIRTUAL_TRANSPORT)?,
            relay: named(param::ADDRESS_VERIFY_RELAY_TRANSPORT)?,
            default: named(param::ADDRESS_VERIFY_DEFAULT_TRANSPORT)?,
            relayhost: bytes(param::ADDRESS_VERIFY_RELAYHOST)?,
            sender_transport_name: param::ADDRESS_VERIFY_SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS
                .name(),
            sender_relayhost_name: param::ADDRESS_VERIFY_SENDER_DEPENDENT_RELAYHOST_MAPS.name(),
            transport_maps_name: param::ADDRESS_VERIFY_TRANSPORT_MAPS.name(),
        },
    })
}
