//! `cidr:`: the first network that has the address. Rules in a row without `!` are found by structure, one probe for each prefix
//! length in use; from one such row to the next the table is walked from the top.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::source_text::lines;
use crate::table::{Inner, Local, OpenError};
use crate::{Lookup, Options, file_value};
use pf_text::space::is_space_char;

/// Parses an address or a network as Postfix writes them: `1.2.3.4`, `1.2.3.0/24`, `2001:db8::/32`, with or without brackets.
///
/// # Errors
/// What is wrong, in Postfix's words.
pub fn parse_network(pattern: &str) -> Result<IpNet, String> {
    let inner = match pattern.strip_prefix('[') {
        Some(rest) => {
            let (address, tail) = rest
                .split_once(']')
                .ok_or_else(|| format!("missing ']' character after \"{pattern}\""))?;
            match tail {
                "" => address.to_owned(),
                tail if tail.starts_with('/') => format!("{address}{tail}"),
                _ => return Err(format!("garbage after \"[{address}]\"")),
            }
        }
        None => pattern.to_owned(),
    };
    let Some((address_text, length)) = inner.split_once('/') else {
        let address: IpAddr = inner
            .parse()
            .map_err(|_| format!("bad address pattern: \"{inner}\""))?;
        return Ok(address.into());
    };
    let address: Option<IpAddr> = address_text.parse().ok();
    if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("bad mask value in \"{inner}\""));
    }
    let bits = if address_text.contains(':') { 128 } else { 32 };
    let length = length
        .parse()
        .ok()
        .filter(|length| *length <= bits)
        .ok_or_else(|| format!("bad mask length in \"{pattern}\""))?;
    let network = address
        .and_then(|address| IpNet::new(address, length).ok())
        .ok_or_else(|| format!("bad network value in \"{pattern}\""))?;
    if Some(network.network()) != address {
        return Err(format!(
            "non-null host address bits in \"{pattern}\", perhaps you should use \"{}/{}\" instead",
            network.network(),
            network.prefix_len()
        ));
    }
    Ok(network)
}

enum Rule {
    Match {
        network: IpNet,
        wanted: bool,
        value: Vec<u8>,
    },
    /// `end` is the index behind the matching `endif`.
    If {
        network: IpNet,
        wanted: bool,
        end: usize,
    },
}

/// By structure: for each prefix length, the first rule of each network.
#[derive(Default)]
struct Index {
    lengths: Vec<(u8, HashMap<IpNet, usize>)>,
    lengths6: Vec<(u8, HashMap<IpNet, usize>)>,
}

/// A part of the way from the top to the end.
enum Step {
    /// Rules in a row, which match when the address is in their network.
    Row(Index),
    /// A single rule.
    Rule(usize),
    /// The step at which to go on when the condition does not hold.
    If {
        network: IpNet,
        wanted: bool,
        end: usize,
    },
}

struct Cidr {
    rules: Vec<Rule>,
    steps: Vec<Step>,
}

impl Cidr {
    fn new(rules: Vec<Rule>) -> Self {
        let ends: HashSet<usize> = rules
            .iter()
            .filter_map(|rule| match rule {
                Rule::If { end, .. } => Some(*end),
                Rule::Match { .. } => None,
            })
            .collect();
        let mut steps: Vec<Step> = Vec::new();
        // The step that begins at an `endif`.
        let mut begins = HashMap::new();
        let mut row = false;
        for (at, rule) in rules.iter().enumerate() {
            if ends.contains(&at) {
                begins.insert(at, steps.len());
                row = false;
            }
            match rule {
                Rule::Match {
                    network,
                    wanted: true,
                    ..
                } => {
                    if !row {
                        steps.push(Step::Row(Index::default()));
                    }
                    if let Some(Step::Row(index)) = steps.last_mut() {
                        index.add(*network, at);
                    }
                    row = true;
                }
                Rule::Match { .. } => {
                    steps.push(Step::Rule(at));
                    row = false;
                }
                Rule::If {
                    network,
                    wanted,
                    end,
                } => {
                    steps.push(Step::If {
                        network: *network,
                        wanted: *wanted,
                        end: *end,
                    });
                    row = false;
                }
            }
        }
        let last = steps.len();
        for step in &mut steps {
            if let Step::If { end, .. } = step {
                *end = begins.get(end).copied().unwrap_or(last);
            }
        }
        Self { rules, steps }
    }

    fn value(&self, at: usize) -> Lookup<Vec<u8>> {
        match self.rules.get(at) {
            Some(Rule::Match { value, .. }) => Lookup::Found(value.clone()),
            _ => Lookup::Missing,
        }
    }
}

