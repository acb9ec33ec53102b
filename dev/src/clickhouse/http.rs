//! The few statements that a server needs before anybody connects to it, over plain HTTP.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::error::Result;
use crate::secret::SecretUrl;

use super::failed;

/// Runs one statement on `http://user:password@host:port/database` and returns what it prints.
///
/// For set-up only: the answer is held in memory, and there is no TLS.
///
/// # Errors
///
/// [`Error::ClickHouse`](crate::Error::ClickHouse) if the server cannot be reached, does not answer
/// within 30 s, or refuses the statement; the message is the server's own.
pub async fn execute(url: &Url, sql: &str) -> Result<String> {
    let address = SecretUrl::new(url.clone());
    let user =
        [("X-ClickHouse-User", url.username()), ("X-ClickHouse-Key", url.password().unwrap_or_default())];
    let database = url.path().trim_matches('/');
    let target = if database.is_empty() { "/".to_owned() } else { format!("/?database={database}") };
    match request(url, "POST", &target, &user, sql).await {
        Ok((200, body)) => Ok(body),
        Ok((_, body)) => {
            Err(failed(format!("refused a statement: {}", body.lines().next().unwrap_or_default())))
        }
        Err(error) => Err(failed(format!("at {address} gave no answer: {error}"))),
    }
}

/// Whether the server answers at all.
pub(super) async fn ping(url: &Url) -> bool {
    matches!(request(url, "GET", "/ping", &[], "").await, Ok((200, _)))
}

/// One exchange in HTTP/1.0: the answer ends where the connection does. Status and body.
async fn request(
    url: &Url,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<(u16, String)> {
    let host = url
        .host_str()
        .filter(|_| url.scheme() == "http")
        .ok_or_else(|| std::io::Error::other("only http:// is spoken here"))?;
    let port = url.port_or_known_default().unwrap_or(8123);
    let mut text =
        format!("{method} {target} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        let value = decode(value);
        if value.contains(['\r', '\n']) {
            return Err(std::io::Error::other("a user or password cannot hold a line break"));
        }
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(body);
    let exchange = async {
        let mut stream = TcpStream::connect((host, port)).await?;
        stream.write_all(text.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(Duration::from_secs(30), exchange).await??;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| std::io::Error::other("the answer is not HTTP"))
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.trim_end_matches('\n').to_owned()))
}

/// Undoes the percent-encoding of a URL's user or password.
fn decode(text: &str) -> String {
    url::form_urlencoded::parse(text.replace('+', "%2B").as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_split_into_status_and_body() {
        let answer = parse("HTTP/1.0 516 \r\nX: y\r\n\r\nCode: 516\n");
        assert_eq!(answer, Some((516, "Code: 516".into())));
    }

    #[test]
    fn a_password_is_decoded_as_a_url_encodes_it() {
        assert_eq!(decode("a%40b+c%3D"), "a@b+c=");
    }
}
