//! The connection to the database. The ledger's thread waits for its answers; the connection itself lives on a thread of
//! its own, so that it also notices while nobody asks that the other side has gone.
//!
//! Only unnamed statements are sent, and nothing is set that outlives a transaction: a pooler such as PgBouncer may give
//! each transaction another connection (<https://www.pgbouncer.org/features.html>).

use super::address::{Address, Tls};
use super::failure::Failure;
use super::schema;
use super::transaction::{BEGIN, roll_back};
use hyper_rustls::ConfigBuilderExt;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a new connection is waited for when one broke.
const RECONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// How long an answer may take. It is longer than a lock may be waited for, so that the database says first what is
/// wrong.
const ANSWER_LIMIT: Duration = Duration::from_secs(6);
/// How long a connection to a database that is known to be away is waited for: calls are refused at once meanwhile.
const GLANCE: Duration = Duration::from_millis(20);
/// How long it may take to bring the tables up to date, or to read all of them.
pub(super) const LONG: Duration = Duration::from_mins(10);
/// How long it may take to hand all rows over to another ledger.
pub(super) const ALL_ROWS: Duration = Duration::from_hours(24);
/// For how long after a failure no other connection is tried, so that calls are refused at once meanwhile.
const PAUSE: Duration = Duration::from_millis(500);

/// A connection that is made when it is needed.
#[derive(Debug)]
pub(super) struct Session {
    /// `None` once the session has ended.
    runtime: Option<Runtime>,
    address: Address,
    client: Option<Client>,
    /// Whether the tables are known to be there.
    is_migrated: bool,
    /// A connection that is being made.
    arriving: Option<oneshot::Receiver<Result<Client, Failure>>>,
    /// Why there is no connection, and when the next is tried.
    away: Option<(Instant, Failure)>,
}

impl Session {
    /// # Errors
    /// When the operating system gives no thread.
    pub(super) fn new(address: Address) -> Result<Self, Failure> {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("ledger-postgres").enable_io().enable_time().build();
        let runtime = runtime.map_err(|error| Failure::Refused(error.to_string()))?;
        Ok(Self { runtime: Some(runtime), address, client: None, is_migrated: false, arriving: None, away: None })
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Makes a connection where there is none.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(super) fn connect(&mut self) -> Result<(), Failure> {
        if self.client.as_ref().is_some_and(|client| !client.is_closed()) {
            return Ok(());
        }
        self.client = None;
        if let Some((until, failure)) = &self.away
            && Instant::now() < *until
        {
            return Err(failure.clone());
        }
        match self.open() {
            Ok(Some(client)) => {
                self.client = Some(client);
                self.away = None;
                Ok(())
            }
            // It is known to be away, and nobody waits for it again.
            Ok(None) => Err(self.away.as_ref().map_or_else(Failure::ended, |(_, failure)| failure.clone())),
            Err(failure) => {
                self.away = Some((Instant::now() + PAUSE, failure.clone()));
                Err(failure)
            }
        }
    }

    /// A new connection; `None` while it is being made and the database was away before.
    fn open(&mut self) -> Result<Option<Client>, Failure> {
        let mut arriving = self.arriving.take().unwrap_or_else(|| self.dial());
        let patience = match (&self.away, self.is_migrated) {
            (Some(_), _) => GLANCE,
            (None, true) => RECONNECT_PATIENCE,
            (None, false) => self.address.connect_limit.saturating_add(RECONNECT_PATIENCE),
        };
        let client =
            match self.wait(patience, async { (&mut arriving).await.unwrap_or_else(|_| Err(Failure::ended())) }) {
                Err(Failure::Late(_)) => {
                    self.arriving = Some(arriving);
                    let slow = || (Instant::now(), unconnected(patience));
                    self.away.get_or_insert_with(slow);
                    return Ok(None);
                }
                made => made?,
            };
        // Asked of each connection, because a newer program may have changed the tables since the last one.
        let limit = if self.is_migrated { ANSWER_LIMIT } else { LONG };
        self.wait(limit, schema::migrate(&client))?;
        self.is_migrated = true;
        Ok(Some(client))
    }

    /// Begins to make a connection.
    fn dial(&self) -> oneshot::Receiver<Result<Client, Failure>> {
        let (made, arriving) = oneshot::channel();
        if let Some(runtime) = &self.runtime {
            let address = self.address.clone();
            runtime.spawn(async move {
                let limit = address.connect_limit;
                let limited = tokio::time::timeout(limit, connected(&address)).await;
                // Whoever waited for it may have ended.
                let _ = made.send(limited.unwrap_or_else(|_| Err(unconnected(limit))));
            });
        }
        arriving
    }

    /// Does what needs one or more round trips. A connection that breaks or does not answer in time is given up.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(super) fn run<T>(&mut self, work: impl AsyncFnOnce(&Client) -> Result<T, Failure>) -> Result<T, Failure> {
        self.run_within(ANSWER_LIMIT, work)
    }

