//! All black-box tests, in one program: `cargo test -p compliance smtpd::` runs those of one file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at its first surprise"
)]

mod administering;
mod bounce;
mod by_chance;
mod cleaning;
mod completions;
mod completions_typed;
mod crash;
mod dialects;
mod flush;
mod hints;
mod hostile;
mod journey;
mod local;
mod local_more;
mod local_parameters;
mod long_work;
mod maildrop;
mod master;
mod master_services;
mod meddling;
mod non_bdb;
mod option_letters;
mod pipe;
mod postcat;
mod postconf;
mod postfix;
mod postfix_states;
mod postfix_tls;
mod postmulti;
mod postqueue;
mod postsuper;
mod posttls_finger;
mod progress;
mod qmgr;
mod qmgr_active;
mod qmgr_agents;
mod qmgr_ages;
mod qmgr_files;
mod qmgr_files_by_chance;
mod qmgr_full;
mod qmgr_order;
mod qmgr_routes;
mod qshape;
mod queueing;
mod resources;
mod rewriting;
mod rolling;
mod scache;
mod scenarios;
mod selection;
mod small_commands;
mod smtp;
mod smtp_names;
mod smtp_options;
mod smtp_reuse;
mod smtp_steps;
mod smtpd;
mod spawn;
mod submission;
mod tables;
mod virtual_mailboxes;
