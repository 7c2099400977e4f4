//! The AWS profile and region in use, as error messages name them.

/// The settings of the AWS client that error messages mention.
#[derive(Debug, Clone)]
pub(in crate::bedrock) struct AwsContext {
    /// `None` unless a flag or `AWS_PROFILE` names one.
    pub(in crate::bedrock) profile: Option<String>,
    pub(in crate::bedrock) region: String,
}
