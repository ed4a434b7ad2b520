//! The numbers of each remote client. No I/O; the time is an argument, in seconds.

use std::collections::{HashMap, VecDeque};

use pf_proto::anvil::Event;

/// What is known of one remote client of one service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Open connections.
    pub count: i32,
    /// Connections in the time unit.
    pub rate: i32,
    /// Messages in the time unit.
    pub mail: i32,
    /// Recipients in the time unit.
    pub rcpt: i32,
    /// New TLS sessions in the time unit.
    pub newtls: i32,
    /// Authentications in the time unit.
    pub auth: i32,
    /// When the time unit began.
    start: i64,
    /// When the last connection ended.
    idle_since: i64,
}

impl Numbers {
    /// The number that belongs to an event.
    pub fn of(&self, event: Event) -> i32 {
        match event {
            Event::Message => self.mail,
            Event::Recipient => self.rcpt,
            Event::NewTls | Event::NewTlsStatus => self.newtls,
            Event::Auth => self.auth,
            Event::Connect | Event::Disconnect | Event::Lookup => self.rate,
        }
    }

    fn of_mut(&mut self, event: Event) -> &mut i32 {
        match event {
            Event::Message => &mut self.mail,
            Event::Recipient => &mut self.rcpt,
            Event::NewTls | Event::NewTlsStatus => &mut self.newtls,
            Event::Auth => &mut self.auth,
            Event::Connect | Event::Disconnect | Event::Lookup => &mut self.rate,
        }
    }

    fn forget_rates(&mut self, start: i64) {
        *self = Self {
            count: self.count,
            idle_since: self.idle_since,
            start,
            ..Self::default()
        };
    }
}

/// All remote clients.
#[derive(Debug)]
pub struct Counters {
    /// `anvil_rate_time_unit`, in seconds.
    unit: i64,
    clients: HashMap<Vec<u8>, Numbers>,
    /// Clients without a connection, by the time they are forgotten at the earliest.
    idle: VecDeque<(i64, Vec<u8>)>,
}

impl Counters {
    /// No clients yet.
    pub fn new(unit: i64) -> Self {
        Self {
            unit,
            clients: HashMap::new(),
            idle: VecDeque::new(),
        }
    }

    /// How many clients are remembered.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// A connection from a client.
    pub fn connect(&mut self, ident: &[u8], now: i64) -> Numbers {
        let unit = self.unit;
        let client = self.clients.entry(ident.to_vec()).or_insert(Numbers {
            start: now,
            ..Numbers::default()
        });
        count(client, Event::Connect, now, unit);
        client.count = client.count.saturating_add(1);
        *client
    }

    /// An event of a client that is connected; `None` when the client is not known.
    pub fn event(&mut self, ident: &[u8], event: Event, now: i64) -> Option<Numbers> {
        let unit = self.unit;
        let client = self.clients.get_mut(ident)?;
        count(client, event, now, unit);
        Some(*client)
    }

    /// The numbers of a client, zero for an unknown one. What is older than the time unit is not told.
    pub fn look(&mut self, ident: &[u8], now: i64) -> Numbers {
        let Some(client) = self.clients.get_mut(ident) else {
            return Numbers::default();
        };
        if client.start != 0 && client.start.saturating_add(self.unit) < now {
            client.forget_rates(0);
        }
        *client
    }

    /// The end of a connection.
    pub fn disconnect(&mut self, ident: &[u8], now: i64) {
        if let Some(client) = self.clients.get_mut(ident)
            && client.count > 0
        {
            client.count -= 1;
            if client.count == 0 {
                client.idle_since = now;
                self.idle
                    .push_back((now.saturating_add(self.unit), ident.to_vec()));
            }
        }
    }

    /// Forgets clients that had no connection for a time unit.
    pub fn expire(&mut self, now: i64) {
        while let Some((at, _)) = self.idle.front() {
            if *at > now {
                return;
            }
            let Some((_, ident)) = self.idle.pop_front() else {
                return;
            };
            // It may have come back meanwhile, and gone again.
            if self.clients.get(&ident).is_some_and(|client| {
                client.count == 0 && client.idle_since.saturating_add(self.unit) <= now
            }) {
                self.clients.remove(&ident);
            }
        }
    }
}

/// Adds one; the numbers start again with each time unit, which is quicker to answer a trespasser than a moving average.
fn count(client: &mut Numbers, event: Event, now: i64, unit: i64) {
    if client.start.saturating_add(unit) < now {
        client.forget_rates(now);
    }
    let number = client.of_mut(event);
    *number = number.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_start_again_with_each_time_unit() {
        let mut counters = Counters::new(60);
        assert_eq!(counters.connect(b"smtp:a", 1000).rate, 1);
        let second = counters.connect(b"smtp:a", 1060);
        assert_eq!((second.count, second.rate), (2, 2));
        let third = counters.connect(b"smtp:a", 1061);
        assert_eq!((third.count, third.rate), (3, 1));
        assert_eq!(
            counters
                .event(b"smtp:a", Event::Message, 1062)
                .unwrap()
                .mail,
            1
        );
        assert_eq!(counters.look(b"smtp:a", 1121).mail, 1);
        assert_eq!(counters.look(b"smtp:a", 1122).mail, 0);
        assert_eq!(counters.look(b"smtp:a", 1122).count, 3);
        assert_eq!(counters.event(b"smtp:b", Event::Message, 1062), None);
    }

    #[test]
    fn clients_are_forgotten_when_they_stay_away() {
        let mut counters = Counters::new(60);
        counters.connect(b"a", 1000);
        counters.disconnect(b"a", 1001);
        counters.connect(b"a", 1030);
        counters.disconnect(b"a", 1031);
        counters.expire(1061);
        assert_eq!(counters.len(), 1);
        counters.expire(1091);
        assert_eq!(counters.len(), 0);
        counters.disconnect(b"a", 1092);
    }
}
