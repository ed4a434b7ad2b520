//! `posttls-finger` up to where a TLS handshake begins: its command line, what it makes of names and of DNS, its dialogue with servers
//! good and bad.

mod command_line;
mod names;
mod servers;
mod tls;
