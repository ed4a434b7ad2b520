//! `check_policy_service`, where no policy server can be reached: its default action decides.

use super::action::Entry;
use super::ask::Ask;
use super::words::Kind;
use super::{Check, Decision, Subject};

/// What a default action that asks a policy server again comes down to.
const LAST_RESORT: &str = "451 4.3.5 Server configuration problem";

/// The endpoint and the default action of `server` or `{ server, default_action = ... }`.
fn parse<'a>(server: &'a str, default_action: &'a str) -> (&'a str, &'a str) {
    if !server.starts_with('{') {
        return (server, default_action);
    }
    let inner = pf_text::split::strip_braces(server).unwrap_or(server);
    let mut words = pf_text::split::list_braces(inner);
    let name = words.next().unwrap_or(server);
    let own = words
        .filter_map(|word| {
            pf_text::split::strip_braces(word)
                .unwrap_or(word)
                .split_once('=')
        })
        .find(|(name, _)| name.trim() == "default_action")
        .map(|(_, action)| action.trim());
    (name, own.unwrap_or(default_action))
}

impl<A: Ask> Check<'_, A> {
    pub(super) async fn policy_service(
        &mut self,
        server: &str,
        subject: &Subject,
        default: Option<Kind>,
    ) -> Decision {
        let params = self.params;
        let (name, action) = parse(server, &params.policy_default_action);
        let shown = name
            .strip_prefix("unix:")
            .or_else(|| name.strip_prefix("inet:"))
            .unwrap_or(name);
        self.warn(format!(
            "problem talking to server {shown}: Connection refused"
        ));
        let action = if self.in_policy { LAST_RESORT } else { action };
        let outer = std::mem::replace(&mut self.in_policy, true);
        let entry = Entry {
            table: server,
            datum: b"policy query",
            subject,
            default,
        };
        let decision = self.act(entry, action.as_bytes()).await;
        self.in_policy = outer;
        decision
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn servers_may_have_an_action_of_their_own() {
        assert_eq!(
            parse("unix:private/p", "DUNNO"),
            ("unix:private/p", "DUNNO")
        );
        assert_eq!(
            parse(
                "{ unix:private/p, timeout=10s, { default_action = 450 Later } }",
                "DUNNO"
            ),
            ("unix:private/p", "450 Later")
        );
    }
}
