//! Files at a desk: handed in by the tus protocol (<https://tus.io>), read through a case.

use bytes::Bytes;
use hyper::Method;

use super::case::{Desk, StageError};

/// The version of the protocol.
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

impl Desk {
    /// Hands a file in, in one piece; the hash the node names it by. A piece has at most 4 MiB.
    pub(crate) async fn upload(&mut self, file: &Bytes) -> Result<String, StageError> {
        let place = self.begin_upload(file.len() as u64).await?;
        self.append(&place, 0, file.clone()).await?;
        self.until_whole(&place).await
    }

    /// Opens an upload of so many bytes; its address.
    pub(crate) async fn begin_upload(&mut self, length: u64) -> Result<String, StageError> {
        let length = length.to_string();
        let headers = [TUS, ("upload-length", length.as_str())];
        let uploads = "/api/v1/uploads";
        let opened = self.client.post(uploads, &headers, Bytes::new()).await?;
        let place = opened.header("location").map(ToOwned::to_owned);
        place
            .filter(|_| opened.status == 201)
            .ok_or_else(|| opened.unexpected(Method::POST, uploads).into())
    }

    /// Hands in the piece of an upload that begins at `offset`, of at most 4 MiB.
    pub(crate) async fn append(
        &mut self,
        place: &str,
        offset: u64,
        piece: Bytes,
    ) -> Result<(), StageError> {
        let offset = offset.to_string();
        let headers = [
            TUS,
            ("upload-offset", offset.as_str()),
            ("content-type", "application/offset+octet-stream"),
        ];
        let sent = self.client.patch(place, &headers, piece).await?;
        if sent.status == 204 {
            Ok(())
        } else {
            Err(sent.unexpected(Method::PATCH, place).into())
        }
    }

    /// Waits until an upload is whole; the hash the node names the file by.
    pub(crate) async fn until_whole(&mut self, place: &str) -> Result<String, StageError> {
        self.until("上传完整 (the upload is whole)", place, |answer| {
            answer.json()["hash"].as_str().map(ToOwned::to_owned)
        })
        .await
    }

    /// Reads a file of a case, once this city has the case and can fetch the file.
    pub(crate) async fn read_file(&mut self, case: &str, hash: &str) -> Result<Bytes, StageError> {
        let path = place_of(case, hash);
        self.until("附件 (the file)", &path, |answer| {
            (answer.status == 200).then(|| answer.body.clone())
        })
        .await
    }

    /// Reads a file of a case from its byte `first` on, once. Files are fetched from their beginning, so that
    /// the answer comes when this city has it up to there.
    pub(crate) async fn read_file_from(
        &mut self,
        case: &str,
        hash: &str,
        first: u64,
    ) -> Result<Bytes, StageError> {
        let path = place_of(case, hash);
        let range = format!("bytes={first}-");
        let headers = [("range", range.as_str())];
        let answer = self.client.get_with(&path, &headers).await?;
        if answer.status == 206 {
            Ok(answer.body)
        } else {
            Err(answer.unexpected(Method::GET, &path).into())
        }
    }
}

fn place_of(case: &str, hash: &str) -> String {
    format!("/api/v1/cases/{case}/attachments/{hash}")
}
