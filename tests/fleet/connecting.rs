//! How a machine reaches the database: passwords from everywhere, encryption, and rights. What is wrong is said with
//! what to do, and the password is nowhere in it.

use super::{day, question, within_a_minute};
use crate::support::postgres::{Certificates, Cluster, Database, Options, PASSWORD};
use crate::support::{Bedrock, Chatrix, Home, Outcome, Reply, Server};
use serde_json::json;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

/// `ask` under a budget, with a ledger at this address.
fn ask(home: &Home, url: &str, bedrock: &Bedrock) -> Chatrix {
    let ask = Chatrix::ask().args(["-q", "-m", "nova-micro", "hi"]).home(home).bedrock(bedrock);
    if url.is_empty() { ask } else { ask.env("CHATRIX_LEDGER", url) }
}

/// An outcome that holds no password, neither on the terminal nor in a file of the home.
#[track_caller]
fn without_password(outcome: Outcome) -> Outcome {
    outcome.stderr_lacks(PASSWORD).stderr_lacks("wrong-password")
}

fn private_file(home: &Home, name: &str, text: &str) -> String {
    home.write(name, text);
    let path = home.path(name);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_password_comes_from_a_file_a_variable_or_the_url() {
    let Some(database) = Database::new() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let home = Home::new(&day(1_000_000, 0.2));
    let (name, port) = (database.name(), database.port());
    let without = format!("postgres://{name}@localhost:{port}/{name}");
    ask(&home, &database.url(), &bedrock).stdout("ok\n").code(0);
    ask(&home, &without, &bedrock).env("PGPASSWORD", PASSWORD).stdout("ok\n").code(0);
    let passes = private_file(&home, "passes", &format!("localhost:{port}:{name}:{name}:{PASSWORD}\n"));
    ask(&home, &without, &bedrock).env("PGPASSFILE", &passes).stdout("ok\n").code(0);
    let file = private_file(&home, "password", &format!("{PASSWORD}\n"));
    let config =
        |file: &str| format!("{}[ledger]\nurl = \"{without}\"\npassword_file = \"{file}\"\n", day(1_000_000, 0.2));
    home.configure(&config(&file));
    ask(&home, "", &bedrock).stdout("ok\n").code(0);
    assert_eq!(super::at_rest(&database).0, 4 * 1050, "all four calls are in the one ledger");
    // The variable wins over the file.
    let refused = ask(&home, "postgres://nobody@localhost:1/nothing", &bedrock).stdout("").code(1);
    refused.stderr_has("localhost:1");
    // The file's password belongs to the URL beside it, and where there is none, to that of the variable.
    home.configure(&config(&private_file(&home, "other", "wrong-password")));
    ask(&home, &without, &bedrock).env("PGPASSWORD", PASSWORD).stdout("ok\n").code(0);
    home.configure(&format!("{}[ledger]\npassword_file = \"{file}\"\n", day(1_000_000, 0.2)));
    ask(&home, &without, &bedrock).stdout("ok\n").code(0);
}

#[test]
fn a_wrong_password_is_said_and_not_shown() {
    let Some(database) = Database::new() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let home = Home::new(&day(1_000_000, 0.2));
    let wrong = database.url().replace(PASSWORD, "wrong-password");
    let outcome = without_password(ask(&home, &wrong, &bedrock).stdout("").code(1));
    outcome.stderr_has("password authentication failed").stderr_has("a budget is set, so no call is made");
    let (name, port) = (database.name(), database.port());
    let outcome = ask(&home, &format!("postgres://{name}@localhost:{port}/{name}"), &bedrock).stdout("").code(1);
    outcome.stderr_has("password");
    // A mistake in the URL is no reason to show it.
    let broken = database.url().replace("127.0.0.1:", "127.0.0.1:x");
    without_password(ask(&home, &broken, &bedrock).stdout("").code(2)).stderr_has("CHATRIX_LEDGER");
    assert_eq!(bedrock.calls().len(), 0);
}

#[test]
fn a_connection_is_waited_for_as_long_as_the_url_says() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new(&day(1_000_000, 0.2));
    let url = format!("postgres://u@{}/d?connect_timeout=1", silent.local_addr().unwrap());
    let bedrock = Bedrock::script([]);
    ask(&home, &url, &bedrock).stdout("").code(1).stderr_has("no connection was made within 1 s");
}

