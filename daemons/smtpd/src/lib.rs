//! The `smtpd` daemon.
