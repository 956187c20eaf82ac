//! SPDY/3.1 as Go clients speak it below exec, attach and port-forward: streams over one connection, without flow control.
//! Of their headers only those that open a stream are read; ours are always empty.

use std::io;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use tokio::io::{AsyncRead, AsyncReadExt as _};

const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GOAWAY: u16 = 7;
const FIN: u8 = 1;

const FRAME_BYTES_MAX: usize = 1 << 20;
/// How far back compressed headers may refer.
const WINDOW: usize = 32 * 1024;
const HEADERS_BYTES_MAX: usize = 64 * 1024;

/// The zlib dictionary of SPDY/3 begins with these words, each after its length, and ends with the text.
const DICTIONARY_WORDS: &str = "options head post put delete trace accept accept-charset accept-encoding accept-language \
    accept-ranges age allow authorization cache-control connection content-base content-encoding content-language \
    content-length content-location content-md5 content-range content-type date etag expect expires from host if-match \
    if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma \
    proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade \
    user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie \
    keep-alive origin";
const DICTIONARY_TEXT: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505\
    203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden\
    404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept \
    Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,\
    application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdch\
    charset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

fn dictionary() -> Vec<u8> {
    let mut dictionary = Vec::new();
    for word in DICTIONARY_WORDS.split_whitespace() {
        dictionary.extend((word.len() as u32).to_be_bytes());
        dictionary.extend(word.replace('_', " ").as_bytes());
    }
    dictionary.extend(DICTIONARY_TEXT.as_bytes());
    dictionary
}

/// What the client says.
#[derive(Debug, PartialEq)]
pub enum Frame {
    Open {
        stream: u32,
        headers: Vec<(String, String)>,
    },
    Data {
        stream: u32,
        bytes: Vec<u8>,
        /// The client will send no more on this stream.
        is_last: bool,
    },
    Reset {
        stream: u32,
    },
    Ping(u32),
    Away,
    /// Settings and the like.
    Other,
}

pub struct Reader<R> {
    connection: R,
    headers: Inflater,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub fn new(connection: R) -> Reader<R> {
        Reader { connection, headers: Inflater::new() }
    }

    pub async fn next(&mut self) -> io::Result<Frame> {
        let first = self.connection.read_u32().await?;
        let second = self.connection.read_u32().await?;
        let (flags, length) = ((second >> 24) as u8, (second & 0xff_ffff) as usize);
        if length > FRAME_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut payload = vec![0; length];
        self.connection.read_exact(&mut payload).await?;
        if first & 0x8000_0000 == 0 {
            return Ok(Frame::Data { stream: first, bytes: payload, is_last: flags & FIN != 0 });
        }
        let word = || payload.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).ok_or(io::ErrorKind::InvalidData);
        Ok(match first as u16 {
            SYN_STREAM => {
                let block = payload.get(10..).ok_or(io::ErrorKind::InvalidData)?;
                Frame::Open { stream: word()?, headers: self.headers.read(block)? }
            }
            RST_STREAM => Frame::Reset { stream: word()? },
            PING => Frame::Ping(word()?),
            GOAWAY => Frame::Away,
            _ => Frame::Other,
        })
    }
}

/// Makes the frames that the server sends.
#[derive(Default)]
pub struct Writer {
    has_greeted: bool,
}

impl Writer {
    /// Accepts a stream. The headers are an empty list, in stored blocks of one zlib stream for the whole connection.
    pub fn accept(&mut self, stream: u32) -> Vec<u8> {
        let mut block = Vec::new();
        if !self.has_greeted {
            block.extend([0x78, 0x01]);
            self.has_greeted = true;
        }
        block.extend([0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0]);
        // An empty block makes the reader hand out what it has.
        block.extend([0, 0, 0, 0xff, 0xff]);
        control(SYN_REPLY, &[&stream.to_be_bytes()[..], &block].concat())
    }

    pub fn pong(&self, id: u32) -> Vec<u8> {
        control(PING, &id.to_be_bytes())
    }

    pub fn data(&self, stream: u32, bytes: &[u8], is_last: bool) -> Vec<u8> {
        let head = [stream, u32::from(is_last) << 24 | bytes.len() as u32].map(u32::to_be_bytes);
        [head.as_flattened(), bytes].concat()
    }
}

fn control(kind: u16, payload: &[u8]) -> Vec<u8> {
    let head = [0x8003_0000 | u32::from(kind), payload.len() as u32].map(u32::to_be_bytes);
    [head.as_flattened(), payload].concat()
}

/// Reads header blocks, which are pieces of one zlib stream.
struct Inflater {
    state: Box<DecompressorOxide>,
    /// What has been read so far, after the dictionary, as far back as it can be referred to.
    window: Vec<u8>,
    has_begun: bool,
}

impl Inflater {
    fn new() -> Inflater {
        Inflater { state: Box::default(), window: dictionary(), has_begun: false }
    }

    fn read(&mut self, mut block: &[u8]) -> io::Result<Vec<(String, String)>> {
        if !self.has_begun {
            // The header says whether the name of the dictionary follows.
            let skipped = if block.get(1).is_some_and(|flags| flags & 0x20 != 0) { 6 } else { 2 };
            block = block.get(skipped..).ok_or(io::ErrorKind::InvalidData)?;
            self.has_begun = true;
        }
        let surplus = self.window.len().saturating_sub(WINDOW);
        self.window.drain(..surplus);
        let start = self.window.len();
        self.window.resize(start + HEADERS_BYTES_MAX, 0);
        let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF | TINFL_FLAG_HAS_MORE_INPUT;
        let (status, _, length) = decompress(&mut self.state, block, &mut self.window, start, flags);
        self.window.truncate(start + length);
        if !matches!(status, TINFLStatus::NeedsMoreInput | TINFLStatus::Done) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        headers(&self.window[start..]).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

fn headers(mut block: &[u8]) -> Option<Vec<(String, String)>> {
    let count = number(&mut block)?;
    let mut headers = Vec::new();
    for _ in 0..count {
        headers.push((text(&mut block)?.to_lowercase(), text(&mut block)?));
    }
    Some(headers)
}

fn number(block: &mut &[u8]) -> Option<usize> {
    let (number, rest) = block.split_first_chunk()?;
    *block = rest;
    Some(u32::from_be_bytes(*number) as usize)
}

fn text(block: &mut &[u8]) -> Option<String> {
    let length = number(block)?;
    let (text, rest) = block.split_at_checked(length)?;
    *block = rest;
    Some(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification names the dictionary by its checksum.
    #[test]
    fn the_dictionary_is_the_standard_one() {
        let dictionary = dictionary();
        let (low, high) = dictionary.iter().fold((1_u32, 0_u32), |(low, high), byte| {
            let low = (low + u32::from(*byte)) % 65521;
            (low, (high + low) % 65521)
        });
        assert_eq!(high << 16 | low, 0xe3c6_a7c2);
    }

    #[tokio::test]
    async fn frames_are_read() {
        let mut bytes = Writer::default().data(1, b"ping", true);
        bytes.extend(Writer::default().pong(7));
        let mut reader = Reader::new(&bytes[..]);
        assert_eq!(reader.next().await.unwrap(), Frame::Data { stream: 1, bytes: b"ping".to_vec(), is_last: true });
        assert_eq!(reader.next().await.unwrap(), Frame::Ping(7));
    }
}
