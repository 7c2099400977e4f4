//! Classifies credentials that could not be loaded, and refusals of credentials or of a signature. Nothing was sent to
//! Bedrock, or nothing was generated, so nothing is owed.

use super::aws_context::{AwsContext, CredentialSource, ProfileCredentials, ProfileKind};
use super::causes::{find_cause, root_cause};
use crate::error::{Error, Kind};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::error::ErrorMetadata;

/// The longest part of another program's message that is shown.
const LONGEST_DETAIL: usize = 300;
const FIND_CREDENTIALS: &str = "run `aws configure` or `aws sso login`, or set AWS_PROFILE, AWS_ACCESS_KEY_ID and \
                                AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK; --offline needs no AWS account";

/// Classifies credentials that could not be loaded.
pub(super) fn credentials_error(error: &CredentialsError, context: &AwsContext) -> Error {
    let failed = |what: &str| {
        let detail = match error {
            CredentialsError::ProviderTimedOut(limit) => {
                format!("there was no answer within {} s", limit.timeout_duration().as_secs())
            }
            _ => detail(error),
        };
        Error::new(Kind::NoCredentials, format!("{what}: {detail}"))
    };
    match &context.credentials {
        CredentialSource::Profile(profile) => profile_error(error, profile, context, &failed),
        CredentialSource::WebIdentity => failed("the web identity in AWS_WEB_IDENTITY_TOKEN_FILE gives no credentials")
            .advise("check AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN"),
        CredentialSource::Container => failed("the container gives no AWS credentials")
            .advise("check AWS_CONTAINER_CREDENTIALS_FULL_URI or AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        CredentialSource::ApiKey | CredentialSource::EnvironmentKeys | CredentialSource::Offline => {
            failed("the AWS credentials cannot be used").advise("check the AWS variables of the environment")
        }
        // The instance metadata service is asked when nothing is set. That it does not answer is not news.
        CredentialSource::Instance | CredentialSource::Missing => match &context.profile {
            Some(profile) => {
                Error::new(Kind::NoCredentials, format!("the AWS profile {profile:?} holds no credentials"))
                    .advise(format!("run: aws configure --profile {profile}"))
            }
            None => Error::new(Kind::NoCredentials, "no AWS credentials were found").advise(FIND_CREDENTIALS),
        },
    }
}

fn profile_error(
    error: &CredentialsError,
    profile: &ProfileCredentials,
    context: &AwsContext,
    failed: &dyn Fn(&str) -> Error,
) -> Error {
    let name = &profile.base;
    if matches!(error, CredentialsError::InvalidConfiguration(_) | CredentialsError::CredentialsNotLoaded(_)) {
        return failed(&format!("the AWS profile {:?} cannot be used", profile.profile)).advise("correct the profile");
    }
    let code = find_cause::<ErrorMetadata>(error).and_then(ErrorMetadata::code);
    let is_unreachable =
        find_cause::<ConnectorError>(error).is_some() || matches!(error, CredentialsError::ProviderTimedOut(_));
    match profile.kind {
        _ if is_unreachable && profile.kind != ProfileKind::CredentialProcess => {
            failed(&format!("the service that gives the credentials of the AWS profile {name:?} does not answer"))
                .advise("check the network and the profile")
        }
        ProfileKind::Sso if code == Some("ForbiddenException") => {
            failed(&format!("SSO refuses the role of the AWS profile {name:?}"))
                .advise("check sso_account_id and sso_role_name")
        }
        _ if profile.assumes_role && code.is_some() => {
            failed(&format!("the role of the AWS profile {:?} cannot be assumed", profile.profile))
                .advise("check role_arn, and who may assume the role")
        }
        ProfileKind::Sso => expired(context, &format!("there is no valid SSO session for the AWS profile {name:?}")),
        ProfileKind::LoginSession => {
            expired(context, &format!("there is no valid login session for the AWS profile {name:?}"))
        }
        ProfileKind::CredentialProcess => {
            failed(&format!("the credential_process of the AWS profile {name:?} gives no credentials"))
                .advise("run that program to see what is wrong")
        }
        ProfileKind::Keys | ProfileKind::WebIdentity | ProfileKind::Elsewhere => {
            failed(&format!("the AWS profile {:?} gives no credentials", profile.profile)).advise("check the profile")
        }
    }
}

