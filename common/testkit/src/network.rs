//! The network of an instance, from outside: connections to its servers, and servers in it.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::sys::socket as sock;

use crate::{Client, Instance};

impl Instance {
    /// An SMTP client connected to port 25, from 127.0.0.1, the greeting read.
    pub fn smtp(&self) -> Client {
        self.smtp_from("127.0.0.1", "127.0.0.1:25")
    }

    /// An SMTP client connected from `source` to `server`, the greeting read.
    pub fn smtp_from(&self, source: &str, server: &str) -> Client {
        Client::new(self.connect(source, server))
    }

    /// As [`smtp_from`](Self::smtp_from), with something said before the server has greeted.
    pub fn smtp_after(&self, source: &str, server: &str, first: &[u8]) -> Client {
        Client::after(self.connect(source, server), first)
    }

    /// A connection inside the instance's network, once the server is there.
    pub fn connect(&self, source: &str, server: &str) -> TcpStream {
        let mut last = None;
        for _ in 0..100 {
            match self.try_connect(source, server) {
                Ok(stream) => return stream,
                Err(err) => last = Some(err),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("connect to {server}: {last:?}");
    }

    /// One attempt at a connection inside the instance's network.
    ///
    /// # Errors
    /// As `connect(2)`.
    pub fn try_connect(&self, source: &str, server: &str) -> std::io::Result<TcpStream> {
        let source: std::net::Ipv4Addr = source.parse().unwrap();
        let server: std::net::SocketAddrV4 = server.parse().unwrap();
        self.inside(move || {
            let fd = sock::socket(
                sock::AddressFamily::Inet,
                sock::SockType::Stream,
                sock::SockFlag::SOCK_CLOEXEC,
                None,
            )?;
            let raw = std::os::fd::AsRawFd::as_raw_fd(&fd);
            let own = std::net::SocketAddrV4::new(source, 0);
            sock::bind(raw, &sock::SockaddrIn::from(own))?;
            sock::connect(raw, &sock::SockaddrIn::from(server))?;
            Ok(TcpStream::from(fd))
        })
    }

    /// A TCP listener inside the instance's network.
    pub fn listen(&self, address: &str) -> TcpListener {
        let address: SocketAddr = address.parse().unwrap();
        self.inside(move || TcpListener::bind(address).unwrap())
    }

    /// A UDP socket inside the instance's network.
    pub fn udp(&self, address: &str) -> UdpSocket {
        let address: SocketAddr = address.parse().unwrap();
        self.inside(move || UdpSocket::bind(address).unwrap())
    }

    /// Runs a closure on a thread that is in the instance's network.
    fn inside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let net = fs::File::open(format!("/proc/{}/ns/net", self.holder_pid())).unwrap();
        std::thread::spawn(move || {
            setns(net, CloneFlags::CLONE_NEWNET).unwrap();
            work()
        })
        .join()
        .unwrap()
    }

    /// Runs commands of the shell in the instance's network.
    pub fn in_network(&self, script: &str) {
        let status = Command::new("nsenter")
            .args([&format!("--target={}", self.holder_pid()), "--net", "--"])
            .args(["sh", "-e", "-c", script])
            .status()
            .unwrap();
        assert!(status.success(), "{status}: {script}");
    }
}
