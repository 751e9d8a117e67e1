//! A server with canned answers, down to the bytes: it can hang, cut an answer short and close without one.
//!
//! Must not behave like AWS; the simulator does that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// What the server does with a request.
pub enum Reply {
    /// A JSON answer.
    Json(u16, Value),
    /// Any answer: status, headers, body.
    Raw(u16, Vec<(&'static str, String)>, String),
    /// An answer of rpc-v2-cbor: status, further headers, body.
    Cbor(u16, Vec<(&'static str, String)>, ciborium::Value),
    /// The first bytes of a JSON answer, then the end of the connection.
    Cut(Value),
    /// The end of the connection.
    Close,
    /// Nothing, for ever.
    Hang,
}

impl Reply {
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::Json(status, json!({"__type": code, "message": message}))
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `ListClusters`; the whole form of awsQuery.
    pub operation: String,
    pub headers: HashMap<String, String>,
    pub body: Value,
    /// The path and the body as they came, for CBOR.
    pub path: String,
    pub bytes: Vec<u8>,
    /// Since the server began.
    pub at: Duration,
    /// How many came before it.
    pub number: usize,
}

/// The server; it lives as long as the runtime.
pub struct Stub {
    pub url: String,
    pub seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stub {
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

type Handler = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// Serves with a latency on a free port of loopback.
pub async fn serve(latency: Duration, handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Stub {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (handler, all, start): (Handler, _, _) = (Arc::new(handler), seen.clone(), Instant::now());
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(connection(socket, handler.clone(), all.clone(), start, latency));
        }
    });
    Stub { url, seen }
}

async fn connection(
    mut socket: TcpStream,
    handler: Handler,
    all: Arc<Mutex<Vec<Seen>>>,
    start: Instant,
    latency: Duration,
) {
    while let Some((path, headers, bytes)) = read(&mut socket).await {
        let body = String::from_utf8_lossy(&bytes).into_owned();
        let target = headers.get("x-amz-target").and_then(|t| t.split_once('.')).map(|(_, o)| o.to_owned());
        let seen = {
            let mut all = all.lock().unwrap();
            let seen = Seen {
                operation: target.unwrap_or_else(|| body.clone()),
                headers,
                body: serde_json::from_str(&body).unwrap_or_default(),
                path,
                bytes,
                at: start.elapsed(),
                number: all.len(),
            };
            all.push(seen.clone());
            seen
        };
        tokio::time::sleep(latency).await;
        let json = vec![("content-type", "application/x-amz-json-1.1".to_owned())];
        let (status, headers, body, cut) = match handler(&seen) {
            Reply::Json(status, value) => (status, json, value.to_string().into_bytes(), false),
            Reply::Raw(status, headers, body) => (status, headers, body.into_bytes(), false),
            Reply::Cbor(status, mut headers, value) => {
                headers.push(("content-type", "application/cbor".to_owned()));
                headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
                let mut bytes = Vec::new();
                ciborium::into_writer(&value, &mut bytes).unwrap();
                (status, headers, bytes, false)
            }
            Reply::Cut(value) => (200, json, value.to_string().into_bytes(), true),
            Reply::Close => return,
            Reply::Hang => std::future::pending().await,
        };
        let mut answer = format!("HTTP/1.1 {status} X\r\nx-amzn-requestid: r-{}\r\n", seen.number);
        for (name, value) in headers {
            answer += &format!("{name}: {value}\r\n");
        }
        answer += &format!("content-length: {}\r\n\r\n", body.len());
        let sent = if cut { &body[..body.len() / 2] } else { &body };
        let answer = [answer.as_bytes(), sent].concat();
        if socket.write_all(&answer).await.is_err() || cut {
            return;
        }
    }
}

/// A request: its path, headers with lower-case names, and the body.
async fn read(socket: &mut TcpStream) -> Option<(String, HashMap<String, String>, Vec<u8>)> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
    let headers: HashMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |l| l.parse().unwrap());
    while bytes.len() < head + length {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some((path, headers, bytes[head..].to_vec()))
}
