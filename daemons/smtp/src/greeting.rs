//! The start of a session: the server's greeting, and what it says it can do.

use pf_dsn::Dsn;
use pf_log::{info, warning};
use pf_maps::Lookup;
use pf_proto::deliver::DeliveryRequest;
use pf_smtp::reply::Reply;

use crate::connection::Broken;
use crate::features::Features;
use crate::params::Params;
use crate::server::Server;
use crate::session::{Session, broken};
use crate::trouble::Failure;

impl Session {
    /// Does the handshake.
    ///
    /// # Errors
    /// The server does not want us, or is none.
    pub async fn greet(
        &mut self,
        params: &Params,
        server: &Server,
        id: &str,
        request: &DeliveryRequest,
    ) -> Result<(), Failure> {
        let greeting = self
            .reply(
                params,
                params.helo_timeout,
                "receiving the initial server greeting",
            )
            .await?;
        if greeting.class() != 2 {
            let dsn = if greeting.class() == 5 && params.skip_5xx_greeting {
                greeting.dsn.with_class(4)
            } else {
                greeting.dsn
            };
            return Err(self.refused(&greeting, dsn));
        }
        let no_esmtp = self
            .pix_workarounds(params, server, id, request, &greeting)
            .await;
        let mut words = greeting
            .text
            .split([' ', '-'])
            .skip(1)
            .filter(|word| !word.is_empty());
        let announces = {
            let first = words.next();
            if first.is_some_and(|word| word.eq_ignore_ascii_case(&params.myhostname))
                && server.loop_detection
            {
                warning!(
                    "host {} greeted me with my own hostname {}",
                    self.relay,
                    params.myhostname
                );
            }
            first
                .into_iter()
                .chain(words)
                .any(|word| word.eq_ignore_ascii_case("ESMTP"))
        };
        let extended =
            params.lmtp || ((params.always_ehlo || announces) && !params.never_ehlo && !no_esmtp);
        let mut hello = None;
        if extended {
            let verb = if params.lmtp { "LHLO" } else { "EHLO" };
            let reply = self.hello(params, verb).await?;
            if reply.class() == 2 {
                hello = Some(reply);
            } else if params.lmtp || reply.code == 421 {
                return Err(self.refused(&reply, reply.dsn));
            }
        }
        match hello {
            Some(reply) => {
                self.note_features(params, server, &reply, request, id)
                    .await?
            }
            None => {
                let reply = self.hello(params, "HELO").await?;
                if reply.class() != 2 {
                    return Err(self.refused(&reply, reply.dsn));
                }
            }
        }
        if let Some(failure) = self.check_utf8(request) {
            return Err(failure);
        }
        if params.tls_mandatory() {
            return Err(Failure::local(
                Dsn::new(4, 7, 4),
                format!(
                    "TLS is required, but was not offered by host {}",
                    self.title
                ),
            ));
        }
        Ok(())
    }

    async fn note_features(
        &mut self,
        params: &Params,
        server: &Server,
        reply: &Reply,
        request: &DeliveryRequest,
        id: &str,
    ) -> Result<(), Failure> {
        let words = match params
            .discard_maps
            .find(server.address_text().as_bytes())
            .await
        {
            Lookup::Found(value) => String::from_utf8_lossy(&value).into_owned(),
            Lookup::Missing => params.discard_keywords.clone(),
            Lookup::Unavailable(_) => {
                let address = server.address_text();
                warning!(
                    "{id}: {} map lookup error for {address}",
                    params.discard_maps.title()
                );
                return Err(broken(Broken::Local, &self.title, ""));
            }
        };
        let (discard, silent) = discarded(&words);
        if !discard.is_empty() && !silent {
            info!("discarding EHLO keywords: {}", shown(&discard));
        }
        self.features = Features::parse(reply, &discard, &params.myhostname);
        if let Some(limit) = &self.features.bad_size {
            warning!("bad EHLO SIZE limit \"{limit}\" from {}", self.relay);
        }
        if self.features.loops && server.loop_detection {
            warning!(
                "host {} replied to HELO/EHLO with my own hostname {}",
                self.relay,
                params.myhostname
            );
            let class = if server.best { 5 } else { 4 };
            let nexthop = String::from_utf8_lossy(&request.nexthop);
            return Err(Failure::local(
                Dsn::new(class, 4, 6),
                format!("mail for {nexthop} loops back to myself"),
            ));
        }
        Ok(())
    }

    /// A greeting of nothing but stars comes from a firewall that rewrites it. Whether ESMTP is out of the question.
    async fn pix_workarounds(
        &mut self,
        params: &Params,
        server: &Server,
        id: &str,
        request: &DeliveryRequest,
        greeting: &Reply,
    ) -> bool {
        if !greeting.text.bytes().all(|byte| b"20 *\t".contains(&byte)) {
            return false;
        }
        let words = match params.pix_maps.find(server.address_text().as_bytes()).await {
            Lookup::Found(value) => String::from_utf8_lossy(&value).into_owned(),
            _ => params.pix_workarounds.clone(),
        };
        if words.is_empty() {
            return false;
        }
        let has = |name: &str| {
            words
                .split([' ', ',', '\t', '|'])
                .any(|word| word.eq_ignore_ascii_case(name))
        };
        let no_esmtp = has("disable_esmtp");
        let age = pf_proto::deliver::Moment::now().since(request.times.arrived);
        self.delay_dot = has("delay_dotcrlf") && age >= params.pix_threshold;
        let enabled: Vec<&str> = [
            ("disable_esmtp", no_esmtp),
            ("delay_dotcrlf", self.delay_dot),
        ]
        .into_iter()
        .filter_map(|(name, on)| on.then_some(name))
        .collect();
        info!(
            "{id}: enabling PIX workarounds: {} for {}",
            enabled.join(" "),
            self.relay
        );
        no_esmtp
    }

    async fn hello(&mut self, params: &Params, verb: &str) -> Result<Reply, Failure> {
        let state = format!("performing the {verb} handshake");
        self.connection
            .command(&format!("{verb} {}", params.helo_name));
        self.flush(params.helo_timeout, &state).await?;
        self.reply(params, params.helo_timeout, &state).await
    }

    fn refused(&mut self, reply: &Reply, dsn: Dsn) -> Failure {
        self.note_code(reply);
        let text = format!("host {} refused to talk to me: {}", self.title, reply.text);
        Failure::said(&self.host, reply, dsn, &text)
    }
}

/// The keywords of a list such as `smtp_discard_ehlo_keywords`, and whether they are passed over silently.
fn discarded(words: &str) -> (Vec<&str>, bool) {
    let mut silent = false;
    let words = pf_text::split::list(words)
        .filter(|word| {
            let is_silent = word.eq_ignore_ascii_case("silent-discard");
            silent |= is_silent;
            !is_silent
        })
        .collect();
    (words, silent)
}

/// The keywords that are known, as a log line names them.
fn shown(keywords: &[&str]) -> String {
    const ORDER: [&str; 15] = [
        "8BITMIME",
        "AUTH",
        "ETRN",
        "PIPELINING",
        "SIZE",
        "VERP",
        "VRFY",
        "XCLIENT",
        "XFORWARD",
        "STARTTLS",
        "ENHANCEDSTATUSCODES",
        "DSN",
        "SMTPUTF8",
        "CHUNKING",
        "REQUIRETLS",
    ];
    let has = |name: &&str| keywords.iter().any(|word| word.eq_ignore_ascii_case(name));
    let named: Vec<&str> = ORDER.into_iter().filter(has).collect();
    named.join(", ")
}
