//! The tables of one feature: `header_checks` and its relatives, or their `smtp_` and `lmtp_` forms.

use pf_maps::{Lookup, LookupError, Maps, Options};
use pf_mime::{Class, Header, HeaderFlags};

use crate::action::{Action, Party, Place, parse};

/// Open tables for header and body checks.
#[derive(Debug)]
pub struct Checks {
    party: Party,
    primary: Maps,
    multipart: Maps,
    nested: Maps,
    body: Maps,
}

impl Checks {
    /// Opens the tables. The lists are name and value of the parameters for message headers, MIME headers, headers of attached
    /// messages, and body lines.
    ///
    /// # Errors
    /// A word of a list names no table.
    pub fn open(
        party: Party,
        [primary, multipart, nested, body]: [(&str, &str); 4],
        options: &Options,
    ) -> Result<Self, pf_config::Error> {
        // The text of a message is matched as it is, in whatever encoding.
        let options = Options {
            utf8: false,
            ..options.clone().exact()
        };
        let open = |(name, value): (&str, &str)| Maps::open(name, value, &options);
        Ok(Self {
            party,
            primary: open(primary)?,
            multipart: open(multipart)?,
            nested: open(nested)?,
            body: open(body)?,
        })
    }

    /// Whether no header is looked at.
    pub fn no_headers(&self) -> bool {
        self.primary.is_empty() && self.multipart.is_empty() && self.nested.is_empty()
    }

    /// Whether no body line is looked at.
    pub fn no_body(&self) -> bool {
        self.body.is_empty()
    }

    /// The tables for a header at this place. A MIME header is one wherever it stands.
    pub fn header_maps(&self, class: Class, header: Option<Header>) -> &Maps {
        if header.is_some_and(|header| header.flags.has(HeaderFlags::MIME)) {
            return &self.multipart;
        }
        match class {
            Class::Primary => &self.primary,
            Class::Multipart => &self.multipart,
            Class::Nested => &self.nested,
        }
    }

    /// The tables for body lines.
    pub fn body_maps(&self) -> &Maps {
        &self.body
    }

    /// What is asked for about a logical header.
    ///
    /// # Errors
    /// A table cannot tell.
    pub async fn header(
        &self,
        class: Class,
        header: Option<Header>,
        text: &[u8],
    ) -> Result<Action, LookupError> {
        self.ask(self.header_maps(class, header), Place::Header, text)
            .await
    }

    /// What is asked for about a body line.
    ///
    /// # Errors
    /// A table cannot tell.
    pub async fn body(&self, text: &[u8]) -> Result<Action, LookupError> {
        self.ask(&self.body, Place::Body, text).await
    }

    async fn ask(&self, maps: &Maps, place: Place, text: &[u8]) -> Result<Action, LookupError> {
        if maps.is_empty() {
            return Ok(Action::Keep);
        }
        match maps.find(before_nul(text)).await {
            Lookup::Found(result) => Ok(parse(&result, place, maps.title(), self.party)),
            Lookup::Missing => Ok(Action::Keep),
            Lookup::Unavailable(err) => Err(err),
        }
    }
}

/// What tables, and the log, are shown of a text: what stands behind a null byte is not looked at.
pub fn before_nul(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_mime::HeaderTable;

    #[test]
    fn each_header_has_its_tables() {
        let checks = Checks::open(
            Party::Cleanup,
            [
                ("header_checks", "regexp:{{/^x/ WARN primary}}"),
                ("mime_header_checks", "regexp:{{/./ WARN multipart}}"),
                ("nested_header_checks", "fail:x"),
                ("body_checks", "pcre:{{/^\\xff/ IGNORE}}"),
            ],
            &Options::default(),
        )
        .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let table = HeaderTable::new([]);
        let header =
            |class, text: &[u8]| runtime.block_on(checks.header(class, table.find(text), text));
        assert_eq!(
            header(Class::Primary, b"X-a: b"),
            Ok(Action::Warn(b"primary".to_vec()))
        );
        assert_eq!(
            header(Class::Primary, b"Content-Type: text/plain"),
            Ok(Action::Warn(b"multipart".to_vec()))
        );
        assert!(header(Class::Nested, b"X-a: b").is_err());
        assert_eq!(runtime.block_on(checks.body(b"\xff")), Ok(Action::Ignore));
        assert_eq!(runtime.block_on(checks.body(b"x")), Ok(Action::Keep));
        assert_eq!(runtime.block_on(checks.body(b"\0\xff")), Ok(Action::Keep));
    }
}
