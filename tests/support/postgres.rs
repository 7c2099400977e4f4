//! A real PostgreSQL: clusters that the test run starts and that end with it, however it ends, and a database of its own
//! for each test. Where PostgreSQL is not installed its tests are skipped and say so, unless `CHATRIX_POSTGRES` is
//! `required`.

mod certificates;
mod pooler;
mod programs;
mod session;

pub use certificates::Certificates;
pub use pooler::Pooler;
pub use programs::{found, is_installed};
pub use session::{Row, Session};

use super::{eventually, signal};
use programs::{as_server, new_folder, program, succeed, superuser};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

/// The password of every role of a test. It must never be seen in what the program writes.
pub const PASSWORD: &str = "zebra-4417-marble";

/// A database server with its own files and port.
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    /// Variables of the server's environment, such as those that change its clock.
    environment: Vec<(String, String)>,
    server: Mutex<Option<Child>>,
    /// While it is open, the files are kept and the server may run.
    _watchdog: ChildStdin,
}

/// What a cluster is started with, besides what all have.
#[derive(Default)]
pub struct Options<'a> {
    /// Whether a commit waits for the disk.
    pub durable: bool,
    /// Whether connections over TCP must be encrypted.
    pub certificates: Option<&'a Certificates>,
    pub environment: Vec<(String, String)>,
}

