//! The `nbdb_reindexd` daemon: makes the index of a table whose only one is of Berkeley DB, with the rights of whoever owns that
//! one (`postfix non-bdb enable-reindex`).
//!
//! Requests are read and answered here; [`index`] is the way from a request to an index, [`trust`] what keeps a program of the
//! mail system that was taken over from having files written elsewhere, [`language`] tells tables from aliases, and
//! [`command`] runs the program that makes the index. Between commands the process has the rights of the mail owner only.

mod command;
mod index;
mod language;
mod trust;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use pf_attr::sync;
use pf_config::param;
use pf_log::warning;
use pf_proto::nbdb::{self, Outcome, PROTOCOL, Reindex};
use pf_service::single::{SingleClient, SingleService};
use pf_service::{Context, Jail, Limit, Told, logging};

use index::Indexer;

/// The service.
#[derive(Debug)]
pub struct Reindexd {
    indexer: Indexer,
    ipc_timeout: Duration,
}

impl SingleService for Reindexd {
    // Two at a time would get in each other's way.
    const LIMIT: Limit = Limit::One;
    const JAIL: Jail = Jail::Privileged;

    fn start(context: &Context) -> Result<Self> {
        let config = &context.config;
        Ok(Self {
            indexer: Indexer::new(context)?,
            ipc_timeout: config.get(param::IPC_TIMEOUT)?,
        })
    }

    fn ready(&mut self, _context: &Context) -> Result<()> {
        self.indexer.be_modest()
    }

    fn serve(&mut self, client: SingleClient, context: &Context) -> Result<()> {
        match client {
            SingleClient::Unix(stream) => self.answer(sync::Stream::new(stream, self.ipc_timeout)?),
            SingleClient::Tcp(_) => bail!("this service has no clients in the network"),
            SingleClient::Stdio => self.by_hand(context),
        }
    }
}

impl Reindexd {
    /// Answers the one request of a client. A client that goes away is its own trouble.
    fn answer(&mut self, mut stream: sync::Stream) -> Result<()> {
        if stream.send(&pf_attr::announcement(PROTOCOL)).is_err() {
            return Ok(());
        }
        let message = match stream.recv() {
            Ok(message) => message,
            Err(pf_attr::Error::Closed) => return Ok(()),
            Err(err) => {
                warning!("malformed request: {err}");
                return Ok(());
            }
        };
        let request = match Reindex::decode(&mut message.decoder()) {
            Ok(request) => request,
            Err(err) => {
                warning!("malformed request: {err}");
                return Ok(());
            }
        };
        let kind = String::from_utf8_lossy(request.kind);
        let path = Path::new(OsStr::from_bytes(request.path));
        let outcome = match self.indexer.index(&kind, path)? {
            Ok(()) => Outcome {
                status: nbdb::OK,
                why: Vec::new(),
            },
            Err(why) => {
                warning!("request to index {kind}:{} failed: {why}", path.display());
                Outcome {
                    status: nbdb::ERROR,
                    why: why.into_bytes(),
                }
            }
        };
        let _gone = stream.send(&outcome.encode());
        Ok(())
    }

    /// The request is on the command line, as `type:/path`.
    fn by_hand(&mut self, context: &Context) -> Result<()> {
        logging::open(&context.config, &context.process_name, true, false)?;
        let [request] = context.argv.as_slice() else {
            bail!("stand-alone mode requires one type:/path argument");
        };
        let Some((kind, path)) = request
            .split_once(':')
            .filter(|(_, path)| path.starts_with('/'))
        else {
            bail!("stand-alone mode called with bad argument: '{request}'");
        };
        if let Err(why) = self.indexer.index(kind, Path::new(path))? {
            warning!("stand-alone request to re-index '{kind}:{path}' failed: {why}");
            return Err(Told.into());
        }
        Ok(())
    }
}
