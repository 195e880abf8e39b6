//! How the hash of governance keys is typed.

use data_encoding::HEXLOWER;
use tongban_types::Hash;

use crate::misread::Misread;

/// Reads 64 lowercase hexadecimal digits.
pub(crate) fn read_pin(text: &str) -> Result<Hash, Misread> {
    let bytes = HEXLOWER
        .decode(text.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map(Hash).ok_or_else(|| {
        Misread::new(
            "应为 64 个小写十六进制数字",
            "write 64 hexadecimal digits in lower case",
        )
    })
}
