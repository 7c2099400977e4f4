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
}

impl Account {
    /// The line that says which credentials and which region are used. It holds no secret.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
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
