//! Which origins and hosts are allowed, as tables.

use super::*;

const LOCAL: &str = "127.0.0.1";

fn policy(bound: &str) -> OriginPolicy {
    OriginPolicy {
        bound: bound.parse().unwrap_or(IpAddr::from([0, 0, 0, 0])),
        origins: vec![],
        hosts: vec!["box.lan".into()],
    }
}

fn arrival(version: Version, authority: Option<&str>) -> Arrival {
    let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
    Arrival { peer, version, authority: authority.map(Into::into), is_tunnel: false }
}

fn fields(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

/// Checks a request with these header fields, and a Host unless they have one.
fn check(policy: &OriginPolicy, pairs: &[(&'static str, &'static str)]) -> Option<Kind> {
    let mut headers = fields(pairs);
    if !headers.contains_key("host") {
        headers.insert("host", HeaderValue::from_static("localhost:3000"));
    }
    policy.check(&arrival(Version::HTTP_11, None), &headers).err().map(|error| error.kind)
}

#[test]
fn local_apps_pass_and_web_pages_do_not() {
    let mut policy = policy(LOCAL);
    for origin in [
        "tauri://localhost",
        "http://tauri.localhost",
        "https://tauri.localhost",
        "http://localhost:1420",
        "http://127.0.0.1",
        "http://[::1]:8080",
        "app://obsidian.md",
        "file://",
        "vscode-webview://abc",
        "vscode-file://vscode-app",
        "http://app.localhost:5173",
        "https://a.b.localhost",
    ] {
        assert_eq!(check(&policy, &[("origin", origin)]), None, "{origin}");
        assert_eq!(check(&policy, &[("origin", origin), ("sec-fetch-site", "cross-site")]), None, "{origin}");
    }
    for origin in [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://evil-localhost",
        "http://evil.example:3000",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1.nip.io",
        "http://localhost@evil.example",
        "http://evil.example@localhost",
        "http://2130706433",
        "http://0x7f.1",
        "http://xn--lcalhost-54a.example",
        "https://tauri.localhost.evil.example",
        "null",
        "",
        "nonsense",
    ] {
        assert_eq!(check(&policy, &[("origin", origin)]), Some(Kind::OriginRefused), "{origin}");
    }
    policy.origins.push("https://evil.example".into());
    assert_eq!(check(&policy, &[("origin", "https://evil.example")]), None);
    assert_eq!(check(&policy, &[("origin", "null")]), Some(Kind::OriginRefused));
    policy.origins.push("null".into());
    assert_eq!(check(&policy, &[("origin", "null"), ("sec-fetch-site", "cross-site")]), None);
}

#[test]
fn a_page_of_another_site_is_refused_even_without_an_origin() {
    let mut policy = policy(LOCAL);
    for (site, refused) in [("cross-site", true), ("same-site", false), ("same-origin", false), ("none", false)] {
        let expected = refused.then_some(Kind::OriginRefused);
        assert_eq!(check(&policy, &[("sec-fetch-site", site)]), expected, "{site}");
    }
    let hidden = [("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")];
    assert_eq!(check(&policy, &hidden), Some(Kind::OriginRefused));
    policy.origins.push("*".into());
    assert_eq!(check(&policy, &hidden), None);
}

#[test]
fn one_origin_and_one_host_are_named() {
    let policy = policy(LOCAL);
    let two = [("origin", "http://localhost"), ("origin", "http://localhost")];
    assert_eq!(check(&policy, &two), Some(Kind::InvalidRequest));
    assert_eq!(check(&policy, &[("host", "localhost"), ("host", "localhost")]), Some(Kind::InvalidRequest));
    for (version, authority, host, expected) in [
        (Version::HTTP_11, None, None, Some(Kind::InvalidRequest)),
        (Version::HTTP_11, Some("localhost"), None, Some(Kind::InvalidRequest)),
        (Version::HTTP_10, None, None, None),
        (Version::HTTP_10, None, Some("evil.example"), Some(Kind::HostRefused)),
        (Version::HTTP_2, Some("localhost:3000"), None, None),
        (Version::HTTP_2, Some("evil.example"), None, Some(Kind::HostRefused)),
        (Version::HTTP_2, None, None, Some(Kind::InvalidRequest)),
        (Version::HTTP_2, Some("localhost:3000"), Some("localhost:3000"), None),
        (Version::HTTP_2, Some("evil.example"), Some("localhost:3000"), Some(Kind::InvalidRequest)),
        (Version::HTTP_11, Some("LOCALHOST:80"), Some("localhost"), None),
        (Version::HTTP_11, Some("localhost:3001"), Some("localhost:3000"), Some(Kind::InvalidRequest)),
        (Version::HTTP_11, Some("127.0.0.1:3000"), Some("localhost:3000"), Some(Kind::InvalidRequest)),
        (Version::HTTP_11, Some("user@localhost"), Some("user@localhost"), Some(Kind::InvalidRequest)),
        (Version::HTTP_11, Some("evil.example"), Some("evil.example"), Some(Kind::HostRefused)),
    ] {
        let headers = host.map(|host| fields(&[("host", host)])).unwrap_or_default();
        let found = policy.check(&arrival(version, authority), &headers).err().map(|error| error.kind);
        assert_eq!(found, expected, "{version:?} {authority:?} {host:?}");
    }
}

#[test]
fn the_host_must_name_this_server() {
    let local = policy(LOCAL);
    for host in [
        "localhost:3000",
        "127.0.0.1:3000",
        "127.0.0.2",
        "[::1]:3000",
        "LOCALHOST",
        "localhost.:3000",
        "localhost:8080", // behind a forwarded port
        "box.lan:3000",
        "BOX.LAN.",
        "[::1]",
        "[::ffff:127.0.0.1]:3000",
    ] {
        assert_eq!(check(&local, &[("host", host)]), None, "{host}");
    }
    for host in [
        "evil.example:3000",
        "192.0.2.1:3000",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "app.localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "user@localhost",
        "localhost:x",
        "[127.0.0.1]",
        "xn--80ak6aa92e.com",
        "",
    ] {
        assert_eq!(check(&local, &[("host", host)]), Some(Kind::HostRefused), "{host}");
    }
    for bound in ["0.0.0.0", "192.0.2.1"] {
        let open = policy(bound);
        assert_eq!(check(&open, &[("host", "192.0.2.1:3000")]), None, "{bound}");
        assert_eq!(check(&open, &[("host", "evil.example")]), Some(Kind::HostRefused));
    }
    assert_eq!(check(&policy("192.0.2.2"), &[("host", "192.0.2.1")]), Some(Kind::HostRefused));
}

#[test]
fn pages_of_this_server_may_use_it() {
    let open = policy("0.0.0.0");
    for (origin, host, allowed) in [
        ("http://192.0.2.1:3000", "192.0.2.1:3000", true),
        ("http://box.lan", "box.lan:80", true),
        ("http://192.0.2.1:3000", "192.0.2.1:3001", false),
        ("http://192.0.2.2:3000", "192.0.2.1:3000", false),
        ("https://192.0.2.1:3000", "192.0.2.1:3000", false),
        ("http://box.lan:3000", "192.0.2.1:3000", false),
    ] {
        let expected = (!allowed).then_some(Kind::OriginRefused);
        assert_eq!(check(&open, &[("origin", origin), ("host", host)]), expected, "{origin} {host}");
    }
    // A name that was pointed at this machine makes a page no page of ours.
    let rebound = [("origin", "http://evil.example:3000"), ("host", "evil.example:3000")];
    assert_eq!(check(&open, &rebound), Some(Kind::HostRefused));
}

#[test]
fn the_console_gets_a_line_that_allows_the_page() {
    let policy = policy(LOCAL);
    for (origin, shown) in [
        ("https://chat.example:8443", "https://chat.example:8443"),
        ("http://[2001:db8::1]:1", "http://[2001:db8::1]:1"),
        ("https://x;rm -rf ~", "ORIGIN"),
        ("https://$(reboot)", "ORIGIN"),
    ] {
        let headers = fields(&[("host", "localhost"), ("origin", origin)]);
        let advice = policy
            .check(&arrival(Version::HTTP_11, None), &headers)
            .err()
            .and_then(|error| error.advice)
            .map(String::from);
        assert_eq!(advice, Some(format!("allow them with: chatrix serve --allow-origin {shown}")));
    }
    let refused = policy.check(&arrival(Version::HTTP_11, None), &fields(&[("host", "Chat.example:3000")]));
    let advice = refused.err().and_then(|error| error.advice).unwrap_or_default();
    assert!(advice.contains(r#"allow_hosts = ["chat.example"]"#), "{advice}");
}