    /// As [`run`](Self::run), for what takes longer.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(super) fn run_within<T>(
        &mut self,
        limit: Duration,
        work: impl AsyncFnOnce(&Client) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.connect()?;
        let Some(client) = &self.client else { return Err(Failure::ended()) };
        let done = self.wait(limit, work(client));
        if matches!(&done, Err(failure) if failure.is_about_the_connection()) {
            self.client = None;
        }
        done
    }

    /// Does some work in a transaction of its own, and again where others stood in the way.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(super) fn transact<T>(&mut self, work: impl AsyncFn(&Client) -> Result<T, Failure>) -> Result<T, Failure> {
        self.transact_within(ANSWER_LIMIT, work)
    }

    /// As [`transact`](Self::transact), for what takes longer.
    ///
    /// # Errors
    /// See [`Failure`].
    #[expect(clippy::needless_pass_by_value, reason = "a closure is written where it is passed")]
    pub(super) fn transact_within<T>(
        &mut self,
        limit: Duration,
        work: impl AsyncFn(&Client) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        retried(|| {
            self.run_within(limit, async |client| {
                client.batch_execute(BEGIN).await?;
                match work(client).await {
                    Ok(result) => {
                        client.batch_execute("COMMIT").await?;
                        Ok(result)
                    }
                    Err(failure) => {
                        roll_back(client).await;
                        Err(failure)
                    }
                }
            })
        })
    }

    /// As [`transact`](Self::transact), for a change that must not be taken for failed when it was made. Where the
    /// connection is lost while it is committed, another one finds out whether it was.
    ///
    /// # Errors
    /// See [`Failure`].
    #[expect(clippy::needless_pass_by_value, reason = "a closure is written where it is passed")]
    pub(super) fn transact_once<T>(&mut self, work: impl AsyncFn(&Client) -> Result<T, Failure>) -> Result<T, Failure> {
        let committing: RefCell<Option<(Option<String>, T)>> = RefCell::new(None);
        let done = self.transact(async |client| {
            let result = work(client).await?;
            // It has a number only if it has written something.
            let number = client.query_typed_one("SELECT pg_current_xact_id_if_assigned()::text", &[]).await?;
            committing.replace(Some((number.try_get(0)?, result)));
            Ok(())
        });
        match (done, committing.into_inner()) {
            (Ok(()), Some((_, result))) => Ok(result),
            (Err(failure), Some((Some(number), result)))
                if failure.is_about_the_connection() && self.was_committed(&number)? =>
            {
                Ok(result)
            }
            (Err(failure), _) => Err(failure),
            (Ok(()), None) => Err(Failure::ended()),
        }
    }

    /// Whether a transaction was committed, once it has ended.
    /// <https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT>
    fn was_committed(&mut self, number: &str) -> Result<bool, Failure> {
        const AGAIN: Duration = Duration::from_millis(20);
        self.run(async |client| {
            loop {
                let sql = "SELECT pg_xact_status($1::text::xid8)";
                let status = client.query_typed_one(sql, &[(&number, Type::TEXT)]).await?;
                match status.try_get::<_, Option<&str>>(0)? {
                    Some("in progress") => tokio::time::sleep(AGAIN).await,
                    status => return Ok(status == Some("committed")),
                }
            }
        })
    }

    fn wait<T>(&self, limit: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let Some(runtime) = &self.runtime else { return Err(Failure::ended()) };
        let _context = runtime.enter();
        match futures_executor::block_on(async { tokio::time::timeout(limit, work).await }) {
            Ok(done) => done,
            Err(_) => Err(Failure::Late(limit)),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.client = None;
        // A task may drop the ledger, and no task may wait for threads.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn unconnected(limit: Duration) -> Failure {
    Failure::Connection(format!("no connection was made within {} s", limit.as_secs()))
}

/// Does something again while others stand in its way.
pub(super) fn retried<T>(mut work: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    const TRIES: u32 = 8;
    for n in 1..TRIES {
        match work() {
            Err(Failure::Conflict(_)) => std::thread::sleep(Duration::from_millis(fastrand::u64(1..=(4 << n)))),
            done => return done,
        }
    }
    work()
}

async fn connected(address: &Address) -> Result<Client, Failure> {
    let Address { config, tls, .. } = address;
    match tls {
        Tls::Off => {
            let (client, connection) = config.connect(NoTls).await.map_err(Failure::connecting)?;
            tokio::spawn(async {
                // Whoever asks next learns that it has ended, and connects again.
                let _ = connection.await;
            });
            Ok(client)
        }
        Tls::Verified { roots } => {
            let tls = MakeRustlsConnect::new(tls_config(roots.as_deref())?);
            let (client, connection) = config.connect(tls).await.map_err(Failure::connecting)?;
            tokio::spawn(async {
                let _ = connection.await;
            });
            Ok(client)
        }
    }
}

/// The roots are read for each connection: whoever renews them need not start anything again.
fn tls_config(roots: Option<&Path>) -> Result<ClientConfig, Failure> {
    let Some(path) = roots else {
        let system = ClientConfig::builder().with_native_roots();
        let system = system.map_err(|error| Failure::Refused(format!("this machine's root certificates: {error}")))?;
        return Ok(system.with_no_client_auth());
    };
    let unusable =
        |error: &dyn fmt::Display| Failure::Refused(format!("sslrootcert {} cannot be used: {error}", path.display()));
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))? {
        store.add(certificate.map_err(|error| unusable(&error))?).map_err(|error| unusable(&error))?;
    }
    if store.is_empty() {
        return Err(unusable(&"it holds no certificate"));
    }
    Ok(ClientConfig::builder().with_root_certificates(store).with_no_client_auth())
}
