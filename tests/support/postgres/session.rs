//! What tests ask a database, as its superuser over the server's own socket.

use std::path::Path;
use std::sync::Mutex;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

/// The columns of a row, as text.
pub type Row = Vec<Option<String>>;

/// A connection. It is for threads that run no asynchronous tasks.
pub struct Session {
    runtime: Runtime,
    client: Client,
}

impl Session {
    pub(super) fn connect(socket: &Path, port: u16, database: &str) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut config = Config::new();
        // What tests ask about is in the ledger's own schema.
        config.options("-c search_path=chatrix,public");
        config.host_path(socket).port(port).user(super::superuser()).dbname(database);
        let connected = runtime.block_on(async {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(connection);
            Ok::<_, tokio_postgres::Error>(client)
        });
        Ok(Self { client: connected.map_err(|error| error.to_string())?, runtime })
    }

    /// Runs statements. Gives the rows of all of them.
    pub fn try_sql(&self, sql: &str) -> Result<Vec<Row>, String> {
        let messages = self.runtime.block_on(self.client.simple_query(sql));
        let messages = messages.map_err(|error| match error.as_db_error() {
            Some(error) => error.to_string(),
            None => error.to_string(),
        })?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|n| row.get(n).map(ToOwned::to_owned)).collect()),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// The number that a statement gives.
    pub fn try_number(&self, sql: &str) -> Result<i64, String> {
        Ok(integer(self.try_sql(sql)?[0][0].as_deref()))
    }
}

/// An integer in a column that is not null.
#[track_caller]
pub(super) fn integer(column: Option<&str>) -> i64 {
    column.unwrap().parse().unwrap()
}

/// Runs statements over a connection of their own, on a thread of their own, because the caller may be a task.
pub(super) fn run(socket: &Path, port: u16, database: &str, sql: &str) -> Vec<Row> {
    run_on(&Mutex::default(), || Session::connect(socket, port, database), sql)
}

/// As [`run`], over a connection that is kept, or a new one where that is lost.
pub(super) fn run_on(
    kept: &Mutex<Option<Session>>,
    connect: impl Fn() -> Result<Session, String> + Sync,
    sql: &str,
) -> Vec<Row> {
    let ask = || {
        let mut kept = kept.lock().unwrap();
        if let Some(session) = &*kept {
            match session.try_sql(sql) {
                Err(_) if session.client.is_closed() => *kept = None,
                answer => return answer,
            }
        }
        kept.insert(connect()?).try_sql(sql)
    };
    std::thread::scope(|scope| scope.spawn(ask).join().unwrap()).unwrap_or_else(|error| panic!("{error}, in: {sql}"))
}
