//! The processes that book calls in the database. Each holds a lease, which its transactions and a timer renew. When a lease
//! has run out, the process counts as ended, and what it has reserved is uncertain: AWS may bill it in full. If it still
//! runs, the truth replaces that when its calls end.

use super::failure::Failure;
use crate::ledger::actor::machine_name;
use crate::ledger::key::random_hex;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// How long a lease is (milliseconds).
pub(super) const LEASE: i64 = 30_000;

/// How long after its lease has run out a process is forgotten (milliseconds).
const FORGOTTEN_AFTER: i64 = 30 * 86_400_000;

/// Now by the database's clock (milliseconds since 1970), in SQL. As a query of its own it is asked once a statement, so
/// that indexes can be searched by it.
pub(super) const NOW: &str = "(SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint)";

/// This process, as the database knows it.
#[derive(Debug, Clone)]
pub(super) struct Process {
    /// What its calls are booked under.
    pub name: String,
    /// How many transactions it has made.
    pub batch: i64,
}

/// Writes this process down, with a name of its own, and with that of its machine for people who look into the table.
pub(super) async fn register(client: &Client, clock: &str) -> Result<Process, Failure> {
    let name = random_hex(8).map_err(|error| Failure::Refused(error.to_string()))?;
    let sql = format!("INSERT INTO chatrix.processes VALUES ($1, $2, {clock} + {LEASE}, 0)");
    client.execute_typed(&sql, &[(&name, Type::TEXT), (&machine_name().unwrap_or_default(), Type::TEXT)]).await?;
    Ok(Process { name, batch: 0 })
}

/// Renews the lease of this process.
pub(super) async fn renew(client: &Client, clock: &str, name: &str) -> Result<(), Failure> {
    let sql = format!("UPDATE chatrix.processes SET lease_until = {clock} + {LEASE} WHERE name = $1");
    client.execute_typed(&sql, &[(&name, Type::TEXT)]).await?;
    Ok(())
}

/// How many transactions the process has made, once none of it is under way any more; `None` if it is not there.
pub(super) async fn made_transactions(client: &Client, name: &str) -> Result<Option<i64>, Failure> {
    let sql = "SELECT batch FROM chatrix.processes WHERE name = $1 FOR UPDATE";
    let row = client.query_typed_opt(sql, &[(&name, Type::TEXT)]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Whether the database lacks transactions of a process that is not in it as it was: it was set back then. A process of
/// which nothing was seen for so long (milliseconds) that others may have forgotten it counts as forgotten.
pub(super) async fn was_set_back(client: &Client, process: &Process, unseen: i64) -> Result<bool, Failure> {
    let sql = "SELECT batch FROM chatrix.processes WHERE name = $1";
    let row = client.query_typed_opt(sql, &[(&process.name, Type::TEXT)]).await?;
    let made = row.map(|row| row.try_get::<_, i64>(0)).transpose()?;
    Ok(made.map_or(unseen < FORGOTTEN_AFTER, |made| made < process.batch))
}

/// Locks the processes whose lease has run out and that have open reservations, and gives their names. One that is
/// looked after by somebody else already is left out.
pub(super) async fn lock_ended(client: &Client, clock: &str) -> Result<Vec<String>, Failure> {
    let sql = format!(
        "SELECT name FROM chatrix.processes WHERE lease_until <= {clock}
         AND EXISTS (SELECT 1 FROM chatrix.calls WHERE state = 0 AND process = name)
         ORDER BY name FOR UPDATE SKIP LOCKED"
    );
    let rows = client.query_typed(&sql, &[]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Forgets a process that has ended and has no open reservation.
pub(super) async fn forget(client: &Client, name: &str) -> Result<(), Failure> {
    client.execute_typed("DELETE FROM chatrix.processes WHERE name = $1", &[(&name, Type::TEXT)]).await?;
    Ok(())
}

/// Forgets processes that have ended long ago and have no open reservation.
pub(super) async fn forget_ended(client: &Client, clock: &str) -> Result<(), Failure> {
    let sql = format!(
        "DELETE FROM chatrix.processes WHERE lease_until < {clock} - {FORGOTTEN_AFTER}
         AND NOT EXISTS (SELECT 1 FROM chatrix.calls WHERE state = 0 AND process = name)"
    );
    client.execute_typed(&sql, &[]).await?;
    Ok(())
}
