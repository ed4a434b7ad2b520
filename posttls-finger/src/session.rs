//! What is said with a server.

use std::time::Duration;

use pf_log::{error, info, warning};

use crate::connection::{Broken, Connection};
use crate::reply::{Collector, Reply, clean};

/// What the session depends on.
pub struct Manners<'a> {
    /// `EHLO` or `LHLO`.
    pub verb: &'a str,
    /// What we are called.
    pub own_name: &'a str,
    /// How long the greeting may take.
    pub greeting_limit: Duration,
    /// How long a command may take.
    pub command_limit: Duration,
    /// How much of a line is read, and of a reply kept.
    pub line_limit: usize,
    /// What is said is not shown.
    pub silent: bool,
    /// TLS begins at once.
    pub wrapper: bool,
    /// TLS is wanted where it is offered.
    pub tls: bool,
}

/// What came of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All was said.
    Quit,
    /// The server did not want us, or did not make sense. It was told.
    Refused,
    /// Nothing more could be said without TLS. It was told.
    NeedsTls,
}

/// One session.
pub struct Session<'a> {
    connection: Connection,
    manners: &'a Manners<'a>,
}

impl<'a> Session<'a> {
    pub fn new(connection: Connection, manners: &'a Manners<'a>) -> Self {
        Self {
            connection,
            manners,
        }
    }

    /// Has the session from the greeting to the end.
    pub async fn run(mut self) -> End {
        let offered = if self.manners.wrapper {
            true
        } else {
            match self.hello().await {
                Some(reply) => reply.offers_tls(),
                None => return End::Refused,
            }
        };
        if offered && self.manners.tls {
            // Here is the place of the handshake, and of what is to be said and shown after it.
            error!("TLS is not part of this build yet: no handshake is done");
            if !self.manners.wrapper {
                self.quit().await;
            }
            return End::NeedsTls;
        }
        self.quit().await;
        End::Quit
    }

    /// The server's answer to our name; `None`: there is none that would do.
    async fn hello(&mut self) -> Option<Reply> {
        self.connection.limit(self.manners.greeting_limit);
        let greeting = match self.reply().await {
            Ok(reply) => reply,
            Err(broken) => {
                info!("{broken} while reading server greeting");
                return None;
            }
        };
        if !greeting.is_good() {
            info!(
                "SMTP service not available: {} {}",
                greeting.code, greeting.text
            );
            return None;
        }
        let Manners { verb, own_name, .. } = self.manners;
        let reply = match self.command(&format!("{verb} {own_name}")).await {
            Ok(reply) => reply,
            Err(broken) => {
                info!("{broken} while sending {verb}");
                return None;
            }
        };
        if !reply.is_good() {
            info!("{verb} rejected: {} {}", reply.code, reply.text);
            return None;
        }
        Some(reply)
    }

    /// Says good-bye; whatever the answer is, that was it.
    async fn quit(&mut self) {
        if let Err(broken) = self.command("QUIT").await {
            warning!("{broken} while sending QUIT command");
        }
    }

    async fn command(&mut self, line: &str) -> Result<Reply, Broken> {
        self.connection.limit(self.manners.command_limit);
        if !self.manners.silent {
            info!("> {line}");
        }
        self.connection.send(line).await?;
        self.reply().await
    }

    async fn reply(&mut self) -> Result<Reply, Broken> {
        let limit = self.manners.line_limit;
        let mut collector = Collector::default();
        loop {
            let line = clean(&self.connection.line(limit).await?);
            if !self.manners.silent {
                info!("< {line}");
            }
            if let Some(reply) = collector.line(&line, limit) {
                return Ok(reply);
            }
        }
    }
}
