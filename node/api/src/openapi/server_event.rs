//! An event of a stream as a description names it: the fields of WHATWG HTML §9.2, each a text.

use utoipa::ToSchema;

/// 事件 · One server-sent event.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "events are written as text; this says what they are made of"
)]
pub(crate) struct ServerEvent {
    /// Its kind.
    event: String,
    /// Its place, for `Last-Event-ID`; the last event of a stream that ends has none.
    #[schema(value_type = String, required = false)]
    id: Option<String>,
    /// JSON.
    #[schema(content_media_type = "application/json")]
    data: String,
}
