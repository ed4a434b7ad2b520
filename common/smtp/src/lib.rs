//! What programs that speak SMTP share: the replies of a server as a client reads them, and the content of a message as lines on
//! the wire. The commands, the sockets and the decisions are each program's own.

pub mod reply;
pub mod stuffing;
