//! An address that an expansion yields: completed and resolved as other mail is, then delivered here or sent on.

use pf_dsn::Dsn;
use pf_proto::resolve::{Personality, ResolveFlags};
use pf_proto::rewrite;

use crate::delivery::{Delivery, Step};
use crate::state::{Attributes, Rights};

impl Delivery<'_> {
    /// Delivers to an address in external form.
    pub(crate) fn resolve(&self, state: Attributes, rights: Rights, address: Vec<u8>) -> Step<'_> {
        Box::pin(self.resolve_steps(state.deeper(), rights, address))
    }

    async fn resolve_steps(&self, mut state: Attributes, rights: Rights, address: Vec<u8>) -> bool {
        let trivial = &self.local.trivial;
        let resolved = async {
            let full = trivial.rewrite(rewrite::LOCAL, &address).await?;
            let internal = pf_address::unquote_822(&full);
            trivial.resolve(Personality::Regular, b"", &internal).await
        };
        let resolved = match Box::pin(resolved).await {
            Ok(resolved) if !resolved.flags.has(ResolveFlags::FAIL) => resolved,
            _ => {
                return self
                    .defer(&state, Dsn::new(4, 3, 0), "address resolver failure")
                    .await;
            }
        };
        if resolved.flags.has(ResolveFlags::ERROR) {
            let reason = [
                b"bad recipient address syntax: ",
                resolved.recipient.as_slice(),
            ]
            .concat();
            return self.bounce(&state, Dsn::new(5, 1, 3), reason).await;
        }
        let delimiter = state.local.get(state.user.len()).copied();
        state.recipient.address = match (&state.unmatched, delimiter) {
            (Some(extension), Some(delimiter)) => {
                with_extension(&resolved.recipient, delimiter, extension)
            }
            _ => resolved.recipient.clone(),
        };
        if resolved.transport == self.local.service.as_bytes() {
            self.recipient(state, rights).await
        } else {
            Box::pin(self.indirect(&state)).await
        }
    }
}

/// The address with an extension put in.
fn with_extension(address: &[u8], delimiter: u8, extension: &[u8]) -> Vec<u8> {
    let at = pf_address::domain_at(address).unwrap_or(address.len());
    let (local, domain) = address.split_at_checked(at).unwrap_or((address, b""));
    [local, &[delimiter], extension, domain].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_come_back() {
        assert_eq!(with_extension(b"a@b", b'+', b"x"), b"a+x@b");
        assert_eq!(with_extension(b"a", b'-', b"x"), b"a-x");
    }
}
