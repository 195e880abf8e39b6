//! A receipt in JSON: what it says in words, and the signed bytes that prove it, in base64url.

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use tongban_types::{Purpose, Receipt, ReceiptBody, decode};
use utoipa::ToSchema;

use super::{PlaceView, china_time};
use crate::openapi::{CaseNumberKind, Moment, NodeIdKind, Sha256Kind};

/// A receipt.
#[derive(Serialize, ToSchema)]
#[schema(as = Receipt)]
pub(crate) struct ReceiptView {
    /// `stored` or `replicated`.
    safety: &'static str,
    safety_zh: &'static str,
    says: Option<ReceiptWords>,
    signed: SignedView,
}

/// What the signed bytes say.
#[derive(Serialize, ToSchema)]
struct ReceiptWords {
    #[schema(value_type = CaseNumberKind)]
    case: String,
    item: String,
    authority: PlaceView,
    #[schema(value_type = Moment)]
    collected_at: String,
    #[schema(value_type = Sha256Kind)]
    form: String,
    #[schema(value_type = NodeIdKind)]
    node: String,
}

/// What a verifier needs: the signature of a stored receipt covers `bytes`, that of a replicated
/// one the Merkle root which `bytes`, `index`, `count` and `path` lead to.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedBytes)]
struct SignedView {
    purpose: &'static str,
    signer: String,
    signature: String,
    bytes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Vec<String>>,
}

impl From<&Receipt> for ReceiptView {
    fn from(receipt: &Receipt) -> Self {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let says = receipt_body(receipt).map(ReceiptWords::from);
        match receipt {
            Receipt::Stored(signed) => Self {
                safety: "stored",
                safety_zh: "已在本节点落盘",
                says,
                signed: SignedView {
                    purpose: Purpose::ReceiptLocal.name(),
                    signer: text(&signed.signer.0),
                    signature: text(&signed.signature.0),
                    bytes: text(&signed.bytes),
                    index: None,
                    count: None,
                    path: None,
                },
            },
            Receipt::Replicated(receipt) => Self {
                safety: "replicated",
                safety_zh: "已由多数副本落盘",
                says,
                signed: SignedView {
                    purpose: Purpose::ReceiptReplicated.name(),
                    signer: text(&receipt.signer.0),
                    signature: text(&receipt.signature.0),
                    bytes: text(&receipt.body),
                    index: Some(receipt.index),
                    count: Some(receipt.count),
                    path: Some(receipt.path.iter().map(|hash| text(&hash.0)).collect()),
                },
            },
        }
    }
}

/// What a receipt of this node says.
pub(crate) fn receipt_body(receipt: &Receipt) -> Option<ReceiptBody> {
    let bytes = match receipt {
        Receipt::Stored(signed) => &signed.bytes,
        Receipt::Replicated(receipt) => &receipt.body,
    };
    decode(bytes).ok()
}

impl From<ReceiptBody> for ReceiptWords {
    fn from(body: ReceiptBody) -> Self {
        Self {
            case: body.case.to_string(),
            item: body.item.to_string(),
            authority: body.authority.into(),
            collected_at: china_time(body.collected_at),
            form: body.form.to_string(),
            node: body.node.to_string(),
        }
    }
}
