//! A commit object, taken apart: header lines, a blank line, the message.

use chrono::{DateTime, FixedOffset};

/// What an event needs of a commit. Texts are UTF-8; what was not is replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Commit {
    /// Ids of the parents, in order.
    pub parents: Vec<String>,
    /// The author's name.
    pub author: String,
    /// The committer's name.
    pub committer: String,
    /// When the author wrote it, RFC 3339 in the author's own offset; empty where that is no time.
    pub author_date: String,
    /// When it was committed, seconds since 1970.
    pub committed_seconds: i64,
    /// The message's first line.
    pub title: String,
}

/// Parses a raw commit object.
///
/// Says what is wrong where the object has no author or committer line with a time.
pub(super) fn parse(raw: &[u8]) -> Result<Commit, &'static str> {
    let headers_end = raw.windows(2).position(|pair| pair == b"\n\n").unwrap_or(raw.len());
    let headers = &raw[..headers_end];
    let message = raw.get(headers_end + 2..).unwrap_or_default();

    let mut parents = Vec::new();
    let (mut author, mut committer, mut encoding) = (None, None, &b""[..]);
    // A line that begins with a space continues a header that does not matter here (a signature).
    for line in headers.split(|byte| *byte == b'\n') {
        let Some(space) = line.iter().position(|byte| *byte == b' ') else { continue };
        let value = &line[space + 1..];
        match &line[..space] {
            b"parent" => parents.push(String::from_utf8_lossy(value).into_owned()),
            b"author" => author = author.or(Some(value)),
            b"committer" => committer = committer.or(Some(value)),
            b"encoding" => encoding = value,
            _ => {}
        }
    }
    let author =
        author.and_then(|value| Signature::parse(value, encoding)).ok_or("it has no readable author line")?;
    let committer = committer
        .and_then(|value| Signature::parse(value, encoding))
        .ok_or("it has no readable committer line")?;
    let first_line = message.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
    Ok(Commit {
        parents,
        author_date: author.date(),
        author: author.name,
        committed_seconds: committer.seconds,
        committer: committer.name,
        title: decode(first_line.unwrap_or_default(), encoding),
    })
}

/// `Name <address> 1714557600 +0200`; the address is dropped here and goes nowhere.
struct Signature {
    name: String,
    seconds: i64,
    /// East of UTC, as `±hhmm`.
    offset: i16,
}

impl Signature {
    fn parse(value: &[u8], encoding: &[u8]) -> Option<Self> {
        let open = value.iter().position(|byte| *byte == b'<').unwrap_or(value.len());
        // From the end: a broken address may hold a `>` of its own.
        let close = value.iter().rposition(|byte| *byte == b'>')?;
        let name = decode(&value[..open.min(close)], encoding).trim().to_owned();
        let mut time = std::str::from_utf8(&value[close + 1..]).ok()?.split_ascii_whitespace();
        let seconds = time.next()?.parse().ok()?;
        let offset = time.next().and_then(|offset| offset.parse().ok()).unwrap_or(0);
        Some(Self { name, seconds, offset })
    }

    fn date(&self) -> String {
        let seconds_east = i32::from(self.offset / 100) * 3600 + i32::from(self.offset % 100) * 60;
        let offset = FixedOffset::east_opt(seconds_east).or(FixedOffset::east_opt(0));
        let time = DateTime::from_timestamp(self.seconds, 0);
        time.zip(offset).map_or_else(String::new, |(time, offset)| time.with_timezone(&offset).to_rfc3339())
    }
}

/// Latin-1 where the commit says so (its bytes are the code points), else UTF-8 with what is none replaced.
fn decode(bytes: &[u8], encoding: &[u8]) -> String {
    let is_latin1 = [&b"iso-8859-1"[..], b"iso8859-1", b"latin-1", b"latin1"]
        .iter()
        .any(|name| encoding.eq_ignore_ascii_case(name));
    if is_latin1 {
        bytes.iter().map(|byte| char::from(*byte)).collect()
    } else {
        String::from_utf8_lossy(bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\
        parent 1111111111111111111111111111111111111111\n\
        parent 2222222222222222222222222222222222222222\n\
        author Jane Doe <jane@example.org> 1714557600 +0200\n\
        committer Joe <joe@example.org> 1714561200 -0330\n\
        gpgsig -----BEGIN PGP SIGNATURE-----\n \n author Mallory <m@example.org> 1 +0000\n -----END PGP SIGNATURE-----\n\
        \n\n  \nMerge it\n\nauthor Mallory <m@example.org> 2 +0000\n";

    #[test]
    fn a_commit_is_taken_apart_and_neither_signature_nor_message_is_mistaken_for_a_header() {
        let expected = Commit {
            parents: vec!["1".repeat(40), "2".repeat(40)],
            author: "Jane Doe".into(),
            committer: "Joe".into(),
            author_date: "2024-05-01T12:00:00+02:00".into(),
            committed_seconds: 1_714_561_200,
            title: "Merge it".into(),
        };
        assert_eq!(parse(PLAIN), Ok(expected));
    }

    fn with_author(author: &[u8], encoding: &[u8]) -> Result<Commit, &'static str> {
        let committer = b"\ncommitter J <> 5 +0000\n";
        parse(&[b"tree 0\nauthor ", author, committer, encoding, b"\n\xe9t\xe9"].concat())
    }

    #[test]
    fn odd_names_dates_and_encodings_are_replaced_and_never_fail() {
        let commit = with_author(b"J\xe9r\xf4me <j> 5 +0000", b"encoding ISO-8859-1\n").unwrap();
        assert_eq!((commit.author.as_str(), commit.title.as_str()), ("Jérôme", "été"));
        let commit = with_author(b"J\xe9 <j> 5 +0000", b"").unwrap();
        assert_eq!((commit.author.as_str(), commit.title.as_str()), ("J\u{fffd}", "\u{fffd}t\u{fffd}"));
        let commit = with_author(b"<a> b> 5 +2147483647", b"").unwrap();
        assert_eq!((commit.author.as_str(), commit.author_date.as_str()), ("", "1970-01-01T00:00:05+00:00"));
        assert_eq!(with_author(b"J <j> -5", b"").unwrap().author_date, "1969-12-31T23:59:55+00:00");
        assert_eq!(with_author(b"J <j> 9223372036854775807 +0000", b"").unwrap().author_date, "");
    }

    #[test]
    fn what_has_no_author_or_no_time_is_refused() {
        for author in [&b"Jane"[..], b"Jane <j>", b"Jane <j> soon", b"Jane <j> 99999999999999999999 +0000"] {
            assert_eq!(with_author(author, b""), Err("it has no readable author line"));
        }
        assert_eq!(parse(b""), Err("it has no readable author line"));
    }
}
