//! What a person at a desk does over the API, tried again as a real client would: with the same
//! `Idempotency-Key` until it is answered.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::time::sleep;
use tongban_runtime::seams::Entropy as _;

use super::layout::Site;
use crate::http_client::{ClientError, HttpAnswer, HttpClient, order_patience};
use crate::platform::OsEntropy;

/// Longer than an election, a restart and a catch-up together.
const TRY_TIME_MAX: Duration = Duration::from_secs(40);

const PAUSE: Duration = Duration::from_millis(100);

/// Pages of cases read at most.
const PAGES_MAX: usize = 1_000;

/// Why something did not come about.
#[derive(Debug, Error)]
pub(crate) enum StageError {
    /// The API refused.
    #[error(transparent)]
    Refused(#[from] ClientError),
    /// It did not come about in time.
    #[error("{what}: {seconds} 秒内没有发生 (not within {seconds} s)", seconds = TRY_TIME_MAX.as_secs())]
    TooLate {
        /// What was waited for.
        what: String,
        /// The last answer.
        #[source]
        last: Option<ClientError>,
    },
}

/// A person at a desk: one client of one node.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(super) client: HttpClient,
}

/// A clerk who collects, and what was acknowledged.
#[derive(Debug)]
pub(crate) struct Clerk {
    desk: Desk,
}

impl Desk {
    /// The holder of a token at a node.
    pub(crate) fn new(site: &Site, token: &str) -> Self {
        Self::patient(site, token, order_patience())
    }

    /// The same, who waits for an answer as long as that.
    pub(crate) fn patient(site: &Site, token: &str, patience: Duration) -> Self {
        Self {
            client: HttpClient::new(site.http, site.trust(), Some(token), patience),
        }
    }

    /// Reads JSON, once.
    pub(crate) async fn read(&mut self, path: &str) -> Result<Value, ClientError> {
        self.client.get_json(path).await
    }

