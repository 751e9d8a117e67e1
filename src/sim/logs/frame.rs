//! Frames of `application/vnd.amazon.eventstream`.
//!
//! Must not know what is inside: a payload is bytes, a header is text.

use bytes::{BufMut as _, Bytes, BytesMut};

/// Lengths, two checksums: what a frame costs beside headers and payload.
const OVERHEAD: usize = 16;
/// The header type of a string.
const STRING: u8 = 7;

/// One frame: total and header length, checksum of both, headers, payload, checksum of everything.
#[must_use]
pub fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let mut head = BytesMut::new();
    for (name, value) in headers {
        head.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
        head.put_slice(name.as_bytes());
        head.put_u8(STRING);
        head.put_u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
        head.put_slice(value.as_bytes());
    }
    let total = OVERHEAD + head.len() + payload.len();
    let mut whole = BytesMut::with_capacity(total);
    whole.put_u32(u32::try_from(total).unwrap_or(u32::MAX));
    whole.put_u32(u32::try_from(head.len()).unwrap_or(u32::MAX));
    whole.put_u32(crc32fast::hash(&whole));
    whole.put_slice(&head);
    whole.put_slice(payload);
    whole.put_u32(crc32fast::hash(&whole));
    whole.freeze()
}

/// A frame that carries an event.
#[must_use]
pub fn event(kind: &str, payload: &[u8]) -> Bytes {
    let headers = [(":message-type", "event"), (":event-type", kind), (":content-type", "application/json")];
    frame(&headers, payload)
}

/// A frame that carries an exception; the stream ends with it.
#[must_use]
pub fn exception(kind: &str, payload: &[u8]) -> Bytes {
    let headers =
        [(":message-type", "exception"), (":exception-type", kind), (":content-type", "application/json")];
    frame(&headers, payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CRC-32 bit by bit, independent of the crate that the encoder uses.
    fn crc(bytes: &[u8]) -> u32 {
        let mut crc = u32::MAX;
        for byte in bytes {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        !crc
    }

    fn word(bytes: &[u8], at: usize) -> u32 {
        u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn an_empty_frame_is_the_sixteen_bytes_that_the_format_is_known_by() {
        assert_eq!(
            &frame(&[], b"")[..],
            [0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff]
        );
    }

    #[test]
    fn a_frame_is_laid_out_as_documented() {
        let frame = event("sessionStart", b"{\"a\":1}");
        let total = word(&frame, 0) as usize;
        let headers = word(&frame, 4) as usize;
        assert_eq!(total, frame.len());
        assert_eq!(total, 16 + headers + 7);
        assert_eq!(word(&frame, 8), crc(&frame[..8]));
        assert_eq!(word(&frame, total - 4), crc(&frame[..total - 4]));
        assert_eq!(&frame[12..26], b"\x0d:message-type");
        assert_eq!(&frame[26..34], b"\x07\x00\x05event");
        assert_eq!(&frame[12 + headers..total - 4], b"{\"a\":1}");
    }
}
