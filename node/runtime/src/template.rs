//! What a granted case's document is made of: which places of the form become which claims. Taken
//! from the item's file by whoever reads catalogues; the document effect only follows it.

use tongban_types::ItemVersion;

/// The document one version of an item produces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentTemplate {
    /// The item.
    pub item: ItemVersion,
    /// Type of the document, `urn:tongban:vct:<type>:<version>`.
    pub vct: String,
    /// Its name in Chinese, as printed.
    pub name_zh: String,
    /// Its claims, in order.
    pub claims: Vec<ClaimTemplate>,
}

/// One claim of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimTemplate {
    /// Name of the claim.
    pub name: String,
    /// JSON Pointer (RFC 6901) into the filled form. Where nothing stands there, there is no claim.
    pub pointer: String,
    /// Hidden unless the holder shows it.
    pub disclosable: bool,
}
