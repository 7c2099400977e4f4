//! The cost policy: what of a request is sent, and what that may cost at most.
//! [`Policy::admit`] is the only maker of [`Admitted`], and `bedrock` takes nothing else:
//! there is no way to a paid call around this file. Every change it makes is listed, never silent.

mod limits;
pub mod price;

pub use limits::{Fixed, Limits, Overrides};

use crate::catalog::{Catalog, Model, NanoDollars, Sampling};
use crate::conversation::{Part, Request};
use crate::error::{Error, Kind, Result};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A change the policy made to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The member, in OpenAI's word.
    pub param: &'static str,
    /// What was asked; `None` when nothing was.
    pub from: Option<String>,
    /// What is sent; `None` when it is left out.
    pub to: Option<String>,
}

impl Edit {
    /// `max_tokens 64000->1024`, in ASCII for an HTTP header.
    #[must_use]
    pub fn ascii(&self) -> String {
        self.to_string().replace('→', "->")
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.from.as_deref().unwrap_or("unset");
        let to = self.to.as_deref().unwrap_or("unset");
        write!(f, "{} {from}→{to}", self.param)
    }
}

/// A request that may be sent: capped, priced, its model known. Only [`Policy::admit`] makes one.
#[derive(Debug, Clone)]
pub struct Admitted {
    request: Request,
    model: Arc<Model>,
    max_tokens: u32,
    temperature: Option<f64>,
    top_p: Option<f64>,
    stop: Vec<String>,
    worst_case: Option<NanoDollars>,
    edits: Vec<Edit>,
}

impl Admitted {
    /// What was asked. Its limits and sampling are wishes: send those of `Admitted`.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Who is asked.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Upper bound of the answer (tokens), always sent.
    #[must_use]
    pub fn max_tokens(&self) -> u32 {
        self.max_tokens
    }

    /// The temperature to send, where the model takes one.
    #[must_use]
    pub fn temperature(&self) -> Option<f64> {
        self.temperature
    }

    /// The `top_p` to send, where the model takes one.
    #[must_use]
    pub fn top_p(&self) -> Option<f64> {
        self.top_p
    }

    /// The stop sequences to send.
    #[must_use]
    pub fn stop(&self) -> &[String] {
        &self.stop
    }

    /// What the call can cost at most; `None` when the model's price is unknown.
    #[must_use]
    pub fn worst_case(&self) -> Option<NanoDollars> {
        self.worst_case
    }

    /// Every change made to the request.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }
}

/// The rules of this process.
#[derive(Debug)]
pub struct Policy {
    /// Which models there are.
    pub catalog: Arc<Catalog>,
    /// The model of a request that names none.
    pub default_model: String,
    /// Limits for all models.
    pub limits: Limits,
    /// Limits for one model, by alias or id.
    pub overrides: HashMap<String, Overrides>,
    /// Whether a model at its end of life is replaced by its successor.
    pub follow_successor: bool,
}

impl Policy {
    /// Lets a request through, changed where the policy says so.
    ///
    /// # Errors
    /// `ModelNotFound`; `RefusedByPolicy` for a `max_tokens` below 1; `InvalidRequest` for an empty conversation.
    pub fn admit(&self, request: Request) -> Result<Admitted> {
        let name = if request.model.is_empty() { &self.default_model } else { &request.model };
        let model = self.catalog.resolve(name)?;
        self.admit_for(request, model)
    }

    /// Admits the same request for the model that takes over from one at its end of life.
    ///
    /// # Errors
    /// `EndOfLife` when there is no successor or the operator does not want it followed.
    pub fn succeed(&self, admitted: Admitted) -> Result<Admitted> {
        let model = &admitted.model;
        let ended = match &model.end_of_life {
            Some(date) => format!("AWS has retired {} ({}) on {date}", model.display_name(), model.id),
            None => format!("AWS has retired {}", model.id),
        };
        let Some(successor) = &model.successor else {
            return Err(Error::new(Kind::EndOfLife, ended).at("model"));
        };
        if !self.follow_successor {
            let advice = format!("its successor is {successor}; `follow_successor = true` goes there by itself");
            return Err(Error::new(Kind::EndOfLife, ended).at("model").advise(advice));
        }
        let model = self.catalog.resolve(successor)?;
        self.admit_for(admitted.request, model)
    }

    fn admit_for(&self, request: Request, model: Arc<Model>) -> Result<Admitted> {
        let limits = self.limits_for(&model);
        let mut edits = Vec::new();

        let max_tokens = limits.max_tokens(request.max_tokens, model.max_output)?;
        note(&mut edits, "max_tokens", request.max_tokens.map(|n| n.to_string()), Some(max_tokens.to_string()));

        let (temperature, top_p) = match model.capabilities.sampling {
            Sampling::Both => (limits.temperature.value(), limits.top_p.value()),
            // One of the two: temperature is kept, top_p only where there is no temperature (DESIGN §4).
            Sampling::Temperature => match limits.temperature.value() {
                Some(temperature) => (Some(temperature), None),
                None => (None, limits.top_p.value()),
            },
            Sampling::None => (None, None),
        };
        note(&mut edits, "temperature", request.temperature.map(plain), temperature.map(plain));
        note(&mut edits, "top_p", request.top_p.map(plain), top_p.map(plain));

        // Thinking counts against a small answer and is switched off (bedrock.md §2.2); the wish is not hidden.
        note(&mut edits, "reasoning_effort", request.reasoning_effort.clone(), None);

        let mut stop = request.stop.clone();
        if !model.capabilities.takes.stop_sequences && !stop.is_empty() {
            // GPT, Grok and Kimi answer 400 to stop sequences (bedrock.md §2.1, §2.6.12).
            note(&mut edits, "stop", Some(format!("{} texts", stop.len())), None);
            stop.clear();
        }

        if request.messages.is_empty() {
            return Err(Error::new(Kind::MissingParameter, "the conversation has no messages").at("messages"));
        }
        let worst_case = model.prices.map(|prices| price::worst_case(&prices, input_bound(&request), max_tokens));
        Ok(Admitted { request, model, max_tokens, temperature, top_p, stop, worst_case, edits })
    }

