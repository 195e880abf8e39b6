//! A bucket of an S3-compatible store. Only whole files lie there, under `blobs/<hash>`; several nodes of
//! one city may share one, for the name says what is in it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutPayload};
use tongban_runtime::BlobError;
use tongban_types::BlobHash;

use super::failed;

/// Bytes of one part: S3 takes 10,000 of them, so 156 GiB; two are in memory.
const PART_BYTES: usize = 16 * 1024 * 1024;

/// Where the bucket is and who we are to it.
#[derive(Clone)]
pub struct S3Settings {
    /// Address of the store; the region's own when left out.
    pub endpoint: Option<String>,
    /// Region name.
    pub region: String,
    /// The bucket, the city's own.
    pub bucket: String,
    /// Name of the access key.
    pub access_key: String,
    /// The access key.
    pub secret_key: String,
}

impl std::fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "S3Settings({:?}, {})", self.endpoint, self.bucket)
    }
}

/// The bucket.
#[derive(Debug)]
pub(super) struct Bucket(AmazonS3);

impl Bucket {
    pub(super) fn open(settings: &S3Settings) -> Result<Self, BlobError> {
        let mut builder = AmazonS3Builder::new()
            .with_region(&settings.region)
            .with_bucket_name(&settings.bucket)
            .with_access_key_id(&settings.access_key)
            .with_secret_access_key(&settings.secret_key);
        if let Some(endpoint) = &settings.endpoint {
            // Files lie there as they are: beyond this machine only over TLS.
            let is_local = ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"]
                .iter()
                .any(|local| endpoint.starts_with(local));
            builder = builder.with_endpoint(endpoint).with_allow_http(is_local);
        }
        builder.build().map(Self).map_err(failed)
    }

    /// Uploads a file in parts; the object appears whole or not at all.
    pub(super) async fn put(&self, blob: BlobHash, path: &Path) -> Result<(), BlobError> {
        let mut upload = self.0.put_multipart(&key(blob)).await.map_err(failed)?;
        let mut file = File::open(path).map_err(failed)?;
        let sent = async {
            loop {
                let (read, back) = super::blocking(move || {
                    let mut part = Vec::with_capacity(PART_BYTES);
                    let read = (&mut file).take(PART_BYTES as u64).read_to_end(&mut part);
                    (read.map(|_| part), file)
                })
                .await?;
                file = back;
                let part = read.map_err(failed)?;
                let is_last = part.len() < PART_BYTES;
                upload
                    .put_part(PutPayload::from(part))
                    .await
                    .map_err(failed)?;
                if is_last {
                    return upload.complete().await.map(drop).map_err(failed);
                }
            }
        }
        .await;
        if sent.is_err() {
            // Parts that stay behind cost their owner money.
            let _ = upload.abort().await;
        }
        sent
    }

    pub(super) async fn read(
        &self,
        blob: BlobHash,
        offset: u64,
        length: usize,
    ) -> Result<Bytes, BlobError> {
        let range = offset..offset + length as u64;
        match self.0.get_range(&key(blob), range).await {
            Ok(bytes) if bytes.len() == length => Ok(bytes),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Err(BlobError::Damaged { offset }),
            Err(error) => Err(failed(error)),
        }
    }

    pub(super) async fn remove(&self, blob: BlobHash) -> Result<(), BlobError> {
        match self.0.delete(&key(blob)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

fn key(blob: BlobHash) -> Key {
    Key::from(format!("blobs/{blob}"))
}
