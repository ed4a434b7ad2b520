//! Start of the `nbdb_reindexd` daemon.

fn main() -> std::process::ExitCode {
    pf_service::single::run::<pf_nbdb_reindexd::Reindexd>()
}
