//! The SDK's HTTP client for the services that credentials come from: STS, SSO, containers, instances. It opens its
//! connections as those to Bedrock are opened. Each request has one of its own, because there are only a few an hour.

use super::connection::Connection;
use super::connector::{BoxError, Connector};
use crate::bedrock::causes::find_cause;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::{Headers, StatusCode};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use std::future::{Future, poll_fn};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The most bytes of an answer. Credentials have a few thousand.
const MAX_BYTES: usize = 1024 * 1024;
/// How long a request may take where the SDK sets no limit.
const LONGEST: Duration = Duration::from_mins(1);

#[derive(Debug, Clone)]
pub(super) struct CredentialClient {
    connector: Arc<Connector>,
    connect: Duration,
    answer: Duration,
}

impl CredentialClient {
    pub(super) fn new(connector: Arc<Connector>) -> Self {
        Self { connector, connect: LONGEST, answer: LONGEST }
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let wrong = |error: BoxError| ConnectorError::user(error);
        let uri: Uri = request.uri().parse().map_err(|error: hyper::http::uri::InvalidUri| wrong(error.into()))?;
        let authority = uri.authority().ok_or_else(|| wrong("the address has no host".into()))?;
        let server = format!("{}://{authority}", uri.scheme_str().unwrap_or("https"));
        let server: Uri = server.parse().map_err(|error: hyper::http::uri::InvalidUri| wrong(error.into()))?;
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(authority.as_str()).map_err(|error| wrong(error.into()))?);
        for (name, value) in request.headers() {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| wrong(error.into()))?;
            headers.append(name, HeaderValue::from_str(value).map_err(|error| wrong(error.into()))?);
        }
        let method = Method::from_bytes(request.method().as_bytes()).map_err(|error| wrong(error.into()))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let body = request.body().bytes().ok_or_else(|| wrong("the request has no body in memory".into()))?;
        let mut connection = within(self.connect, Connection::open(&self.connector, &server)).await?;
        let request = connection.request(method, &server, path, headers, Bytes::copy_from_slice(body));
        let request = request.map_err(|error| wrong(error.into()))?;
        within(self.answer, async {
            let (head, mut body) = connection.send(request).await?.into_parts();
            let mut bytes = Vec::new();
            while let Some(piece) = poll_fn(|context| connection.poll_data(&mut body, context)).await {
                bytes.extend_from_slice(&piece?);
                if bytes.len() > MAX_BYTES {
                    return Err("the answer is too large".into());
                }
            }
            let mut response = HttpResponse::new(StatusCode::try_from(head.status.as_u16())?, SdkBody::from(bytes));
            *response.headers_mut() = Headers::try_from(head.headers)?;
            Ok::<_, BoxError>(response)
        })
        .await
    }
}

/// Waits for a future, at most for so long.
async fn within<T>(limit: Duration, future: impl Future<Output = Result<T, BoxError>>) -> Result<T, ConnectorError> {
    match timeout(limit, future).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) if find_cause::<io::Error>(&*error).is_some() => Err(ConnectorError::io(error)),
        Ok(Err(error)) => Err(ConnectorError::other(error, None)),
        Err(elapsed) => Err(ConnectorError::timeout(elapsed.into())),
    }
}

impl HttpConnector for CredentialClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.send(request).await })
    }
}

impl HttpClient for CredentialClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let connect = settings.connect_timeout().unwrap_or(LONGEST);
        let answer = settings.read_timeout().unwrap_or(LONGEST);
        SharedHttpConnector::new(Self { connector: Arc::clone(&self.connector), connect, answer })
    }
}
