//! `[blobs]`: how much attachments may take, and where they lie when not in the data folder.

use serde::{Deserialize, Serialize};
use tongban_blobs::SpaceSettings;
#[cfg(feature = "s3")]
use tongban_types::NodeId;

/// MiB that stay free on the disk unless said otherwise: the log and the state need them.
const FREE_MIB: u64 = 1_024;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BlobsSection {
    /// GiB of all attachments together; what the disk has when left out.
    quota_gib: Option<u64>,
    /// MiB of the disk that stay free whatever is uploaded.
    free_mib: u64,
    /// A bucket of the city instead of the data folder.
    #[cfg(feature = "s3")]
    s3: Option<S3Section>,
}

impl Default for BlobsSection {
    fn default() -> Self {
        Self {
            quota_gib: None,
            free_mib: FREE_MIB,
            #[cfg(feature = "s3")]
            s3: None,
        }
    }
}

#[cfg(feature = "s3")]
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct S3Section {
    /// Address of the store; the region's own when left out.
    endpoint: Option<String>,
    region: String,
    bucket: String,
    access_key: String,
    /// A file with the secret key alone, readable by the node's user only.
    secret_key_file: std::path::PathBuf,
}

impl BlobsSection {
    pub(super) fn space(&self) -> SpaceSettings {
        SpaceSettings {
            quota_bytes: self.quota_gib.map(|gib| gib.saturating_mul(1 << 30)),
            free_bytes_min: self.free_mib.saturating_mul(1 << 20),
        }
    }

    #[cfg(feature = "s3")]
    pub(super) fn bucket(&self, folder: &std::path::Path) -> Option<BucketPlace> {
        let s3 = self.s3.as_ref()?;
        Some(BucketPlace {
            endpoint: s3.endpoint.clone(),
            region: s3.region.clone(),
            bucket: s3.bucket.clone(),
            access_key: s3.access_key.clone(),
            secret_key_file: folder.join(&s3.secret_key_file),
        })
    }
}

/// Where the bucket is; its secret is read when the node starts.
#[cfg(feature = "s3")]
#[derive(Clone, Debug)]
pub(crate) struct BucketPlace {
    endpoint: Option<String>,
    region: String,
    bucket: String,
    access_key: String,
    secret_key_file: std::path::PathBuf,
}

#[cfg(feature = "s3")]
impl BucketPlace {
    /// Reads the secret; `node` has its files in a folder of its own.
    pub(crate) fn settings(&self, node: NodeId) -> std::io::Result<tongban_blobs::S3Settings> {
        Ok(tongban_blobs::S3Settings {
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            bucket: self.bucket.clone(),
            node: node.to_string(),
            access_key: self.access_key.clone(),
            secret_key: std::fs::read_to_string(&self.secret_key_file)?
                .trim()
                .to_owned(),
        })
    }
}
