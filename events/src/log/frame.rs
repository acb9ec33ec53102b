//! A record on disk: a header of twenty bytes, then the payload.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | length of the payload |
//! | 4..12 | number of the record |
//! | 12..16 | CRC-32 of the payload |
//! | 16..20 | CRC-32 of the sixteen bytes before |
//!
//! All numbers are little-endian. The header has a checksum of its own, so that a length is believed before it is
//! used.

/// The length of a header.
pub(super) const HEADER: usize = 20;

/// The longest payload that is believed, in bytes.
const MAX_PAYLOAD: u32 = 1 << 30;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub length: usize,
    pub number: u64,
    pub crc: u32,
}

impl Header {
    /// Adds the header to `out`.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&(self.length as u32).to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.crc.to_le_bytes());
        let crc = crc32fast::hash(&out[start..]);
        out.extend_from_slice(&crc.to_le_bytes());
    }

    /// What `bytes` say, if they are a header.
    pub(super) fn read(bytes: &[u8; HEADER]) -> Option<Self> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let length = word(0);
        let is_whole = crc32fast::hash(&bytes[..16]) == word(16) && length <= MAX_PAYLOAD;
        let number = u64::from(word(4)) | u64::from(word(8)) << 32;
        is_whole.then_some(Self { length: length as usize, number, crc: word(12) })
    }

    /// Whether `payload` is the one that was written.
    pub(super) fn is_of(&self, payload: &[u8]) -> bool {
        payload.len() == self.length && crc32fast::hash(payload) == self.crc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_no_bit_of_it_may_change() {
        let header = Header { length: 3, number: 1 << 40, crc: crc32fast::hash(b"abc") };
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        let bytes: [u8; HEADER] = bytes.try_into().unwrap();
        assert_eq!(Header::read(&bytes), Some(header));
        assert!(header.is_of(b"abc") && !header.is_of(b"abd") && !header.is_of(b"ab"));
        for bit in 0..HEADER * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::read(&damaged), None, "bit {bit}");
        }
        assert_eq!(Header::read(&[0; HEADER]), None);
    }
}
