//! What a server announces. No I/O.

use pf_smtp::reply::Reply;

/// What a server can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    pub esmtp: bool,
    pub pipelining: bool,
    pub size: bool,
    /// The largest message; 0 for no limit.
    pub size_limit: u64,
    pub eightbit: bool,
    pub smtputf8: bool,
    pub dsn: bool,
    /// The XFORWARD attributes that the server takes.
    pub xforward: Vec<String>,
    /// The server has our own name.
    pub loops: bool,
    /// A size limit that is no number.
    pub bad_size: Option<String>,
}

impl Features {
    /// Reads the lines of an EHLO reply; the first has the server's name. Keywords in `discard` are passed over.
    pub fn parse(reply: &Reply, discard: &[&str], own_name: &str) -> Self {
        let mut features = Self {
            esmtp: true,
            ..Self::default()
        };
        for (number, line) in reply.lines().enumerate() {
            // One old server writes `AUTH=...`.
            let rest = line
                .trim_start_matches(['-', ' '])
                .split_once(['-', ' '])
                .map_or("", |(_, rest)| rest);
            let mut words = rest.split([' ', '\t', '=']).filter(|word| !word.is_empty());
            let Some(word) = words.next() else { continue };
            if number == 0 {
                features.loops = word.eq_ignore_ascii_case(own_name);
                continue;
            }
            if discard
                .iter()
                .any(|dropped| dropped.eq_ignore_ascii_case(word))
            {
                continue;
            }
            match word.to_ascii_uppercase().as_str() {
                "PIPELINING" => features.pipelining = true,
                "SIZE" => {
                    features.size = true;
                    if let Some(limit) = words.next() {
                        if limit.bytes().all(|byte| byte.is_ascii_digit()) {
                            // A number that is too large is no limit.
                            features.size_limit = limit.parse().unwrap_or(0);
                        } else {
                            features.bad_size = Some(limit.to_owned());
                        }
                    }
                }
                "8BITMIME" => features.eightbit = true,
                "SMTPUTF8" => features.smtputf8 = true,
                "DSN" => features.dsn = true,
                "XFORWARD" => features.xforward = words.map(str::to_ascii_uppercase).collect(),
                _ => {}
            }
        }
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_smtp::reply::Collector;

    fn reply(lines: &[&str]) -> Reply {
        let mut collector = Collector::default();
        let mut found = None;
        for line in lines {
            assert!(found.is_none());
            found = collector.line(line, 2048);
        }
        found.unwrap()
    }

    #[test]
    fn features_are_read_but_those_discarded() {
        let hello = reply(&[
            "250-mx.example hi",
            "250-PIPELINING",
            "250-SIZE 1000",
            "250-8bitmime",
            "250-XFORWARD NAME ADDR",
            "250 DSN",
        ]);
        let features = Features::parse(&hello, &["dsn"], "me.example");
        assert!(
            features.pipelining
                && features.size
                && features.eightbit
                && !features.dsn
                && !features.loops
        );
        assert_eq!(features.size_limit, 1000);
        assert_eq!(features.xforward, ["NAME", "ADDR"]);
        assert!(Features::parse(&hello, &[], "MX.example").loops);
        let odd = reply(&["250-x", "250 SIZE lots"]);
        assert_eq!(
            Features::parse(&odd, &[], "y").bad_size.as_deref(),
            Some("lots")
        );
    }
}
