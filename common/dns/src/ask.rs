//! One question to one server: by UDP, and by TCP when the answer does not fit.

use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use crate::Kind;
use crate::message::{self, Message};

/// The server's answer to the question.
pub(crate) async fn ask(server: SocketAddr, name: &str, kind: Kind) -> io::Result<Message> {
    // Seeded by the system for each use; with the random port, what a forger has to guess.
    let id = u16::try_from(
        std::collections::hash_map::RandomState::new()
            .build_hasher()
            .finish()
            & 0xffff,
    )
    .unwrap_or(0);
    let query = message::query(id, name, kind).ok_or(io::ErrorKind::InvalidInput)?;
    let any: IpAddr = if server.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(&query).await?;
    let mut buffer = vec![0; 4096];
    loop {
        let count = socket.recv(&mut buffer).await?;
        let Some(answer) = message::parse(buffer.get(..count).unwrap_or_default()) else {
            continue;
        };
        if !answers(&answer, id, name, kind) {
            continue;
        }
        return if answer.truncated {
            ask_by_tcp(server, &query, id, name, kind).await
        } else {
            Ok(answer)
        };
    }
}

async fn ask_by_tcp(
    server: SocketAddr,
    query: &[u8],
    id: u16,
    name: &str,
    kind: Kind,
) -> io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    let len = u16::try_from(query.len()).map_err(io::Error::other)?;
    let mut framed = len.to_be_bytes().to_vec();
    framed.extend_from_slice(query);
    stream.write_all(&framed).await?;
    let len = stream.read_u16().await?;
    let mut buffer = vec![0; usize::from(len)];
    stream.read_exact(&mut buffer).await?;
    message::parse(&buffer)
        .filter(|answer| answers(answer, id, name, kind))
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Whether this is the answer to our question.
fn answers(answer: &Message, id: u16, name: &str, kind: Kind) -> bool {
    // The name of the root is a dot, and in messages, nothing.
    let name = name.strip_suffix('.').unwrap_or(name);
    answer.id == id
        && answer.question.1 == kind.number()
        && answer.question.0.eq_ignore_ascii_case(name)
}
