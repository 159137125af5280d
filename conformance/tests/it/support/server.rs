//! A portal's own web server: what it serves may change while it runs, and it counts who asked.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Shelf {
    files: BTreeMap<String, (String, Vec<u8>)>,
    asked: BTreeMap<String, usize>,
}

/// Serves on loopback until the process ends.
pub struct Server {
    pub origin: String,
    shelf: Arc<Mutex<Shelf>>,
}

impl Server {
    pub fn open() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let shelf = Arc::new(Mutex::new(Shelf::default()));
        let serving = Arc::clone(&shelf);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shelf = Arc::clone(&serving);
                std::thread::spawn(move || answer(stream, &shelf));
            }
        });
        Server { origin, shelf }
    }

    /// From now on this stands at a path; its address.
    pub fn serve(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> String {
        self.shelf.lock().unwrap().files.insert(path.to_owned(), (content_type.to_owned(), body.into()));
        format!("{}{path}", self.origin)
    }

    pub fn remove(&self, path: &str) {
        self.shelf.lock().unwrap().files.remove(path);
    }

    pub fn asked(&self, path: &str) -> usize {
        self.shelf.lock().unwrap().asked.get(path).copied().unwrap_or_default()
    }
}

fn answer(mut stream: TcpStream, shelf: &Mutex<Shelf>) {
    let mut head = Vec::new();
    let mut chunk = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(read) if read > 0 => head.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let found = {
        let mut shelf = shelf.lock().unwrap();
        *shelf.asked.entry(path.clone()).or_default() += 1;
        shelf.files.get(&path).cloned()
    };
    let (status, (kind, body)) = match found {
        Some(file) => ("200 OK", file),
        None => ("404 Not Found", ("text/plain".to_owned(), Vec::new())),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)));
}
