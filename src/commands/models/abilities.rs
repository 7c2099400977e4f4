//! What a model can do, in sentences.

use crate::catalog::{Features, Model, Sampling, Thinking};
use crate::terminal::footer::grouped;

/// What the model can do, a sentence for each kind of thing.
pub(super) fn abilities(model: &Model) -> Vec<String> {
    let capabilities = &model.capabilities;
    let Features {
        tools: _,
        streamed_tools: _,
        forced_tool_choice: _,
        any_tool_choice: _,
        json_schema,
        images,
        documents,
        prefill,
        cache,
        stop_sequences,
        count_tokens,
    } = capabilities.features;
    let reads = match (images, documents) {
        (true, true) => "reads images and documents",
        (true, false) => "reads images, but no documents",
        (false, true) => "reads documents, but no images",
        (false, false) => "reads text only",
    };
    let thinking = match (capabilities.thinking, capabilities.max_effort) {
        (Thinking::None, _) => "does not reason".to_owned(),
        (Thinking::Budget, _) => "reasons when a request gives it a budget for that".to_owned(),
        (Thinking::Adaptive, Some(effort)) => {
            format!("decides how much it reasons, up to the effort {}", effort.as_str())
        }
        (Thinking::Adaptive, None) => "decides how much it reasons".to_owned(),
        (Thinking::Always, _) => "always reasons, which uses up a part of the answer's length".to_owned(),
    };
    let sampling = match capabilities.sampling {
        Sampling::Both => "takes temperature and top_p, which the policy sets",
        Sampling::Temperature => "takes temperature or top_p; the policy sets the temperature",
        Sampling::None => "takes neither temperature nor top_p",
    };
    let cache = cache.then(|| match capabilities.cache {
        Some(shortest) => format!("keeps prompts of {} tokens and more in the prompt cache", grouped(shortest)),
        None => "has a prompt cache".to_owned(),
    });
    let sentences = [
        Some(calls_tools(capabilities.features)),
        json_schema.then(|| "gives answers that match a JSON schema".to_owned()),
        Some(reads.to_owned()),
        Some(thinking),
        cache,
        prefill.then(|| "continues an answer that the client has begun".to_owned()),
        stop_sequences.then(|| "takes stop sequences".to_owned()),
        count_tokens.then(|| "has its prompts counted before a call, free of charge".to_owned()),
        Some(sampling.to_owned()),
    ];
    sentences.into_iter().flatten().collect()
}

fn calls_tools(features: Features) -> String {
    if !features.tools {
        return "calls no tools".to_owned();
    }
    let streamed = if features.streamed_tools {
        "calls tools, also in streamed answers"
    } else {
        "calls tools, but not in streamed answers"
    };
    let forced = match (features.forced_tool_choice, features.any_tool_choice) {
        (true, _) => "a request may say which tool must be called",
        (false, true) => "a request may say that some tool must be called, but not which",
        (false, false) => "no request can make it call one",
    };
    format!("{streamed}; {forced}")
}
