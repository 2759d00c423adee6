//! One request, one answer, over the loopback interface.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::bootstrap::{DETAILS, TOLD};
use super::request::Request;
use crate::Stop;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may be, in bytes.
const MAX_BYTES: usize = 1 << 20;

const CHUNKED: &str = "\r\ntransfer-encoding: chunked";

/// What a filter made of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) status: u16,
    /// Envoy's details of a refusal, in which the filter says why.
    pub(super) details: String,
    /// What the upstream would be told: names and values of the headers that the filter writes.
    pub(super) told: Vec<(String, String)>,
}

impl Outcome {
    /// Whether the request got to where the upstream would be.
    pub(super) const fn passes(&self) -> bool {
        self.status == 200
    }
}

/// Sends the request to this port.
pub(super) fn send(port: u16, request: &Request) -> Result<Outcome, Stop> {
    let own = [("host", request.host.as_str()), ("connection", "close")];
    let others = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut lines = vec![format!("{} {} HTTP/1.1", request.method, request.target())];
    lines.extend(own.into_iter().chain(others).map(|(name, value)| format!("{name}: {value}")));
    let text = exchange(port, &(lines.join("\r\n") + "\r\n\r\n"))?;
    outcome(&text).ok_or_else(|| "Envoy gave no answer to a sample".to_owned())
}

/// What a page of the admin interface says.
pub(super) fn page(port: u16, method: &str, path: &str) -> Result<String, Stop> {
    let text = exchange(
        port,
        &format!("{method} {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
    )?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    Ok(if head.contains(CHUNKED) { unchunked(body) } else { body.to_owned() })
}

/// RFC 9112 section 7.1.
fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or_default();
        let Some((chunk, rest)) = rest.split_at_checked(size).filter(|_| size > 0) else { break };
        whole.push_str(chunk);
        body = rest.trim_start_matches("\r\n");
    }
    whole
}

fn exchange(port: u16, head: &str) -> Result<String, Stop> {
    let broken = |error| format!("Envoy does not answer on 127.0.0.1:{port}: {error}");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(broken)?;
    stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE))).map_err(broken)?;
    stream.write_all(head.as_bytes()).map_err(broken)?;
    let (mut octets, mut buffer) = (Vec::new(), vec![0; 16 << 10]);
    // Envoy closes a second after its answer: who waits for that waits long.
    while octets.len() < MAX_BYTES && !is_complete(&octets) {
        let number = stream.read(&mut buffer).map_err(broken)?;
        octets.extend(buffer.iter().take(number));
        if number == 0 {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// Whether the answer is there as a whole (RFC 9112 section 6.3).
fn is_complete(octets: &[u8]) -> bool {
    let text = String::from_utf8_lossy(octets);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    if head.contains(CHUNKED) {
        return body.ends_with("0\r\n\r\n");
    }
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|length| length.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn outcome(text: &str) -> Option<Outcome> {
    let (head, _) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<_> =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())).collect();
    let details = headers.iter().find(|(name, _)| *name == DETAILS).map(|(_, value)| (*value).to_owned());
    let told =
        headers.iter().filter_map(|(name, value)| Some((name.strip_prefix(TOLD)?.to_owned(), (*value).to_owned())));
    Some(Outcome { status, details: details.unwrap_or_default(), told: told.collect() })
}
