//! `|command`: mail to a program.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use pf_delivery::command::{Program, Run, deliver};
use pf_delivery::copy::Form;
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::warning;

use crate::delivery::Delivery;
use crate::expand::expansion;
use crate::state::{Attributes, Rights};

impl Delivery<'_> {
    /// Delivers to a command.
    pub(crate) async fn command(
        &self,
        state: Attributes,
        rights: Rights,
        command: Vec<u8>,
    ) -> bool {
        let state = state.deeper();
        let who = [&state.user, &b":"[..], rights.uid.to_string().as_bytes()].concat();
        if self.before(&[b"command", &who, &command]) {
            return false;
        }
        if self.is_probe() {
            let text = [b"delivers to command: ", command.as_slice()].concat();
            return self.sent(&state, text).await;
        }
        let rights = self.with_default_rights(rights);
        let params = self.params();
        let directory = match expansion(
            &params.command_directory,
            &state,
            &rights,
            &params.delimiters,
            Some(&params.directory_filter),
        ) {
            Ok((expanded, _)) => expanded.text,
            Err(err) => {
                warning!("{err}");
                warning!(
                    "bad parameter value syntax for command_execution_directory: {}",
                    params.command_directory
                );
                let status = Status::new(Dsn::new(4, 3, 5), "mail system configuration error");
                return self.fail_to_owner(state, status).await;
            }
        };
        let environment = self.environment(&state, &rights);
        let program = Program::Line {
            text: command.clone(),
            shell: params.shell.clone(),
        };
        let run = Run {
            program: &program,
            identity: (rights.uid, rights.gid),
            limit: params.command_limit,
            environment: &environment,
            export: &params.export,
            directory: (!directory.is_empty()).then_some(Path::new(OsStr::from_bytes(&directory))),
            chroot: None,
            process_name: &self.local.process_name,
        };
        let form = Form::command(params.delivered_header.command);
        match deliver(&run, self.job, &form, &self.envelope(&state)) {
            None => true,
            Some(Outcome::Sent(_)) => {
                let text = [b"delivered to command: ", command.as_slice()].concat();
                self.sent(&state, text).await
            }
            Some(Outcome::Defer(status) | Outcome::Bounce(status)) => {
                self.fail_to_owner(state, status).await
            }
        }
    }

    /// What the command learns of the mail; characters that could mean something to a shell are replaced.
    fn environment(&self, state: &Attributes, rights: &Rights) -> Vec<(&'static str, Vec<u8>)> {
        let request = &self.job.request;
        let filter = self.params().command_filter.as_bytes();
        let always = |value: &[u8]| Some(value.to_vec());
        let unless_empty = |value: &[u8]| (!value.is_empty()).then(|| value.to_vec());
        [
            ("HOME", rights.home.clone()),
            ("LOGNAME", always(&state.user)),
            ("USER", always(&state.user)),
            ("SENDER", always(&state.sender)),
            ("RECIPIENT", always(&state.recipient.address)),
            ("LOCAL", always(&state.local)),
            ("SHELL", rights.shell.clone()),
            ("DOMAIN", always(&state.domain)),
            ("EXTENSION", state.extension.clone()),
            (
                "ORIGINAL_RECIPIENT",
                unless_empty(&state.recipient.original),
            ),
            ("ENVID", unless_empty(&request.envid)),
            ("CLIENT_HOSTNAME", unless_empty(&request.client_name)),
            ("CLIENT_ADDRESS", unless_empty(&request.client_address)),
            ("CLIENT_HELO", unless_empty(&request.client_helo)),
            ("CLIENT_PROTOCOL", unless_empty(&request.client_protocol)),
            ("SASL_METHOD", unless_empty(&request.sasl_method)),
            ("SASL_SENDER", unless_empty(&request.sasl_sender)),
            ("SASL_USERNAME", unless_empty(&request.sasl_username)),
        ]
        .into_iter()
        .filter_map(|(name, value)| {
            let mut value = value?;
            for byte in &mut value {
                if !filter.contains(byte) {
                    *byte = b'_';
                }
            }
            Some((name, value))
        })
        .collect()
    }
}
