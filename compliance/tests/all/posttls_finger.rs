//! `posttls-finger` up to where a TLS handshake begins: its command line, what it makes of names and of DNS, its dialogue with servers
//! good and bad.

use compliance::testkit::Instance;

mod command_line;
mod names;
mod servers;
mod tls;

/// Whether the program is the original, also where it alone was put into the other system.
fn is_the_original(instance: &Instance) -> bool {
    let swapped = std::env::var("POSTFIX_RS_SWAP").unwrap_or_default();
    let of_the_other = swapped.split(',').any(|name| name == "posttls-finger");
    of_the_other != instance.target().is_peer()
}
