//! Canonical tables and masquerading: one address for one address.

use std::collections::HashSet;

use pf_address::{addresses, parse, quote_822, unquote_822};
use pf_log::{info, warning};
use pf_proto::cleanup::{Flags, Status};
use pf_text::case::fold;

use crate::Show;
use crate::message::{Context, Message};
use crate::params::Classes;
use crate::tables::{AddressTable, Answer};

/// A canonical table is looked up again with its own result, but not for ever.
const MAX_NESTING: usize = 10;

impl Message<'_> {
    /// Maps an address in internal form.
    pub(crate) async fn map_internal(&mut self, internal: Vec<u8>, class: Classes) -> Vec<u8> {
        if !self.flags.has(Flags::MAP_OK) || !self.has_maps(class) {
            return internal;
        }
        let external = quote_822(&internal).into_owned();
        unquote_822(&self.map_external(external, class).await)
    }

    fn has_maps(&self, class: Classes) -> bool {
        let (tables, params) = (&self.service.tables, &self.service.params);
        (tables.sender_canonical.is_some() && params.sender_canonical_classes.has(class))
            || (tables.recipient_canonical.is_some()
                && params.recipient_canonical_classes.has(class))
            || (tables.canonical.is_some() && params.canonical_classes.has(class))
            || (!params.masquerade_domains.is_empty() && params.masquerade_classes.has(class))
    }

    /// Maps an address in external form.
    pub(crate) async fn map_external(&mut self, mut address: Vec<u8>, class: Classes) -> Vec<u8> {
        let service = self.service;
        if !self.flags.has(Flags::MAP_OK) || !self.has_maps(class) {
            return address;
        }
        let (tables, params) = (&service.tables, &service.params);
        for (table, classes) in [
            (&tables.sender_canonical, params.sender_canonical_classes),
            (
                &tables.recipient_canonical,
                params.recipient_canonical_classes,
            ),
            (&tables.canonical, params.canonical_classes),
        ] {
            if let Some(table) = table.as_ref().filter(|_| classes.has(class)) {
                address = self.canonical(table, address).await;
            }
        }
        if params.masquerade_classes.has(class) {
            address = self.masquerade(address).await;
        }
        address
    }

    /// Looks an address up until nothing changes any more. Trouble is remembered; the address is always good.
    async fn canonical(&mut self, table: &AddressTable, mut address: Vec<u8>) -> Vec<u8> {
        let utf8 = self.service.params.smtputf8_enable;
        for _ in 0..MAX_NESTING {
            let propagate = self.service.params.propagate_canonical;
            match self.look_up(table, &unquote_822(&address), propagate).await {
                Answer::Found(found) => {
                    let mut found = found.into_iter();
                    let Some(new) = found.next() else {
                        return address;
                    };
                    if found.next().is_some() {
                        warning!(
                            "{}: multi-valued {} entry for {}",
                            self.id,
                            table.name(),
                            Show(&address)
                        );
                    }
                    let new = quote_822(&new).into_owned();
                    let same = fold(&new, utf8) == fold(&address, utf8);
                    address = new;
                    if same {
                        return address;
                    }
                }
                Answer::Missing => return address,
                Answer::Unavailable => {
                    self.unavailable(table.name(), Some(&address));
                    return address;
                }
            }
        }
        warning!(
            "{}: unreasonable {} map nesting for {} -- message not accepted, try again later",
            self.id,
            table.name(),
            Show(&address)
        );
        address
    }

    /// Looks an address in internal form up; the result is one or more addresses in standard, internal form. `propagate`: an
    /// extension that the table does not know goes over to the result.
    async fn look_up(
        &mut self,
        table: &AddressTable,
        internal: &[u8],
        propagate: bool,
    ) -> Answer<Vec<Vec<u8>>> {
        let found = match table.find(internal).await {
            Answer::Found(found) => found,
            Answer::Missing => return Answer::Missing,
            Answer::Unavailable => return Answer::Unavailable,
        };
        let mut value = found.value;
        // "@otherdomain" keeps the user.
        if value.first() == Some(&b'@') {
            let (user, _) = pf_address::split(internal);
            let user = user
                .strip_suffix(found.extension.as_slice())
                .unwrap_or(user);
            value = quote_822(&[user, &value].concat()).into_owned();
        }
        if value.is_empty() || value == b"<>" {
            value = b"\"\"".to_vec();
        }
        let mut results = Vec::new();
        for address in addresses(&parse(&value)) {
            let canonical = self.rewrite(Context::Local, &address.external()).await;
            let mut result = unquote_822(&canonical);
            if propagate && !found.extension.is_empty() {
                let at = pf_address::domain_at(&result).unwrap_or(result.len());
                result.splice(at..at, found.extension.iter().copied());
            }
            results.push(result);
        }
        if results.is_empty() {
            warning!(
                "{} lookup of {} returns non-address result \"{}\"",
                table.name(),
                Show(internal),
                Show(&value)
            );
            return Answer::Unavailable;
        }
        Answer::Found(results)
    }

    /// Cuts subdomains off.
    async fn masquerade(&mut self, mut address: Vec<u8>) -> Vec<u8> {
        let service = self.service;
        let Some(at) = pf_address::domain_at(&address) else {
            return address;
        };
        if let Some(exceptions) = &service.tables.masquerade_exceptions {
            match exceptions
                .matches(address.get(..at).unwrap_or_default())
                .await
            {
                Answer::Found(()) => return address,
                Answer::Missing => {}
                Answer::Unavailable => {
                    info!(
                        "{}: masquerade_exceptions map lookup problem -- message not accepted, try again later",
                        self.id
                    );
                    self.errors |= Status::WRITE;
                }
            }
        }
        let domain = fold(
            address.get(at + 1..).unwrap_or_default(),
            service.params.smtputf8_enable,
        );
        for masquerade in &service.params.masquerade_domains {
            if masquerade.domain == domain {
                break;
            }
            let parent = domain
                .strip_suffix(masquerade.domain.as_slice())
                .is_some_and(|rest| rest.last() == Some(&b'.'));
            if parent {
                if masquerade.truncate {
                    address.truncate(at + 1);
                    address.extend_from_slice(&masquerade.domain);
                }
                break;
            }
        }
        address
    }

    /// Expands an address through the virtual alias tables, as far as it goes. Trouble is remembered, and gives the address.
    pub(crate) async fn expand(&mut self, table: &AddressTable, address: &[u8]) -> Vec<Vec<u8>> {
        let params = &self.service.params;
        let utf8 = params.smtputf8_enable;
        let mut list = vec![address.to_vec()];
        // Addresses that expand to themselves are done with.
        let mut done = HashSet::new();
        let mut at = 0;
        while at < list.len() {
            if list.len() > params.virtual_alias_expansion_limit {
                return self
                    .unreasonable(format_args!("{} map expansion size", table.name()), address);
            }
            let mut count = 0;
            while let Some(current) = list.get(at).cloned() {
                if done.contains(&fold(&current, utf8)) {
                    break;
                }
                if count >= params.virtual_alias_recursion_limit {
                    return self
                        .unreasonable(format_args!("{} map nesting", table.name()), address);
                }
                count += 1;
                match self
                    .look_up(table, &current, params.propagate_virtual)
                    .await
                {
                    Answer::Found(found) => {
                        for (nth, new) in found.into_iter().enumerate() {
                            if new.len() > params.virtual_alias_address_length_limit {
                                warning!(
                                    "{}: unreasonable {} result {:.300}... -- message not accepted, try again later",
                                    self.id,
                                    table.name(),
                                    Show(&new)
                                );
                                return self.expansion_error(Status::DEFER, address);
                            }
                            if fold(&new, utf8) == fold(&current, utf8) {
                                done.insert(fold(&current, utf8));
                            }
                            match list.get_mut(at).filter(|_| nth == 0) {
                                Some(slot) => *slot = new,
                                None => list.push(new),
                            }
                        }
                    }
                    Answer::Missing => break,
                    Answer::Unavailable => {
                        self.unavailable(table.name(), Some(address));
                        return self.expansion_error(Status::WRITE, address);
                    }
                }
            }
            at += 1;
        }
        list
    }

    fn unreasonable(&mut self, what: std::fmt::Arguments<'_>, address: &[u8]) -> Vec<Vec<u8>> {
        warning!(
            "{}: unreasonable {what} for {} -- message not accepted, try again later",
            self.id,
            Show(address)
        );
        self.expansion_error(Status::DEFER, address)
    }

    fn expansion_error(&mut self, status: Status, address: &[u8]) -> Vec<Vec<u8>> {
        self.errors |= status;
        self.reason = Some(b"4.6.0 Alias expansion error".to_vec());
        vec![address.to_vec()]
    }
}
