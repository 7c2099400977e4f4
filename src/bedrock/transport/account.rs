//! Whose credentials are used, for those who say it on a console.

use super::credentials::CheckedCredentials;
use crate::bedrock::aws_context::AwsContext;
use crate::bedrock::identity_error::credentials_error;
use crate::error::Result;
use aws_credential_types::Credentials;

/// Whose credentials sign the requests, and in which region.
#[derive(Debug, Clone)]
pub struct Account {
    pub(super) context: AwsContext,
    /// `None` where there is nothing to load: for an API key, and offline.
    pub(super) credentials: Option<CheckedCredentials>,
    pub(super) summary: String,
    pub(super) place: Place,
}

/// Where Bedrock is called, and who decided that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub region: String,
    /// The profile whose region it is; `None` where the settings of Chatrix or the default have decided.
    pub region_source: Option<String>,
    /// The address of Bedrock Runtime.
    pub endpoint: String,
    /// The variable or the profile that sets the address; `None` where the region decides.
    pub endpoint_source: Option<String>,
}

impl Account {
    /// The line that says which credentials and which region are used. It holds no secret.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Where the credentials come from, in words. It holds no secret.
    #[must_use]
    pub fn credentials(&self) -> String {
        self.context.credentials.to_string()
    }

    /// The profile that is selected; `None` for the default one.
    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        self.context.profile.as_deref()
    }

    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether requests are signed, and not authorized by a Bedrock API key.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.credentials.is_some()
    }

    /// The last four characters of the access key id, which its owner knows it by. `None` where there is none, or where
    /// these would be much of it.
    ///
    /// # Errors
    /// As [`Account::check`].
    pub async fn key_ending(&self) -> Result<Option<String>> {
        const SHOWN: usize = 4;
        let id = self.identity().await?.map(|credentials| credentials.access_key_id().to_owned());
        Ok(id.filter(|id| id.len() >= 2 * SHOWN).and_then(|id| Some(id.get(id.len() - SHOWN..)?.to_owned())))
    }

    /// Finds out whether credentials can be loaded, before there is a request. It may take seconds, where a program, a
    /// service or the network is asked. Nothing is sent to Bedrock.
    ///
    /// # Errors
    /// `NoCredentials` or `ExpiredCredentials`, as the first request would give it.
    pub async fn check(&self) -> Result<()> {
        self.identity().await.map(drop)
    }

    /// The credentials that sign the next request; `None` where there is nothing to load.
    ///
    /// # Errors
    /// `NoCredentials` or `ExpiredCredentials`.
    pub(super) async fn identity(&self) -> Result<Option<Credentials>> {
        let Some(credentials) = &self.credentials else { return Ok(None) };
        credentials.provide().await.map(Some).map_err(|error| credentials_error(&error, &self.context))
    }

    /// The credentials in place of those that AWS has refused; `None` when there are no others.
    pub(super) async fn renewed(&self, refused: &Credentials) -> Option<Credentials> {
        self.credentials.as_ref()?.renewed(refused).await
    }
}
