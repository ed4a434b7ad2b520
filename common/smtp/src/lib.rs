//! What programs that speak SMTP share: the replies of a server as a client reads them, the content of a message as lines on
//! the wire, and connections that wait for the next message. The commands, the sockets and the decisions are each program's own.

pub mod idle;
pub mod reply;
pub mod stuffing;
