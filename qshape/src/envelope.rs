//! Sender, recipients and time of a queue file, however far its delivery has come.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use pf_record::{ArrivalTime, Error, Reader, RecordType, SizeRecord};

/// What is counted of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// When it came, in seconds.
    pub time: i64,
    pub sender: Vec<u8>,
    /// Those that it has not reached yet.
    pub recipients: Vec<Vec<u8>>,
}

/// Longer records are in no queue file that is worth counting.
const MAX_RECORD: usize = (1 << 21) - 1;
/// The mode of a message that is on its way; one that was told to expire is not.
const READY: u32 = 0o700;
const MODE_MASK: u32 = 0o733;
/// Shorter names are no queue ids.
const MIN_NAME: usize = 6;
/// As many numbers a record of sizes had in the oldest version.
const MIN_NUMBERS: usize = 3;

/// Reads the envelope of a file; `None`: it is no complete message.
pub fn read(path: &Path) -> Option<Envelope> {
    let name = path.file_name()?.as_encoded_bytes();
    let status = fs::symlink_metadata(path).ok()?;
    let wanted = name.len() >= MIN_NAME
        && name.iter().all(u8::is_ascii_alphanumeric)
        && status.is_file()
        && status.mode() & MODE_MASK == READY;
    if !wanted {
        return None;
    }
    let mut reader = Reader::new(File::open(path).ok()?).with_limit(MAX_RECORD);
    let mut data = Vec::new();
    let mut content = None;
    let mut sender = None;
    // A file in maildrop has no record of its size, and in older versions none of its time.
    let time = match reader.read_into(&mut data).ok()?? {
        RecordType::SIZE => {
            // A record that is damaged tells nothing.
            let (size, numbers) = SizeRecord::parse(&data);
            content = u64::try_from(size.message_size)
                .ok()
                .filter(|_| numbers >= MIN_NUMBERS);
            if reader.read_into(&mut data).ok()?? != RecordType::TIME {
                return None;
            }
            ArrivalTime::parse(&data).seconds
        }
        RecordType::TIME => ArrivalTime::parse(&data).seconds,
        RecordType::FROM => {
            sender = Some(data.clone());
            status.mtime()
        }
        RecordType::FULL => status.mtime(),
        _ => return None,
    };
    let mut recipients = Vec::new();
    while let Some(kind) = reader.read_into(&mut data).ok()? {
        match kind {
            RecordType::POINTER => follow(&mut reader, &data)?,
            RecordType::RCPT => recipients.push(data.clone()),
            RecordType::FROM => sender = Some(data.clone()),
            RecordType::MESG => {
                sender.as_ref()?;
                if let Some(length) = content {
                    let behind = reader.offset().checked_add(length)?;
                    reader.seek(behind).ok()?;
                }
                if skip_content(&mut reader, &mut data, content.is_none())? != RecordType::XTRA {
                    return None;
                }
            }
            RecordType::END if recipients.is_empty() => return None,
            RecordType::END => {
                return Some(Envelope {
                    time,
                    sender: sender?,
                    recipients,
                });
            }
            _ => {}
        }
    }
    None
}

/// The type of the first record behind the content, record by record if need be.
fn skip_content<R: Read + Seek>(
    reader: &mut Reader<R>,
    data: &mut Vec<u8>,
    by_record: bool,
) -> Option<RecordType> {
    loop {
        match reader.read_into(data).ok()?? {
            RecordType::NORM | RecordType::CONT if by_record => {}
            RecordType::POINTER if by_record => follow(reader, data)?,
            kind => return Some(kind),
        }
    }
}

/// Goes where a pointer leads; what is no number leads nowhere.
fn follow<R: Read + Seek>(reader: &mut Reader<R>, data: &[u8]) -> Option<()> {
    match reader.follow(data) {
        Ok(()) | Err(Error::Pointer(_)) => Some(()),
        Err(_) => None,
    }
}
