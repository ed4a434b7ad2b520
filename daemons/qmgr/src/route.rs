//! Where a recipient goes: what the resolver says, unless a filter, a redirection or an administrator says otherwise.

use pf_dsn::{Dsn, Status};
use pf_proto::bounce::Recipient;
use pf_proto::deliver::flags;
use pf_proto::resolve::{Personality, ResolveFlags, Resolved};

use crate::active::Wish;
use crate::message::Envelope;
use crate::shared::Shared;

/// The transport that bounces what it gets.
pub const ERROR: &str = "error";
/// The transport that defers what it gets.
pub const RETRY: &str = "retry";

/// Where a recipient goes.
pub enum Route {
    To {
        transport: String,
        nexthop: Vec<u8>,
        address: Vec<u8>,
    },
    /// It is done with, without delivery.
    Discard(String),
    /// Nobody can tell now.
    Defer(Status),
}

/// Finds out where a recipient goes.
pub async fn route(
    shared: &Shared,
    envelope: &Envelope,
    wish: Wish,
    recipient: &Recipient,
) -> Route {
    let probe = envelope.trace_flags & flags::PROBE != 0;
    let machine = envelope.trace_flags & flags::MTA_VERIFY != 0;
    let (transport, nexthop, address, found) =
        if envelope.redirect.is_none() && !envelope.filter.is_empty() && !probe {
            let address = recipient.address.clone();
            let (transport, nexthop) = filter(shared, &envelope.filter, &address);
            (transport, nexthop, address, ResolveFlags::default())
        } else {
            let personality = if machine {
                Personality::Verify
            } else {
                Personality::Regular
            };
            let rewritten;
            let address = if let Some(redirect) = &envelope.redirect {
                let external = pf_address::quote_822(redirect);
                let rewriting = shared.trivial.rewrite(pf_proto::rewrite::LOCAL, &external);
                let Ok(external) = rewriting.await else {
                    return resolver_failure();
                };
                rewritten = pf_address::unquote_822(&external);
                &rewritten
            } else {
                &recipient.address
            };
            let resolved = shared
                .trivial
                .resolve(personality, &envelope.sender, address)
                .await;
            let Ok(resolved) = resolved else {
                return resolver_failure();
            };
            let Resolved {
                transport,
                nexthop,
                recipient: address,
                flags,
                ..
            } = (*resolved).clone();
            if flags.has(ResolveFlags::FAIL) {
                return retry("4.3.0 address resolver failure", address);
            }
            if flags.has(ResolveFlags::ERROR) {
                return Route::To {
                    transport: ERROR.to_owned(),
                    nexthop: b"5.1.3 bad address syntax".to_vec(),
                    address,
                };
            }
            let Ok(transport) = String::from_utf8(transport) else {
                return Route::Defer(Status::new(Dsn::new(4, 3, 5), "bad transport name"));
            };
            (transport, nexthop, address, flags)
        };
    if address.is_empty() {
        return Route::To {
            transport: ERROR.to_owned(),
            nexthop: b"5.1.3 null recipient address".to_vec(),
            address,
        };
    }
    if wish.expire {
        return retry("4.7.0 message is administratively expired", address);
    }
    // A bounce of a bounce of a bounce ends here.
    let (local, _) = pf_address::split(&address);
    if found.has(ResolveFlags::LOCAL)
        && local.eq_ignore_ascii_case(shared.params.double_bounce.as_bytes())
    {
        return Route::Discard("undeliverable postmaster notification discarded".to_owned());
    }
    let listed = |name: &String| name == &transport;
    if !wish.all_transports && shared.params.defer_transports.iter().any(listed) {
        return retry("4.3.2 deferred transport", address);
    }
    if machine && shared.probes() > shared.params.probe_limit {
        return retry("4.3.2 Too many address verification requests", address);
    }
    Route::To {
        transport,
        nexthop,
        address,
    }
}

fn retry(why: &str, address: Vec<u8>) -> Route {
    Route::To {
        transport: RETRY.to_owned(),
        nexthop: why.as_bytes().to_vec(),
        address,
    }
}

fn resolver_failure() -> Route {
    Route::Defer(Status::new(Dsn::new(4, 3, 0), "address resolver failure"))
}

/// The transport and the next hop of a content filter.
fn filter(shared: &Shared, filter: &[u8], address: &[u8]) -> (String, Vec<u8>) {
    let filter = String::from_utf8_lossy(filter).into_owned();
    let (transport, nexthop) = filter.split_once(':').unwrap_or((&filter, ""));
    let nexthop = match (nexthop, shared.params.default_filter_nexthop.as_str()) {
        ("", "") => pf_address::domain(address)
            .filter(|domain| !domain.is_empty())
            .unwrap_or(shared.params.myhostname.as_bytes())
            .to_vec(),
        ("", default) => default.as_bytes().to_vec(),
        (nexthop, _) => nexthop.as_bytes().to_vec(),
    };
    (transport.to_owned(), nexthop)
}
