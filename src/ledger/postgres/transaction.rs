//! How a transaction begins, and how it ends without its changes.

use tokio_postgres::Client;

/// Begins a transaction. The limits hold for it alone: a process that hangs in the middle of one gives its locks back.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '4s'; \
     SET LOCAL statement_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '3s'";

/// Ends a transaction without its changes. Where even that fails, the database does it when the connection is given up.
pub(super) async fn roll_back(client: &Client) {
    let _ = client.batch_execute("ROLLBACK").await;
}
