//! `/cost` and `/context`: what was spent, what may be, and how full the model's window is.

use super::running_chat::{RunningChat, session_cost};
use crate::catalog::NanoDollars;
use crate::conversation::Message;
use crate::terminal::footer::grouped;
use crate::terminal::printable::Printable;

pub(super) async fn cost(chat: &RunningChat) -> Printable {
    let answers = match chat.session.answers() {
        1 => "1 answer".to_owned(),
        more => format!("{more} answers"),
    };
    let spent = chat.session.spent();
    let mut text = format!("this session: {answers}");
    if spent.settled() > NanoDollars(0) || (spent.uncertain() == NanoDollars(0) && spent.unpriced == 0) {
        text.push_str(&format!(", {}", spent.settled()));
    }
    if spent.uncertain() > NanoDollars(0) {
        let amount = spent.uncertain();
        text.push_str(&format!(", and at most {amount} for answers whose cost is unknown"));
    }
    if spent.unpriced > 0 {
        text.push_str(&format!(", and {} at an unknown price", spent.unpriced));
    }
    let since_start = chat.spent();
    if since_start != spent {
        text.push_str(&format!("\nsince this chat was started: {}", session_cost(since_start)));
    }
    if let (Some(left), Some(most)) = (chat.left(), chat.max_cost) {
        text.push_str(&format!("\n{left} left of --max-cost {most}"));
    }
    for status in chat.engine.guard().statuses().await {
        text.push_str(&format!("\n{} left of the {status}", status.left()));
    }
    Printable::lines(text)
}

/// How many tokens the conversation has, and what the next question can cost.
///
/// # Errors
/// Those of the policy, for a conversation that the model does not take.
pub(super) fn context(chat: &RunningChat) -> anyhow::Result<Printable> {
    let mut messages = chat.session.messages();
    let mut next = Message::user("?");
    let files = chat.pending.iter().map(|file| file.part.clone());
    next.parts.splice(0..0, files);
    messages.push(next);
    let admitted = chat.engine.policy().admit(chat.request(messages, None), None)?;
    let counted = chat.session.last().and_then(|last| last.answer.usage).filter(|_| chat.pending.is_empty());
    let (tokens, how) = match counted {
        Some(tokens) => (tokens.input.saturating_add(tokens.output), "counted with the last answer"),
        None => (admitted.expected_input(), "estimated"),
    };
    let model = admitted.model();
    let mut text = format!("{} tokens ({how})", grouped(tokens));
    match model.context_window {
        Some(window) => {
            let percent = u128::from(tokens) * 100 / u128::from(window.max(1));
            text.push_str(&format!(", {percent} % of the {} of {}", grouped(window), model.display_name()));
        }
        None => text.push_str(&format!("; the window of {} is unknown", model.display_name())),
    }
    text.push_str(&match admitted.amount_to_reserve(u32::MAX) {
        Some(cost) => format!("\na short next question can cost at most {cost}"),
        None => "\nwhat the next question costs is unknown, because the model has no price".to_owned(),
    });
    Ok(Printable::lines(text))
}
