//! Fetches images that clients give as URLs, where the operator allows it (`fetch_images`). A server that fetches
//! whatever a client names must not give access to the network of its machine (docs/cases.md, D2). So only public
//! addresses are allowed. A name is resolved once, and the connection goes to the very addresses that were checked.
//! Each redirect is checked again. Time, size and the number of redirects are limited.

use super::body::{BODY_LIMIT, too_large};
use super::body_memory::HeldBytes;
use crate::conversation::media::MAX_IMAGE_BYTES;
use crate::conversation::{ImageUrl, Media};
use crate::engine::ImageSource;
use crate::error::{Error, Kind, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::LOCATION;
use hyper::{Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// How long fetching one image may take, redirects included.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// How long fetching all images of one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_REDIRECTS: usize = 3;

/// Which addresses the fetcher may connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Public,
    /// For the tests of this file, whose server is on loopback.
    #[cfg(test)]
    Anywhere,
}

impl Reach {
    fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            #[cfg(test)]
            Self::Anywhere => true,
        }
    }
}

/// The images of one request. They count as its body does.
#[derive(Debug)]
pub(super) struct RequestImages {
    fetcher: Arc<Fetcher>,
    memory: Mutex<HeldBytes>,
    deadline: Instant,
}

impl RequestImages {
    /// `memory` is that of the request's body.
    pub(super) fn new(fetcher: &Arc<Fetcher>, memory: &HeldBytes) -> Self {
        let memory = Mutex::new(memory.sibling());
        Self { fetcher: Arc::clone(fetcher), memory, deadline: Instant::now() + REQUEST_TIMEOUT }
    }
}

impl ImageSource for RequestImages {
    fn fetch<'a>(&'a self, image: &'a ImageUrl) -> Pin<Box<dyn Future<Output = Result<Media>> + Send + 'a>> {
        Box::pin(async move {
            let media = self.fetcher.image(image, self.deadline).await?;
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            if memory.bytes() + media.base64.len() > BODY_LIMIT {
                return Err(too_large().at_path(&image.path));
            }
            memory.add(media.base64.len())?;
            Ok(media)
        })
    }
}

#[derive(Debug)]
pub(super) struct Fetcher {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Empty<Bytes>>,
    reach: Reach,
}

impl Fetcher {
    /// The fetcher trusts this machine's root certificates.
    ///
    /// # Errors
    /// When the machine has none.
    pub(super) fn new(reach: Reach) -> io::Result<Self> {
        let mut http = HttpConnector::new_with_resolver(Resolver(reach));
        http.enforce_http(false);
        http.set_connect_timeout(Some(FETCH_TIMEOUT));
        let https =
            HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1().wrap_connector(http);
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(https), reach })
    }

    /// Fetches an image until a deadline, the timeout of all images of its request.
    ///
    /// # Errors
    /// `InvalidRequest`, naming the image.
    async fn image(&self, image: &ImageUrl, deadline: Instant) -> Result<Media> {
        let deadline = deadline.min(Instant::now() + FETCH_TIMEOUT);
        let fetched = tokio::time::timeout_at(deadline, self.fetch(&image.url)).await;
        let fetched = fetched.unwrap_or_else(|_| Err(fetch_error("the image did not arrive in time")));
        fetched.and_then(|bytes| Media::image(&bytes)).map_err(|error| error.at_path(&image.path))
    }

    async fn fetch(&self, address: &str) -> Result<Bytes> {
        let mut uri: Uri = address.parse().map_err(|_| fetch_error("the image's URL is not valid"))?;
        for _ in 0..=MAX_REDIRECTS {
            self.check(&uri)?;
            let request = Request::get(uri.clone()).header("accept", "image/*").body(Empty::new());
            let request = request.map_err(|_| fetch_error("the image's URL is not valid"))?;
            let answer = self.client.request(request).await.map_err(|error| {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                fetch_error(&format!("the image could not be fetched: {cause}"))
            })?;
            if answer.status().is_redirection() {
                let next = answer.headers().get(LOCATION).and_then(|next| next.to_str().ok());
                uri = next
                    .and_then(|next| redirect_target(&uri, next))
                    .ok_or_else(|| fetch_error("the image's server redirects to an invalid URL"))?;
                continue;
            }
            if !answer.status().is_success() {
                return Err(fetch_error(&format!(
                    "the image could not be fetched: status {}",
                    answer.status().as_u16()
                )));
            }
            let body = Limited::new(answer.into_body(), MAX_IMAGE_BYTES).collect().await;
            return body
                .map(http_body_util::Collected::to_bytes)
                .map_err(|_| fetch_error("the image was cut off or is too large"));
        }
        Err(fetch_error("the image's server redirects too many times"))
    }

    /// Checks the scheme, and the host where it is an IP address: the connector does not ask the resolver for those.
    fn check(&self, uri: &Uri) -> Result<()> {
        let host = uri.host().ok_or_else(|| fetch_error("the image's URL has no host"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(fetch_error("images are fetched only over http and https"));
        }
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) if !self.reach.allows(address) => Err(fetch_error(NOT_PUBLIC)),
            _ => Ok(()),
        }
    }
}

const NOT_PUBLIC: &str = "images are fetched from public addresses only";

fn fetch_error(message: &str) -> Error {
    Error::new(Kind::InvalidRequest, message)
}

