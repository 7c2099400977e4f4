//! Names of AWS regions, and the region that a model's ARN names.

use crate::error::{Error, Field, Kind, Result};
use std::fmt;

/// More than the longest name has.
const LONGEST_NAME: usize = 40;

/// The name of an AWS region, such as `us-east-1`. It becomes part of a host name, so its form is checked wherever it
/// comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region(String);

impl Region {
    /// The region when nothing sets one.
    pub(in crate::bedrock) fn default_region() -> Self {
        Self("us-west-2".to_owned())
    }

    /// Reads a name. Blanks and line ends around it are dropped. `source` says in an error where the name was set.
    ///
    /// # Errors
    /// `Config` when the text does not have the form of a region's name.
    pub fn parse(text: &str, source: impl fmt::Display) -> Result<Self> {
        let name = text.trim();
        if has_form_of_region(name) {
            return Ok(Self(name.to_owned()));
        }
        let shown: String = name.chars().take(LONGEST_NAME).collect();
        let message =
            format!("the AWS region from {source} is {shown:?}, which is not the name of a region such as us-east-1");
        Err(Error::new(Kind::Config, message))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a name is made of words of letters and a final number, as in `us-east-1` or `us-gov-west-1`.
fn has_form_of_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let [geography, words @ .., number] = parts.as_slice() else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = !number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    name.len() <= LONGEST_NAME
        && geography.len() >= 2
        && is_word(geography)
        && !words.is_empty()
        && is_number
        && words.iter().all(|word| is_word(word))
}

/// The region that a model id names: the one of an ARN (`arn:PARTITION:SERVICE:REGION:…`). Such a model exists in that
/// region only (docs/credentials.md §4). `None` for any other id, and for an ARN without a region.
///
/// # Errors
/// `InvalidRequest` when the ARN names something that is not a region.
pub(in crate::bedrock) fn region_of_model(id: &str) -> Result<Option<Region>> {
    let Some(rest) = id.strip_prefix("arn:") else { return Ok(None) };
    match rest.split(':').nth(2) {
        None | Some("") => Ok(None),
        Some(name) => Region::parse(name, "the model's ARN")
            .map(Some)
            .map_err(|error| Error::new(Kind::InvalidRequest, error.message).at(Field::Model)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn names_of_regions_have_one_form() {
        for name in
            ["us-east-1", "us-gov-west-1", "ap-southeast-7", "us-isob-east-1", "eusc-de-east-1", " eu-west-1\r\n"]
        {
            assert_eq!(Region::parse(name, "a test").unwrap().as_str(), name.trim());
        }
        for name in [
            "",
            " ",
            "us",
            "us-east",
            "us-1",
            "US-EAST-1",
            "us east 1",
            "us-east-1.evil.example",
            "us-east-1/",
            "u-east-1",
            "http://us-east-1",
            "us--1",
            "us-east-1-",
            "us-east-a1",
            "us-east-1a",
            "us-west-2\u{0}",
            "üs-east-1",
            "aws-global",
            "us-east-1\nus-east-2",
            "us-east-99999",
        ] {
            let error = Region::parse(name, "AWS_REGION").unwrap_err();
            assert_eq!(error.kind, Kind::Config, "{name:?}");
            assert!(error.message.starts_with("the AWS region from AWS_REGION is "), "{}", error.message);
        }
    }

    #[test]
    fn an_arn_names_its_region() {
        for (id, region) in [
            ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", Some("us-east-1")),
            ("arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-x", Some("eu-central-1")),
            ("arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:provisioned-model/abc", Some("us-gov-west-1")),
            ("arn:aws:bedrock:::x", None),
            ("arn:x/y", None),
            ("us.anthropic.claude-sonnet-4-6", None),
            ("", None),
        ] {
            let found = region_of_model(id).unwrap();
            assert_eq!(found.as_ref().map(Region::as_str), region, "{id}");
        }
        for id in ["arn:aws:bedrock:us-east-1.evil.example/:1:x", "arn:aws:bedrock: :1:x", "arn:aws:bedrock:x@y:1:z"] {
            let error = region_of_model(id).unwrap_err();
            assert_eq!((error.kind, error.at), (Kind::InvalidRequest, Some(Field::Model)), "{id}");
        }
    }
}
