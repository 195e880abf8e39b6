//! Opens the store of attachments as the configuration says.

use std::path::Path;

use tongban_api::Said;
use tongban_blobs::{Blobs, OpenError, ShelfSettings};
use tongban_types::Code;

use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::{Coded, Failure};
use crate::says;

impl Coded for OpenError {
    fn code(&self) -> Code {
        Self::code(self)
    }

    fn exit(&self) -> Exit {
        Exit::Internal
    }

    fn says(&self) -> Option<Said> {
        Some(says::of(self))
    }
}

pub(super) async fn open_files(
    configuration: &Configuration,
    data: &Path,
) -> Result<Blobs, Failure> {
    let shelf = shelf(configuration)?;
    let folder = data.join("blobs");
    Ok(Blobs::open(&folder, &shelf, configuration.blob_space).await?)
}

#[cfg(feature = "s3")]
fn shelf(configuration: &Configuration) -> Result<ShelfSettings, Failure> {
    let Some(bucket) = &configuration.bucket else {
        return Ok(ShelfSettings::Folder);
    };
    let settings = bucket.settings(configuration.node).map_err(|error| {
        let message = format!("blobs.s3.secret_key_file: {error}");
        Failure::new(Code::FILE_UNUSABLE, Exit::BadConfiguration, message)
    })?;
    Ok(ShelfSettings::S3(settings))
}

#[cfg(not(feature = "s3"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "with the feature `s3` it reads a secret, which may fail"
)]
const fn shelf(_: &Configuration) -> Result<ShelfSettings, Failure> {
    Ok(ShelfSettings::Folder)
}
