//! The outcome of a lookup.

/// Why a table cannot tell. The text has been logged; the mail is tried again later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupError(pub String);

impl std::fmt::Display for LookupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LookupError {}

/// "No such key" and "cannot tell" are different answers: the second one defers mail.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    /// The key is there, with this value.
    Found(T),
    /// The key is not there.
    Missing,
    /// The table cannot tell.
    Unavailable(LookupError),
}

impl<T> Lookup<T> {
    /// Turns the value into another one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Lookup::Found(value) => Lookup::Found(change(value)),
            Lookup::Missing => Lookup::Missing,
            Lookup::Unavailable(err) => Lookup::Unavailable(err),
        }
    }

    /// The value if there is one, with trouble as an error: for use with `?`.
    ///
    /// # Errors
    /// The table cannot tell.
    pub fn found(self) -> Result<Option<T>, LookupError> {
        match self {
            Lookup::Found(value) => Ok(Some(value)),
            Lookup::Missing => Ok(None),
            Lookup::Unavailable(err) => Err(err),
        }
    }

    /// Whether the key is there.
    pub fn is_found(&self) -> bool {
        matches!(self, Lookup::Found(_))
    }
}

impl<T> From<Option<T>> for Lookup<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Lookup::Missing, Lookup::Found)
    }
}

impl<T> From<Result<Option<T>, LookupError>> for Lookup<T> {
    fn from(result: Result<Option<T>, LookupError>) -> Self {
        match result {
            Ok(value) => value.into(),
            Err(err) => Lookup::Unavailable(err),
        }
    }
}
