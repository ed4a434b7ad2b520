//! The `anvil` daemon.