    /// Reads until `found` finds what it looks for.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        path: &str,
        found: impl Fn(&HttpAnswer) -> Option<T>,
    ) -> Result<T, StageError> {
        let begun = Instant::now();
        loop {
            let last = match self.client.get(path).await {
                Ok(answer) => match found(&answer) {
                    Some(value) => return Ok(value),
                    None => answer.unexpected(Method::GET, path),
                },
                Err(error) => error,
            };
            if begun.elapsed() > TRY_TIME_MAX {
                return Err(StageError::TooLate {
                    what: what.to_owned(),
                    last: Some(last),
                });
            }
            sleep(PAUSE).await;
        }
    }

    /// Waits until a case is in one of the states.
    pub(crate) async fn until_state(
        &mut self,
        case: &str,
        states: &[&str],
    ) -> Result<(), StageError> {
        let what = format!("{case} -> {}", states.join(" / "));
        self.until(&what, &format!("/api/v1/cases/{case}"), |answer| {
            let state = answer.json()["case"]["state"]
                .as_str()
                .map(ToOwned::to_owned)?;
            states.contains(&state.as_str()).then_some(())
        })
        .await
    }

    /// Acts on a case at the version this desk sees, until the act is answered. An answer that does
    /// not come is asked for again with the very same request.
    pub(crate) async fn act(
        &mut self,
        case: &str,
        act: &str,
        words: &Value,
    ) -> Result<(), StageError> {
        let begun = Instant::now();
        let path = format!("/api/v1/cases/{case}");
        let to = format!("{path}/{act}");
        let mut request: Option<(String, Value)> = None;
        loop {
            let last = match self.try_act(&path, &to, words, &mut request).await {
                Ok(answer) if answer.status == 200 => return Ok(()),
                Ok(answer) => {
                    let code = answer.json()["code"].as_str().map(ToOwned::to_owned);
                    // Another version is another request.
                    if code.as_deref() == Some("TB3012") {
                        request = None;
                    }
                    let refused = answer.unexpected(Method::POST, &to);
                    if !is_worth_a_retry(answer.status, code.as_deref()) {
                        return Err(refused.into());
                    }
                    refused
                }
                Err(error) => error,
            };
            if begun.elapsed() > TRY_TIME_MAX {
                return Err(StageError::TooLate {
                    what: act.to_owned(),
                    last: Some(last),
                });
            }
            sleep(PAUSE).await;
        }
    }

    /// Acts once, at the version this desk sees; the answer, whatever it is.
    pub(crate) async fn act_once(
        &mut self,
        case: &str,
        act: &str,
        words: &Value,
    ) -> Result<HttpAnswer, ClientError> {
        let path = format!("/api/v1/cases/{case}");
        let to = format!("{path}/{act}");
        self.try_act(&path, &to, words, &mut None).await
    }

    /// Sends the request there is, or one under a new key at the version seen now.
    async fn try_act(
        &mut self,
        path: &str,
        to: &str,
        words: &Value,
        request: &mut Option<(String, Value)>,
    ) -> Result<HttpAnswer, ClientError> {
        if request.is_none() {
            let seen = self.read(path).await?;
            let mut body = words.clone();
            body["expected_version"] = seen["case"]["version"].as_u64().unwrap_or(0).into();
            *request = Some((new_key(), body));
        }
        let (key, body) = request.clone().expect("it was just made");
        self.send(to, &key, &body).await
    }

    async fn send(
        &mut self,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Result<HttpAnswer, ClientError> {
        let body = Bytes::from(body.to_string());
        self.client
            .post(path, &[("idempotency-key", key)], body)
            .await
    }

    /// The numbers of all cases of this city's group, with the city that collected each.
    pub(crate) async fn all_cases(&mut self) -> Result<Vec<(String, String)>, StageError> {
        let mut cases = Vec::new();
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let path = format!("/api/v1/cases?limit=100&fresh=true{cursor}");
            let page = self
                .until("GET /api/v1/cases", &path, |answer| {
                    (answer.status == 200).then(|| answer.json())
                })
                .await?;
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            for case in page["cases"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default()
            {
                cases.push((text(&case["number"]), text(&case["intake"]["code"])));
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        Ok(cases)
    }
}

impl Clerk {
    /// A clerk at a desk.
    pub(crate) const fn at(desk: Desk) -> Self {
        Self { desk }
    }

    /// The desk.
    pub(crate) const fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }

    /// Collects an application until its receipt says *replicated*; returns its number.
    pub(crate) async fn collect(
        &mut self,
        item: &str,
        form: &Value,
        hand_over: bool,
    ) -> Result<String, StageError> {
        self.collect_with(item, form, &[], hand_over).await
    }

    /// The same with files, as the API names them.
    pub(crate) async fn collect_with(
        &mut self,
        item: &str,
        form: &Value,
        files: &[Value],
        hand_over: bool,
    ) -> Result<String, StageError> {
        let mut body =
            json!({"item": {"code": item, "version": 1}, "form": form, "hand_over": hand_over});
        if !files.is_empty() {
            body["attachments"] = files.into();
        }
        let body = Bytes::from(body.to_string());
        let (begun, key) = (Instant::now(), new_key());
        loop {
            let headers = [
                ("idempotency-key", key.as_str()),
                ("prefer", "wait=replicated"),
            ];
            let last = match self
                .desk
                .client
                .post("/api/v1/cases", &headers, body.clone())
                .await
            {
                Ok(answer) if answer.status == 201 => {
                    return Ok(answer.json()["case"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned());
                }
                Ok(answer) => {
                    let code = answer.json()["code"].as_str().map(ToOwned::to_owned);
                    let refused = answer.unexpected(Method::POST, "/api/v1/cases");
                    if !is_worth_a_retry(answer.status, code.as_deref()) {
                        return Err(refused.into());
                    }
                    refused
                }
                Err(error) => error,
            };
            if begun.elapsed() > TRY_TIME_MAX {
                return Err(StageError::TooLate {
                    what: "收件 (taking a case in)".to_owned(),
                    last: Some(last),
                });
            }
            sleep(PAUSE).await;
        }
    }
}

/// Whether the same request may do better later: accepted but not replicated yet, a version seen too
/// early, a group without leader, a key under way.
fn is_worth_a_retry(status: u16, code: Option<&str>) -> bool {
    let passing = [
        "TB3005", "TB3006", "TB3012", "TB3016", "TB3021", "TB3023", "TB3026", "TB4002", "TB4003",
        "TB4004", "TB4005", "TB4012", "TB4019",
    ];
    matches!(status, 202 | 429 | 502..=504) || code.is_some_and(|code| passing.contains(&code))
}

fn new_key() -> String {
    data_encoding::HEXLOWER.encode(&OsEntropy.array::<16>())
}

#[cfg(test)]
mod tests {
    use tongban_types::Code;

    use super::*;

    #[test]
    fn only_what_passes_is_tried_again() {
        assert!(is_worth_a_retry(202, None) && is_worth_a_retry(503, Some("TB4003")));
        let passing = [
            Code::NO_REGISTRY,
            Code::STALE_VERSION,
            Code::GROUP_TIMED_OUT,
            Code::NOT_CAUGHT_UP,
        ];
        assert!(
            passing
                .iter()
                .all(|code| is_worth_a_retry(409, Some(&code.to_string())))
        );
        let definite = [Code::REVIEWER_MAY_NOT_DECIDE, Code::ROLE_WITHOUT_RIGHT];
        assert!(
            !definite
                .iter()
                .any(|code| is_worth_a_retry(409, Some(&code.to_string())))
        );
        assert!(!is_worth_a_retry(422, None));
    }
}
