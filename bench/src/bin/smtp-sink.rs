//! Takes mail as fast as a client sends it, and throws it away: `smtp-sink host:port [backlog]`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            use std::io::Write as _;
            // Nobody is there to tell that telling failed.
            let _ = writeln!(std::io::stderr(), "smtp-sink: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let address = std::env::args()
        .nth(1)
        .context("usage: smtp-sink host:port")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(&address)
            .await
            .with_context(|| format!("bind {address}"))?;
        loop {
            let (stream, _) = listener.accept().await?;
            // A client's trouble is its own.
            spawn_local(async move { session(stream).await.ok() });
        }
    })
}

async fn session(mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"220 sink ESMTP\r\n").await?;
    let (mut input, mut output, mut in_content) = (Vec::with_capacity(8192), Vec::new(), false);
    loop {
        let mut taken = 0;
        let mut leaving = false;
        while let Some(len) = memchr::memchr(b'\n', input.get(taken..).unwrap_or_default()) {
            let line = input.get(taken..taken + len).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if in_content {
                if line == b"." {
                    in_content = false;
                    output.extend_from_slice(b"250 2.0.0 Ok\r\n");
                }
            } else {
                let verb = line.get(..4).unwrap_or(line).to_ascii_uppercase();
                output.extend_from_slice(match verb.as_slice() {
                    b"EHLO" => {
                        b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
                            .as_slice()
                    }
                    b"DATA" => {
                        in_content = true;
                        b"354 Go on\r\n"
                    }
                    b"QUIT" => {
                        leaving = true;
                        b"221 2.0.0 Bye\r\n"
                    }
                    _ => b"250 2.0.0 Ok\r\n",
                });
            }
            taken += len + 1;
        }
        input.drain(..taken);
        if !output.is_empty() {
            stream.write_all(&output).await?;
            output.clear();
        }
        if leaving || stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
    }
}
