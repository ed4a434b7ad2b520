//! Taking local domains off an address, until its domain is elsewhere or nothing is left to take off.

use pf_address::{Address, Token, quote_822, scan};
use pf_log::warning;
use pf_proto::resolve::ResolveFlags;
use pf_text::{Show, hostaddr, hostname};

use super::{Job, Stop};
use crate::rewrite::{Rules, rfind};
use crate::tables::{Answer, Tables};

impl<T: Tables> Job<'_, T> {
    /// Takes one local domain after another off the address, with what routing its local part then shows. Gives the tokens of
    /// `user@domain`, and whether that domain is elsewhere.
    ///
    /// The address is looked at in quoted form, and a quoted local part is opened only where operators are to be found in it:
    /// technically wrong, but it stops relaying by way of local parts.
    pub(super) async fn strip_local_domains(
        &mut self,
        address: &[u8],
    ) -> Result<(Address, bool), Stop> {
        let settings = self.settings;
        let rules = &settings.rules;
        let mut tree = Address::scan(&quote_822(address));
        let mut saved: Option<Vec<Token>> = None;
        let most = address.len() + 100;
        for _ in 0..=most {
            if let [.., before, last] = tree.tokens.as_slice()
                && last.is_op(b'.')
                && rfind(&tree.tokens, b'@').is_some()
                && !before.is_op(b'.')
                && !before.is_op(b'@')
            {
                tree.tokens.pop();
            }
            if settings.null_domain && tree.tokens.last().is_some_and(|last| last.is_op(b'@')) {
                tree.tokens.pop();
            }
            let at = rfind(&tree.tokens, b'@');
            if let Some(at) = at {
                let domain = tree.tokens.get(at + 1..).unwrap_or_default();
                if !domain.is_empty() {
                    let name = pf_address::internalize(domain, tree.spaced);
                    match self.tables.is_local(&name).await {
                        Answer::Found(()) => {}
                        Answer::Missing => return Ok((tree, true)),
                        Answer::Unavailable => return Err(self.fail()),
                    }
                }
                saved = Some(tree.tokens.split_off(at));
            }
            let has = |op| rfind(&tree.tokens, op).is_some();
            if has(b'@') || (rules.swap_bangpath && has(b'!')) || (rules.percent_hack && has(b'%'))
            {
                rules.rewrite_address(&rules.local, &mut tree);
                continue;
            }
            if settings.dequoted
                && let [Token::Quoted(text)] = tree.tokens.as_slice()
                && let Some(opened) = open_quotes(rules, text)
            {
                tree = Address::scan(&opened);
                rules.rewrite_address(&rules.local, &mut tree);
                continue;
            }
            // The empty address is the local mailer daemon's.
            if matches!(tree.tokens.as_slice(), [Token::Quoted(text)] if text.is_empty()) {
                tree.tokens.clear();
            }
            if tree.tokens.is_empty() {
                tree = Address::scan(&settings.empty_address);
                continue;
            }
            match saved {
                Some(mut domain) => {
                    tree.tokens.append(&mut domain);
                    return Ok((tree, false));
                }
                None => {
                    tree.tokens.push(Token::Op(b'@'));
                    tree.tokens.append(&mut scan(&settings.myhostname));
                }
            }
        }
        warning!(
            "resolve_addr: <{}>: giving up after {} iterations",
            Show(address),
            most + 1
        );
        Err(self.fail())
    }

    /// Checks the domain's form. Gives whether what was found remote still is.
    pub(super) async fn check_domain(&mut self) -> Result<bool, Stop> {
        let at = pf_address::domain_at(&self.recipient).unwrap_or(0) + 1;
        let domain = self.recipient.get(at..).unwrap_or_default();
        let good = if domain.first() == Some(&b'[') {
            hostaddr::valid_literal(domain)
        } else if self.settings.smtputf8 && std::str::from_utf8(&self.recipient).is_err() {
            false
        } else if valid_domain(domain, self.settings.smtputf8) {
            true
        } else if self.settings.numeric_domain && hostaddr::valid_hostaddr(domain) {
            self.recipient.insert(at, b'[');
            self.recipient.push(b']');
            let literal = self.recipient.get(at..).unwrap_or_default().to_vec();
            return match self.tables.is_local(&literal).await {
                Answer::Found(()) => Ok(false),
                Answer::Missing => Ok(true),
                Answer::Unavailable => Err(self.fail()),
            };
        } else {
            false
        };
        if good {
            return Ok(true);
        }
        self.flags |= ResolveFlags::ERROR | ResolveFlags::DEFAULT;
        Err(Stop)
    }
}

/// A quoted local part that holds operators, with its quotes taken off where they would hide one.
fn open_quotes(rules: &Rules, text: &[u8]) -> Option<Vec<u8>> {
    let last = |op: u8| memchr::memrchr(op, text);
    let at = last(b'@')
        .or_else(|| last(b'%').filter(|_| rules.percent_hack))
        .or_else(|| last(b'!').filter(|_| rules.swap_bangpath))?;
    let mut opened = text.to_vec();
    let op = opened.get_mut(at)?;
    if *op == b'%' {
        *op = b'@';
    }
    if *op == b'@' {
        opened = quote_822(&opened).into_owned();
    }
    Some(opened)
}

/// A host name, in ASCII form where it is an internationalised one.
fn valid_domain(domain: &[u8], smtputf8: bool) -> bool {
    if domain.is_ascii() || !smtputf8 {
        return domain.is_ascii() && hostname::valid_hostname(domain);
    }
    pf_address::idn::to_ascii(domain)
        .is_some_and(|ascii| hostname::valid_hostname(ascii.as_bytes()))
}
