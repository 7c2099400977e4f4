//! Bedrock's ids: `[geography.]provider.model`, or an ARN that ends in one or hides it (docs/bedrock.md §1.1, §3.2).

/// Prefixes of inference profiles: the geography a call may be routed in (docs/bedrock.md §3.2).
const GEOGRAPHIES: [&str; 9] = ["us", "eu", "apac", "jp", "au", "ca", "in", "us-gov", "global"];

/// Whether a name has the shape of a Bedrock id, `[geography.]provider.model`, or of an ARN.
pub(super) fn is_bedrock_id(name: &str) -> bool {
    if name.len() > 2048 || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return false;
    }
    if name.starts_with("arn:") {
        return true;
    }
    match without_geography(name).split_once('.') {
        Some((provider, model)) => {
            !model.is_empty()
                && !provider.is_empty()
                && provider.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        }
        None => false,
    }
}

/// The id of the foundation model behind an id, without geography; `None` for an ARN, which may hide it.
#[must_use]
pub fn foundation_model(id: &str) -> Option<&str> {
    let model = base(id);
    (!model.starts_with("arn:")).then_some(model)
}

/// What a model is, wherever it is routed: its id without geography, and without the ARN around it.
/// An ARN that hides its model stands for itself.
#[must_use]
pub fn base(id: &str) -> &str {
    let hidden = id.contains(":application-inference-profile/") || id.contains(":provisioned-model/");
    let plain = if id.starts_with("arn:") && !hidden { id.rsplit('/').next().unwrap_or(id) } else { id };
    without_geography(plain)
}

/// An id without its geography prefix.
pub(super) fn without_geography(id: &str) -> &str {
    match id.split_once('.') {
        Some((prefix, rest)) if GEOGRAPHIES.contains(&prefix) => rest,
        _ => id,
    }
}

/// Who made a model, by its id.
pub(super) fn provider(id: &str) -> String {
    without_geography(id).split_once('.').map_or("unknown", |(provider, _)| provider).to_owned()
}