/// The URL that a redirect leads to. `location` may be relative. User name and password are removed, so that they are
/// not sent.
fn redirect_target(from: &Uri, location: &str) -> Option<Uri> {
    let mut url = Url::parse(&from.to_string()).ok()?.join(location).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.as_str().parse().ok()
}

/// Resolves a name, and returns its addresses only if the fetcher may connect to all of them.
#[derive(Debug, Clone)]
struct Resolver(Reach);

impl tower_service::Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let reach = self.0;
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if addresses.iter().all(|address| reach.allows(address.ip())) {
                Ok(addresses.into_iter())
            } else {
                Err(io::Error::new(io::ErrorKind::PermissionDenied, NOT_PUBLIC))
            }
        })
    }
}

/// Whether an address is on the public Internet. The special ranges are those of IANA's registries
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry/> and
/// <https://www.iana.org/assignments/iana-ipv6-special-registry/>).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let special = v4.is_loopback()
        || v4.is_private()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_broadcast()
        || v4.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b)) // carrier-grade NAT
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99) // 6to4 relays
        || (a == 198 && (b == 18 || b == 19)); // benchmarks
    !special
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    if let Some(v4) = v6.to_ipv4() {
        return is_public_v4(v4); // an IPv4-mapped or IPv4-compatible address
    }
    let [a, b, ..] = v6.segments();
    // Global unicast (2000::/3, which excludes NAT64) without its special ranges. 6to4 and Teredo embed an IPv4
    // address.
    (a & 0xe000) == 0x2000
        && a != 0x2002
        && !(a == 0x2001 && b < 0x0200)
        && !(a == 0x2001 && b == 0x0db8)
        && a != 0x3fff
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::error::Field;
    use crate::server::body_memory::BodyMemory;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[test]
    fn d2_only_public_addresses_are_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn d2_a_redirect_is_resolved_and_stays_with_http() {
        let from = "http://a.example/dir/image?q=1".parse().unwrap();
        for (location, expected) in [
            ("next", "http://a.example/dir/next"),
            ("../next#part", "http://a.example/next"),
            ("?q=2", "http://a.example/dir/image?q=2"),
            ("//b.example/next", "http://b.example/next"),
            ("https://user:secret@b.example/next", "https://b.example/next"),
            ("http://2130706433/", "http://127.0.0.1/"),
        ] {
            let target = redirect_target(&from, location).map(|target| target.to_string());
            assert_eq!(target.as_deref(), Some(expected), "{location}");
        }
        for location in ["file:///etc/passwd", "ftp://b.example/", "data:image/png,x", "http://", "https://[::1"] {
            assert_eq!(redirect_target(&from, location), None, "{location}");
        }
    }

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    /// Starts a server that responds to each path as `answer` says. Gives its base URL.
    async fn serve(answer: fn(&str) -> Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let length = socket.read(&mut request).await.unwrap();
                let path = String::from_utf8_lossy(&request[..length]).split(' ').nth(1).unwrap().to_owned();
                socket.write_all(&answer(&path)).await.unwrap();
            }
        });
        address
    }

    fn found(body: &[u8]) -> Vec<u8> {
        [format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body]
            .concat()
    }

    fn moved(to: &str) -> Vec<u8> {
        format!("HTTP/1.1 302 Found\r\nconnection: close\r\ncontent-length: 0\r\nlocation: {to}\r\n\r\n").into_bytes()
    }

    #[tokio::test]
    async fn d2_images_replace_their_urls_within_limits() {
        let address = serve(|path| match path {
            "/image" => found(PNG),
            "/moved" => moved("/image"),
            "/round" => moved("/round"),
            "/large" => found(&vec![0; MAX_IMAGE_BYTES + 1]),
            _ => b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_vec(),
        })
        .await;
        let fetcher = Fetcher::new(Reach::Anywhere).unwrap();
        for path in ["/image", "/moved"] {
            assert_eq!(fetcher.fetch(&format!("{address}{path}")).await.unwrap(), PNG);
        }
        for (path, piece) in [("/round", "too many times"), ("/large", "too large"), ("/none", "404")] {
            let error = fetcher.fetch(&format!("{address}{path}")).await.unwrap_err();
            assert!(error.message.contains(piece), "{path}: {}", error.message);
        }
        let memory = BodyMemory::new(100);
        let images = RequestImages::new(&Arc::new(fetcher), &memory.account(0).unwrap());
        let url = |path: &str| ImageUrl { url: format!("{address}{path}"), path: "here".into() };
        let image = images.fetch(&url("/image")).await.unwrap();
        assert_eq!(image, Media { format: "png", base64: "iVBORw0KGgo=".into() });
        assert_eq!(memory.used(), image.base64.len());
        assert_eq!(images.fetch(&url("/none")).await.unwrap_err().at, Some(Field::Path("here".into())));
        for _ in 0..7 {
            images.fetch(&url("/image")).await.unwrap();
        }
        assert_eq!(images.fetch(&url("/image")).await.unwrap_err().kind, Kind::Overloaded, "all images count");
        drop(images);
        assert_eq!(memory.used(), 0);

        let public = Fetcher::new(Reach::Public).unwrap();
        let port = address.rsplit(':').next().unwrap();
        for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"] {
            let error = public.fetch(&format!("http://{host}:{port}/image")).await.unwrap_err();
            assert_eq!(error.kind, Kind::InvalidRequest, "{host}: {}", error.message);
        }
    }
}
