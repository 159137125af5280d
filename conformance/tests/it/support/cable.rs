//! A cable between a provider and a server behind it, which a test may cut: bytes pass, are held back, or the connection
//! is gone.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    #[default]
    Whole,
    /// Connections end and new ones are closed at once.
    Cut,
    /// Connections stand and nothing comes through: neither end is told.
    Silent,
}

pub struct Cable {
    port: u16,
    state: Arc<Mutex<State>>,
    carried: Arc<AtomicUsize>,
}

const PATIENCE: Duration = Duration::from_millis(20);

impl Cable {
    /// To whatever listens at this address.
    pub fn to(address: &str) -> Cable {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cable =
            Cable { port: listener.local_addr().unwrap().port(), state: Arc::default(), carried: Arc::default() };
        let (state, carried) = (Arc::clone(&cable.state), Arc::clone(&cable.carried));
        let address = address.to_owned();
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if *state.lock().unwrap() == State::Cut {
                    continue;
                }
                let Ok(far) = TcpStream::connect(&address) else { continue };
                carried.fetch_add(1, Ordering::SeqCst);
                let ends = [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))];
                for (from, to) in ends {
                    let (from, to, state) = (from.unwrap(), to.unwrap(), Arc::clone(&state));
                    std::thread::spawn(move || pump(from, to, &state));
                }
            }
        });
        cable
    }

    /// The same server, reached through the cable.
    pub fn instead_of(&self, server: &str) -> String {
        let mut url = url::Url::parse(server).unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.port)).unwrap();
        url.into()
    }

    /// How many connections went through so far.
    pub fn carried(&self) -> usize {
        self.carried.load(Ordering::SeqCst)
    }

    pub fn be(&self, state: State) {
        *self.state.lock().unwrap() = state;
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, state: &Mutex<State>) {
    from.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut bytes = [0; 16 * 1024];
    loop {
        let read = from.read(&mut bytes);
        while *state.lock().unwrap() == State::Silent {
            std::thread::sleep(PATIENCE);
        }
        let cut = *state.lock().unwrap() == State::Cut;
        let sent = match read {
            Ok(length) if length > 0 && !cut => to.write_all(&bytes[..length]).is_ok(),
            Err(error) if !cut => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            _ => false,
        };
        if !sent {
            drop(from.shutdown(Shutdown::Both));
            drop(to.shutdown(Shutdown::Both));
            return;
        }
    }
}
