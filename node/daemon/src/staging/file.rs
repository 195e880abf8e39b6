//! Files at a desk: handed in by the tus protocol (<https://tus.io>), read through a case.

use bytes::Bytes;
use hyper::Method;

use super::case::{Desk, StageError};

/// The version of the protocol.
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

impl Desk {
    /// Hands a file in, in one piece; the hash the node names it by. A piece has at most 4 MiB.
    pub(crate) async fn upload(&mut self, file: &Bytes) -> Result<String, StageError> {
        let length = file.len().to_string();
        let headers = [TUS, ("upload-length", length.as_str())];
        let uploads = "/api/v1/uploads";
        let opened = self.client.post(uploads, &headers, Bytes::new()).await?;
        let place = opened.header("location").map(ToOwned::to_owned);
        let Some(place) = place.filter(|_| opened.status == 201) else {
            return Err(opened.unexpected(Method::POST, uploads).into());
        };
        let headers = [
            TUS,
            ("upload-offset", "0"),
            ("content-type", "application/offset+octet-stream"),
        ];
        let sent = self.client.patch(&place, &headers, file.clone()).await?;
        if sent.status != 204 {
            return Err(sent.unexpected(Method::PATCH, &place).into());
        }
        self.until("上传完整 (the upload is whole)", &place, |answer| {
            answer.json()["hash"].as_str().map(ToOwned::to_owned)
        })
        .await
    }

    /// Reads a file of a case, once this city has the case and can fetch the file.
    pub(crate) async fn read_file(&mut self, case: &str, hash: &str) -> Result<Bytes, StageError> {
        let path = format!("/api/v1/cases/{case}/attachments/{hash}");
        self.until("附件 (the file)", &path, |answer| {
            (answer.status == 200).then(|| answer.body.clone())
        })
        .await
    }
}
