//! Machines are upgraded one after the other: an older program uses newer tables as long as these say that it may.

use super::{Machine, at_rest, day, question, within_a_minute};
use crate::support::postgres::Database;
use crate::support::{Bedrock, Chatrix, Reply};
use serde_json::json;

/// What `Reply::text` costs on nova-micro: 10 tokens in, 5 out.
const COST: i64 = 10 * 35 + 5 * 140;

#[test]
fn an_older_program_serves_beside_a_newer_one_and_is_refused_when_it_cannot() {
    let Some(database) = Database::new() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let machine = Machine::start(&day(1_000_000, 0.2), &database.url(), &bedrock);
    let ask = || machine.run(Chatrix::ask()).args(["-q", "-m", "nova-micro", "hi"]);
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    at_rest(&database);
    // A newer program has changed the tables in a way that older ones need not know.
    database.sql("UPDATE version SET version = version + 1; ALTER TABLE calls ADD COLUMN newer text");
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    ask().stdout("ok\n").code(0);
    assert_eq!(at_rest(&database), (3 * COST, 0, 0));
    // And now in a way that older ones would break.
    database.sql("UPDATE version SET usable_from = version");
    let refused = ask().stdout("").code(1);
    refused.stderr_has("newer chatrix").stderr_has("install the newer one");
    // A server that was connected all the time is refused with its next connection.
    database.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND usename <> current_user",
    );
    within_a_minute("the server is refused", || {
        let refused = machine.chat(&question("hi", &json!({})));
        assert_eq!(refused.status, 503, "{}", refused.body);
        refused.body.contains("newer chatrix")
    });
    assert_eq!(bedrock.calls().len(), 3);
}

#[test]
fn machines_that_start_at_once_make_the_tables_once() {
    let Some(database) = Database::new() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let machine = Machine::start(&day(1_000_000, 0.2), &database.url(), &bedrock);
                assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
                at_rest(&database);
            });
        }
    });
    assert_eq!(database.number("SELECT COUNT(*) FROM version"), 1);
    assert_eq!(at_rest(&database), (4 * COST, 0, 0));
}
