//! Rewriting an address to its standard form: `user@domain.tld`.

use pf_address::{Address, Token, scan};

/// The parameters of rewriting.
#[derive(Debug, Clone)]
pub struct Rules {
    /// `swap_bangpath`: `site!user` is `user@site`.
    pub swap_bangpath: bool,
    /// `allow_percent_hack`: `user%domain` is `user@domain`.
    pub percent_hack: bool,
    /// `append_at_myorigin`
    pub append_at_myorigin: bool,
    /// `append_dot_mydomain`
    pub append_dot_mydomain: bool,
    /// What is appended in the local context: `myorigin` and `mydomain`.
    pub local: Context,
    /// What is appended in the remote context: `remote_header_rewrite_domain`, twice.
    pub remote: Context,
}

/// What is appended to an incomplete address; empty: nothing.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// To an address without a domain.
    pub origin: Vec<u8>,
    /// To a domain without a dot.
    pub domain: Vec<u8>,
}

impl Rules {
    /// The context that a request names.
    pub fn context(&self, rule: &[u8]) -> Option<&Context> {
        match rule {
            b"local" => Some(&self.local),
            b"remote" => Some(&self.remote),
            _ => None,
        }
    }

    /// Rewrites an address in external form. Also gives the bare host name to which a domain was appended.
    pub fn rewrite(&self, context: &Context, address: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
        let mut address = Address::scan(address);
        let bare = self.rewrite_address(context, &mut address);
        (address.quoted(), bare)
    }

    /// Rewrites the tokens of an address; gives the bare host name to which a domain was appended.
    pub fn rewrite_address(&self, context: &Context, address: &mut Address) -> Option<Vec<u8>> {
        let tree = &mut address.tokens;
        match tree.as_slice() {
            [] => return None,
            [Token::Quoted(text)] if text.is_empty() => return None,
            [token] if token.is_op(b'@') => {
                *tree = vec![Token::Quoted(Vec::new())];
                return None;
            }
            _ => {}
        }
        strip_route(tree);
        if rfind(tree, b'@').is_none() {
            // What stands behind a lone "!" is printed without spaces, as Postfix does.
            address.spaced &=
                !(self.swap_bangpath && tree.first().is_some_and(|first| first.is_op(b'!')));
            self.add_domain(context, tree);
        }
        let bare = self.complete_domain(context, tree);
        // A dot at the end goes, but a double dot or "@." is left to make diagnostics better.
        if let [.., before, last] = tree.as_slice()
            && last.is_op(b'.')
            && !before.is_op(b'.')
            && !before.is_op(b'@')
        {
            tree.pop();
        }
        bare
    }

    /// An address without `@` gets one.
    fn add_domain(&self, context: &Context, tree: &mut Vec<Token>) {
        if self.swap_bangpath
            && let Some(bang) = tree.iter().position(|token| token.is_op(b'!'))
        {
            let mut swapped = tree.split_off(bang);
            swapped.remove(0);
            swapped.push(Token::Op(b'@'));
            swapped.append(tree);
            *tree = swapped;
        } else if self.percent_hack
            && let Some(percent) = rfind(tree, b'%')
        {
            if let Some(token) = tree.get_mut(percent) {
                *token = Token::Op(b'@');
            }
        } else if self.append_at_myorigin && !context.origin.is_empty() {
            tree.push(Token::Op(b'@'));
            tree.append(&mut scan(&context.origin));
        }
    }

    /// A domain without a dot gets one.
    fn complete_domain(&self, context: &Context, tree: &mut Vec<Token>) -> Option<Vec<u8>> {
        if !self.append_dot_mydomain || context.domain.is_empty() {
            return None;
        }
        let at = rfind(tree, b'@')?;
        let domain = tree.get(at + 1..)?;
        let first = domain.first()?;
        if domain
            .iter()
            .any(|token| matches!(token, Token::Literal(_)) || token.is_op(b'.'))
        {
            return None;
        }
        let bare = match first {
            Token::Atom(text) | Token::Quoted(text) => Some(text.clone()),
            _ => None,
        };
        tree.push(Token::Op(b'.'));
        tree.append(&mut scan(&context.domain));
        bare
    }
}

/// `@here,@there:user@domain` is `user@domain`.
fn strip_route(tree: &mut Vec<Token>) {
    if tree.first().is_some_and(|first| first.is_op(b'@'))
        && let Some(colon) = tree.iter().position(|token| token.is_op(b':'))
        && colon + 1 < tree.len()
    {
        tree.drain(..=colon);
    }
}

/// Where an operator stands last.
pub fn rfind(tree: &[Token], op: u8) -> Option<usize> {
    tree.iter().rposition(|token| token.is_op(op))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            swap_bangpath: true,
            percent_hack: true,
            append_at_myorigin: true,
            append_dot_mydomain: true,
            local: Context {
                origin: b"origin.test".to_vec(),
                domain: b"test".to_vec(),
            },
            remote: Context::default(),
        }
    }

    fn local(text: &str) -> String {
        let rules = rules();
        String::from_utf8(rules.rewrite(&rules.local, text.as_bytes()).0).unwrap()
    }

    // Results of Postfix's rewrite service.
    #[test]
    fn addresses_become_complete() {
        for (given, wanted) in [
            ("user", "user@origin.test"),
            ("user@host", "user@host.test"),
            ("user@a.b", "user@a.b"),
            ("user@a.b.", "user@a.b"),
            ("user@.", "user@."),
            ("user@a..", "user@a.."),
            ("@", "\"\""),
            ("\"\"", "\"\""),
            ("user@", "user@"),
            ("host!user", "user@host.test"),
            ("a!b!c", "b!c@a.test"),
            ("user%host", "user@host.test"),
            ("a%b%c.d", "a%b@c.d"),
            ("@x,@y:user@z", "user@z.test"),
            ("@x:", "@x:\".test\""),
            ("user@[1.2.3.4]", "user@[1.2.3.4]"),
            ("\"a b\"@c.d", "\"a b\"@c.d"),
            ("a b", "\"a b\"@origin.test"),
            ("(x) y", "\"(x) y\"@origin.test"),
            ("!a b", "ab@"),
        ] {
            assert_eq!(local(given), wanted, "{given}");
        }
    }

    #[test]
    fn a_remote_address_is_left_alone() {
        let rules = rules();
        assert_eq!(rules.rewrite(&rules.remote, b"user").0, b"user");
        assert_eq!(rules.rewrite(&rules.remote, b"user@host").0, b"user@host");
    }
}
