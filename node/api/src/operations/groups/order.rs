//! An order of placement as it is sent: the file that governance signs.

use axum::http::StatusCode;
use tongban_trust::PlacementFile;
use tongban_types::{Code, GroupId};
use utoipa::ToSchema;

use crate::openapi::{CityKind, NodeIdKind};
use crate::problem::Problem;
use crate::request::Call;
use crate::said::Said;

/// What is sent.
#[derive(ToSchema)]
#[schema(as = PlacementOrder)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read member by member, so that each fault is told by its place"
)]
pub(crate) struct OrderBody {
    /// `tongban.placement-order/v1`.
    #[schema(pattern = "^tongban\\.placement-order/v1$")]
    schema: String,
    /// The group it places.
    #[schema(value_type = CityKind)]
    group: String,
    /// One more than that of the order in force.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    version: u64,
    /// 3 or 5.
    #[schema(value_type = Vec<NodeIdKind>, max_items = 5)]
    voters: Vec<String>,
    /// Who follows without a vote.
    #[schema(value_type = Vec<NodeIdKind>, max_items = 8)]
    learners: Vec<String>,
    /// Why, for those who read the log later.
    #[schema(max_length = 512)]
    reason: String,
    /// `null` before it is signed.
    #[schema(required = true)]
    signature: Option<SignatureBody>,
}

/// By the governance key of the group's city.
#[derive(ToSchema)]
#[schema(as = PlacementSignature)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read member by member, so that each fault is told by its place"
)]
pub(super) struct SignatureBody {
    /// The public key.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    signer: String,
    /// Ed25519 over the order as it enters the log.
    #[schema(pattern = "^[0-9a-f]{128}$")]
    sig: String,
}

/// Reads the order of a request, which must be for the group of its address.
pub(super) async fn order_of(mut call: Call) -> Result<PlacementFile, Problem> {
    call.query(&[])?;
    let group = GroupId(call.path("group").await?);
    let (_, fields) = call.body().await?;
    // A code that is none has the form its description asks for all the same.
    let malformed = |why: Said| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Code::PLACEMENT_MALFORMED).detail(why)
    };
    let file = PlacementFile::of_json(fields.into_json()).map_err(|error| {
        let Said { zh, en } = Said::of_shape(&error);
        malformed(Said::new(
            format!("部署令不合规则 ({zh})"),
            format!("The order is not well formed ({en})."),
        ))
    })?;
    let placed = file.order().group;
    if placed != group {
        return Err(malformed(Said::new(
            format!("部署令属于 {placed} 组"),
            format!("The order is for group {placed}."),
        )));
    }
    Ok(file)
}
