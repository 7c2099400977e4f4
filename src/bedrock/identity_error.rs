//! Classifies credentials that could not be loaded, and refusals of credentials or of a signature.

use super::aws_context::AwsContext;
use super::causes::all_causes;
use crate::error::{Error, Kind};
use aws_credential_types::provider::error::CredentialsError;

pub(super) fn credentials_error(error: &CredentialsError, context: &AwsContext) -> Error {
    let text = all_causes(error);
    let lower = text.to_lowercase();
    if ["expired", "refresh", "sso token", "sso session", "sso login"].iter().any(|piece| lower.contains(piece)) {
        return expired(context, "the AWS credentials have expired");
    }
    match error {
        CredentialsError::CredentialsNotLoaded(_) => match &context.profile {
            None => Error::new(Kind::NoCredentials, "no AWS credentials were found"),
            Some(profile) => {
                Error::new(Kind::NoCredentials, format!("the AWS profile {profile:?} provides no credentials"))
                    .advise(format!("check ~/.aws/config, or run: aws sso login --profile {profile}"))
            }
        },
        _ => Error::new(Kind::NoCredentials, format!("the AWS credentials could not be loaded: {text}")),
    }
}

/// The error for credentials that have expired.
pub(super) fn expired(context: &AwsContext, message: &str) -> Error {
    let error = Error::new(Kind::ExpiredCredentials, message);
    match &context.profile {
        Some(profile) => error.advise(format!("run: aws sso login --profile {profile}")),
        None => error,
    }
}

/// The error for a refusal of the credentials or the signature; `None` for any other. `name` is the code in lower case.
pub(super) fn refused_identity(name: &str, message: &str, context: &AwsContext) -> Option<Error> {
    match name {
        "expiredtoken" => Some(expired(context, "the AWS credentials have expired")),
        "unrecognizedclient" | "invalidclienttokenid" | "incompletesignature" | "missingauthenticationtoken" => {
            let message = format!("AWS does not accept these credentials: {}", message.trim_end_matches('.'));
            let advice =
                "check the access key, the session token or the Bedrock API key, and that they belong to this region";
            Some(Error::new(Kind::ExpiredCredentials, message).advise(advice))
        }
        "invalidsignature" => {
            let text = message.to_lowercase();
            let clock = text.contains("expired") || text.contains("not yet current");
            let advice = if clock { "correct this machine's clock" } else { "check AWS_SECRET_ACCESS_KEY" };
            Some(Error::new(Kind::ExpiredCredentials, "AWS does not accept the signature").advise(advice))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_says_the_next_step() {
        let context = AwsContext { profile: Some("work".into()), region: "eu-west-1".into() };
        assert_eq!(expired(&context, "x").advice(), "run: aws sso login --profile work");
    }
}
