//! Bedrock's model ids: `[geography.]provider.model`, or an ARN. Some ARNs end in such an id, others do not show it
//! (docs/bedrock.md §1.1, §3.2).

/// The longest name of a model (bytes), which is Bedrock's limit for `modelId`
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>).
pub const MAX_NAME_LENGTH: usize = 2048;

/// Prefixes of inference profiles. Each names the geography in which a call may be routed (docs/bedrock.md §3.2).
const GEOGRAPHIES: [&str; 9] = ["us", "eu", "apac", "jp", "au", "ca", "in", "us-gov", "global"];

/// Whether a name has the shape of a Bedrock id, `[geography.]provider.model`, or of an ARN.
pub(super) fn is_bedrock_id(name: &str) -> bool {
    if name.len() > MAX_NAME_LENGTH || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
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

/// The id of the foundation model behind an id, without geography. `None` for an ARN that does not show it.
#[must_use]
pub fn foundation_model(id: &str) -> Option<&str> {
    let model = base(id);
    (!model.starts_with("arn:")).then_some(model)
}

/// The part of an id that is the same in every geography and in an ARN. An ARN that does not show its model is returned
/// as it is.
#[must_use]
pub fn base(id: &str) -> &str {
    without_geography(of_arn(id))
}

/// The id that an ARN ends in, if it is that of a profile or a foundation model that AWS defines. What an account calls its
/// own resources, such as a stored prompt or a provisioned model, does not show their model.
pub(super) fn of_arn(id: &str) -> &str {
    const SHOWING: [&str; 2] = ["inference-profile/", "foundation-model/"];
    if !id.starts_with("arn:") {
        return id;
    }
    let resource = id.rsplit(':').find(|part| part.contains('/')).unwrap_or_default();
    let resource = id.find(resource).and_then(|at| id.get(at..)).unwrap_or(id);
    SHOWING.iter().find_map(|kind| resource.strip_prefix(kind)).unwrap_or(id)
}

/// An id without its geography prefix.
pub(super) fn without_geography(id: &str) -> &str {
    match id.split_once('.') {
        Some((prefix, rest)) if GEOGRAPHIES.contains(&prefix) => rest,
        _ => id,
    }
}

/// The name of the company that made a model, as it stands in the model's id.
pub(super) fn provider_of(id: &str) -> String {
    without_geography(id).split_once('.').map_or("unknown", |(provider, _)| provider).to_owned()
}
