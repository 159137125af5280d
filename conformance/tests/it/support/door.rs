//! A portal's own door: a small HTTP server of the tests that keeps what it is sent and answers as it is told to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How a door answers.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// 302 to here.
    Redirect(String),
    /// 200 and a body without an end.
    Endless,
    /// Nothing, while the connection stays open.
    Silence,
    Page(String),
}

/// One request: its first line's target, its body, and when it came.
#[derive(Clone, Debug)]
pub struct Heard {
    pub target: String,
    pub body: String,
    pub at: Instant,
}

pub struct Door {
    pub origin: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// Opens a door; the reply may depend on the target and on how many requests came before.
pub fn door(reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Door {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
    let (ears, reply) = (Arc::clone(&heard), Arc::new(reply));
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (ears, reply) = (Arc::clone(&ears), Arc::clone(&reply));
            std::thread::spawn(move || answer(connection, &ears, reply.as_ref()));
        }
    });
    Door { origin, heard }
}

fn answer(mut connection: TcpStream, ears: &Mutex<Vec<Heard>>, reply: &dyn Fn(&str, usize) -> Reply) {
    let Some(request) = read(&mut connection) else { return };
    let before = {
        let mut heard = ears.lock().unwrap();
        heard.push(request.clone());
        heard.len() - 1
    };
    let close = "Connection: close\r\n\r\n";
    let _gone = match reply(&request.target, before) {
        Reply::Status(status) => write!(connection, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\n{close}"),
        Reply::Redirect(to) => {
            write!(connection, "HTTP/1.1 302 X\r\nLocation: {to}\r\nContent-Length: 0\r\n{close}")
        }
        Reply::Page(html) => {
            let length = html.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n{close}");
            connection.write_all(format!("{head}{html}").as_bytes())
        }
        Reply::Endless => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{close}");
            let mut sent = connection.write_all(head.as_bytes());
            while sent.is_ok() {
                sent = connection.write_all(&[b'x'; 64 * 1024]);
            }
            sent
        }
        Reply::Silence => {
            std::thread::sleep(Duration::from_secs(40));
            Ok(())
        }
    };
}

fn read(connection: &mut TcpStream) -> Option<Heard> {
    let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
    loop {
        let length = connection.read(&mut bytes).ok().filter(|length| *length > 0)?;
        seen.extend_from_slice(&bytes[..length]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let due =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= due.unwrap_or(0) {
            let target = head.split(' ').nth(1)?.to_owned();
            return Some(Heard { target, body: body.to_owned(), at: Instant::now() });
        }
    }
}

impl Door {
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until this many requests came.
    pub async fn hears(&self, count: usize, within: Duration) -> Vec<Heard> {
        let end = Instant::now() + within;
        loop {
            let heard = self.heard();
            if heard.len() >= count {
                return heard;
            }
            assert!(Instant::now() < end, "{} of {count} requests within {within:?}", heard.len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
