//! A `PgBouncer` in front of a database, which gives a connection to a client for one transaction only.

use super::programs::{as_server, found, give_to_server, new_folder};
use super::{Database, PASSWORD, free_port};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};

/// A running pooler. It ends with the value.
pub struct Pooler {
    port: u16,
    process: Child,
    _watchdog: ChildStdin,
}

impl Pooler {
    /// Starts one with a few connections to the server. `None` where it is not installed.
    pub fn before(database: &Database<'_>) -> Option<Self> {
        let program = program()?;
        let (folder, watchdog) = new_folder("pgbouncer");
        let (port, name) = (free_port(), database.name());
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = users\npool_mode = transaction\n\
             default_pool_size = 3\nmax_client_conn = 100\npidfile = pgbouncer.pid\n",
            database.cluster.port
        );
        std::fs::write(folder.join("settings.ini"), settings).unwrap();
        std::fs::write(folder.join("users"), format!("\"{name}\" \"{PASSWORD}\"\n")).unwrap();
        for file in ["settings.ini", "users"] {
            give_to_server(&folder.join(file));
        }
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut command = as_server(&program, &folder);
        command.arg("settings.ini").stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap();
        super::eventually("the pooler takes connections", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(Self { port, process, _watchdog: watchdog })
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Option<PathBuf> {
    let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].map(Path::new).into_iter().find(|path| path.exists());
    found("PgBouncer", program.map(Path::to_owned))
}
