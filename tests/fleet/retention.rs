//! `[ledger] keep_days`: a running server deletes calls that are older.

use super::{Machine, day, question, within_a_minute};
use crate::support::postgres::Database;
use crate::support::{Bedrock, Reply};
use serde_json::json;

#[test]
fn a_server_deletes_old_calls_and_no_sum_changes() {
    let Some(database) = Database::new() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let config = day(1_000_000, 0.2);
    let machine = Machine::start(&config, &database.url(), &bedrock);
    for _ in 0..3 {
        assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    }
    let booked = super::at_rest(&database);
    // They began a hundred days ago.
    database
        .sql("UPDATE calls SET day = day - 100, at = at - 100 * 86400000::bigint; UPDATE booked SET day = day - 100");
    let config = format!("{config}[ledger]\nkeep_days = 90\n");
    let second = Machine::start(&config, &database.url(), &bedrock);
    assert_eq!(second.chat(&question("hi", &json!({}))).status, 200);
    // The last one of them stays if it is still the last of all when they are looked for.
    within_a_minute("the old calls are gone", || database.number("SELECT COUNT(*) FROM calls") <= 2);
    // The server that knows one of them as its last call goes on.
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    let (settled, reserved, uncertain) = super::at_rest(&database);
    assert_eq!((settled * 3, reserved, uncertain), (booked.0 * 5, 0, 0));
}
