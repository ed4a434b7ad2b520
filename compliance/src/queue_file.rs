//! Queue files made by hand, and what is in those that were made by others.

use std::os::unix::fs::PermissionsExt as _;

use pf_testkit::Instance;

/// The digits of long queue ids.
const SAFE: &[u8] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

/// One record: its type, the length of its data in groups of seven bits, its data.
pub fn record(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    let mut rest = data.len();
    loop {
        let low = u8::try_from(rest & 0x7f).unwrap();
        rest >>= 7;
        bytes.push(if rest > 0 { low | 0x80 } else { low });
        if rest == 0 {
            break;
        }
    }
    bytes.extend_from_slice(data);
    bytes
}

/// Records, one behind the other.
pub fn records<D: AsRef<[u8]>>(list: &[(u8, D)]) -> Vec<u8> {
    list.iter()
        .flat_map(|(kind, data)| record(*kind, data.as_ref()))
        .collect()
}

/// A whole queue file, with a size record in front that is right.
pub fn message(envelope: &[u8], content: &[u8], extracted: &[u8], recipients: usize) -> Vec<u8> {
    let start = 97 + envelope.len() + 2;
    let size = format!(
        "{:>15} {start:>15} {recipients:>15} {:>15} {:>15} {:>15}",
        content.len(),
        0,
        content.len(),
        0
    );
    [
        &record(b'C', size.as_bytes()),
        envelope,
        &record(b'M', b""),
        content,
        &record(b'X', b""),
        extracted,
        &record(b'E', b""),
    ]
    .concat()
}

/// An inode number as it stands in a long queue id.
pub fn long_inode(mut inode: u64) -> String {
    let mut digits = Vec::new();
    while inode > 0 {
        digits.push(SAFE[usize::try_from(inode % 51).unwrap()]);
        inode /= 51;
    }
    digits.reverse();
    String::from_utf8(digits).unwrap()
}

/// The records in these bytes, one a line; what follows a damaged one as it is. Times are left out.
pub fn records_of(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = bytes;
    'records: while let Some((&kind, mut tail)) = rest.split_first() {
        let (mut len, mut shift) = (0_usize, 0);
        loop {
            let Some((&byte, more)) = tail.split_first().filter(|_| shift < 35) else {
                break 'records;
            };
            tail = more;
            len |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let Some((data, more)) = tail.split_at_checked(len) else {
            break;
        };
        let data = match kind {
            b'T' => "NOW".to_owned(),
            _ => data.escape_ascii().to_string(),
        };
        text += &format!("\n{} {data}", kind.escape_ascii());
        rest = more;
    }
    if !rest.is_empty() {
        text += &format!("\nrest {}", rest.escape_ascii());
    }
    text
}

/// What there is in `maildrop`, record by record; it is removed.
pub fn dropped(instance: &Instance) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(instance.path("spool/maildrop")).unwrap() {
        let path = entry.unwrap().path();
        let mode = path.metadata().unwrap().permissions().mode();
        let output = instance.run("postcat", &["-vd", path.to_str().unwrap()]);
        for line in output
            .stdout
            .lines()
            .filter(|line| !line.starts_with(" 84 ") && !line.contains(" *** "))
        {
            text += &format!("  {}\n", line.replace('\r', "\\r").replace('\0', "\\0"));
        }
        text += &format!("  mode {mode:o}\n");
        std::fs::remove_file(path).unwrap();
    }
    text
}
