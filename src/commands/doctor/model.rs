//! Checks of the default model: its life cycle, its price, and whether the cost policy lets a short question pass.

use super::check::Check;
use crate::catalog::{Lifecycle, Model, Rate};
use crate::config::Settings;
use crate::conversation::{Message, Part, Request, Role};
use crate::engine::{Caller, DryRun, dry_run};
use crate::error::{Error, Kind, Result};
use crate::ledger::budget::{BudgetStatus, date};
use crate::ledger::{Clock, budget::Budgets};
use std::sync::Arc;

const NAME: &str = "model";

/// The smallest question that is worth asking.
pub(super) fn smallest_request(settings: &Settings) -> Request {
    /// Enough for a word.
    const MAX_TOKENS: i64 = 16;
    Request {
        model: settings.model.value.clone(),
        messages: vec![Message { role: Role::User, parts: vec![Part::Text("Say ok.".to_owned())] }],
        max_tokens: Some(MAX_TOKENS),
        ..Request::default()
    }
}

/// Why the cost policy or a budget would refuse the smallest question; `None` when it would pass.
pub(super) fn refusal(settings: &Settings, statuses: &[BudgetStatus]) -> Option<Error> {
    let admitted = match settings.policy().admit(smallest_request(settings), None) {
        Ok(admitted) => admitted,
        Err(error) => return Some(error),
    };
    let Budgets { floor_tokens, .. } = settings.budgets;
    let ceiling = Caller::default().ceiling(&settings.budgets);
    let DryRun { refused, .. } = dry_run(admitted, ceiling.as_ref(), statuses, floor_tokens);
    refused
}

/// The default model, and its successor where that answers in its place.
pub(super) struct DefaultModel {
    model: Arc<Model>,
    successor: Option<Arc<Model>>,
}

impl DefaultModel {
    /// # Errors
    /// `ModelNotFound`.
    pub(super) fn of(settings: &Settings) -> Result<Self> {
        let model = settings.catalog().resolve(&settings.model.value)?;
        let follows = settings.policy().follow_successor && model.lifecycle == Lifecycle::EndOfLife;
        let successor = model.successor.as_deref().filter(|_| follows);
        let successor = successor.and_then(|name| settings.catalog().resolve(name).ok());
        Ok(Self { model, successor })
    }

    /// The model that answers.
    pub(super) fn answering(&self) -> &Model {
        self.successor.as_ref().unwrap_or(&self.model)
    }

    /// Its life cycle and price. `refused`: why the policy refuses a call, if it does.
    pub(super) fn check(&self, refused: Option<&Error>) -> Check {
        let Self { model, successor } = self;
        let name = model.display_name();
        // What budgets refuse is said with the budgets.
        if let Some(error) = refused.filter(|error| error.kind != Kind::BudgetExceeded) {
            return Check::failed(NAME, error);
        }
        let end = model.end_of_life.as_deref().unwrap_or("a date that is not known");
        match (model.lifecycle, successor) {
            (Lifecycle::EndOfLife, Some(successor)) => {
                let successor = successor.display_name();
                let message = format!("AWS has retired {name} ({end}); {successor} answers in its place");
                return Check::warning(NAME, message, format!("choose it yourself: default_model = {successor:?}"));
            }
            (Lifecycle::EndOfLife, None) => {
                let error = Error::new(Kind::EndOfLife, format!("AWS has retired {name} ({end})"));
                return Check::failed(
                    NAME,
                    &match &model.successor {
                        Some(successor) => error.advise(format!(
                            "choose its successor, default_model = {successor:?}, or set follow_successor = true"
                        )),
                        None => error,
                    },
                );
            }
            _ => {}
        }
        let state = match model.lifecycle {
            Lifecycle::Legacy => format!("{name} is a legacy model"),
            Lifecycle::Active => format!("{name} is active"),
            Lifecycle::EndOfLife | Lifecycle::Unknown => {
                format!("{name} is not in the catalog, which knows its family only")
            }
        };
        let Some(prices) = model.prices else {
            let advice = format!("set it in the config file: [models.{name:?}] price = {{ input = …, output = … }}");
            let message = format!("{state}, and its price is not known, so that no budget can limit it");
            return Check::warning(NAME, message, advice);
        };
        let rate = |rate: Rate| format!("${}", rate.dollars());
        let message = format!("{state}; {} in and {} out per million tokens", rate(prices.input), rate(prices.output));
        let is_over = model.end_of_life.as_deref().is_some_and(|end| *end < *today());
        match model.lifecycle {
            Lifecycle::Legacy => {
                Check::warning(NAME, format!("{message}; AWS serves it until {end}"), legacy_advice(model))
            }
            _ if is_over => Check::warning(
                NAME,
                format!("{message}; AWS was to serve it until {end} only"),
                "choose another model: `chatrix models` lists the active ones",
            ),
            _ => Check::ok(NAME, message),
        }
    }
}

fn legacy_advice(model: &Model) -> String {
    let closed = "AWS refuses it to new accounts, and to those that have not used it for 15 days";
    match &model.successor {
        Some(successor) => format!("{closed}; its successor is {successor}"),
        None => format!("{closed}; `chatrix models` lists the active ones"),
    }
}

/// The date of today, in UTC: `2026-11-26`.
fn today() -> String {
    date(Clock::system().today()).to_string()
}
