//! Our own address verification probes, as seen by the server that gets one: their sender changes with time, and must be
//! accepted whatever the restrictions say.

use std::time::{Duration, SystemTime};

use crate::access::ask::Ask;
use crate::params::Params;

/// The digits of the time stamp.
const DIGITS: &[u8] = b"0123456789BCDFGHJKLMNPQRSTVWXYZ";

fn stamp(text: &[u8]) -> Option<u64> {
    let base = u64::try_from(DIGITS.len()).ok()?;
    text.iter().try_fold(0u64, |value, byte| {
        let digit = DIGITS.iter().position(|known| known == byte)?;
        value
            .checked_mul(base)?
            .checked_add(u64::try_from(digit).ok()?)
    })
}

/// Whether an address is the probe sender `own`, with a time stamp when stamps are in use.
fn matches(own: &[u8], address: &[u8], ttl: Duration, now: u64) -> bool {
    let split = |text| match memchr::memchr(b'@', text) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at..)),
        None => (text, None),
    };
    let (own_local, own_domain) = split(own);
    let (local, domain) = split(address);
    let Some((base, rest)) = local.split_at_checked(own_local.len()) else {
        return false;
    };
    let same_domain = match (own_domain, domain) {
        (Some(own), Some(other)) => own.eq_ignore_ascii_case(other),
        (None, None) => true,
        _ => false,
    };
    if !base.eq_ignore_ascii_case(own_local) || !same_domain {
        return false;
    }
    if ttl.as_secs() == 0 {
        return rest.is_empty();
    }
    let epoch = now / ttl.as_secs();
    stamp(rest).is_some_and(|then| then.abs_diff(epoch) <= 1)
}

/// The address that stands for a probe sender, without its time stamp; `None`: this is something else.
pub(crate) async fn probe_sender(
    params: &Params,
    ask: &impl Ask,
    address: &[u8],
) -> Option<Vec<u8>> {
    let own = params.verify_sender.as_bytes();
    if own.is_empty() || own == b"<>" {
        return address.is_empty().then(Vec::new);
    }
    // Most addresses do not even begin like it.
    let local = own.split(|byte| *byte == b'@').next().unwrap_or(own);
    if !address
        .get(..local.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(local))
    {
        return None;
    }
    let own = ask.rewrite(own).await;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    matches(&own, address, params.verify_sender_ttl, now).then_some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probe_senders_may_carry_a_time_stamp() {
        let day = Duration::from_secs(86_400);
        assert!(matches(
            b"double-bounce@x.y",
            b"Double-Bounce@X.Y",
            Duration::ZERO,
            0
        ));
        assert!(!matches(
            b"double-bounce@x.y",
            b"double-bounces@x.y",
            Duration::ZERO,
            0
        ));
        // 33 days are "12" with 31 digits.
        assert!(matches(b"p@x", b"p12@x", day, 33 * 86_400));
        assert!(matches(b"p@x", b"p12@x", day, 34 * 86_400));
        assert!(!matches(b"p@x", b"p12@x", day, 35 * 86_400));
        assert!(!matches(b"p@x", b"pA@x", day, 0));
        assert!(!matches(b"p@x", b"p12", day, 33 * 86_400));
    }
}
