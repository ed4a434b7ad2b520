//! Address extensions: `user+extension@domain`.

/// How extensions are told apart.
#[derive(Debug, Clone, Copy)]
pub struct Delimiters<'a> {
    /// The characters of `recipient_delimiter`; empty: there are no extensions.
    pub set: &'a [u8],
    /// `owner_request_special`: with `-` in the set, `owner-list` and `list-request` are names as they are.
    pub owner_request_special: bool,
    /// `double_bounce_sender`, which is never split.
    pub double_bounce_sender: &'a [u8],
}

impl<'a> Delimiters<'a> {
    /// The usual rules for this `recipient_delimiter`.
    pub fn new(set: &'a [u8]) -> Self {
        Self {
            set,
            owner_request_special: true,
            double_bounce_sender: b"double-bounce",
        }
    }

    /// User and extension of a local part, the extension without its delimiter; `None`: there is none, or the name is special,
    /// or the user would be empty.
    pub fn split<'b>(&self, local: &'b [u8]) -> Option<(&'b [u8], &'b [u8])> {
        let at = self.position(local)?;
        Some((local.get(..at)?, local.get(at + 1..)?))
    }

    /// Where the delimiter stands in a local part.
    fn position(&self, local: &[u8]) -> Option<usize> {
        let at = local.iter().position(|ch| self.set.contains(ch))?;
        if at == 0
            || local.eq_ignore_ascii_case(b"postmaster")
            || local.eq_ignore_ascii_case(b"mailer-daemon")
            || local.eq_ignore_ascii_case(self.double_bounce_sender)
        {
            return None;
        }
        if self.owner_request_special && self.set.contains(&b'-') {
            let owner = local
                .get(..6)
                .is_some_and(|head| head.eq_ignore_ascii_case(b"owner-"));
            let request = local.len() > 8
                && local
                    .get(local.len() - 8..)
                    .is_some_and(|tail| tail.eq_ignore_ascii_case(b"-request"));
            if owner || request {
                return None;
            }
        }
        Some(at)
    }

    /// An address in internal form without its extension, and the extension with its delimiter; `None`: there is none.
    pub fn strip<'b>(&self, address: &'b [u8]) -> Option<(Vec<u8>, &'b [u8])> {
        let (local, _) = crate::split(address);
        let at = self.position(local)?;
        let extension = local.get(at..)?;
        let stripped = [address.get(..at)?, address.get(local.len()..)?].concat();
        Some((stripped, extension))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_split_at_the_first_delimiter() {
        let plus = Delimiters::new(b"+-");
        assert_eq!(plus.split(b"a+b-c"), Some((&b"a"[..], &b"b-c"[..])));
        assert_eq!(plus.split(b"a-b+c"), Some((&b"a"[..], &b"b+c"[..])));
        assert_eq!(plus.split(b"a+"), Some((&b"a"[..], &b""[..])));
        assert_eq!(plus.split(b"+a"), None);
        assert_eq!(plus.split(b"owner-x"), None);
        assert_eq!(plus.split(b"x-request"), None);
        assert_eq!(plus.split(b"-request"), None);
        assert_eq!(plus.split(b"Double-Bounce"), None);
        assert_eq!(plus.split(b"MAILER-DAEMON"), None);
        assert_eq!(Delimiters::new(b"+").split(b"x+y-request").unwrap().0, b"x");
        assert_eq!(Delimiters::new(b"").split(b"a+b"), None);
        assert_eq!(
            plus.strip(b"a+b@c+d"),
            Some((b"a@c+d".to_vec(), &b"+b"[..]))
        );
        assert_eq!(plus.strip(b"a@c+d"), None);
    }
}
