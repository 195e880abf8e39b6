//! A bucket of an S3-compatible store. Only whole files lie there, under `<node>/blobs/<hash>`: several
//! nodes of one city may share one, and what one of them lets go stays with the others.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
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
    /// The node's own folder in it.
    pub node: String,
    /// Name of the access key.
    pub access_key: String,
    /// The access key.
    pub secret_key: String,
}

impl std::fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            endpoint,
            bucket,
            node,
            ..
        } = self;
        write!(f, "S3Settings({endpoint:?}, {bucket}, {node})")
    }
}

/// The bucket, as far as it is this node's.
#[derive(Debug)]
pub(super) struct Bucket {
    store: Arc<dyn ObjectStore>,
    node: String,
}

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
        let store = Arc::new(builder.build().map_err(failed)?);
        Ok(Self {
            store,
            node: settings.node.clone(),
        })
    }

    fn key(&self, blob: BlobHash) -> Key {
        Key::from(format!("{}/blobs/{blob}", self.node))
    }

    /// Uploads a file in parts; the object appears whole or not at all.
    pub(super) async fn put(&self, blob: BlobHash, path: &Path) -> Result<(), BlobError> {
        let path = path.to_owned();
        let opened = super::blocking(move || File::open(path));
        let mut file = opened.await?.map_err(failed)?;
        let mut upload = self
            .store
            .put_multipart(&self.key(blob))
            .await
            .map_err(failed)?;
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
        match self.store.get_range(&self.key(blob), range).await {
            Ok(bytes) if bytes.len() == length => Ok(bytes),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Err(BlobError::Damaged { offset }),
            Err(error) => Err(failed(error)),
        }
    }

    pub(super) async fn remove(&self, blob: BlobHash) -> Result<(), BlobError> {
        match self.store.delete(&self.key(blob)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[tokio::test]
    async fn what_one_node_lets_go_stays_with_another_of_the_same_bucket() {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let of = |node: &str| Bucket {
            store: Arc::clone(&store),
            node: node.to_owned(),
        };
        let (first, second) = (of("350100-01"), of("350100-02"));
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"licence").unwrap();
        let blob = BlobHash([7; 32]);
        for bucket in [&first, &second] {
            bucket.put(blob, &path).await.unwrap();
        }
        first.remove(blob).await.unwrap();
        let gone = first.read(blob, 0, 7).await;
        assert_eq!(gone, Err(BlobError::Damaged { offset: 0 }));
        assert_eq!(&second.read(blob, 0, 7).await.unwrap()[..], b"licence");
    }
}
