//! What a daemon tells master over the status pipe that it inherited: three numbers of four bytes in the machine's own order.

/// The size of a message, in bytes. A message of another size is nonsense.
pub const SIZE: usize = 12;

/// Whether a daemon takes more clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// Not for now.
    Taken,
    /// Yes.
    Available,
    /// No more: it serves the clients it has, and ends. Only our own master, which gives a share of clients, is told so.
    Retired,
    /// Yes, but another process should, too: these clients keep a processor busy. Only our own master is told so.
    Busy,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The daemon's process id.
    pub pid: i32,
    /// The number that master gave it, which tells it from an earlier process with the same id.
    pub generation: u32,
    /// What it has to say.
    pub availability: Availability,
}

/// A message with a third number that means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ignoring unknown status: {status} allegedly from pid: {pid}")]
pub struct Unknown {
    /// The number.
    pub status: u32,
    /// Who claims to have sent it.
    pub pid: i32,
}

impl Status {
    /// The message's bytes.
    pub fn encode(&self) -> [u8; SIZE] {
        let word: u32 = match self.availability {
            Availability::Taken => 0,
            Availability::Available => 1,
            Availability::Retired => 2,
            Availability::Busy => 3,
        };
        let mut message = [0; SIZE];
        let parts = [
            self.pid.to_ne_bytes(),
            self.generation.to_ne_bytes(),
            word.to_ne_bytes(),
        ];
        for (place, part) in message.chunks_exact_mut(4).zip(parts) {
            place.copy_from_slice(&part);
        }
        message
    }

    /// Reads a message.
    ///
    /// # Errors
    /// The third number means nothing.
    pub fn decode(message: &[u8; SIZE]) -> Result<Self, Unknown> {
        let mut parts = [[0; 4]; 3];
        for (part, bytes) in parts.iter_mut().zip(message.chunks_exact(4)) {
            part.copy_from_slice(bytes);
        }
        let [pid, generation, status] = parts;
        let pid = i32::from_ne_bytes(pid);
        let availability = match u32::from_ne_bytes(status) {
            0 => Availability::Taken,
            1 => Availability::Available,
            2 => Availability::Retired,
            3 => Availability::Busy,
            status => return Err(Unknown { status, pid }),
        };
        Ok(Self {
            pid,
            generation: u32::from_ne_bytes(generation),
            availability,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for availability in [
            Availability::Taken,
            Availability::Available,
            Availability::Retired,
        ] {
            let status = Status {
                pid: 4711,
                generation: 0o17,
                availability,
            };
            assert_eq!(Status::decode(&status.encode()), Ok(status));
        }
        assert_eq!(
            Status::decode(&[0xff; SIZE]),
            Err(Unknown {
                status: u32::MAX,
                pid: -1
            })
        );
    }
}