impl Cluster {
    /// The cluster that all tests share that do not stop it. `None` where PostgreSQL is not installed.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        SHARED.get_or_init(|| Self::new(Options::default())).as_ref()
    }

    /// A cluster of its own, which ends with the value. `None` where PostgreSQL is not installed.
    pub fn new(options: Options) -> Option<Self> {
        if !is_installed() {
            return None;
        }
        let cluster = Self::in_new_folder(options.environment);
        cluster.copy_files();
        let over_tcp = if options.certificates.is_some() { "hostssl" } else { "host" };
        let access = format!(
            "local all all trust\nlocal replication all trust\n\
             {over_tcp} all all 127.0.0.1/32 scram-sha-256\n{over_tcp} all all ::1/128 scram-sha-256\n"
        );
        std::fs::write(cluster.folder.join("data/pg_hba.conf"), access).unwrap();
        let fsync = if options.durable { "on" } else { "off" };
        let mut settings = format!(
            "listen_addresses = 'localhost'\nmax_connections = 200\nfsync = {fsync}\nfull_page_writes = {fsync}\n\
             timezone = 'UTC'\nlog_timezone = 'UTC'\npassword_encryption = 'scram-sha-256'\nwal_level = 'replica'\n"
        );
        if let Some(certificates) = options.certificates {
            certificates.install(&cluster.folder);
            settings.push_str("ssl = on\nssl_cert_file = '../server.pem'\nssl_key_file = '../server.key'\n");
        }
        cluster.configure(&settings);
        cluster.start();
        Some(cluster)
    }

    /// A folder and a port, without files or a server yet.
    fn in_new_folder(environment: Vec<(String, String)>) -> Self {
        let (folder, watchdog) = new_folder("postgresql");
        Self { folder, port: free_port(), environment, server: Mutex::new(None), _watchdog: watchdog }
    }

    /// Fills the folder with the files of a new cluster. They are made once and copied, which takes a tenth of the time.
    fn copy_files(&self) {
        static NEW: OnceLock<(PathBuf, ChildStdin)> = OnceLock::new();
        let (new, _) = NEW.get_or_init(|| {
            let (folder, watchdog) = new_folder("new-postgresql");
            let mut initdb = program("initdb", &folder);
            initdb.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username", superuser()]);
            succeed(initdb.args(["-D", "data"]));
            (folder, watchdog)
        });
        succeed(as_server("cp".as_ref(), &self.folder).arg("-a").arg(new.join("data")).arg("."));
    }

    /// Adds lines to the configuration, which are read at the next start.
    pub fn configure(&self, settings: &str) {
        let path = self.folder.join("data/postgresql.conf");
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, before + settings).unwrap();
    }

    /// Starts the server, and returns when it takes connections.
    pub fn start(&self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut command = program("postgres", &self.folder);
        command.args(["-D", "data", "-p", &self.port.to_string(), "-k"]).arg(&self.folder);
        command.envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        *self.server.lock().unwrap() = Some(command.spawn().unwrap());
        let mut tries = 0;
        while self.try_session("postgres").is_err() {
            tries += 1;
            assert!(tries < 1500, "the server does not start: {}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Ends the server without a checkpoint, as a crash would. What was committed is still there at the next start.
    pub fn stop_immediate(&self) {
        if let Some(mut server) = self.server.lock().unwrap().take() {
            signal(server.id(), "QUIT");
            server.wait().unwrap();
        }
    }

    /// A server that gets everything that this one commits, before this one says so.
    pub fn synchronous_standby(&self) -> Self {
        let standby = Self::in_new_folder(Vec::new());
        let mut copy = program("pg_basebackup", &standby.folder);
        copy.args(["-D", "data", "--write-recovery-conf", "--checkpoint=fast", "--no-sync", "-U", superuser()]);
        succeed(copy.arg("-h").arg(&self.folder).args(["-p", &self.port.to_string()]));
        standby.start();
        self.admin("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.admin("SELECT pg_reload_conf()");
        eventually("the standby is synchronous", || {
            self.admin("SELECT sync_state FROM pg_stat_replication") == [[Some("sync".to_owned())]]
        });
        standby
    }

    /// Makes a standby a server that takes writes.
    pub fn promote(&self) {
        self.admin("SELECT pg_promote()");
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Runs statements as the superuser, outside all databases of tests.
    pub fn admin(&self, sql: &str) -> Vec<Row> {
        session::run(&self.folder, self.port, "postgres", sql)
    }

    fn try_session(&self, database: &str) -> Result<Session, String> {
        Session::connect(&self.folder, self.port, database)
    }

    /// The same database on this server, which was a standby of the database's own.
    pub fn same_database(&self, database: &Database<'_>) -> Database<'_> {
        Database { cluster: self, name: database.name.clone(), kept: Mutex::default() }
    }

    /// A new database, whose owner is a role of the same name.
    pub fn database(&self) -> Database<'_> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::SeqCst));
        self.admin(&format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'"));
        self.admin(&format!("CREATE DATABASE {name} OWNER {name}"));
        Database { cluster: self, name, kept: Mutex::default() }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop_immediate();
    }
}

/// A database of a test, with a role of its own.
pub struct Database<'a> {
    cluster: &'a Cluster,
    name: String,
    /// What [`Self::sql`] runs on.
    kept: Mutex<Option<Session>>,
}

impl Database<'static> {
    /// A database in the cluster that all tests share. `None` where PostgreSQL is not installed.
    pub fn new() -> Option<Self> {
        Some(Cluster::shared()?.database())
    }
}

impl Database<'_> {
    /// Its name, which is that of its owner too.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn port(&self) -> u16 {
        self.cluster.port
    }

    /// Its address, with the owner's name and password. A connection may take as long as a busy machine needs.
    pub fn url(&self) -> String {
        self.patient_url_at(self.cluster.port)
    }

    /// As [`Self::url`], by way of something that listens on this port of the machine and loses nothing.
    pub fn patient_url_at(&self, port: u16) -> String {
        format!("{}?connect_timeout=60", self.url_at(port))
    }

    /// Its address by way of something that listens on this port of the machine.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://{0}:{PASSWORD}@127.0.0.1:{port}/{0}", self.name)
    }

    /// Runs statements as the superuser. Gives the rows of the last one.
    pub fn sql(&self, sql: &str) -> Vec<Row> {
        session::run_on(&self.kept, || self.session(), sql)
    }

    /// The number that a statement gives.
    pub fn number(&self, sql: &str) -> i64 {
        session::integer(self.sql(sql)[0][0].as_deref())
    }

    /// What is booked for all calls (nano-dollars): settled, reserved, uncertain.
    pub fn booked(&self) -> (i64, i64, i64) {
        // A database is there before its tables are.
        if self.sql("SELECT to_regclass('booked')") == [[None]] {
            return (0, 0, 0);
        }
        let sql = "SELECT COALESCE(SUM(settled), 0), COALESCE(SUM(reserved), 0), COALESCE(SUM(uncertain), 0)
            FROM booked WHERE kind = 0";
        let row = self.sql(sql).remove(0);
        let integer = |n: usize| session::integer(row[n].as_deref());
        (integer(0), integer(1), integer(2))
    }

    /// Each call: state, reserved, settled (nano-dollars), model.
    pub fn calls(&self) -> Vec<(i64, i64, Option<i64>, String)> {
        let rows = self.sql("SELECT state, reserved, settled, model FROM calls ORDER BY id").into_iter();
        let call = |mut row: Row| {
            let settled = row[2].as_ref().map(|number| number.parse().unwrap());
            (session::integer(row[0].as_deref()), session::integer(row[1].as_deref()), settled, row.remove(3).unwrap())
        };
        rows.map(call).collect()
    }

    /// Lets the leases of all processes run out that do not renew them, as thirty seconds would.
    pub fn end_leases(&self) {
        self.sql("UPDATE processes SET lease_until = extract(epoch FROM clock_timestamp())::bigint * 1000 - 1000");
    }

    /// A connection of the superuser that stays open.
    pub fn session(&self) -> Result<Session, String> {
        self.cluster.try_session(&self.name)
    }
}

/// A port that nobody listens on, out of those that the system does not give to others by itself, so that it stays free
/// while its server is stopped.
pub fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(20_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
