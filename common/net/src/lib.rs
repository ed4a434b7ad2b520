//! Where mail goes over the network: destinations and service names. Own interfaces are part of the configuration (pf-config), client
//! lists are tables (pf-maps).

mod destination;

pub use destination::{Destination, parse_destination, port_number};