#[test]
fn nothing_that_a_server_writes_holds_the_password() {
    let Some(database) = Database::new() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let home = Home::new(&day(1_000_000, 0.2));
    let command = |url: &str| Chatrix::serve().home(&home).env("CHATRIX_LEDGER", url).bedrock(&bedrock);
    let server = Server::run(command(&database.url()).args(["--log-format", "json"]));
    assert_eq!(server.chat(&question("hi", &json!({}))).status, 200);
    let metrics = server.get("/metrics").body;
    database.sql(&format!("ALTER ROLE {} PASSWORD 'another'", database.name()));
    let its_own = format!("usename = '{}'", database.name());
    database.sql(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {its_own}"));
    let mut refused = String::new();
    // A busy machine is told first that there is no connection yet.
    within_a_minute("the password is refused", || {
        let answer = server.chat(&question("hi", &json!({})));
        assert_eq!(answer.status, 503, "{}", answer.body);
        refused = answer.body;
        refused.contains("password authentication failed")
    });
    let log = server.stop();
    for text in [metrics, refused, log] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
}

#[test]
fn no_file_takes_the_place_of_a_database() {
    let Some(database) = Database::new() else { return };
    let home = Home::new(&day(1_000_000, 0.2));
    Chatrix::ask().args(["--offline", "-q", "hi"]).home(&home).run().code(0);
    Chatrix::usage().home(&home).run().code(0).stderr_has("calls of --offline");
    let shared = Chatrix::usage().home(&home).env("CHATRIX_LEDGER", &database.url()).run().code(0);
    assert!(shared.stderr_lacks("calls of --offline").stdout.starts_with("no calls yet"));
    let away = Chatrix::serve().home(&home).env("CHATRIX_LEDGER", "postgres://nobody@127.0.0.1:1/nothing");
    let refused = away.bedrock(&Bedrock::script([])).run().code(1);
    refused.stderr_has("a budget is set, so the server does not start without its ledger; check the address");
}

#[test]
fn encrypted_connections_are_verified_in_full() {
    let certificates = Certificates::new();
    let other = Certificates::new();
    let options = Options { certificates: Some(&certificates), ..Options::default() };
    let Some(cluster) = Cluster::new(options) else { return };
    let database = cluster.database();
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let home = Home::new(&day(1_000_000, 0.2));
    let at = |host: &str, parameters: &str| format!("{}&{parameters}", database.url().replace("127.0.0.1", host));
    let root =
        |certificates: &Certificates| format!("sslmode=verify-full&sslrootcert={}", certificates.authority().display());
    ask(&home, &at("localhost", &root(&certificates)), &bedrock).stdout("ok\n").code(0);
    let encrypted =
        "SELECT COUNT(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename <> 'postgres' AND NOT ssl";
    assert_eq!(database.number(encrypted), 0);
    for (host, parameters, said) in [
        ("localhost", root(&other), "certificate"),
        ("127.0.0.1", root(&certificates), "certificate"),
        ("localhost", "sslmode=verify-full".to_owned(), "certificate"),
        ("localhost", "sslmode=disable".to_owned(), "no encryption"),
        ("localhost", "sslmode=verify-full&sslrootcert=/nowhere.pem".to_owned(), "/nowhere.pem"),
        ("localhost", "sslmode=prefer".to_owned(), "verify-full"),
    ] {
        let outcome = without_password(ask(&home, &at(host, &parameters), &bedrock).run());
        assert_ne!(outcome.code, Some(0), "{host} {parameters}: {outcome:?}");
        outcome.stderr_has(said);
    }
    assert_eq!(bedrock.calls().len(), 1);
}

/// The statements of the operating guide that give a role what `serve` needs and no more.
fn documented_rights(role: &str) -> String {
    let guide = include_str!("../../docs/operating.md");
    let (_, rights) = guide.split_once("<!-- rights -->").unwrap();
    let (_, rights) = rights.split_once("```sql\n").unwrap();
    rights.split_once("```").unwrap().0.replace("gateway", role)
}

#[test]
fn a_role_needs_no_more_than_the_documented_rights() {
    let Some(database) = Database::new() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let home = Home::new(&day(1_000_000, 0.2));
    let role = format!("{}_serve", database.name());
    database.sql(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"));
    let url = database.url().replacen(database.name(), &role, 1);
    // It cannot make the tables, and says who can.
    let outcome = without_password(ask(&home, &url, &bedrock).stdout("").code(1));
    outcome.stderr_has("its tables cannot be made").stderr_has("a role that owns the database");
    Chatrix::ledger().arg("check").home(&home).env("CHATRIX_LEDGER", &database.url()).run().code(0);
    database.sql(&documented_rights(&role));
    ask(&home, &url, &bedrock).stdout("ok\n").code(0);
    let server = Server::run(Chatrix::serve().home(&home).env("CHATRIX_LEDGER", &url).bedrock(&bedrock));
    assert_eq!(server.chat(&question("hi", &json!({}))).status, 200);
    for command in [Chatrix::usage(), Chatrix::keys().args(["add", "laptop"]), Chatrix::keys().arg("list")] {
        command.home(&home).env("CHATRIX_LEDGER", &url).run().code(0);
    }
    super::at_rest(&database);
    for table in ["calls", "audit"] {
        let can = format!("SELECT has_table_privilege('{role}', 'chatrix.{table}', 'TRUNCATE')::int");
        assert_eq!(database.number(&can), 0, "it can empty {table}");
    }
}