/// `cidr:/path` or `cidr:{{rule}...}`.
pub(crate) fn open(name: &str, options: &Options) -> Result<Inner, OpenError> {
    let mut rules = Vec::new();
    let mut open_blocks: Vec<(usize, usize)> = Vec::new();
    for (number, line) in lines("cidr", name)? {
        let line = String::from_utf8_lossy(&line);
        match parse_rule(
            line.trim_end_matches(is_space_char),
            open_blocks.len(),
            options,
        ) {
            Ok(Parsed::Rule(rule)) => {
                if matches!(rule, Rule::If { .. }) {
                    open_blocks.push((rules.len(), number));
                }
                rules.push(rule);
            }
            Ok(Parsed::EndIf) => {
                let behind = rules.len();
                if let Some((at, _)) = open_blocks.pop()
                    && let Some(Rule::If { end, .. }) = rules.get_mut(at)
                {
                    *end = behind;
                }
            }
            Err(why) => {
                pf_log::warning!("cidr map {name}, line {number}: {why}: skipping this rule")
            }
        }
    }
    for (_, number) in open_blocks.iter().rev() {
        pf_log::warning!("cidr map {name}, line {number}: IF has no matching ENDIF");
    }
    Ok(Inner::Local(Box::new(Cidr::new(rules))))
}

enum Parsed {
    Rule(Rule),
    EndIf,
}

fn keyword<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let head = line.get(..word.len())?;
    let rest = line.get(word.len()..)?;
    let ends = !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
    (head.eq_ignore_ascii_case(word) && ends).then_some(rest)
}

/// Takes the negation marks off.
fn negation(text: &str) -> (bool, &str) {
    let rest = text.trim_start_matches(|mark: char| mark == '!' || is_space_char(mark));
    let marks = text.len() - rest.len();
    let count = text.get(..marks).unwrap_or_default().matches('!').count();
    (count % 2 == 0, rest)
}

fn parse_rule(line: &str, depth: usize, options: &Options) -> Result<Parsed, String> {
    if let Some(rest) = keyword(line, "if") {
        let (wanted, pattern) = negation(rest);
        if pattern.is_empty() {
            return Err("no address pattern".into());
        }
        let network = parse_network(pattern.trim_matches(is_space_char))?;
        return Ok(Parsed::Rule(Rule::If {
            network,
            wanted,
            end: usize::MAX,
        }));
    }
    if let Some(rest) = keyword(line, "endif") {
        return match (rest.trim_matches(is_space_char), depth) {
            ("", 0) => Err("ENDIF without IF".into()),
            ("", _) => Ok(Parsed::EndIf),
            _ => Err("garbage after ENDIF".into()),
        };
    }
    let (wanted, rest) = negation(line);
    let (pattern, value) = rest.split_once(is_space_char).unwrap_or((rest, ""));
    if pattern.is_empty() {
        return Err("no address pattern".into());
    }
    let network = parse_network(pattern)?;
    let value = value.trim_matches(is_space_char);
    if value.is_empty() {
        return Err("no lookup result".into());
    }
    let value = if options.value_is_file {
        file_value::encoded(value.as_bytes())?
    } else {
        value.as_bytes().to_vec()
    };
    Ok(Parsed::Rule(Rule::Match {
        network,
        wanted,
        value,
    }))
}

impl Index {
    fn add(&mut self, network: IpNet, at: usize) {
        let lengths = if network.addr().is_ipv4() {
            &mut self.lengths
        } else {
            &mut self.lengths6
        };
        let length = network.prefix_len();
        let place = match lengths.iter().position(|(known, _)| *known == length) {
            Some(place) => place,
            None => {
                lengths.push((length, HashMap::new()));
                lengths.len() - 1
            }
        };
        if let Some((_, networks)) = lengths.get_mut(place) {
            networks.entry(network).or_insert(at);
        }
    }

    fn first(&self, address: IpAddr) -> Option<usize> {
        let lengths = if address.is_ipv4() {
            &self.lengths
        } else {
            &self.lengths6
        };
        lengths
            .iter()
            .filter_map(|(length, networks)| {
                networks
                    .get(&IpNet::new(address, *length).ok()?.trunc())
                    .copied()
            })
            .min()
    }
}

