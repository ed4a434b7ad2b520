//! One client: the only file that touches its socket.

use std::io;
use std::time::Duration;

use pf_log::{info, warning};
use pf_proto::cleanup::{decode_options, greeting};
use pf_queue::{NewFile, QueueName};
use pf_record::{Decoder, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::message::{Message, Phase};
use crate::service::Service;

/// Longer records are not taken from anyone; clients have limits of their own far below.
const MAX_RECORD: usize = 16 << 20;

/// How much is read at once.
const READ_SIZE: usize = 16 << 10;

/// The pause before a queue file is tried again: the disk is full, or something of that kind.
const CREATE_PAUSE: Duration = Duration::from_secs(10);

impl Service {
    /// Takes one message from a client.
    pub(crate) async fn message(&self, mut stream: UnixStream) {
        let file = self.create().await;
        let mut message = Message::new(self, file);
        let greeting = greeting(message.id().as_bytes());
        if self.send(&mut stream, &greeting).await.is_err() {
            message.bad();
        } else {
            tokio::select! {
                () = self.receive(&mut stream, &mut message) => {}
                // The file goes with the message.
                () = self.ending.wait() => return,
            }
        }
        let verdict = message.finish().await;
        // A client that has gone takes the message for lost, and sends it again.
        let _ = self.send(&mut stream, &verdict.encode()).await;
    }

    async fn create(&self) -> NewFile {
        loop {
            match self.queue.create(QueueName::Incoming, 0) {
                Ok(file) => {
                    self.remove_logs(&file);
                    return file;
                }
                Err(err) => {
                    warning!(
                        "mail_queue_enter: create file incoming: {}",
                        pf_sys::error::text(&err)
                    );
                    tokio::time::sleep(CREATE_PAUSE).await;
                }
            }
        }
    }

    /// A new message has no logs; what is there was left behind by an old one with the same id.
    fn remove_logs(&self, file: &NewFile) {
        for name in [QueueName::Defer, QueueName::Bounce, QueueName::Trace] {
            match self.queue.remove(name, file.id()) {
                Ok(()) => warning!(
                    "{}: removed spurious {} log",
                    name.as_str(),
                    file.id().as_str()
                ),
                Err(err) if err.kind() == io::ErrorKind::NotFound => {}
                Err(err) => warning!(
                    "{}: remove {} log: {}",
                    name.as_str(),
                    file.id().as_str(),
                    pf_sys::error::text(&err)
                ),
            }
        }
    }

    async fn send(&self, stream: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
        timeout(self.params.ipc_timeout, stream.write_all(bytes))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Receives options and records, up to the end record.
    async fn receive(&self, stream: &mut UnixStream, message: &mut Message<'_>) {
        let Some(rest) = self.receive_options(stream, message).await else {
            message.bad();
            return;
        };
        let mut decoder = Decoder::new(MAX_RECORD);
        decoder.feed(&rest);
        loop {
            loop {
                match decoder.take_ref() {
                    Ok(None) => break,
                    Ok(Some((RecordType::POINTER | RecordType::PADDING, _))) if message.is_ok() => {
                        warning!(
                            "{}: record type not allowed - discarding this message",
                            message.id()
                        );
                        message.bad();
                    }
                    Ok(Some((kind, data))) => {
                        if message.is_ok() && !message.plain_body_record(kind, data) {
                            message.record(kind, data).await;
                        }
                        // Whatever happens, the client is heard out.
                        if kind == RecordType::END {
                            return;
                        }
                    }
                    Err(_) => {
                        message.bad();
                        return;
                    }
                }
            }
            if !self.read(stream, decoder.buffer(), message.id()).await {
                message.bad();
                return;
            }
        }
    }

    /// Receives the client's options; gives the bytes behind them.
    async fn receive_options(
        &self,
        stream: &mut UnixStream,
        message: &mut Message<'_>,
    ) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            if let Some(list) = pf_attr::Message::take(&mut bytes).ok()? {
                let flags = decode_options(&mut list.decoder()).ok()?;
                if pf_log::verbose() > 0 {
                    info!("client flags = {flags}");
                }
                message.control(flags);
                return Some(bytes);
            }
            if !self.read(stream, &mut bytes, message.id()).await {
                return None;
            }
        }
    }

    /// Receives more; `false`: the client has gone.
    async fn read(&self, stream: &mut UnixStream, buffer: &mut Vec<u8>, id: &str) -> bool {
        buffer.reserve(READ_SIZE);
        match timeout(self.params.ipc_timeout, stream.read_buf(buffer)).await {
            Ok(result) => result.is_ok_and(|count| count > 0),
            Err(_) => {
                warning!("{id}: read timeout on cleanup socket");
                false
            }
        }
    }
}

impl Message<'_> {
    /// Takes a record, whichever part it belongs to.
    pub(crate) async fn record(&mut self, kind: RecordType, data: &[u8]) {
        match self.phase {
            Phase::Start | Phase::Envelope => self.envelope_record(kind, data).await,
            Phase::ContentStart | Phase::Content => self.content_record(kind, data).await,
            Phase::ExtractedStart | Phase::Extracted => self.extracted_record(kind, data).await,
        }
    }
}
