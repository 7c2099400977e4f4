//! Takes out of a text what must never be logged or shown to a client: ARNs and the numbers of AWS accounts, and the
//! tokens of API keys and access keys. Clients choose model names, AWS and the operator choose ids, and any of them may
//! hold such a thing.

/// The fewest digits in a row that are taken for the number of an AWS account.
const ACCOUNT_DIGITS: usize = 12;
/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";
/// How the tokens of API keys begin, Chatrix's own and those of others, and the ids and tokens of AWS credentials.
const SECRET_PREFIXES: [&str; 6] = ["sk-", "AKIA", "ASIA", "ABSK", "bedrock-api-key-", "IQoJ"];
/// The fewest characters of a token. A shorter word with such a beginning is none.
const SHORTEST_SECRET: usize = 16;

/// The text without secrets. An ARN keeps its resource, which names the model: `inference-profile/us.amazon.nova…`.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    if !may_hold_secret(text) {
        return text.to_owned();
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word_end = rest.find(is_separator).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(word_end);
        clean.push_str(&clean_word(word));
        let separator = tail.chars().next().map_or(0, char::len_utf8);
        clean.push_str(&tail[..separator]);
        rest = &tail[separator..];
    }
    clean
}

/// Whether a text holds anything that a secret begins with. Most texts do not, and are then not looked at word by word.
fn may_hold_secret(text: &str) -> bool {
    let digits = text.bytes().scan(0, |run, byte| {
        *run = if byte.is_ascii_digit() { *run + 1 } else { 0 };
        Some(*run)
    });
    let mut pairs = text.as_bytes().windows(2);
    pairs.any(|pair| pair.eq_ignore_ascii_case(b"n:"))
        || SECRET_PREFIXES.iter().any(|prefix| text.contains(prefix))
        || digits.max().is_some_and(|longest| longest >= ACCOUNT_DIGITS)
}

/// Whether a character ends a word. A colon or a slash does not: both are parts of ARNs.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`()[]{}<>,;|=".contains(c)
}

fn clean_word(word: &str) -> String {
    if let Some(resource) = resource_of_arn(word) {
        return without_accounts(resource);
    }
    if is_uuid(word) {
        return word.to_owned();
    }
    if holds_token(word) { REDACTED.to_owned() } else { without_accounts(word) }
}

/// Whether a token begins anywhere in a word. `sk-` may be the end of a longer word, such as `disk-`.
fn holds_token(word: &str) -> bool {
    SECRET_PREFIXES.iter().any(|prefix| {
        word.match_indices(prefix).any(|(start, _)| {
            let is_part = *prefix == "sk-" && word[..start].ends_with(|c: char| c.is_ascii_alphabetic());
            !is_part && word.len() - start >= SHORTEST_SECRET
        })
    })
}

/// Whether a word is an id of the form 8-4-4-4-12, as Bedrock's are. Its last part may be digits only, like the number of
/// an account.
fn is_uuid(word: &str) -> bool {
    word.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// The last part of `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`, wherever the ARN begins in a word.
fn resource_of_arn(word: &str) -> Option<&str> {
    let start = word.as_bytes().windows(4).position(|bytes| bytes.eq_ignore_ascii_case(b"arn:"))?;
    let mut parts = word.get(start..)?.splitn(6, ':');
    // The resources of these services are people and roles, not models.
    let names_who = matches!(parts.nth(2), Some("sts" | "iam" | "sso" | "identitystore"));
    Some(parts.nth(2).filter(|_| !names_who).unwrap_or(REDACTED))
}

/// The word with its long runs of digits replaced.
fn without_accounts(word: &str) -> String {
    let mut clean = String::with_capacity(word.len());
    let mut digits = 0;
    for c in word.chars() {
        clean.push(c);
        digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
        if digits == ACCOUNT_DIGITS {
            clean.truncate(clean.len() - ACCOUNT_DIGITS);
            clean.push_str(REDACTED);
        } else if digits > ACCOUNT_DIGITS {
            clean.pop();
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_and_secrets_go() {
        let token = format!("sk-chatrix-{}", "0f".repeat(32));
        for (text, expected) in [
            ("us.anthropic.claude-sonnet-4-20250514-v1:0".to_owned(), "us.anthropic.claude-sonnet-4-20250514-v1:0"),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0".into(),
                "inference-profile/us.amazon.nova-micro-v1:0",
            ),
            ("bedrock/ARN:aws-us-gov:bedrock:r:123456789012:provisioned-model/abc".into(), "provisioned-model/abc"),
            ("arn:aws:sts::123456789012".into(), "[redacted]"),
            (
                "User: arn:aws:sts::123456789012:assumed-role/x is not authorized".into(),
                "User: [redacted] is not authorized",
            ),
            (
                "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ax".into(),
                "arn%3Aaws%3Abedrock%3Aus-east-1%3A[redacted]%3Ax",
            ),
            (format!("key {token}."), "key [redacted]"),
            (format!("x/{token}"), "[redacted]"),
            ("AKIAIOSFODNN7EXAMPLE, ASIAIOSFODNN7EXAMPLE".into(), "[redacted], [redacted]"),
            ("arn:aws:bedrock:r:123456789012:x/123456789012345".into(), "x/[redacted]"),
            ("id 1b2c3d4e-0000-4000-8000-123456789012.".into(), "id 1b2c3d4e-0000-4000-8000-[redacted]."),
            ("id 1b2c3d4e-0000-4000-8000-123456789012,".into(), "id 1b2c3d4e-0000-4000-8000-123456789012,"),
            (format!("gpt@{token}"), "[redacted]"),
            (format!("Bearer%20{token}"), "[redacted]"),
            ("_AKIAIOSFODNN7EXAMPLE".into(), "[redacted]"),
            ("disk-encryption-assistant".into(), "disk-encryption-assistant"),
            ("listening on http://127.0.0.1:3000, sk-none".into(), "listening on http://127.0.0.1:3000, sk-none"),
        ] {
            assert_eq!(without_secrets(&text), expected, "{text}");
        }
    }
}
