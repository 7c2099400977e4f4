//! Machines that reach the database through a pooler, which gives them a connection for one transaction only.

use super::load::never_overshoots;
use crate::support::postgres::{Database, Pooler};

#[test]
fn a_budget_holds_through_a_pooler_in_transaction_mode() {
    let Some(database) = Database::new() else { return };
    let Some(pooler) = Pooler::before(&database) else { return };
    never_overshoots(&database, &database.patient_url_at(pooler.port()), 80);
}
