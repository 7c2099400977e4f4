//! The paid routes: a parsed request goes through the one door, and its answer out as JSON or as a stream.

use super::routes::{json, random, set};
use super::{State, over, sse};
use crate::api::openai::chat::ChatRequest;
use crate::api::openai::chunk::{Chunks, Writer};
use crate::api::openai::completions::{self, TextChunks};
use crate::api::openai::{completion, embeddings};
use crate::catalog::NanoDollars;
use crate::conversation::Answer;
use crate::engine::{AnswerMode, Call, Caller};
use crate::error::Result;
use bytes::Bytes;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};
use warp::Reply;
use warp::reply::Response;

/// How an answer is written: as chat, or as legacy text completion.
pub trait Style {
    /// The writer of a streamed answer.
    type Chunks: Writer + Send + 'static;
    /// How its ids begin.
    const ID: &'static str;
    /// A complete answer.
    fn complete(id: &str, created: u64, model: &str, answer: &Answer, cost: Option<NanoDollars>) -> Value;
    /// A streamed answer.
    fn chunks(id: String, created: u64, model: String, include_usage: bool) -> Self::Chunks;
}

/// `POST /chat/completions`
pub struct Chat;
/// `POST /completions`
pub struct Legacy;

impl Style for Chat {
    type Chunks = Chunks;
    const ID: &'static str = "chatcmpl";

    fn complete(id: &str, created: u64, model: &str, answer: &Answer, cost: Option<NanoDollars>) -> Value {
        completion::completion(id, created, model, answer, cost)
    }

    fn chunks(id: String, created: u64, model: String, include_usage: bool) -> Chunks {
        Chunks::new(id, created, model, include_usage)
    }
}

impl Style for Legacy {
    type Chunks = TextChunks;
    const ID: &'static str = "cmpl";

    fn complete(id: &str, created: u64, model: &str, answer: &Answer, cost: Option<NanoDollars>) -> Value {
        completions::completion(id, created, model, answer, cost)
    }

    fn chunks(id: String, created: u64, model: String, include_usage: bool) -> TextChunks {
        TextChunks { id, created, model, include_usage }
    }
}

/// Asks a model.
pub async fn ask<S: Style>(state: &State, asked: ChatRequest, caller: Caller) -> Result<Response> {
    let name = match asked.request.model.as_str() {
        "" => state.engine.policy().default_model.clone(),
        name => name.to_owned(),
    };
    let id = format!("{}-{}", S::ID, random());
    let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let delivery = if asked.stream { AnswerMode::Streamed } else { AnswerMode::Complete };
    // The status is 200 only from here on: until Bedrock has accepted, errors have a status of their own.
    let mut call = state.engine.ask(asked.request, delivery, caller).await?;
    state.announce(&call);
    let about = about(&call);
    let mut left = call.budget_left();
    let mut response = if asked.stream {
        let chunks = S::chunks(id, created, name, asked.include_usage);
        let stream = sse::body(call, chunks, over(state.closing.clone()));
        let mut response = warp::reply::stream(stream).into_response();
        set(response.headers_mut(), "content-type", "text/event-stream; charset=utf-8");
        set(response.headers_mut(), "cache-control", "no-cache");
        set(response.headers_mut(), "x-accel-buffering", "no");
        response
    } else {
        let answer = call.answer().await?;
        let mut response = json(&S::complete(&id, created, &name, &answer, call.cost()));
        money(&mut response, "x-chatrix-cost-usd", call.cost());
        left = call.budget_left();
        state.warn(&call.warnings());
        response
    };
    money(&mut response, "x-chatrix-budget-remaining-usd", left);
    for (name, value) in about {
        set(response.headers_mut(), name, &value);
    }
    Ok(response)
}

/// Embeds texts.
pub async fn embeddings(state: &State, body: &Bytes, caller: &Caller) -> Result<Response> {
    let (request, encoding) = embeddings::parse(body)?;
    let name = request.model.clone();
    let embedded = state.engine.embed(request, caller).await?;
    state.warn(&embedded.warnings);
    let mut response = json(&embeddings::answer(&name, &embedded.embeddings, encoding));
    set(response.headers_mut(), "x-chatrix-model", &embedded.model);
    money(&mut response, "x-chatrix-cost-usd", embedded.cost);
    money(&mut response, "x-chatrix-budget-remaining-usd", embedded.left);
    Ok(response)
}

/// An amount, where it is known.
fn money(response: &mut Response, name: &'static str, amount: Option<NanoDollars>) {
    if let Some(amount) = amount {
        set(response.headers_mut(), name, &amount.dollars());
    }
}

/// What the policy and the life cycle did, for whoever wants to know.
fn about(call: &Call) -> Vec<(&'static str, String)> {
    let mut about = vec![("x-chatrix-model", call.model().id.clone())];
    if !call.edits().is_empty() {
        let edits: Vec<String> = call.edits().iter().map(crate::policy::Edit::ascii).collect();
        about.push(("x-chatrix-policy", edits.join("; ")));
    }
    about.extend(call.successor_notice().map(|text| ("x-chatrix-successor", text)));
    about
}
