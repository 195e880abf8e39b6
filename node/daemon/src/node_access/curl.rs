//! A call of the API as a `curl` command, for whoever wants to see or script it. The token is not
//! shown: it is taken from `TONGBAN_TOKEN`.

use hyper::Method;

use super::shell::quoted;
use super::{Call, NodeUrl};
use crate::tls::Trust;

/// The command, for a POSIX shell.
pub(super) fn curl(url: &NodeUrl, trust: &Trust, call: &Call) -> String {
    let mut parts = vec!["curl -sS".to_owned()];
    match trust {
        Trust::Plain => {}
        Trust::Exactly(file) | Trust::Roots { file, .. } => {
            parts.push(format!("--cacert {}", quoted(&file.to_string_lossy())));
        }
    }
    if call.method != Method::GET {
        parts.push(format!("-X {}", call.method));
    }
    parts.push("-H \"Authorization: Bearer $TONGBAN_TOKEN\"".to_owned());
    for (name, value) in &call.headers {
        parts.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
    }
    if !call.body.is_empty() {
        parts.push("-H 'content-type: application/json'".to_owned());
        parts.push(format!("--data-binary {}", quoted(&call.body)));
    }
    parts.push(quoted(&format!("{url}{}", call.path)));
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_is_shown_without_its_token_and_safe_to_paste() {
        let url: NodeUrl = "http://[::1]:8443".parse().unwrap();
        let call = Call::post("/api/v1/cases", &json!({"a": "it's"})).header("prefer", "wait=1");
        assert_eq!(
            curl(&url, &Trust::Plain, &call),
            "curl -sS -X POST -H \"Authorization: Bearer $TONGBAN_TOKEN\" -H 'prefer: wait=1' \
             -H 'content-type: application/json' --data-binary '{\"a\":\"it'\\''s\"}' \
             'http://[::1]:8443/api/v1/cases'"
        );
        assert!(
            curl(
                &url,
                &Trust::Exactly("/d/tls/c.pem".into()),
                &Call::get("/a?b=c&d")
            )
            .starts_with("curl -sS --cacert '/d/tls/c.pem' -H ")
        );
    }
}
