//! Why the store of attachments does not open, or does not do what it is asked.

use std::error::Error;

use tongban_api::Said;
use tongban_blobs::OpenError;
use tongban_runtime::BlobError;

pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Said> {
    let unopened = error.downcast_ref::<OpenError>().map(unopened);
    unopened.or_else(|| error.downcast_ref::<BlobError>().map(refused))
}

/// What it says, less its cause.
fn unopened(error: &OpenError) -> Said {
    Said::new("附件存储打不开", error.to_string())
}

/// What failed stands in it as the disk or the object store says it.
fn refused(error: &BlobError) -> Said {
    let zh = match error {
        BlobError::UploadUnknown => "没有这个上传".to_owned(),
        BlobError::Offset { stands, given } => {
            format!("已收 {stands} 字节, 这一段从第 {given} 字节开始")
        }
        BlobError::TooMany { most } => {
            format!("该令牌已有 {most} 个在传的, 或已传完而未过期的上传")
        }
        BlobError::TooLarge { bytes_max } => format!("文件超过 {bytes_max} 字节"),
        BlobError::NoSpace { bytes } => format!("没有 {bytes} 字节的空间"),
        BlobError::NotHere => "文件不在本节点".to_owned(),
        BlobError::Damaged { offset } => format!("已存的文件在第 {offset} 字节处与其哈希不符"),
        BlobError::Lied { offset } => format!("收到的内容在第 {offset} 字节处不属于该文件"),
        BlobError::Busy => "同时接收的文件, 或保留的上传, 已到上限".to_owned(),
        BlobError::Failed(what) => format!("附件存储故障: {what}"),
    };
    Said::new(zh, error.to_string())
}

#[cfg(test)]
mod tests {
    use tongban_trust::every_variant;

    use super::super::line;
    use super::super::tests::assert_said;
    use super::*;

    #[test]
    fn every_refusal_of_the_store_is_said_in_both_languages() {
        let failed = "the disk is gone".to_owned();
        let errors = every_variant!(BlobError {
            BlobError::UploadUnknown => BlobError::UploadUnknown,
            BlobError::Offset { .. } => BlobError::Offset { stands: 7, given: 9 },
            BlobError::TooMany { .. } => BlobError::TooMany { most: 9 },
            BlobError::TooLarge { .. } => BlobError::TooLarge { bytes_max: 9 },
            BlobError::NoSpace { .. } => BlobError::NoSpace { bytes: 9 },
            BlobError::NotHere => BlobError::NotHere,
            BlobError::Damaged { .. } => BlobError::Damaged { offset: 9 },
            BlobError::Lied { .. } => BlobError::Lied { offset: 9 },
            BlobError::Busy => BlobError::Busy,
            BlobError::Failed(_) => BlobError::Failed(failed),
        });
        for error in errors {
            assert_said(&error);
        }
    }

    #[test]
    fn why_the_store_does_not_open_is_said_with_its_cause() {
        let reason = BlobError::Failed("the disk is gone".to_owned());
        let said = line(&OpenError::from(reason));
        assert_eq!(said.zh, "附件存储打不开: 附件存储故障: the disk is gone");
        let en = "the store of files does not open: the store of files failed: the disk is gone";
        assert_eq!(said.en, en);
    }
}
