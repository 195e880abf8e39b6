//! An answer as it was read, held whole.

use bytes::Bytes;
use hyper::{HeaderMap, Method};
use serde_json::Value;

use super::ClientError;

/// An answer.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    /// Its status.
    pub(crate) status: u16,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Bytes,
}

impl HttpAnswer {
    /// One of its headers, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Its body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// As an error, for an answer nobody expects.
    pub(crate) fn unexpected(&self, method: Method, path: &str) -> ClientError {
        let body = String::from_utf8_lossy(&self.body)
            .chars()
            .take(600)
            .collect();
        ClientError::Unexpected {
            method,
            path: path.to_owned(),
            status: self.status,
            body,
        }
    }
}
