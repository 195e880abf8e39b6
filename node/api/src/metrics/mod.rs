//! What the API counts, and the text a scraper reads.

mod classic;
mod requests;

pub(crate) use classic::classic_text;
pub use requests::RequestMetrics;
