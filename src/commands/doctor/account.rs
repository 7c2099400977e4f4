//! Checks of what only AWS knows: the credentials, the endpoint, its clock, and whether the account may call a model.

use super::check::Check;
use crate::bedrock::{Access, Account, CallerIdentity, Client, Reached};
use crate::catalog::Model;
use crate::commands::setup::{Loaded, is_about_identity, load_credentials};
use crate::error::{Error, Kind, Result};
use std::time::Duration;
use tokio::time::Instant;

/// How long a program or a service may take to give credentials.
const CREDENTIALS_LIMIT: Duration = Duration::from_secs(3);
/// How long each request to AWS may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(4);
/// From how far on a clock is said to be wrong (seconds).
const SKEW_TO_MENTION: i64 = 60;
/// How far the time of a signature may be from AWS's (seconds).
const MOST_SKEW: i64 = 5 * 60;

/// When all questions to AWS are to be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// Five seconds from now.
    pub(super) fn new() -> Self {
        Self(Instant::now() + Duration::from_secs(5))
    }

    fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now()).min(REQUEST_LIMIT)
    }
}

/// Whose credentials are used, and whether AWS knows them.
pub(super) async fn credentials(client: &Client, deadline: Deadline) -> Check {
    const NAME: &str = "credentials";
    let account = client.account();
    match load_credentials(account, CREDENTIALS_LIMIT).await {
        Ok(Loaded::InTime) => {}
        Ok(Loaded::Late(_)) => {
            let message = format!("{} do not come within {} s", account.credentials(), CREDENTIALS_LIMIT.as_secs());
            return Check::warning(NAME, message, "a call waits longer, for `credentials_seconds` of the config file");
        }
        Err(error) => return Check::failed(NAME, &error),
    }
    let key = match account.key_ending().await {
        Ok(Some(ending)) => format!("; the key ends in {ending}"),
        Ok(None) => String::new(),
        Err(error) => return Check::failed(NAME, &error),
    };
    let whose = match client.caller_identity(deadline.left()).await {
        Ok(Some(CallerIdentity { account, arn })) => format!("; account {account}, {arn}"),
        Ok(None) if !account.is_signed() => "; which account it is of, only a call tells".to_owned(),
        Ok(None) => "; the account is not asked for, because the endpoint is set by hand".to_owned(),
        Err(error) if is_about_identity(&error) => return Check::failed(NAME, &error),
        Err(error) => format!("; the account is not known: {}", error.message),
    };
    Check::ok(NAME, format!("{}{key}{whose}", account.credentials()))
}

/// Whether the endpoint answers, and by how much its clock differs from this machine's.
pub(super) async fn endpoint(client: &Client, deadline: Deadline) -> (Check, Check) {
    const ENDPOINT: &str = "endpoint";
    const CLOCK: &str = "clock";
    let address = &client.account().place().endpoint;
    match client.reach(deadline.left()).await {
        Ok(Reached { took, clock_ahead }) => {
            let endpoint = Check::ok(ENDPOINT, format!("{address} answers in {} ms", took.as_millis()));
            (endpoint, clock(CLOCK, clock_ahead, client.account().is_signed()))
        }
        Err(error) => (
            Check::failed(ENDPOINT, &error),
            Check::not_checked(CLOCK, "the endpoint, whose clock counts, does not answer"),
        ),
    }
}

fn clock(name: &'static str, ahead: Option<i64>, is_signed: bool) -> Check {
    let Some(ahead) = ahead else {
        return Check::not_checked(name, "the answer of the endpoint has no date");
    };
    let (seconds, direction) = (ahead.unsigned_abs(), if ahead > 0 { "behind" } else { "ahead of" });
    // A header has whole seconds, and takes a moment to arrive.
    if seconds <= 2 {
        return Check::ok(name, "this machine's clock shows the same time as the endpoint's");
    }
    let message = format!("this machine's clock is {} {direction} the endpoint's", words(seconds));
    if ahead.abs() < SKEW_TO_MENTION {
        return Check::ok(name, message);
    }
    let advice = "correct this machine's clock, and let it be set over the network";
    if ahead.abs() <= MOST_SKEW || !is_signed {
        return Check::warning(name, message, advice);
    }
    let message = format!("{message}, and AWS refuses signatures that are more than 5 minutes off");
    Check::failed(name, &Error::new(Kind::ClockSkew, message).advise(advice))
}

fn words(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Whether AWS lets the account call a model, as far as it can be told without a call.
pub(super) async fn access(client: &Client, model: &Model, deadline: Deadline) -> Check {
    const NAME: &str = "model access";
    let name = model.display_name();
    match client.access(&model.id, deadline.left()).await {
        Ok(access) => access_check(NAME, name, access, client.account()),
        Err(error) if is_about_identity(&error) => Check::failed(NAME, &error),
        Err(error) if error.kind == Kind::ModelNotFound => {
            let message = format!("AWS knows no model {} in {}", model.id, client.account().place().region);
            Check::warning(NAME, message, "`chatrix models --available` lists what can be called")
        }
        Err(error) => {
            let advice = error.advice().to_owned();
            Check { advice, ..Check::not_checked(NAME, format!("AWS does not say: {}", error.message)) }
        }
    }
}

fn access_check(check: &'static str, name: &str, access: Option<Access>, account: &Account) -> Check {
    let region = &account.place().region;
    let failed = |kind, message: String| Check::failed(check, &Error::new(kind, message));
    match access {
        Some(Access::Open) => {
            Check::ok(check, format!("as far as AWS says without a call, this account may call {name}"))
        }
        Some(Access::NoAgreement(why)) => Check::warning(
            check,
            format!("this account has no agreement for {name} yet ({why})"),
            "the first call accepts it, if this identity has the permission aws-marketplace:Subscribe; Claude also needs \
             the use case form in the Bedrock console, under Model catalog",
        ),
        Some(Access::NotAuthorized) => failed(Kind::AccountNotReady, format!("this account may not call {name}")),
        Some(Access::NotInRegion) => failed(Kind::NotInRegion, format!("{region} does not offer {name}")),
        None => Check::not_checked(check, "nobody can be asked for this model and this endpoint; only a call tells"),
    }
}

/// The client, unless AWS's settings cannot be used. `Err` is the check that says so.
pub(super) fn settings_check(made: Result<Client>) -> std::result::Result<Client, Check> {
    made.map_err(|error| match error.kind {
        Kind::NoCredentials | Kind::ExpiredCredentials => Check::failed("credentials", &error),
        _ => Check::failed("endpoint", &error),
    })
}
