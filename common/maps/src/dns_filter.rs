//! Filters of what DNS says (`smtp_dns_reply_filter`, `smtpd_dns_reply_filter`): a table from records, as lines of a zone file, to what
//! is done with them.

use pf_dns::{Answer, Kind, Trouble};
use pf_log::{info, warning};

use crate::{Lookup, Maps};

/// A filter; without tables it lets everything through.
pub struct DnsFilter {
    maps: Maps,
}

/// The filter itself is at fault.
struct Faulty;

impl DnsFilter {
    /// With these tables.
    pub fn new(maps: Maps) -> Self {
        Self { maps }
    }

    /// What is left of the answer to a question.
    pub async fn filter(&self, name: &str, kind: Kind, answer: Answer) -> Answer {
        let Answer::Found(mut found) = answer else {
            return answer;
        };
        if self.maps.is_empty() {
            return Answer::Found(found);
        }
        let authentic = found.authentic;
        let trouble = |why: &str| Trouble {
            text: format!("Error looking up name={name} type={}: {why}", kind.name()),
            authentic,
        };
        let mut kept = Vec::with_capacity(found.records.len());
        for record in found.records {
            match self.passes(&record.line()).await {
                Ok(true) => kept.push(record),
                Ok(false) => {}
                Err(Faulty) => return Answer::Retry(trouble("Invalid DNS reply filter syntax")),
            }
        }
        if kept.is_empty() {
            return Answer::Policy(trouble("DNS reply filter drops all results"));
        }
        found.records = kept;
        Answer::Found(found)
    }

    async fn passes(&self, line: &[u8]) -> Result<bool, Faulty> {
        let action = match self.maps.find(line).await {
            Lookup::Missing => return Ok(true),
            Lookup::Unavailable(_) => return Err(Faulty),
            Lookup::Found(action) => action,
        };
        let verb = action.split(|byte| b" \t".contains(byte)).next();
        if verb.is_some_and(|verb| verb.eq_ignore_ascii_case(b"IGNORE")) {
            info!("ignoring DNS RR: {}", pf_text::Show(line));
            return Ok(false);
        }
        warning!(
            "{}: unknown DNS filter action: \"{}\"",
            self.maps.title(),
            pf_text::Show(&action)
        );
        Err(Faulty)
    }
}
