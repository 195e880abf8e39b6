//! The form of texts in a registry: names, URLs, addresses, division prefixes.

/// A name people read: no control, direction or invisible characters, no blank at either end, so
/// that two names which look alike on a screen are not two cities.
pub(super) fn is_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=NAME_CHARS_MAX).contains(&length)
        && text.trim() == text
        && !text
            .chars()
            .any(|letter| letter.is_control() || is_invisible(letter))
}

/// The longest name of a prefecture in use has 14 characters.
const NAME_CHARS_MAX: usize = 32;

fn is_invisible(letter: char) -> bool {
    matches!(u32::from(letter),
        0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff
        | 0xe0000..=0xe0fff)
}

/// An HTTPS URL of a host and perhaps a path, in the one spelling documents repeat: lowercase host,
/// no user, query, fragment or final slash.
pub(super) fn is_issuer_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else {
        return false;
    };
    let (host, path) = rest
        .split_once('/')
        .map_or((rest, None), |(host, path)| (host, Some(path)));
    let host_fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(&byte);
    let path_fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.len() <= URL_BYTES_MAX
        && !host.is_empty()
        && host.bytes().all(host_fits)
        && path.is_none_or(|path| {
            !path.is_empty() && !path.ends_with('/') && path.bytes().all(path_fits)
        })
}

/// Keeps the claim `iss` small beside the rest of a document.
const URL_BYTES_MAX: usize = 200;

/// `host:port` with a host name, an IPv4 address or a bracketed IPv6 address.
pub(super) fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let port_fits = port.bytes().all(|byte| byte.is_ascii_digit())
        && !port.starts_with('0')
        && port.parse::<u16>().is_ok();
    let name_fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let host_fits = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(inner) => inner.parse::<core::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.len() <= 253 && host.bytes().all(name_fits),
    };
    port_fits && host_fits
}

/// A province, prefecture or county prefix: 2, 4 or 6 digits (GB/T 2260).
pub(super) fn is_division_prefix(text: &str) -> bool {
    matches!(text.len(), 2 | 4 | 6) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_nothing_invisible() {
        assert!(is_name("福州市") && is_name("阿坝藏族羌族自治州"));
        for name in [
            "",
            " 福州",
            "福\u{202e}州",
            "福\u{200b}州",
            "福\n州",
            &"福".repeat(33),
        ] {
            assert!(!is_name(name), "{name:?}");
        }
    }

    #[test]
    fn an_issuer_has_one_spelling() {
        assert!(is_issuer_url("https://350100.tongban.example"));
        assert!(is_issuer_url("https://fz.gov.example:8443/docs"));
        for url in [
            "http://a.example",
            "https://",
            "https://A.example",
            "https://a.example/",
            "https://u@a.example",
            "https://a.example?q",
            "https://a.example/#f",
            "https:///x",
        ] {
            assert!(!is_issuer_url(url), "{url}");
        }
    }

    #[test]
    fn an_address_names_a_host_and_a_port() {
        assert!(is_address("127.0.0.1:7400") && is_address("[::1]:7400") && is_address("n1.fz:1"));
        for address in [
            "127.0.0.1",
            ":7400",
            "a:0",
            "a:65536",
            "a:+7",
            "::1:7400",
            "[x]:1",
            "a b:1",
        ] {
            assert!(!is_address(address), "{address}");
        }
    }
}