impl Local for Cidr {
    fn get(&self, key: &[u8]) -> Lookup<Vec<u8>> {
        let Some(address) = std::str::from_utf8(key)
            .ok()
            .and_then(|text| text.parse::<IpAddr>().ok())
        else {
            return Lookup::Missing;
        };
        let mut at = 0;
        while let Some(step) = self.steps.get(at) {
            at += 1;
            match step {
                Step::Row(index) => {
                    if let Some(found) = index.first(address) {
                        return self.value(found);
                    }
                }
                Step::Rule(rule) => {
                    if let Some(Rule::Match {
                        network, wanted, ..
                    }) = self.rules.get(*rule)
                        && holds(*network, *wanted, address)
                    {
                        return self.value(*rule);
                    }
                }
                Step::If {
                    network,
                    wanted,
                    end,
                } => {
                    if !holds(*network, *wanted, address) {
                        at = *end;
                    }
                }
            }
        }
        Lookup::Missing
    }
}

/// Whether a rule applies. An address of the other family is neither in a network nor outside of it.
fn holds(network: IpNet, wanted: bool, address: IpAddr) -> bool {
    network.addr().is_ipv4() == address.is_ipv4() && network.contains(&address) == wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn get(rules: &str, key: &str) -> Option<String> {
        let Ok(Inner::Local(table)) = open(rules, &Options::default()) else {
            panic!("open")
        };
        match table.get(key.as_bytes()) {
            Lookup::Found(value) => Some(String::from_utf8(value).unwrap()),
            _ => None,
        }
    }

    #[test]
    fn the_first_match_wins() {
        let rules = "{ {10.0.0.1 one} {10.0.0.0/8 net} {0.0.0.0/0 any} {2001:db8::/32 six} }";
        assert_eq!(get(rules, "10.0.0.1").as_deref(), Some("one"));
        assert_eq!(get(rules, "10.9.9.9").as_deref(), Some("net"));
        assert_eq!(get(rules, "11.0.0.1").as_deref(), Some("any"));
        assert_eq!(get(rules, "2001:db8::1").as_deref(), Some("six"));
        assert_eq!(get(rules, "::1"), None);
        assert_eq!(get(rules, "name"), None);
        assert_eq!(
            get("{ {10.0.0.0/8 net} {10.0.0.1 one} }", "10.0.0.1").as_deref(),
            Some("net")
        );
    }

    #[test]
    fn blocks_and_negation() {
        let rules = "{ {if 10.0.0.0/8} {!10.1.0.0/16 not-one} {endif} {if !10.0.0.0/8} {1.2.3.4 x} {endif} {0.0.0.0/0 rest} }";
        assert_eq!(get(rules, "10.2.0.1").as_deref(), Some("not-one"));
        assert_eq!(get(rules, "10.1.0.1").as_deref(), Some("rest"));
        assert_eq!(get(rules, "1.2.3.4").as_deref(), Some("x"));
        assert_eq!(get(rules, "::1"), None);
    }

    #[test]
    fn networks_must_not_have_host_bits() {
        assert_eq!(
            parse_network("10.1.0.0/8").unwrap_err(),
            "non-null host address bits in \"10.1.0.0/8\", perhaps you should use \"10.0.0.0/8\" instead"
        );
        assert!(parse_network("[::1]").is_ok() && parse_network("[2001:db8::]/32").is_ok());
        assert!(parse_network("10.0.0.0/33").is_err() && parse_network("x").is_err());
    }

    /// Rule after rule, as it is written.
    fn walked(rules: &[Rule], address: IpAddr) -> Option<Vec<u8>> {
        let mut at = 0;
        while let Some(rule) = rules.get(at) {
            at += 1;
            match rule {
                Rule::Match {
                    network,
                    wanted,
                    value,
                } if holds(*network, *wanted, address) => return Some(value.clone()),
                Rule::If {
                    network,
                    wanted,
                    end,
                } if !holds(*network, *wanted, address) => at = *end,
                _ => {}
            }
        }
        None
    }

    proptest! {
        #[test]
        fn structure_and_walk_agree(
            nets in prop::collection::vec((any::<u32>(), 0u8..=32, 0usize..12), 1..30),
            probe in any::<u32>(),
        ) {
            let rules: Vec<Rule> = nets.iter().enumerate().map(|(n, (bits, length, kind))| {
                let network = IpNet::new(IpAddr::V4((*bits).into()), *length).unwrap().trunc();
                match kind {
                    0 => Rule::If { network, wanted: true, end: n + 1 + usize::from(*length) % 5 },
                    1 => Rule::If { network, wanted: false, end: usize::MAX },
                    kind => Rule::Match { network, wanted: *kind > 2, value: n.to_string().into_bytes() },
                }
            }).collect();
            let address = std::net::Ipv4Addr::from(probe);
            let slow: Lookup<Vec<u8>> = walked(&rules, address.into()).into();
            prop_assert_eq!(Cidr::new(rules).get(address.to_string().as_bytes()), slow);
        }
    }
}
