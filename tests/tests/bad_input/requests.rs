//! What must be refused, one line a mistake: who asks, what, and by which status and code, with what
//! a person must be told.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tongban_tests::client::Ask;
use tongban_tests::forms::{Applicant, migration};

use super::{CASES, MOVE_TO_WEINAN, Reviewed};

/// A request that must be refused.
pub(crate) struct Bad {
    pub(crate) name: &'static str,
    pub(crate) by: By,
    pub(crate) ask: Ask,
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    /// What a person must be told.
    pub(crate) told: &'static str,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    Clerk,
    Officer,
    Stranger,
    /// A clerk's token of Fuzhou, shown to Weinan.
    ClerkAtWeinan,
    ReviewerAtWeinan,
}

impl Bad {
    pub(crate) fn by(by: By, name: &'static str, ask: Ask) -> Self {
        Self {
            name,
            by,
            ask,
            status: 0,
            code: "",
            told: "",
        }
    }

    pub(crate) fn refused(self, status: u16, code: &'static str, told: &'static str) -> Self {
        Self {
            status,
            code,
            told,
            ..self
        }
    }
}

/// Every mistake, of a case that Weinan has reviewed.
pub(crate) fn bad_requests(case: &Reviewed) -> Result<Vec<Bad>> {
    use By::{Clerk, ClerkAtWeinan, Officer, ReviewerAtWeinan, Stranger};
    let good = migration(&Applicant::numbered(1), MOVE_TO_WEINAN)?;
    let with = |pointer: &str, value: Value| -> Result<Value> {
        let mut changed = good.clone();
        *changed
            .pointer_mut(pointer)
            .context("a place of the form")? = value;
        Ok(changed)
    };
    let collect = |body: &Value| Ask::post(CASES, body).key("fresh");
    let text = |body: &str| {
        Ask::new("POST", CASES)
            .key("fresh")
            .header("content-type", "application/json")
            .bytes(body)
    };
    let act = |name: &str, body: Value| {
        Ask::post(&format!("{CASES}/{}/{name}", case.number), &body)
            .key(&format!("bad {name}").replace(' ', "-"))
    };
    let long = format!("\"{}\"", "长".repeat(30_000));
    let here = |mut words: Value| {
        words["expected_version"] = case.version_in_fuzhou.clone();
        words
    };
    let there = |mut words: Value| {
        words["expected_version"] = case.version_in_weinan.clone();
        words
    };
    let review = json!({ "recommend": "grant", "opinion": "材料齐全" });
    Ok(vec![
        Bad::by(Clerk, "no JSON", text("{\"item\":")).refused(400, "TB2004", "JSON"),
        Bad::by(Clerk, "a member twice", text("{\"item\":1,\"item\":2}"))
            .refused(400, "TB2004", "JSON"),
        Bad::by(
            Clerk,
            "no UTF-8",
            text("").bytes(b"{\"a\":\"\xff\"}".as_slice()),
        )
        .refused(400, "TB2004", "JSON"),
        Bad::by(Clerk, "no object", text("[]")).refused(400, "TB7009", "对象"),
        Bad::by(Clerk, "a member missing", text("{}")).refused(400, "TB7009", "item"),
        Bad::by(Clerk, "a body too long", text(&long)).refused(413, "TB1003", "字节"),
        Bad::by(Clerk, "no key", Ask::post(CASES, &good)).refused(400, "TB7012", "Idempotency-Key"),
        Bad::by(
            Clerk,
            "no JSON type",
            Ask::new("POST", CASES)
                .key("fresh")
                .header("content-type", "text/plain")
                .bytes("x"),
        )
        .refused(415, "TB7006", "application/json"),
        Bad::by(
            Clerk,
            "no case number",
            Ask::get(&format!("{CASES}/1; DROP TABLE").replace(' ', "%20")),
        )
        .refused(400, "TB1001", ""),
        Bad::by(Clerk, "an unknown query", Ask::get("/api/v1/cases?stat=x"))
            .refused(400, "TB7010", "stat"),
        Bad::by(Clerk, "an unknown address", Ask::get("/api/v2/cases"))
            .refused(404, "TB7004", "地址"),
        Bad::by(Clerk, "an unknown method", Ask::new("DELETE", CASES))
            .refused(405, "TB7005", "方法"),
        Bad::by(Clerk, "no token", Ask::get(CASES).anonymous()).refused(401, "TB7001", "令牌"),
        Bad::by(Stranger, "a wrong token", Ask::get(CASES)).refused(401, "TB7002", "令牌"),
        Bad::by(ClerkAtWeinan, "another city's token", Ask::get(CASES))
            .refused(401, "TB7002", "令牌"),
        Bad::by(Officer, "an officer collects", collect(&good)).refused(403, "TB7003", "岗位"),
        Bad::by(
            Clerk,
            "a clerk decides",
            act(
                "decide",
                json!({ "decision": "grant", "expected_version": 1 }),
            ),
        )
        .refused(403, "TB7003", "岗位"),
        Bad::by(
            Clerk,
            "an unknown item",
            collect(&with("/item/version", json!(99))?),
        )
        .refused(422, "TB3023", "事项"),
        Bad::by(
            Clerk,
            "a form against its rules",
            collect(&with("/form/applicant/phone", json!("12"))?),
        )
        .refused(422, "TB7015", "phone"),
        Bad::by(
            Clerk,
            "an identity number with a wrong check character",
            collect(&with(
                "/form/applicant/id_number",
                json!("610502199001010004"),
            )?),
        )
        .refused(422, "TB7015", "id_number"),
        Bad::by(
            Clerk,
            "an authority outside the federation",
            collect(&with("/form/move_in/division", json!("310101"))?),
        )
        .refused(422, "TB4001", "上海"),
        Bad::by(
            Clerk,
            "a key again with another form",
            Ask::post(CASES, &with("/form/applicant/phone", json!("13800138999"))?).key("first"),
        )
        .refused(422, "TB3008", ""),
        Bad::by(Officer, "no version", act("accept", json!({}))).refused(428, "TB7013", "版"),
        Bad::by(
            ReviewerAtWeinan,
            "a stale version",
            act(
                "decide",
                json!({ "decision": "grant", "expected_version": 1 }),
            ),
        )
        .refused(409, "TB3012", "版"),
        Bad::by(
            ReviewerAtWeinan,
            "a stale version in a header",
            act("decide", json!({ "decision": "grant" })).header("if-match", "\"1\""),
        )
        .refused(412, "TB3012", "版"),
        Bad::by(
            Officer,
            "another city's right",
            act("review", here(review.clone())),
        )
        .refused(403, "TB3015", "属地"),
        Bad::by(
            ReviewerAtWeinan,
            "out of order",
            act("review", there(review)),
        )
        .refused(409, "TB3013", "审"),
        Bad::by(
            ReviewerAtWeinan,
            "the reviewer decides",
            act("decide", there(json!({ "decision": "grant" }))),
        )
        .refused(403, "TB3019", "审"),
    ])
}
