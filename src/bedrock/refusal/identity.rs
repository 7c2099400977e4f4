//! Refusals of the credentials, and what to do about them.

use crate::bedrock::aws_context::AwsContext;
use crate::error::{Error, Kind};

/// The error for credentials that have expired.
pub(in crate::bedrock) fn expired(context: &AwsContext, message: &str) -> Error {
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
