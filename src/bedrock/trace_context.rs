//! The trace that a client's request belongs to (<https://www.w3.org/TR/trace-context/>). It is passed on to Bedrock, so
//! that whatever stands between can be found in the same trace; Chatrix begins none of its own.

/// The longest list of vendors' values that is passed on (characters).
const LONGEST_STATE: usize = 512;

/// A valid trace context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The header `traceparent`.
    pub(super) parent: String,
    /// The header `tracestate`.
    pub(super) state: Option<String>,
}

impl TraceContext {
    /// The context of a request with these headers; `None` without a valid `traceparent`. A `tracestate` that is too long
    /// or not printable is left out.
    #[must_use]
    pub fn from_headers(parent: Option<&str>, states: &[&str]) -> Option<Self> {
        let parent = parent.map(str::trim).filter(|parent| is_valid(parent))?.to_owned();
        let state =
            states.iter().map(|state| state.trim()).filter(|state| !state.is_empty()).collect::<Vec<_>>().join(",");
        let is_usable =
            state.len() <= LONGEST_STATE && state.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        Some(Self { parent, state: Some(state).filter(|state| is_usable && !state.is_empty()) })
    }
}

/// Whether a text is a `traceparent`: version, trace, span and flags in lower-case hexadecimal digits.
fn is_valid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, span, flags, rest @ ..] = parts.as_slice() else { return false };
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |text: &str, length: usize| is_hex(text, length) && text.bytes().any(|byte| byte != b'0');
    // Later versions may add parts.
    let is_version = is_hex(version, 2) && *version != "ff" && (rest.is_empty() || *version != "00");
    is_version
        && text.len() <= LONGEST_STATE
        && text.is_ascii()
        && is_id(trace, 32)
        && is_id(span, 16)
        && is_hex(flags, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

    #[test]
    fn only_valid_contexts_are_passed_on() {
        for (parent, is_valid) in [
            (format!("00-{TRACE}-01"), true),
            (format!(" 00-{TRACE}-00 "), true),
            (format!("01-{TRACE}-01-more"), true),
            (format!("00-{TRACE}-01-more"), false),
            (format!("ff-{TRACE}-01"), false),
            (format!("00-{TRACE}"), false),
            (format!("00-{}-01", TRACE.to_uppercase()), false),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
            (format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", "0".repeat(16)), false),
            (format!("00-{TRACE}-0x"), false),
            (format!("01-{TRACE}-01-{}", "x".repeat(600)), false),
            (String::new(), false),
        ] {
            assert_eq!(TraceContext::from_headers(Some(&parent), &[]).is_some(), is_valid, "{parent}");
        }
        assert_eq!(TraceContext::from_headers(None, &["a=1"]), None);
    }

    #[test]
    fn the_state_goes_along_where_it_can() {
        let parent = format!("00-{TRACE}-01");
        let long = "x".repeat(513);
        for (states, expected) in [
            (&["a=1"][..], Some("a=1")),
            (&["a=1 ", "", " b=2"], Some("a=1,b=2")),
            (&[], None),
            (&["a=\u{1}"], None),
            (&[long.as_str()], None),
        ] {
            let context = TraceContext::from_headers(Some(&parent), states);
            assert_eq!(context.and_then(|context| context.state).as_deref(), expected, "{states:?}");
        }
    }
}
