//! `chatrix doctor --call`: the smallest real call, through the same engine as every other, so that it is limited by the
//! budgets and booked.

use super::check::Check;
use super::model::smallest_request;
use crate::commands::answer::unless_interrupted;
use crate::commands::setup::open;
use crate::config::Settings;
use crate::engine::{AnswerMode, Call, Caller, Engine};
use crate::error::{Error, Kind};
use crate::telemetry::Telemetry;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) const NAME: &str = "call";

/// Makes the call. `None` when Ctrl-C came first.
pub(super) async fn make(settings: &Settings) -> Option<Check> {
    let engine = match open(settings, Duration::ZERO, false, &Telemetry::default()).await {
        Ok((engine, _)) => engine,
        Err(error) => return Some(failed(&error)),
    };
    let started = Instant::now();
    match unless_interrupted(ask(&engine, settings)).await? {
        Ok(call) => Some(answered(&call, started.elapsed())),
        Err(error) => Some(Check::failed(NAME, &error)),
    }
}

async fn ask(engine: &Arc<Engine>, settings: &Settings) -> Result<Call, Error> {
    let caller = Caller { command: "doctor", attempts: 1, ..Caller::default() };
    let mut call = engine.ask(smallest_request(settings), AnswerMode::Streamed, caller).await?;
    call.answer().await?;
    Ok(call)
}

fn answered(call: &Call, took: Duration) -> Check {
    let cost = match call.cost() {
        Some(cost) => format!("it cost {cost}, which is booked"),
        None => "what it cost is not known, because the model has no price".to_owned(),
    };
    let tokens = call.usage().map(|usage| format!(", with {} tokens in and {} out", usage.prompt(), usage.output));
    let seconds = took.as_secs_f32();
    let model = call.model().display_name();
    let message = format!("{model} has answered in {seconds:.1} s{}; {cost}", tokens.unwrap_or_default());
    let warnings: Vec<String> =
        call.successor_notice().into_iter().chain(call.warnings().into_iter().map(|warning| warning.text)).collect();
    if warnings.is_empty() { Check::ok(NAME, message) } else { Check::warning(NAME, message, warnings.join("; ")) }
}

fn failed(error: &anyhow::Error) -> Check {
    match error.downcast_ref::<Error>() {
        Some(error) => Check::failed(NAME, error),
        None => Check::failed(NAME, &Error::new(Kind::Io, format!("{error:#}"))),
    }
}
