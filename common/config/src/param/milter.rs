//! Mail filters that speak the milter protocol.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Which mail of the mail system itself is inspected.
    INTERNAL_MAIL_FILTER_CLASSES: String = Text "internal_mail_filter_classes", "", (0, 0), "all", false;
    /// How long to wait for a milter's reply to a command.
    MILTER_COMMAND_TIMEOUT: Duration = Time "milter_command_timeout", "30s", (1, 0), "cleanup smtpd", false;
    /// Macros that milters get with a new client.
    MILTER_CONNECT_MACROS: String = Text "milter_connect_macros", "j {daemon_name} {daemon_addr} v _", (0, 0), "cleanup smtpd", false;
    /// How long to wait for the connection to a milter.
    MILTER_CONNECT_TIMEOUT: Duration = Time "milter_connect_timeout", "30s", (1, 0), "cleanup smtpd", false;
    /// How long to wait for a milter's reply to the content.
    MILTER_CONTENT_TIMEOUT: Duration = Time "milter_content_timeout", "300s", (1, 0), "cleanup smtpd", false;
    /// Macros that milters get with DATA.
    MILTER_DATA_MACROS: String = Text "milter_data_macros", "i", (0, 0), "cleanup smtpd", false;
    /// What happens when a milter fails.
    MILTER_DEFAULT_ACTION: String = Text "milter_default_action", "shutdown", (1, 0), "cleanup smtpd", false;
    /// Macros that milters get at the end of the message.
    MILTER_END_OF_DATA_MACROS: String = Text "milter_end_of_data_macros", "i", (0, 0), "cleanup smtpd", false;
    /// Macros that milters get at the end of the headers.
    MILTER_END_OF_HEADER_MACROS: String = Text "milter_end_of_header_macros", "i", (0, 0), "cleanup smtpd", false;
    /// Tables for headers that milters add.
    MILTER_HEADER_CHECKS: String = Text "milter_header_checks", "", (0, 0), "cleanup", false;
    /// Macros that milters get with HELO.
    MILTER_HELO_MACROS: String = Text "milter_helo_macros", "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}", (0, 0), "cleanup smtpd", false;
    /// The value of the macro daemon_name.
    MILTER_MACRO_DAEMON_NAME: String = Text "milter_macro_daemon_name", "$myhostname", (1, 0), "cleanup smtpd", false;
    /// Values of macros that have no other.
    MILTER_MACRO_DEFAULTS: String = Text "milter_macro_defaults", "", (0, 0), "cleanup smtpd", false;
    /// The value of the macro v.
    MILTER_MACRO_V: String = Text "milter_macro_v", "$mail_name $mail_version", (1, 0), "cleanup smtpd", false;
    /// Macros that milters get with MAIL.
    MILTER_MAIL_MACROS: String = Text "milter_mail_macros", "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}", (0, 0), "cleanup smtpd", false;
    /// The version of the milter protocol.
    MILTER_PROTOCOL: String = Text "milter_protocol", "6", (1, 0), "cleanup smtpd", false;
    /// Macros that milters get with RCPT.
    MILTER_RCPT_MACROS: String = Text "milter_rcpt_macros", "i {rcpt_addr} {rcpt_host} {rcpt_mailer}", (0, 0), "cleanup smtpd", false;
    /// Macros that milters get with an unknown command.
    MILTER_UNKNOWN_COMMAND_MACROS: String = Text "milter_unknown_command_macros", "", (0, 0), "cleanup smtpd", false;
    /// Milters for mail that does not come by SMTP.
    NON_SMTPD_MILTERS: String = Text "non_smtpd_milters", "", (0, 0), "cleanup", false;
}
