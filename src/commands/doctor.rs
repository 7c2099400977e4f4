//! `chatrix doctor`: whether a call could be made, and if not, why not and what to do. Nothing here costs money, except
//! `--call`. The checks run at the same time, and end within about five seconds even where nothing answers.

mod account;
mod call;
mod check;
mod ledger;
mod model;
mod port;
mod screen;
mod settings;

use crate::bedrock::Client;
use crate::cli::Doctor;
use crate::commands::setup::{endpoint, load_settings, load_settings_without_file};
use crate::config::{Flags, Settings};
use crate::error::{Error, Kind};
use crate::telemetry::Telemetry;
use crate::terminal::output::{print, print_json, stdout};
use crate::terminal::size::columns;
use account::Deadline;
use check::{Check, SettingLine};
use ledger::Found;
use model::DefaultModel;
use screen::Screen;
use std::sync::Arc;
use std::time::Duration;

const CONFIG: &str = "config";
/// How long the ledger is examined.
const LEDGER_LIMIT: Duration = Duration::from_secs(5);

/// Prints the report. The exit code is that of the first check that has failed.
pub(crate) async fn run(args: Doctor, flags: Flags) -> anyhow::Result<u8> {
    let screen = Screen::new(columns(), stdout().colour());
    let (settings, config) = settings_of(&flags);
    let Some(settings) = settings else { return report(&args, &screen, &[], &[config]) };
    let settings = Arc::new(settings);
    let client = client(&settings).await;
    let lines = settings::lines(&settings, client.as_ref().ok().map(Client::account));
    if !args.json {
        // Checks may take seconds.
        print(&screen.settings(&lines))?;
    }
    let has_config = !config.has_failed();
    let mut checks = vec![config];
    checks.extend(all(&settings, client, has_config).await);
    if args.call && has_config {
        let Some(made) = call::make(&settings).await else { return Ok(Kind::Interrupted.spec().exit) };
        checks.push(made);
    } else if args.call {
        checks.push(Check::not_checked(call::NAME, "without the config file its budgets are not known"));
    }
    report(&args, &screen, &lines, &checks)
}

/// The settings, and the check of the config file, the environment and the flags. When the config file is broken, what
/// does not depend on it is checked all the same. `None` when there is nothing left to go by.
fn settings_of(flags: &Flags) -> (Option<Settings>, Check) {
    match load_settings(flags) {
        Ok(settings) => {
            let message = match &settings.config_file {
                _ if settings.model_notice.is_some() => settings.model_notice.clone().unwrap_or_default(),
                Some(path) => format!("{}, the environment and the flags are in order", path.display()),
                None => "the environment and the flags are in order; there is no config file".to_owned(),
            };
            (Some(settings), Check::ok(CONFIG, message))
        }
        Err(error) => (load_settings_without_file(flags).ok(), Check::failed(CONFIG, &error)),
    }
}

/// The way to Bedrock. The check says why there is none.
async fn client(settings: &Settings) -> Result<Client, Check> {
    let endpoint = endpoint(settings, Duration::ZERO).await;
    let endpoint = endpoint.map_err(|error| Check::failed("endpoint", &Error::new(Kind::Io, format!("{error:#}"))))?;
    account::settings_check(Client::new(endpoint, settings.aws.limits, Telemetry::default()).await)
}

/// All checks besides that of the configuration, in the order in which a call would meet what they look at.
async fn all(settings: &Arc<Settings>, client: Result<Client, Check>, has_config: bool) -> Vec<Check> {
    let default_model = DefaultModel::of(settings);
    let of_aws = aws_checks(settings, client, default_model.as_ref().ok());
    let (mut checks, found, port) = tokio::join!(of_aws, ledger_check(settings), port::check(&settings.serve));
    let refused = model::refusal(settings, found.statuses.as_deref().unwrap_or_default());
    let model = match &default_model {
        Ok(model) => model.check(refused.as_ref()),
        Err(error) => Check::failed("model", error),
    };
    let access = checks.pop();
    checks.push(model);
    checks.extend(access);
    let budgets = if has_config {
        ledger::budgets(settings, &found, refused.as_ref())
    } else {
        Check::not_checked("budgets", "the config file sets them, and cannot be read")
    };
    checks.extend([found.check, budgets]);
    checks.push(port);
    checks
}

/// The checks of the credentials, the endpoint, the clock and the access to the model.
async fn aws_checks(settings: &Settings, client: Result<Client, Check>, model: Option<&DefaultModel>) -> Vec<Check> {
    let client = match client {
        Ok(client) => client,
        Err(failed) => return without_client(&failed),
    };
    if settings.offline {
        let (mut endpoint, _) = account::endpoint(&client, Deadline::new()).await;
        if !endpoint.has_failed() {
            "the Bedrock inside this process answers".clone_into(&mut endpoint.message);
        }
        let is_real = |name| Check::not_checked(name, "only AWS's own counts");
        return vec![
            Check::ok("credentials", "none are needed offline"),
            endpoint,
            is_real("clock"),
            Check::ok("model access", "the offline model answers for all of them"),
        ];
    }
    let deadline = Deadline::new();
    let access = async {
        match model {
            Some(model) => account::access(&client, model.answering(), deadline).await,
            None => Check::not_checked("model access", "there is no such model"),
        }
    };
    let (credentials, (endpoint, clock), access) =
        tokio::join!(account::credentials(&client, deadline), account::endpoint(&client, deadline), access);
    let access = if credentials.has_failed() {
        Check::not_checked("model access", "the credentials cannot be used")
    } else {
        access
    };
    vec![credentials, endpoint, clock, access]
}

/// The checks where AWS's settings cannot be used. One of them says so.
fn without_client(failed: &Check) -> Vec<Check> {
    let names = ["credentials", "endpoint", "clock", "model access"];
    let skipped = |name| Check::not_checked(name, "AWS's settings cannot be used");
    names.into_iter().map(|name| if name == failed.name { failed.clone() } else { skipped(name) }).collect()
}

async fn ledger_check(settings: &Arc<Settings>) -> Found {
    let settings = Arc::clone(settings);
    let examined = tokio::task::spawn_blocking(move || ledger::examined(&settings));
    match tokio::time::timeout(LEDGER_LIMIT, examined).await {
        Ok(Ok(found)) => found,
        _ => ledger::overdue(),
    }
}

fn report(args: &Doctor, screen: &Screen, settings: &[SettingLine], checks: &[Check]) -> anyhow::Result<u8> {
    if args.json {
        print_json(format_args!("{:#}", check::json(settings, checks)))?;
    } else {
        print(&screen.checks(checks))?;
    }
    Ok(check::exit_code(checks))
}
