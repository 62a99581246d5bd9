//! Addresses of feeds, as people write them.

use crate::Error;

/// Where a feed is: `ws://host:port/v1/feed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub is_tls: bool,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
    /// The whole, as it is asked for.
    pub url: String,
}

/// The path of the feed.
const PATH: &str = "/v1/feed";

impl Address {
    /// Takes `ws`, `wss`, `http` and `https`, or none of them for `ws`; with the path of the feed or without one.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = |expected: &str| {
            Error::new(
                "client.bad_url",
                "this is no feed address",
                "Feed::open",
                expected,
                text,
                "pass the address that the server prints",
            )
        };
        let (scheme, rest) = text.split_once("://").unwrap_or(("ws", text));
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => false,
            "wss" | "https" => true,
            _ => return Err(bad("ws://host/v1/feed or wss://host/v1/feed")),
        };
        let (authority, path) = match rest.find(['/', '?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let path = match path {
            "" | "/" => PATH,
            _ if path.trim_end_matches('/').ends_with(PATH) => path.trim_end_matches('/'),
            _ => return Err(bad("the path /v1/feed, or none")),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let is_ip6 = host.starts_with('[') && host.ends_with(']');
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '[' | ']');
        if bare.is_empty() || bare.contains(is_odd) || (bare.contains(':') && !is_ip6) {
            return Err(bad("a host"));
        }
        let port = match port {
            None => {
                if is_tls {
                    443
                } else {
                    80
                }
            }
            Some(port) => port.parse().map_err(|_| bad("a port of 1 to 65535"))?,
        };
        let scheme = if is_tls { "wss" } else { "ws" };
        Ok(Self { is_tls, host: bare.to_owned(), port, url: format!("{scheme}://{authority}{path}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for (text, url, host, port) in [
            ("ws://127.0.0.1:8642/v1/feed", "ws://127.0.0.1:8642/v1/feed", "127.0.0.1", 8642),
            ("127.0.0.1:8642", "ws://127.0.0.1:8642/v1/feed", "127.0.0.1", 8642),
            ("http://localhost:8642/", "ws://localhost:8642/v1/feed", "localhost", 8642),
            ("https://feed.example", "wss://feed.example/v1/feed", "feed.example", 443),
            ("HTTP://feed.example", "ws://feed.example/v1/feed", "feed.example", 80),
            ("wss://feed.example/behind/v1/feed/", "wss://feed.example/behind/v1/feed", "feed.example", 443),
            ("ws://[::1]:9/v1/feed", "ws://[::1]:9/v1/feed", "::1", 9),
            ("ws://[::1]", "ws://[::1]/v1/feed", "::1", 80),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.url.as_str(), address.host.as_str(), address.port), (url, host, port));
            assert_eq!(address.is_tls, url.starts_with("wss"));
        }
    }

    #[test]
    fn what_is_no_address_is_named() {
        for text in [
            "",
            "ftp://host",
            "ws://",
            "ws://host:0x",
            "ws://host:70000",
            "ws://host/other",
            "ws://a b",
            "ws://::1",
            "ws://u@h",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert_eq!((error.code.as_str(), error.got.as_str()), ("client.bad_url", text));
        }
    }
}
