//! What cleanup makes of a message whose records it is handed through its socket.

use std::fmt::Write as _;
use std::io::Write as _;

use pf_testkit::Instance;

use crate::ipc::Peer;
use crate::queue_file::record;

/// Hands records to cleanup behind a socket below the queue directory: the answer, and the records of the queue file, which is on hold.
pub fn submit(instance: &Instance, socket: &str, flags: &str, records: &[(char, &str)]) -> String {
    let mut peer = Peer::connect(instance, socket);
    let greeting = peer.receive();
    let id = &greeting[1].1;
    peer.send(&[("flags", flags)]);
    let mut bytes = Vec::new();
    for (kind, data) in records {
        bytes.extend(record(u8::try_from(*kind).unwrap(), data.as_bytes()));
    }
    peer.stream.write_all(&bytes).unwrap();
    let mut text = String::new();
    for (name, value) in peer.receive() {
        writeln!(text, "{name}={value}").unwrap();
    }
    let path = instance.path("spool/hold").join(id);
    let Ok(file) = std::fs::read(&path) else {
        return text;
    };
    std::fs::remove_file(path).unwrap();
    let mut rest = file.as_slice();
    let mut sizes = Vec::new();
    let (mut content, mut extracted) = (0, 0);
    while let Some((kind, tail)) = rest.split_first() {
        let kind = char::from(*kind);
        if kind == 'X' {
            extracted = file.len() - rest.len();
        }
        rest = tail;
        let (mut len, mut shift) = (0, 0);
        loop {
            let byte = rest[0];
            rest = &rest[1..];
            len |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let data = String::from_utf8_lossy(&rest[..len]).replace(id.as_str(), "QID");
        rest = &rest[len..];
        match kind {
            'C' => {
                assert_eq!(data.len(), 95);
                sizes = data
                    .split_whitespace()
                    .map(|number| number.parse::<usize>().unwrap())
                    .collect();
                writeln!(text, "C {} {} {}", sizes[2], sizes[3], sizes[5]).unwrap();
                continue;
            }
            'M' => content = file.len() - rest.len(),
            _ => {}
        }
        let data = if data.starts_with("create_time=") {
            "create_time=NOW".to_owned()
        } else {
            data
        };
        writeln!(text, "{kind} {data}").unwrap();
    }
    // Queue ids differ in length, and so do the sizes.
    assert_eq!(
        (sizes[0], sizes[1], sizes[4]),
        (extracted - content, content, extracted - content)
    );
    text
}

/// A message with a full name and one `Received:` header, without the lines that end it in SMTP.
pub fn message<'a>(
    sender: &'a str,
    recipients: &[&'a str],
    content: &[&'a str],
) -> Vec<(char, &'a str)> {
    let mut records = vec![('T', "1700000000 5"), ('F', "Joe Q. User"), ('S', sender)];
    records.extend(recipients.iter().map(|recipient| ('R', *recipient)));
    records.extend([('M', ""), ('N', "Received: by x")]);
    records.extend(content.iter().map(|line| ('N', *line)));
    records.extend([('X', ""), ('E', "")]);
    records
}
