//! Whose credentials are used and in which region, as the console and error messages say it. Never a key.

use std::fmt;

/// The settings of the AWS client that messages mention.
#[derive(Debug, Clone)]
pub(in crate::bedrock) struct AwsContext {
    pub(in crate::bedrock) credentials: CredentialSource,
    /// `None` unless a flag, the config file or `AWS_PROFILE` names one.
    pub(in crate::bedrock) profile: Option<String>,
    pub(in crate::bedrock) region: String,
}

/// Where the credentials come from (docs/credentials.md §1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bedrock) enum CredentialSource {
    /// The dummies of the offline Bedrock.
    Offline,
    /// `AWS_BEARER_TOKEN_BEDROCK`.
    ApiKey,
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    EnvironmentKeys,
    Profile(ProfileCredentials),
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`.
    WebIdentity,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI` or `…_RELATIVE_URI`.
    Container,
    /// Nothing is set, and the instance metadata service may have them.
    Instance,
    /// Nothing is set, and the instance metadata service is disabled.
    Missing,
}

/// What a profile holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bedrock) struct ProfileCredentials {
    pub(in crate::bedrock) profile: String,
    /// The profile that holds the credentials: another one where roles are assumed through `source_profile`.
    pub(in crate::bedrock) base: String,
    pub(in crate::bedrock) kind: ProfileKind,
    /// Whether a role is assumed with the credentials.
    pub(in crate::bedrock) assumes_role: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bedrock) enum ProfileKind {
    Keys,
    CredentialProcess,
    Sso,
    /// `aws login`.
    LoginSession,
    WebIdentity,
    /// `credential_source`: the environment, the container or the instance.
    Elsewhere,
}

impl AwsContext {
    /// Keys of the environment, in a region.
    #[cfg(test)]
    pub(in crate::bedrock) fn for_test(region: &str) -> Self {
        Self { credentials: CredentialSource::EnvironmentKeys, profile: None, region: region.to_owned() }
    }

    /// What to do about credentials that have expired.
    pub(in crate::bedrock) fn renewal(&self) -> String {
        match &self.credentials {
            CredentialSource::ApiKey => "create a new Bedrock API key and set AWS_BEARER_TOKEN_BEDROCK".to_owned(),
            CredentialSource::Profile(ProfileCredentials { base, kind: ProfileKind::Sso, .. }) => {
                format!("run: aws sso login{}", profile_flag(base))
            }
            CredentialSource::Profile(ProfileCredentials { base, kind: ProfileKind::LoginSession, .. }) => {
                format!("run: aws login{}", profile_flag(base))
            }
            _ => "renew them (aws sso login, or new keys)".to_owned(),
        }
    }
}

/// The flag that names a profile on the command line of AWS's tool.
fn profile_flag(profile: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._@-/+".contains(c);
    match profile {
        "default" => String::new(),
        _ if profile.chars().all(is_plain) => format!(" --profile {profile}"),
        _ => format!(" --profile {profile:?}"),
    }
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offline => f.write_str("none, offline"),
            Self::ApiKey => f.write_str("the Bedrock API key in AWS_BEARER_TOKEN_BEDROCK"),
            Self::EnvironmentKeys => f.write_str("the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
            Self::Profile(profile) => profile.fmt(f),
            Self::WebIdentity => f.write_str("the web identity in AWS_WEB_IDENTITY_TOKEN_FILE"),
            Self::Container => f.write_str("those of the container"),
            Self::Instance => f.write_str("those of the instance, if it has any"),
            Self::Missing => f.write_str("none"),
        }
    }
}

impl fmt::Display for ProfileCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ProfileKind::Keys => "keys",
            ProfileKind::CredentialProcess => "credential_process",
            ProfileKind::Sso => "SSO",
            ProfileKind::LoginSession => "aws login",
            ProfileKind::WebIdentity => "web identity",
            ProfileKind::Elsewhere => "credential_source",
        };
        write!(f, "the profile {:?} ({kind}", self.profile)?;
        if self.base != self.profile {
            write!(f, " of the profile {:?}", self.base)?;
        }
        f.write_str(if self.assumes_role { ", and a role)" } else { ")" })
    }
}
