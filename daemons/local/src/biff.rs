//! Telling a user who is logged in of new mail, by a datagram to comsat(8).

use std::net::UdpSocket;

use pf_log::warning;

/// The `biff` port.
const PORT: u16 = 512;

/// Announces new mail of a user at this place of the mailbox.
pub(crate) fn notify(user: &str, end: u64) {
    let text = format!("{user}@{end}\0");
    let sent = UdpSocket::bind(("127.0.0.1", 0))
        .and_then(|socket| socket.send_to(text.as_bytes(), ("127.0.0.1", PORT)));
    if let Err(err) = sent {
        warning!("biff_notify: {}", pf_config::system::reason(&err));
    }
}
