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
const FIND_CREDENTIALS: &str = "run `aws configure` or `aws sso login`, set AWS_PROFILE or AWS_ACCESS_KEY_ID and \
                                AWS_SECRET_ACCESS_KEY, or put a Bedrock API key into AWS_BEARER_TOKEN_BEDROCK; \
                                --offline needs no AWS account";

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

/// What AWS has against an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Objection {
    /// It has expired.
    Expired,
    /// It is not known, or not any more.
    Unknown,
    /// The signature is not that of the key.
    Signature,
    /// The time of the signature is not AWS's.
    Clock,
}

/// What a refusal has against the identity; `None` for any other refusal. `name` is the code in lower case without
/// `Exception`, and `text` the message in lower case. AWS's services share these codes, and a proxy may give others than
/// Bedrock (<https://docs.aws.amazon.com/general/latest/gr/CommonErrors.html>).
fn objection(name: &str, text: &str) -> Option<Objection> {
    let is_about_time = || text.contains("signature expired") || text.contains("not yet current");
    let is_about_token = || text.contains("security token") || text.contains("access key");
    match name {
        "expiredtoken" | "expiredtokenid" | "tokenrefreshrequired" => Some(Objection::Expired),
        "unrecognizedclient"
        | "invalidclienttokenid"
        | "invalidaccesskeyid"
        | "invalidtoken"
        | "invalidsecurity"
        | "missingauthenticationtoken" => Some(Objection::Unknown),
        "requesttimetooskewed" | "requestexpired" | "requestinthefuture" => Some(Objection::Clock),
        "invalidsignature" | "signaturedoesnotmatch" | "incompletesignature" if is_about_time() => {
            Some(Objection::Clock)
        }
        "invalidsignature" | "signaturedoesnotmatch" | "incompletesignature" => Some(Objection::Signature),
        "accessdenied" | "forbidden" | "authfailure" | "" if is_about_time() => Some(Objection::Clock),
        "accessdenied" | "forbidden" | "authfailure" | "" if is_about_token() && text.contains("expired") => {
            Some(Objection::Expired)
        }
        "accessdenied" | "forbidden" | "authfailure" | "" if is_about_token() && text.contains("invalid") => {
            Some(Objection::Unknown)
        }
        _ => None,
    }
}

/// The error for a refusal of the credentials or the signature; `None` for any other. `name` is the code in lower case.
pub(super) fn refused_identity(name: &str, message: &str, context: &AwsContext) -> Option<Error> {
    Some(match objection(name, &message.to_lowercase())? {
        Objection::Expired => expired(context, "the AWS credentials have expired"),
        Objection::Unknown => {
            let message = format!("AWS does not accept these credentials: {}", message.trim_end_matches('.'));
            let advice =
                "check the access key, the session token or the Bedrock API key, and that they belong to this region";
            Error::new(Kind::ExpiredCredentials, message).advise(advice)
        }
        Objection::Signature => Error::new(Kind::ExpiredCredentials, "AWS does not accept the signature")
            .advise("check AWS_SECRET_ACCESS_KEY"),
        Objection::Clock => {
            Error::new(Kind::ClockSkew, "AWS does not accept the signature, because this machine's clock is wrong")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_an_identity_are_told_apart() {
        use Objection::{Clock, Expired, Signature, Unknown};
        for (name, text, expected) in [
            ("expiredtoken", "the security token included in the request is expired", Some(Expired)),
            ("tokenrefreshrequired", "", Some(Expired)),
            ("accessdenied", "the security token included in the request is expired", Some(Expired)),
            ("", "the security token included in the request is invalid.", Some(Unknown)),
            ("unrecognizedclient", "the security token included in the request is invalid.", Some(Unknown)),
            ("invalidclienttokenid", "", Some(Unknown)),
            ("invalidaccesskeyid", "", Some(Unknown)),
            ("invalidsignature", "the request signature we calculated does not match", Some(Signature)),
            ("signaturedoesnotmatch", "", Some(Signature)),
            ("invalidsignature", "signature expired: 20261126t040000z is now earlier than", Some(Clock)),
            ("invalidsignature", "signature not yet current: 20261126t060000z", Some(Clock)),
            ("accessdenied", "signature expired: 20261126t040000z is now earlier than", Some(Clock)),
            ("requesttimetooskewed", "", Some(Clock)),
            ("requestexpired", "", Some(Clock)),
            ("accessdenied", "user is not authorized to perform: bedrock:invokemodel", None),
            ("validation", "the security token included in the request is expired", None),
        ] {
            assert_eq!(objection(name, text), expected, "{name} {text}");
        }
    }

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
