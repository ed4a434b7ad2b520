//! The sender of address probes, which may change with time so that nobody can count on it (`address_verify_sender_ttl`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time stamps have these digits: no vowels, no words.
const DIGITS: &[u8; 31] = b"0123456789BCDFGHJKLMNPQRSTVWXYZ";

/// The time slot of a moment.
fn epoch(now: SystemTime, ttl: Duration) -> u64 {
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / ttl.as_secs().max(1)
}

/// The sender for probes sent now: `sender` is `address_verify_sender`, not yet rewritten. Empty: the null sender.
pub fn current(sender: &str, ttl: Duration, now: SystemTime) -> String {
    if sender.is_empty() || sender == "<>" {
        return String::new();
    }
    if ttl.is_zero() {
        return sender.to_owned();
    }
    let (local, domain) = sender.split_at(sender.find('@').unwrap_or(sender.len()));
    let mut stamp = Vec::new();
    let mut rest = epoch(now, ttl);
    while rest > 0 || stamp.is_empty() {
        let digit = usize::try_from(rest % 31).unwrap_or(0);
        stamp.push(DIGITS.get(digit).copied().unwrap_or(b'0'));
        rest /= 31;
    }
    stamp.reverse();
    format!("{local}{}{domain}", String::from_utf8_lossy(&stamp))
}

/// Whether `address` is, or was a moment ago, or will be in a moment, the sender of probes. `sender` is
/// `address_verify_sender` as rewritten in the local context, without a time stamp; empty: the null sender.
pub fn is_ours(address: &[u8], sender: &[u8], ttl: Duration, now: SystemTime) -> bool {
    if sender.is_empty() {
        return address.is_empty();
    }
    let at = |text: &[u8]| text.iter().position(|&ch| ch == b'@').unwrap_or(text.len());
    let (local, domain) = sender.split_at(at(sender));
    let (their_local, their_domain) = address.split_at(at(address));
    let Some((base, stamp)) = their_local.split_at_checked(local.len()) else {
        return false;
    };
    if !base.eq_ignore_ascii_case(local) || !their_domain.eq_ignore_ascii_case(domain) {
        return false;
    }
    if ttl.is_zero() {
        return stamp.is_empty();
    }
    let mut theirs = 0u64;
    for ch in stamp {
        let Some(digit) = DIGITS.iter().position(|digit| digit == ch) else {
            return false;
        };
        let Some(next) = theirs
            .checked_mul(31)
            .and_then(|value| value.checked_add(digit as u64))
        else {
            return false;
        };
        theirs = next;
    }
    theirs.abs_diff(epoch(now, ttl)) <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_good_for_its_slot_and_the_next_ones() {
        let ttl = Duration::from_secs(100);
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let sender = current("double-bounce@x", ttl, at(3_100));
        assert_eq!(sender, "double-bounce10@x");
        for (now, good) in [(2_900, false), (3_000, true), (3_299, true), (3_300, false)] {
            assert_eq!(
                is_ours(sender.as_bytes(), b"double-bounce@x", ttl, at(now)),
                good,
                "{now}"
            );
        }
        assert!(!is_ours(
            b"double-bounce10@y",
            b"double-bounce@x",
            ttl,
            at(3_100)
        ));
    }

    #[test]
    fn without_a_limit_the_sender_is_what_it_is() {
        let now = UNIX_EPOCH;
        assert_eq!(current("a@b", Duration::ZERO, now), "a@b");
        assert!(is_ours(b"A@B", b"a@b", Duration::ZERO, now));
        assert!(!is_ours(b"a1@b", b"a@b", Duration::ZERO, now));
        assert_eq!(current("<>", Duration::ZERO, now), "");
        assert!(is_ours(b"", b"", Duration::ZERO, now));
    }
}
