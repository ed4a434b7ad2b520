//! What a delivery agent is asked to do.

use pf_proto::bounce::Recipient;
use pf_proto::deliver::{DeliveryRequest, Moment, Times, flags};

use crate::scheduler::MessageId;
use crate::shared::Shared;

/// The request for one entry.
pub fn request(
    shared: &Shared,
    number: MessageId,
    wanted: &[usize],
    flags_extra: i32,
    nexthop: &[u8],
) -> Option<DeliveryRequest> {
    shared.with_message(number, |message| {
        let envelope = &message.envelope;
        let recipients: Vec<Recipient> = wanted
            .iter()
            .filter_map(|at| message.recipients.get(at).cloned())
            .collect();
        let sender = match (&envelope.verp, recipients.first()) {
            (Some(delimiters), Some(recipient)) => verp(
                &envelope.sender,
                delimiters,
                &shared.params.verp_delimiters,
                recipient,
            ),
            _ => envelope.sender.clone(),
        };
        let arrival = Moment {
            seconds: envelope.arrival.seconds,
            micros: envelope.arrival.micros,
        };
        let mut sendopts = i32::try_from(envelope.size.sendopts).unwrap_or(0);
        if recipients
            .iter()
            .any(|recipient| !recipient.address.is_ascii())
        {
            sendopts |= i32::try_from(pf_record::sendopts::SMTPUTF8_RECIPIENT).unwrap_or(0);
        }
        let kind = if envelope.inspect {
            flags::BOUNCE
        } else {
            flags::DEFAULT
        };
        DeliveryRequest {
            flags: kind | envelope.trace_flags | flags_extra,
            queue: b"active".to_vec(),
            id: message.id.as_bytes().to_vec(),
            data_offset: envelope.size.data_offset,
            data_size: envelope.size.content_length,
            nexthop: nexthop.to_vec(),
            encoding: envelope.encoding.clone(),
            sendopts,
            sender,
            envid: envelope.envid.clone(),
            ret: envelope.ret,
            times: Times {
                arrived: arrival,
                active: message.active_since,
                ..Times::default()
            },
            client_name: envelope.client_name.clone(),
            client_address: envelope.client_address.clone(),
            client_port: envelope.client_port.clone(),
            client_protocol: envelope.client_protocol.clone(),
            client_helo: envelope.client_helo.clone(),
            sasl_method: envelope.sasl_method.clone(),
            sasl_username: envelope.sasl_username.clone(),
            sasl_sender: envelope.sasl_sender.clone(),
            log_ident: envelope.log_ident.clone(),
            rewrite_context: if envelope.rewrite_context.is_empty() {
                b"local".to_vec()
            } else {
                envelope.rewrite_context.clone()
            },
            recipients,
        }
    })
}

/// The sender address that tells which recipient a bounce is about.
fn verp(sender: &[u8], delimiters: &[u8], default: &str, recipient: &Recipient) -> Vec<u8> {
    let delimiters = if delimiters.len() == 2 {
        delimiters
    } else {
        default.as_bytes()
    };
    let (local, domain) = pf_address::split(sender);
    let original = if recipient.original.is_empty() {
        &recipient.address
    } else {
        &recipient.original
    };
    let (their_local, their_domain) = pf_address::split(original);
    let mut out = local.to_vec();
    out.extend(delimiters.first());
    out.extend_from_slice(their_local);
    if let Some(domain) = their_domain {
        out.extend(delimiters.get(1));
        out.extend_from_slice(domain);
    }
    if let Some(domain) = domain {
        out.push(b'@');
        out.extend_from_slice(domain);
    }
    out
}
