//! Mail that comes back: the `Delivered-To:` headers of a message tell through which addresses it went on this road already.

use std::collections::HashSet;

use pf_address::quote_822;
use pf_record::Error;

use crate::{Content, Job};

/// The addresses of a message's `Delivered-To:` headers.
#[derive(Debug, Default)]
pub struct DeliveredTo {
    addresses: HashSet<Vec<u8>>,
    whole: bool,
}

/// No more headers than this are looked at.
const LIMIT: usize = 1000;

impl DeliveredTo {
    /// Reads the headers of the message. `whole`: the case of the local part does not count either.
    ///
    /// # Errors
    /// The queue file cannot be read, or is damaged.
    pub fn read(job: &Job, whole: bool) -> Result<Self, Error> {
        let mut found = Self {
            addresses: HashSet::new(),
            whole,
        };
        let mut content = Content::new(&job.file, job.request.data_offset)?;
        let mut line_starts = true;
        while let Some(piece) = content.next_piece()? {
            let starts = std::mem::replace(&mut line_starts, piece.ends_line);
            if !starts {
                continue;
            }
            if let Some(value) = header(piece.text) {
                if let Some(address) = value {
                    let key = found.key(address);
                    found.addresses.insert(key);
                }
            } else if !piece
                .text
                .first()
                .is_some_and(|byte| byte.is_ascii_whitespace())
            {
                break;
            }
            if found.addresses.len() >= LIMIT {
                break;
            }
        }
        Ok(found)
    }

    /// Whether the message went through this address already.
    pub fn contains(&self, address: &[u8]) -> bool {
        !self.addresses.is_empty() && self.addresses.contains(&self.key(&quote_822(address)))
    }

    fn key(&self, address: &[u8]) -> Vec<u8> {
        if self.whole {
            return pf_text::case::fold(address, true);
        }
        let at = pf_address::domain_at(address).unwrap_or(address.len());
        let (local, domain) = address.split_at_checked(at).unwrap_or((address, b""));
        [local, &pf_text::case::fold(domain, true)].concat()
    }
}

/// For a header line: the value of a `Delivered-To:` header, nothing for another one.
fn header(line: &[u8]) -> Option<Option<&[u8]>> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    if !name.eq_ignore_ascii_case(b"Delivered-To") {
        return Some(None);
    }
    Some(Some(line.get(colon + 1..)?.trim_ascii_start()))
}
