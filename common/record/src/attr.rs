//! Named attributes in ATTR records, `name=value`.

use crate::RecordType;

/// Why an ATTR record is not `name=value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing before the `=`.
    #[error("missing attribute name")]
    Name,
    /// No `=`.
    #[error("missing '=' after attribute name")]
    Equals,
}

/// Splits `name = value`; blanks around both are dropped.
///
/// # Errors
/// There is no name or no `=`.
pub fn split(data: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let start = data.iter().position(|byte| !blank(byte));
    let data = start
        .and_then(|start| data.get(start..))
        .unwrap_or_default();
    let end = data
        .iter()
        .position(|byte| blank(byte) || *byte == b'=')
        .unwrap_or(data.len());
    if end == 0 {
        return Err(Error::Name);
    }
    let (name, rest) = data.split_at_checked(end).unwrap_or((data, &[]));
    let value = rest
        .trim_ascii_start()
        .strip_prefix(b"=")
        .ok_or(Error::Equals)?;
    Ok((name, value.trim_ascii()))
}

/// The record type that stands for this attribute (`rec_attr_map`), for attributes that came from another program as
/// named ones but are kept as records.
pub fn record_type(name: &[u8]) -> Option<RecordType> {
    match name {
        b"dsn_orig_rcpt" => Some(RecordType::DSN_ORCPT),
        b"notify_flags" => Some(RecordType::DSN_NOTIFY),
        b"envelope_id" => Some(RecordType::DSN_ENVID),
        b"ret_flags" => Some(RecordType::DSN_RET),
        b"create_time" => Some(RecordType::CTIME),
        _ => None,
    }
}

/// Tracing flags (verify, record, ...), a decimal number.
pub const TRACE_FLAGS: &str = "trace_flags";
/// `8bit`, `7bit` or empty.
pub const ENCODING: &str = "encoding";
/// The client's name, for logging by the next hop.
pub const LOG_CLIENT_NAME: &str = "log_client_name";
/// The client's address, for logging by the next hop.
pub const LOG_CLIENT_ADDRESS: &str = "log_client_address";
/// The client's port, for logging by the next hop.
pub const LOG_CLIENT_PORT: &str = "log_client_port";
/// The client's HELO, for logging by the next hop.
pub const LOG_HELO_NAME: &str = "log_helo_name";
/// The client's protocol, for logging by the next hop.
pub const LOG_PROTOCOL_NAME: &str = "log_protocol_name";
/// `name[address]` of the client, for logging by cleanup.
pub const LOG_MESSAGE_ORIGIN: &str = "log_message_origin";
/// The message's id at its first hop, for logging by the next.
pub const LOG_IDENT: &str = "log_ident";
/// The client's name, for milters and delivery agents.
pub const CLIENT_NAME: &str = "client_name";
/// The client's name by reverse lookup only.
pub const REVERSE_CLIENT_NAME: &str = "reverse_client_name";
/// The client's address.
pub const CLIENT_ADDRESS: &str = "client_address";
/// The client's port.
pub const CLIENT_PORT: &str = "client_port";
/// The client's address family.
pub const CLIENT_ADDRESS_TYPE: &str = "client_address_type";
/// The address that the client connected to.
pub const SERVER_ADDRESS: &str = "server_address";
/// The port that the client connected to.
pub const SERVER_PORT: &str = "server_port";
/// The client's HELO.
pub const HELO_NAME: &str = "helo_name";
/// The client's protocol.
pub const PROTOCOL_NAME: &str = "protocol_name";
/// SASL mechanism.
pub const SASL_METHOD: &str = "sasl_method";
/// SASL login.
pub const SASL_USERNAME: &str = "sasl_username";
/// SASL sender (`AUTH=`).
pub const SASL_SENDER: &str = "sasl_sender";
/// `local` or `remote`.
pub const REWRITE_CONTEXT: &str = "rewrite_context";
/// The time of submission, seconds and microseconds.
pub const CREATE_TIME: &str = "create_time";
/// Set by `postsuper -f` and `-e`.
pub const FORCED_EXPIRE: &str = "forced_expire";
