//! Idle connections by endpoint, and endpoints by destination. No I/O; what a connection is matters to nobody here.

use std::collections::HashMap;
use std::time::Instant;

type Name = Vec<u8>;

/// A connection.
#[derive(Debug)]
struct Connection<C> {
    connection: C,
    property: Vec<u8>,
    until: Instant,
}

/// Where a destination leads to.
#[derive(Debug)]
struct Binding {
    endpoint: Name,
    property: Vec<u8>,
    until: Instant,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Names of destinations.
    pub destinations: usize,
    /// Names of endpoints.
    pub endpoints: usize,
    /// Connections.
    pub connections: usize,
}

/// All idle connections.
#[derive(Debug)]
pub struct Idle<C> {
    endpoints: HashMap<Name, Vec<Connection<C>>>,
    destinations: HashMap<Name, Vec<Binding>>,
}

/// A connection that was found, with the properties of destination and connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<C> {
    /// The connection.
    pub connection: C,
    /// What is known of the destination; empty when an endpoint was asked for.
    pub destination: Vec<u8>,
    /// What is known of the connection.
    pub endpoint: Vec<u8>,
}

impl<C> Default for Idle<C> {
    fn default() -> Self {
        Self {
            endpoints: HashMap::new(),
            destinations: HashMap::new(),
        }
    }
}

impl<C> Idle<C> {
    /// Keeps a connection.
    pub fn save(&mut self, label: Name, property: Vec<u8>, connection: C, until: Instant) {
        self.endpoints.entry(label).or_default().push(Connection {
            connection,
            property,
            until,
        });
    }

    /// Gives away the connection that was kept first.
    pub fn find(&mut self, label: &[u8]) -> Option<Found<C>> {
        let kept = self.endpoints.get_mut(label)?;
        // No name is kept without a connection.
        let first = kept.remove(0);
        if kept.is_empty() {
            self.endpoints.remove(label);
        }
        Some(Found {
            connection: first.connection,
            destination: Vec::new(),
            endpoint: first.property,
        })
    }

    /// Remembers where a destination leads to, or that it still does.
    pub fn bind(&mut self, label: Name, property: Vec<u8>, endpoint: Name, until: Instant) {
        let bindings = self.destinations.entry(label).or_default();
        let known = bindings
            .iter_mut()
            .find(|known| known.endpoint == endpoint && known.property == property);
        match known {
            Some(known) => known.until = until,
            None => bindings.push(Binding {
                endpoint,
                property,
                until,
            }),
        }
    }

    /// Gives away a connection of the first endpoint that has one.
    pub fn find_bound(&mut self, label: &[u8]) -> Option<Found<C>> {
        let bindings: Vec<(Name, Vec<u8>)> = self
            .destinations
            .get(label)?
            .iter()
            .map(|binding| (binding.endpoint.clone(), binding.property.clone()))
            .collect();
        bindings.into_iter().find_map(|(endpoint, destination)| {
            let found = self.find(&endpoint)?;
            Some(Found {
                destination,
                ..found
            })
        })
    }

    /// Takes out what is too old.
    pub fn expire(&mut self, now: Instant) -> Vec<C> {
        self.destinations.retain(|_, bindings| {
            bindings.retain(|binding| binding.until > now);
            !bindings.is_empty()
        });
        let mut old = Vec::new();
        self.endpoints.retain(|_, kept| {
            let expired = kept.extract_if(.., |kept| kept.until <= now);
            old.extend(expired.map(|kept| kept.connection));
            !kept.is_empty()
        });
        old
    }

    /// Takes out all connections.
    pub fn clear(&mut self) -> Vec<C> {
        self.destinations.clear();
        let all = self.endpoints.drain().flat_map(|(_, kept)| kept);
        all.map(|kept| kept.connection).collect()
    }

    /// How much there is.
    pub fn size(&self) -> Size {
        Size {
            destinations: self.destinations.len(),
            endpoints: self.endpoints.len(),
            connections: self.endpoints.values().map(Vec::len).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn first_kept_is_first_given_and_old_ones_go() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let name = |text: &str| text.as_bytes().to_vec();
        let mut idle = Idle::default();
        idle.save(name("e"), name("p1"), 1, at(2));
        idle.save(name("e"), name("p2"), 2, at(5));
        idle.bind(name("d"), name("far"), name("f"), at(5));
        idle.bind(name("d"), name("near"), name("e"), at(2));
        idle.bind(name("d"), name("near"), name("e"), at(5));
        let size = |destinations, endpoints, connections| Size {
            destinations,
            endpoints,
            connections,
        };
        assert_eq!(idle.size(), size(1, 1, 2));
        let found = idle.find_bound(b"d").unwrap();
        assert_eq!(
            (found.connection, found.destination, found.endpoint),
            (1, name("near"), name("p1"))
        );
        assert_eq!(idle.expire(at(3)), [] as [i32; 0]);
        assert_eq!(idle.size(), size(1, 1, 1));
        assert_eq!(idle.find(b"e").unwrap().connection, 2);
        assert!(idle.find(b"e").is_none() && idle.find_bound(b"d").is_none());
        assert_eq!(idle.size(), size(1, 0, 0));
        assert!(idle.expire(at(5)).is_empty());
        assert_eq!(idle.size(), Size::default());
    }
}
