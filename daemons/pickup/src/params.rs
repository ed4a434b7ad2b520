//! The parameters that pickup reads.

use std::time::Duration;

use anyhow::{Result, bail};
use pf_config::{Config, param};
use pf_proto::cleanup::{Flags, Source, SourceSet};

/// All of them.
pub struct Params {
    /// What cleanup is asked to do with mail from users.
    pub flags: Flags,
    pub content_filter: String,
    pub myhostname: String,
    pub mail_name: String,
    pub owner: u32,
    pub line_limit: usize,
    pub timeout: Duration,
    pub cleanup_service: String,
}

impl Params {
    /// Reads them.
    ///
    /// # Errors
    /// One has a bad value.
    pub fn read(config: &Config) -> Result<Self> {
        let mut flags = Flags::BOUNCE.with(Flags::MASK_EXTERNAL);
        let overrides = config.get(param::RECEIVE_OVERRIDE_OPTIONS)?;
        for word in pf_text::split::list(&overrides) {
            flags = match word {
                "no_address_mappings" => flags.without(Flags::MAP_OK).without(Flags::BCC_OK),
                "no_header_body_checks" => flags.without(Flags::FILTER),
                "no_milters" => flags.without(Flags::MILTER),
                // Nobody is asked about recipients here.
                "no_unknown_recipient_checks" => flags,
                _ => bail!("unknown receive_override_options value \"{word}\" in \"{overrides}\""),
            };
        }
        let classes = config.get(param::SMTPUTF8_AUTODETECT_CLASSES)?;
        let detected = SourceSet::parse(&classes).map_err(|word| {
            anyhow::anyhow!("unknown smtputf8_autodetect_classes value \"{word}\" in \"{classes}\"")
        })?;
        if config.get(param::SMTPUTF8_ENABLE)? && detected.has(Source::Sendmail) {
            flags = flags.with(Flags::AUTOUTF8);
        }
        let owner = config.get(param::MAIL_OWNER)?;
        let Some(owner) = pf_sys::identity::user_by_name(&owner)? else {
            bail!("unknown user: {owner}")
        };
        Ok(Self {
            flags,
            content_filter: config.get(param::CONTENT_FILTER)?,
            myhostname: config.get(param::MYHOSTNAME)?,
            mail_name: config.get(param::MAIL_NAME)?,
            owner: owner.uid,
            line_limit: config.count(param::LINE_LENGTH_LIMIT)?,
            timeout: config.get(param::IPC_TIMEOUT)?,
            cleanup_service: config.get(param::CLEANUP_SERVICE_NAME)?,
        })
    }
}
