//! Files that are made again as often as it takes, until somebody signs them.

use std::path::Path;

use tongban_api::Said;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::FileError;

/// Refuses to write over what is no unsigned draft of such a file: a signature may have taken weeks to gather, and
/// what is no such file at all is somebody else's. `read` is what lies there, `what` its kind in Chinese and
/// English; `next` looks closer at it.
pub(super) fn check_only_draft(
    out: &Path,
    read: Result<Vec<u8>, FileError>,
    is_draft: impl FnOnce(&[u8]) -> bool,
    what: (&str, &str),
    next: impl FnOnce() -> String,
) -> Result<(), Failure> {
    let bytes = match read {
        Err(error) if error.is_missing() => return Ok(()),
        read => read?,
    };
    if is_draft(&bytes) {
        return Ok(());
    }
    let (out, (zh, en)) = (out.display(), what);
    let says = Said::new(
        format!("{out} 已有签名或不是{zh}, 不覆盖; 换一个文件名 (--out)"),
        format!(
            "{out} bears a signature or is no {en}, and is not overwritten; \
             give another name (--out)"
        ),
    );
    Err(Failure::told(Code::FILE_UNUSABLE, Exit::Conflict, says).then(next()))
}
