//! The destinations that an alias, a `.forward` file or an `:include:` file lists: addresses, commands, files, and more lists.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};

use pf_address::Address;
use pf_dsn::{Dsn, Status};
use pf_log::warning;

use crate::delivery::Delivery;
use crate::state::{Attributes, Rights};

const INCLUDE: &[u8] = b":include:";

impl Delivery<'_> {
    /// Delivers to each destination in a text; tells whether mail is left for later, and how many destinations there were.
    pub(crate) async fn tokens(
        &self,
        state: &Attributes,
        rights: &Rights,
        text: &[u8],
    ) -> (bool, usize) {
        let tokens = pf_address::parse(text);
        let (mut later, mut count) = (false, 0);
        for address in pf_address::addresses(&tokens) {
            count += 1;
            later |= Box::pin(self.token(state.clone(), rights.clone(), address)).await;
        }
        (later, count)
    }

    /// Delivers to each destination in a file, up to a line with one that is left for later.
    pub(crate) async fn lines(
        &self,
        state: &Attributes,
        rights: &Rights,
        file: &File,
    ) -> (bool, usize) {
        let mut reader = BufReader::new(file);
        let limit = u64::try_from(self.params().line_limit).unwrap_or(u64::MAX);
        let mut count = 0;
        let mut line = Vec::new();
        loop {
            line.clear();
            match reader.by_ref().take(limit).read_until(b'\n', &mut line) {
                Ok(0) => return (false, count),
                Ok(_) => {}
                Err(err) => {
                    let reason = format!(
                        "error reading forwarding file: {}",
                        pf_config::system::reason(&err)
                    );
                    let later = self.defer(state, Dsn::new(4, 3, 0), reason).await;
                    return (later, count);
                }
            }
            if line.first() == Some(&b'#') {
                continue;
            }
            let (later, more) = self.tokens(state, rights, &line).await;
            count += more;
            if later {
                return (true, count);
            }
        }
    }

    async fn token(&self, state: Attributes, rights: Rights, address: &Address) -> bool {
        let text = address.internal();
        match text.first() {
            Some(b'/') => Box::pin(self.file(state, rights, text)).await,
            Some(b'~') => Box::pin(self.home_file(state, rights, &text)).await,
            Some(b'|') => {
                if !self.params().commands.has(state.expansion) {
                    return self
                        .bounce(&state, Dsn::new(5, 7, 1), "mail to command is restricted")
                        .await;
                }
                let command = text.get(1..).unwrap_or_default().to_vec();
                Box::pin(self.command(state, rights, command)).await
            }
            _ => match text.split_at_checked(INCLUDE.len()) {
                Some((head, path)) if head.eq_ignore_ascii_case(INCLUDE) => {
                    self.include(state, rights, path.to_vec()).await
                }
                _ => self.resolve(state, rights, address.external()).await,
            },
        }
    }

    /// `~/file`.
    async fn home_file(&self, state: Attributes, rights: Rights, text: &[u8]) -> bool {
        let shown = String::from_utf8_lossy(text);
        let rest = text.get(1..).unwrap_or_default();
        let misconfigured = Status::new(Dsn::new(5, 3, 5), "mail system configuration error");
        if rest.first() != Some(&b'/') {
            warning!("bad home directory syntax for: {shown}");
            return self.fail(&state, misconfigured).await;
        }
        let Some(home) = rights.home.clone() else {
            warning!("unknown home directory for: {shown}");
            return self.fail(&state, misconfigured).await;
        };
        let path = if home == b"/" {
            rest.to_vec()
        } else {
            [home.as_slice(), rest].concat()
        };
        Box::pin(self.file(state, rights, path)).await
    }
}