    fn limits_for(&self, model: &Model) -> Limits {
        let by_id = self.overrides.get(&model.id);
        let by_alias = model.alias.as_ref().and_then(|alias| self.overrides.get(alias));
        let mut limits = self.limits;
        for overrides in [by_id, by_alias].into_iter().flatten() {
            limits = limits.with(overrides);
        }
        limits
    }
}

/// An upper bound of a request's input tokens: no tokenizer makes more tokens than there are UTF-8 bytes,
/// and the frame around turns, system prompt and request is a few tokens each.
fn input_bound(request: &Request) -> u64 {
    const PER_TURN: usize = 16;
    const PER_REQUEST: usize = 512; // the longest hidden system text we know of is 346 tokens (bedrock.md §2.2)
    let system: usize = request.system.iter().map(|text| text.len() + PER_TURN).sum();
    let turns: usize = request
        .messages
        .iter()
        .map(|message| {
            let parts = message.parts.iter().map(|Part::Text(text)| text.len());
            parts.sum::<usize>() + PER_TURN
        })
        .sum();
    u64::try_from(system + turns + PER_REQUEST).unwrap_or(u64::MAX)
}

fn note(edits: &mut Vec<Edit>, param: &'static str, from: Option<String>, to: Option<String>) {
    if from != to {
        edits.push(Edit { param, from, to });
    }
}

fn plain(number: f64) -> String {
    number.to_string()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::conversation::Message;

    fn policy() -> Policy {
        Policy {
            catalog: Arc::new(Catalog::load(&[]).unwrap()),
            default_model: "claude-haiku".into(),
            limits: Limits::default(),
            overrides: HashMap::new(),
            follow_successor: true,
        }
    }

    fn asked(model: &str, max_tokens: Option<i64>) -> Request {
        Request {
            model: model.into(),
            messages: vec![Message::user("hello")],
            max_tokens,
            temperature: Some(1.0),
            top_p: Some(1.0),
            ..Request::default()
        }
    }

    fn edits(admitted: &Admitted) -> Vec<String> {
        admitted.edits().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn caps_and_fixed_sampling_by_what_the_model_takes() {
        let both = policy().admit(asked("claude-sonnet-4", Some(4096))).unwrap();
        assert_eq!((both.max_tokens(), both.temperature(), both.top_p()), (1024, Some(0.3), Some(0.3)));
        assert_eq!(edits(&both), ["max_tokens 4096→1024", "temperature 1→0.3", "top_p 1→0.3"]);
        let one = policy().admit(asked("claude-sonnet-4-6", None)).unwrap();
        assert_eq!((one.max_tokens(), one.temperature(), one.top_p()), (512, Some(0.3), None));
        assert_eq!(edits(&one), ["max_tokens unset→512", "temperature 1→0.3", "top_p 1→unset"]);
        let none = policy().admit(asked("claude-sonnet", Some(100))).unwrap();
        assert_eq!((none.max_tokens(), none.temperature(), none.top_p()), (100, None, None));
        assert_eq!(none.edits()[0].ascii(), "temperature 1->unset");
    }

    #[test]
    fn below_one_token_is_refused() {
        for wrong in [0, -1, i64::MIN] {
            let error = policy().admit(asked("nova-micro", Some(wrong))).unwrap_err();
            assert_eq!((error.kind, error.param.as_deref()), (Kind::RefusedByPolicy, Some("max_tokens")));
        }
    }

    #[test]
    fn an_operator_can_change_one_model() {
        let mut policy = policy();
        let mut house = Overrides { max_tokens_limit: Some(4096), ..Overrides::default() };
        house.temperature = Some(Fixed::Unset);
        policy.overrides.insert("claude-sonnet-4-6".into(), house);
        let admitted = policy.admit(asked("claude-sonnet-4-6", Some(3000))).unwrap();
        assert_eq!((admitted.max_tokens(), admitted.temperature(), admitted.top_p()), (3000, None, Some(0.3)));
        // The same model by its id is the same model.
        let by_id = policy.admit(asked("us.anthropic.claude-sonnet-4-6", Some(3000))).unwrap();
        assert_eq!(by_id.max_tokens(), 3000);
        assert_eq!(policy.admit(asked("claude-opus-4-6", Some(3000))).unwrap().max_tokens(), 1024);
    }

    #[test]
    fn a_successor_is_admitted_by_its_own_rules() {
        let first = policy().admit(asked("claude-sonnet-4", Some(4096))).unwrap();
        let next = policy().succeed(first.clone()).unwrap();
        assert_eq!(next.model().id, "us.anthropic.claude-sonnet-4-6");
        assert_eq!(next.top_p(), None);
        let strict = Policy { follow_successor: false, ..policy() };
        assert_eq!(strict.succeed(first).unwrap_err().kind, Kind::EndOfLife);
    }

    #[test]
    fn worst_case_covers_every_byte_and_the_whole_answer() {
        let admitted = policy().admit(asked("nova-micro", Some(1000))).unwrap();
        // 5 bytes + 16 + 512 at $0.035, 1000 at $0.14 per million.
        assert_eq!(admitted.worst_case(), Some(NanoDollars(533 * 35 + 1000 * 140)));
        let unpriced = policy().admit(asked("us.anthropic.claude-next-9", None)).unwrap();
        assert_eq!(unpriced.worst_case(), None);
    }
}
