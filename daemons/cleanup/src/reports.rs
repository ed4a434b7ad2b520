//! What cleanup tells the bounce, trace and verify services, and the log, about recipients.

use std::time::SystemTime;

use pf_log::{info, warning};
use pf_proto::bounce::{self, Command, Recipient};
use pf_proto::client::Client;
use pf_proto::verify::{self, AddressStatus, Update};
use pf_record::ArrivalTime;

use crate::Show;
use crate::message::Message;

/// The services that reports go to.
pub struct Reports {
    /// `bounce_service_name`
    pub bounce: Client,
    /// `trace_service_name`
    pub trace: Client,
    /// `address_verify_service_name`
    pub verify: Client,
    /// `soft_bounce`: nothing is bounced.
    pub soft_bounce: bool,
    /// `delay_logging_resolution_limit`
    pub resolution: u32,
}

impl Reports {
    /// A probe has its answer already.
    pub async fn verified(
        &self,
        message: &Message<'_>,
        recipient: &Recipient,
        status: AddressStatus,
        dsn: &[u8],
        action: &[u8],
        reason: &[u8],
    ) -> bool {
        for address in [&recipient.original, &recipient.address] {
            let second = std::ptr::eq(address, &recipient.address);
            if address.is_empty() || (second && recipient.original == recipient.address) {
                continue;
            }
            let update = Update {
                address,
                address_status: status.code(),
                reason,
            };
            if !matches!(self.verify.call(&update).await, Ok(verify::OK)) {
                warning!(
                    "{}: {} service failure",
                    message.id,
                    self.verify.address().name()
                );
                return false;
            }
        }
        self.log(message, recipient, dsn, action, reason);
        true
    }

    /// An alias was expanded, and the sender wants to know of deliveries.
    pub async fn expanded(&self, message: &Message<'_>, recipient: &Recipient) -> bool {
        let status = bounce::Status {
            status: b"2.0.0".to_vec(),
            action: b"expanded".to_vec(),
            reason: b"alias expanded".to_vec(),
            ..bounce::Status::default()
        };
        let request = append(message, recipient.clone(), status);
        let done = matches!(self.trace.call(&request).await, Ok(0));
        if !done {
            warning!(
                "{}: {} service failure",
                message.id,
                self.trace.address().name()
            );
        }
        done
    }

    /// A recipient goes into the log of a non-delivery report.
    pub async fn bounced(
        &self,
        message: &Message<'_>,
        recipient: Recipient,
        dsn: &[u8],
        reason: &[u8],
    ) -> bool {
        if self.soft_bounce {
            return false;
        }
        let status = bounce::Status {
            status: dsn.to_vec(),
            action: b"failed".to_vec(),
            reason: reason.to_vec(),
            ..bounce::Status::default()
        };
        let request = append(message, recipient.clone(), status);
        if !matches!(self.bounce.call(&request).await, Ok(0)) {
            return false;
        }
        self.log(message, &recipient, dsn, b"bounced", reason);
        true
    }

    /// The report is sent.
    pub async fn flush(
        &self,
        message: &Message<'_>,
        about: bounce::Message,
        verp: Option<&[u8]>,
    ) -> bool {
        if self.soft_bounce {
            return false;
        }
        let command = match verp {
            Some(delimiters) => Command::Verp {
                message: about,
                delimiters: delimiters.to_vec(),
            },
            None => Command::Flush(about),
        };
        let request = bounce::Request {
            flags: bounce::FLAG_CLEAN,
            command,
        };
        let done = matches!(self.bounce.call(&request).await, Ok(0));
        if !done {
            warning!("{}: bounce message failure", message.id);
        }
        done
    }

    fn log(
        &self,
        message: &Message<'_>,
        recipient: &Recipient,
        dsn: &[u8],
        status: &[u8],
        reason: &[u8],
    ) {
        let mut line = format!(
            "{}: to=<{}>",
            message.id,
            Show(&message.log_address(&recipient.address))
        );
        if !recipient.original.is_empty()
            && !recipient.original.eq_ignore_ascii_case(&recipient.address)
        {
            let original = message.log_address(&recipient.original);
            line.push_str(&format!(", orig_to=<{}>", Show(&original)));
        }
        let delay = delay_since(
            message.arrival.unwrap_or_default(),
            SystemTime::now(),
            self.resolution,
        );
        info!(
            "{line}, relay=none, delay={delay}, delays={delay}/0/0/0, dsn={}, status={} ({})",
            Show(dsn),
            Show(status),
            Show(reason)
        );
    }
}

fn append(message: &Message<'_>, recipient: Recipient, status: bounce::Status) -> bounce::Request {
    bounce::Request {
        flags: bounce::FLAG_CLEAN,
        command: Command::Append {
            id: message.id.clone().into_bytes(),
            recipient,
            status,
        },
    }
}

/// The time since a message's arrival: two significant digits, no more than `resolution` behind the point.
fn delay_since(arrival: ArrivalTime, now: SystemTime, resolution: u32) -> String {
    let now = ArrivalTime::from(now);
    let mut micros =
        ((now.seconds - arrival.seconds) * 1_000_000 + now.micros - arrival.micros).max(0);
    let mut unit = 1_000_000 / 10_i64.pow(resolution.min(6));
    let (low, high) = if micros >= 1_000_000 {
        (1_000_000, 100_000)
    } else {
        (i64::MAX, 0)
    };
    if micros >= low {
        // Whole seconds from ten on, tenths below.
        unit = unit.max(if micros >= 10_000_000 {
            1_000_000
        } else {
            high
        });
    } else {
        while micros >= 100 * unit {
            unit *= 10;
        }
    }
    micros += unit / 2;
    micros -= micros % unit;
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn delays_have_two_digits() {
        for (micros, text) in [
            (0, "0"),
            (4_000, "0"),
            (12_345, "0.01"),
            (123_456, "0.12"),
            (1_234_567, "1.2"),
            (12_345_678, "12"),
            (123_456_789, "123"),
        ] {
            let now = UNIX_EPOCH + Duration::from_micros(micros);
            assert_eq!(delay_since(ArrivalTime::default(), now, 2), text);
        }
    }
}