/// What the innermost cause says, in one line and without what the SDK says about itself.
fn detail(error: &CredentialsError) -> String {
    let said = match find_cause::<ErrorMetadata>(error) {
        Some(metadata) => match (metadata.code(), metadata.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (code, message) => code.or(message).unwrap_or("the service refuses").to_owned(),
        },
        None => root_cause(error),
    };
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    // These are the words with which the SDK begins or joins what others have said.
    let said = [
        ("Error retrieving credentials from external process, ", ""),
        ("Error retrieving credentials from external process: ", ""),
        ("Error retrieving credentials: external process exited with code exit status:", "it exited with status"),
        (". Stderr: ", ": "),
        ("ProfileFile provider could not be built: ", ""),
    ]
    .iter()
    .fold(said, |said, (words, ours)| said.replacen(words, ours, 1));
    let shown: String = said.chars().filter(|c| !c.is_control()).take(LONGEST_DETAIL).collect();
    shown.trim_end_matches('.').to_owned()
}

/// The error for credentials that have expired.
fn expired(context: &AwsContext, message: &str) -> Error {
    Error::new(Kind::ExpiredCredentials, message).advise(context.renewal())
}

/// The error for a refusal of the credentials or the signature; `None` for any other. `name` is the code in lower case.
pub(super) fn refused_identity(name: &str, message: &str, context: &AwsContext) -> Option<Error> {
    let text = message.to_lowercase();
    match name {
        "expiredtoken" | "tokenrefreshrequired" => Some(expired(context, "the AWS credentials have expired")),
        "accessdenied" | "forbidden" | "" if text.contains("security token included in the request is expired") => {
            Some(expired(context, "the AWS credentials have expired"))
        }
        "unrecognizedclient"
        | "invalidclienttokenid"
        | "invalidaccesskeyid"
        | "incompletesignature"
        | "missingauthenticationtoken" => {
            let message = format!("AWS does not accept these credentials: {}", message.trim_end_matches('.'));
            let advice =
                "check the access key, the session token or the Bedrock API key, and that they belong to this region";
            Some(Error::new(Kind::ExpiredCredentials, message).advise(advice))
        }
        "invalidsignature" | "signaturedoesnotmatch" => {
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
    fn advice_says_how_to_renew() {
        let profile = |kind, base: &str| {
            let (profile, base) = ("work".to_owned(), base.to_owned());
            CredentialSource::Profile(ProfileCredentials { profile, base, kind, assumes_role: false })
        };
        for (credentials, advice) in [
            (profile(ProfileKind::Sso, "work"), "run: aws sso login --profile work"),
            (profile(ProfileKind::Sso, "login"), "run: aws sso login --profile login"),
            (profile(ProfileKind::Sso, "default"), "run: aws sso login"),
            (profile(ProfileKind::Sso, "my work"), "run: aws sso login --profile \"my work\""),
            (profile(ProfileKind::LoginSession, "work"), "run: aws login --profile work"),
            (profile(ProfileKind::Keys, "work"), "renew them (aws sso login, or new keys)"),
            (CredentialSource::EnvironmentKeys, "renew them (aws sso login, or new keys)"),
            (CredentialSource::ApiKey, "create a new Bedrock API key and set AWS_BEARER_TOKEN_BEDROCK"),
        ] {
            let context = AwsContext { credentials, profile: None, region: "eu-west-1".into() };
            assert_eq!(expired(&context, "x").advice(), advice);
        }
    }
}
