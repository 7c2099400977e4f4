//! Stands between a client and its database, and does to their connections what networks do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What is done to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Everything is passed on.
    None,
    /// Everything is passed on later.
    Delay(Duration),
    /// No connection lives: those that there are break, and new ones do at once.
    Refuse,
    /// Nothing is passed on, and nothing is closed.
    Hang,
    /// The connection breaks before a COMMIT reaches the server.
    LoseCommit,
    /// The connection breaks after a COMMIT has reached the server and before its answer reaches the client.
    LoseAnswerToCommit,
}

struct Shared {
    target: u16,
    fault: Mutex<Fault>,
    /// Whether nothing is done any more once a commit was lost.
    is_for_one: AtomicBool,
    connections: Mutex<Vec<(TcpStream, TcpStream)>>,
    lost: AtomicUsize,
}

/// A listener that forwards. It ends with the test run.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Forwards to a port of this machine.
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            target,
            fault: Mutex::new(Fault::None),
            is_for_one: AtomicBool::new(false),
            connections: Mutex::default(),
            lost: AtomicUsize::new(0),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, shared) = (client.unwrap(), Arc::clone(&accepting));
                std::thread::spawn(move || shared.connect(&client));
            }
        });
        Self { port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Does this to all connections from now on.
    pub fn set(&self, fault: Fault) {
        *self.shared.fault.lock().unwrap() = fault;
        if fault == Fault::Refuse {
            self.cut();
        }
    }

    /// Loses the next commit, or its answer, and nothing after it.
    pub fn lose_one(&self, fault: Fault) {
        self.shared.is_for_one.store(true, Ordering::SeqCst);
        self.set(fault);
    }

    /// Breaks the connections that there are.
    pub fn cut(&self) {
        for (client, server) in self.shared.connections.lock().unwrap().drain(..) {
            close(&client, &server);
        }
    }

    /// How many commits were lost, or their answers.
    pub fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::SeqCst)
    }
}

/// The answer to a COMMIT that its client does not get.
#[derive(Default)]
struct LastAnswer {
    is_held_back: AtomicBool,
    is_there: AtomicBool,
}

impl Shared {
    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap()
    }

    fn connect(&self, client: &TcpStream) {
        if self.fault() == Fault::Refuse {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.target)) else { return };
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        let copy = |socket: &TcpStream| socket.try_clone().unwrap();
        self.connections.lock().unwrap().push((copy(client), copy(&server)));
        let last = LastAnswer::default();
        std::thread::scope(|scope| {
            scope.spawn(|| self.pass_answers(&server, client, &last));
            self.pass_requests(client, &server, &last);
        });
    }

    fn count_lost(&self) {
        self.lost.fetch_add(1, Ordering::SeqCst);
        if self.is_for_one.swap(false, Ordering::SeqCst) {
            *self.fault.lock().unwrap() = Fault::None;
        }
    }

    /// Waits as long as nothing may be passed on.
    fn hold(&self) {
        while self.fault() == Fault::Hang {
            std::thread::sleep(Duration::from_millis(5));
        }
        if let Fault::Delay(time) = self.fault() {
            std::thread::sleep(time);
        }
    }

    fn pass_requests(&self, mut client: &TcpStream, mut server: &TcpStream, last: &LastAnswer) {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = client.read(&mut buffer) {
            self.hold();
            let bytes = &buffer[..length];
            // The whole command: BEGIN names the level READ COMMITTED.
            let commits = || bytes.windows(7).any(|word| word == b"COMMIT\0");
            match self.fault() {
                Fault::Refuse => break,
                Fault::LoseCommit if commits() => {
                    self.count_lost();
                    break;
                }
                Fault::LoseAnswerToCommit if commits() => {
                    self.count_lost();
                    last.is_held_back.store(true, Ordering::SeqCst);
                    let _ = server.write_all(bytes);
                    // The server gives up what it has not done yet when its client is gone.
                    let began = Instant::now();
                    while !last.is_there.load(Ordering::SeqCst) && began.elapsed() < Duration::from_secs(2) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    break;
                }
                _ => {}
            }
            if server.write_all(bytes).is_err() {
                break;
            }
        }
        close(client, server);
    }

    fn pass_answers(&self, mut server: &TcpStream, mut client: &TcpStream, last: &LastAnswer) {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = server.read(&mut buffer) {
            self.hold();
            let bytes = &buffer[..length];
            if self.fault() == Fault::Refuse {
                break;
            }
            if last.is_held_back.load(Ordering::SeqCst) {
                // The server repeats the command that it has done, or that it has undone instead.
                let is_end = |word: &[u8]| word == b"COMMIT" || word == b"ROLLBA";
                last.is_there.fetch_or(bytes.windows(6).any(is_end), Ordering::SeqCst);
            } else if client.write_all(bytes).is_err() {
                break;
            }
        }
        close(client, server);
    }
}

fn close(client: &TcpStream, server: &TcpStream) {
    for socket in [client, server] {
        let _ = socket.shutdown(Shutdown::Both);
    }
}
