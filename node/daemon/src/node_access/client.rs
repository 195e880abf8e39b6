//! A client of one node for commands: a name may stand for several addresses, and a refusal is told
//! by its own code.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;
use tongban_api::Said;
use tongban_types::Code;

use super::NodeUrl;
use super::curl::curl;
use crate::exit::Exit;
use crate::failure::{Coded as _, Failure};
use crate::files::FileError;
use crate::http_client::{ClientError, HttpAnswer, HttpClient, PieceError};
use crate::output::Output;
use crate::tls::Trust;

/// One call of the API.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// How.
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    /// Headers beside those every call has.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// JSON; nothing for none.
    pub(crate) body: String,
}

impl Call {
    /// Reads.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// Sends.
    pub(crate) fn post(path: impl Into<String>, body: &Value) -> Self {
        Self {
            method: Method::POST,
            body: body.to_string(),
            ..Self::get(path)
        }
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A client of a node.
#[derive(Debug)]
pub(crate) struct NodeClient {
    url: NodeUrl,
    trust: Trust,
    token: String,
    patience: Duration,
    shows_curl: bool,
    /// How the node was named on the command line.
    words: String,
    connected: Option<HttpClient>,
}

impl NodeClient {
    pub(super) const fn new(
        url: NodeUrl,
        trust: Trust,
        token: String,
        patience: Duration,
        shows_curl: bool,
        words: String,
    ) -> Self {
        Self {
            url,
            trust,
            token,
            patience,
            shows_curl,
            words,
            connected: None,
        }
    }

    /// How the node was named, each word behind a space, so that a command told next means the same one.
    pub(crate) fn words(&self) -> &str {
        &self.words
    }

    /// Reads JSON.
    pub(crate) async fn read(&mut self, path: &str) -> Result<Value, Failure> {
        Ok(self.call(&Call::get(path)).await?.json())
    }

    /// Makes the call a command is about, or with `--curl` shows it: then there is no answer.
    pub(crate) async fn order(&mut self, call: &Call) -> Result<Option<HttpAnswer>, Failure> {
        if self.shows_curl {
            Output::verbatim(&curl(&self.url, &self.trust, call));
            return Ok(None);
        }
        self.call(call).await.map(Some)
    }

    /// Makes a call; every answer but a success is a failure with the code the node gave.
    pub(crate) async fn call(&mut self, call: &Call) -> Result<HttpAnswer, Failure> {
        let answer = self.reach(call).await?;
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        Err(refusal(call, &answer))
    }

    /// Reads something too large to be held, piece by piece; with `--curl` it is shown and nothing is read.
    pub(crate) async fn read_pieces(
        &mut self,
        path: &str,
        mut each: impl AsyncFnMut(Bytes) -> std::io::Result<()>,
    ) -> Result<Option<()>, Failure> {
        let call = Call::get(path);
        if self.shows_curl {
            Output::verbatim(&curl(&self.url, &self.trust, &call));
            return Ok(None);
        }
        // The connection is found by a short question: a long answer must not begin twice.
        self.call(&Call::get("/api/v1/status")).await?;
        let client = self.connected.as_mut().expect("it was just reached");
        match client.get_pieces(path, &mut each).await {
            Ok(Ok(())) => Ok(Some(())),
            Ok(Err(answer)) => Err(refusal(&call, &answer)),
            Err(PieceError::Client(error)) => Err(error.into()),
            Err(PieceError::NotTaken(error)) => {
                Err(FileError::at(Path::new("--out"))(error).into())
            }
        }
    }

    async fn reach(&mut self, call: &Call) -> Result<HttpAnswer, Failure> {
        if let Some(client) = &mut self.connected {
            return Ok(send(client, call).await?);
        }
        let mut last = None;
        for address in self.url.addresses().await? {
            let mut client = HttpClient::new(
                address,
                self.trust.clone(),
                Some(&self.token),
                self.patience,
            );
            match send(&mut client, call).await {
                // A name may stand for several addresses, of which the node has one.
                Err(error @ ClientError::Unreachable { .. }) => last = Some(error),
                answered => {
                    self.connected = Some(client);
                    return Ok(answered?);
                }
            }
        }
        Err(match last {
            Some(error) => error.into(),
            None => self.url.unresolved(),
        })
    }
}

async fn send(client: &mut HttpClient, call: &Call) -> Result<HttpAnswer, ClientError> {
    if call.method == Method::GET {
        return client.get(&call.path).await;
    }
    let headers: Vec<(&str, &str)> = call
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let body = Bytes::from(call.body.clone());
    client.post(&call.path, &headers, body).await
}

/// What a problem (RFC 9457) says, as the failure of a command.
fn refusal(call: &Call, answer: &HttpAnswer) -> Failure {
    let error = answer.unexpected(call.method.clone(), &call.path);
    let exit = error.exit();
    let problem = answer.json();
    let code = problem["code"].as_str().and_then(|code| code.parse().ok());
    let Some(code) = code else {
        return error.into();
    };
    let mut says = in_both(&problem, "detail");
    let faults = problem["errors"].as_array().map(Vec::as_slice);
    for fault in faults.unwrap_or_default() {
        let place = fault["pointer"].as_str().unwrap_or_default();
        let Said { zh, en } = in_both(fault, "message");
        says.zh.extend(["\n  ", place, ": ", &zh]);
        says.en.extend(["\n  ", place, ": ", &en]);
    }
    let failure = Failure::told(code, exit, says);
    let is_about_token = exit == Exit::NotAllowed && is_of_access(code);
    if is_about_token {
        return failure.then("tongban token create --data DIR --role ROLE --person ID");
    }
    failure
}

/// What stands under a name, and in English under that name with `_en`. A node of an older version says it in
/// Chinese alone: then that stands for both.
fn in_both(object: &Value, name: &str) -> Said {
    let zh = object[name].as_str();
    let en = object[format!("{name}_en")].as_str();
    Said::new(zh.or(en).unwrap_or_default(), en.or(zh).unwrap_or_default())
}

/// Whether another token would help.
fn is_of_access(code: Code) -> bool {
    matches!(
        code,
        Code::NO_TOKEN | Code::TOKEN_REFUSED | Code::NOT_ALLOWED
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_by_the_code_the_node_gave() {
        let answer = |status, body: &str| HttpAnswer {
            status,
            headers: hyper::HeaderMap::new(),
            body: Bytes::from(body.to_owned()),
        };
        let call = Call::get("/api/v1/cases");
        let body =
            r#"{"code":"TB3012","detail":"版本已变","errors":[{"pointer":"/a","message":"b"}]}"#;
        let failure = refusal(&call, &answer(409, body));
        assert_eq!(
            (failure.code, failure.exit),
            (Code::STALE_VERSION, Exit::Conflict)
        );
        let said = failure.causes().next().unwrap();
        // A node of an older version.
        assert_eq!(said.zh, "版本已变\n  /a: b");
        assert_eq!(said.en, said.zh);
        let body = r#"{"code":"TB3012","detail":"版本已变","detail_en":"The version is stale.",
            "errors":[{"pointer":"/a","message":"缺少此项","message_en":"is missing"}]}"#;
        let said = refusal(&call, &answer(409, body)).causes().next().unwrap();
        assert_eq!(said.zh, "版本已变\n  /a: 缺少此项");
        assert_eq!(said.en, "The version is stale.\n  /a: is missing");
        let other = refusal(&call, &answer(500, "not of ours"));
        assert_eq!(other.code, Code::NODE_ANSWERED_OTHERWISE);
    }
}
