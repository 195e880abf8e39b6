//! What a forger would try with a document: change a letter of it, sign it with a key of his own, sign it so in
//! the city's name. Each try is a file that anybody can verify.

use anyhow::{Context as _, ensure};
use data_encoding::BASE64URL_NOPAD;
use tongban_trust::SigningKey;

/// Changes one letter in the middle of what is signed.
pub(super) fn tamper(document: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (header, payload, _) = parts(document)?;
    let middle = header.len() + 1 + payload.len() / 2;
    let mut changed = document.to_vec();
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    Ok(changed)
}

/// Signs the content with a stranger's key, which the document names as what it is.
pub(super) fn sign_as_stranger(document: &[u8], key: &SigningKey) -> anyhow::Result<Vec<u8>> {
    let header = format!(
        r#"{{"alg":"EdDSA","kid":"{}","typ":"dc+sd-jwt"}}"#,
        key.public().thumbprint()
    );
    sign(document, &BASE64URL_NOPAD.encode(header.as_bytes()), key)
}

/// Signs the content with a stranger's key, while the document names the city's.
pub(super) fn sign_in_its_name(document: &[u8], key: &SigningKey) -> anyhow::Result<Vec<u8>> {
    sign(document, parts(document)?.0, key)
}

fn sign(document: &[u8], header: &str, key: &SigningKey) -> anyhow::Result<Vec<u8>> {
    let (_, payload, shown) = parts(document)?;
    let signed = format!("{header}.{payload}");
    let signature = BASE64URL_NOPAD.encode(&key.sign_raw(signed.as_bytes()).0);
    Ok(format!("{signed}.{signature}~{shown}").into_bytes())
}

/// Header, payload and what is shown of a document in its compact form.
pub(super) fn parts(document: &[u8]) -> anyhow::Result<(&str, &str, &str)> {
    let text = std::str::from_utf8(document).context("a document is ASCII")?;
    let (signed, shown) = text.split_once('~').context("a document has a tilde")?;
    let mut parts = signed.split('.');
    let (header, payload) = (parts.next(), parts.next());
    let (header, payload) = header.zip(payload).context("a document has three parts")?;
    ensure!(parts.next().is_some(), "a document has a signature");
    ensure!(!payload.is_empty(), "the payload is not empty");
    Ok((header, payload, shown))
}

#[cfg(test)]
mod tests {
    use tongban_trust::verify_strict;
    use tongban_types::Signature;

    use super::*;

    const DOCUMENT: &[u8] = b"aaaa.bbbbbb.cccc~dddd~";

    #[test]
    fn exactly_one_letter_of_the_payload_is_changed() {
        let changed = tamper(DOCUMENT).unwrap();
        let differ: Vec<usize> = (0..DOCUMENT.len())
            .filter(|place| DOCUMENT[*place] != changed[*place])
            .collect();
        assert_eq!(differ.len(), 1);
        assert!((5..11).contains(&differ[0]));
        for broken in [&b"no parts"[..], b"a.b~", b"a..c~", b"\xff.b.c~"] {
            assert!(tamper(broken).is_err());
        }
    }

    #[test]
    fn a_forgery_has_a_good_signature_of_the_wrong_key() {
        let key = SigningKey::from_seed(&[9; 32]);
        for forged in [
            sign_as_stranger(DOCUMENT, &key).unwrap(),
            sign_in_its_name(DOCUMENT, &key).unwrap(),
        ] {
            let text = String::from_utf8(forged).unwrap();
            let (signed, rest) = text.rsplit_once('.').unwrap();
            assert!(signed.ends_with(".bbbbbb"), "{text}");
            let (signature, shown) = rest.split_once('~').unwrap();
            assert_eq!(shown, "dddd~");
            let bytes = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
            let bytes = Signature(bytes.try_into().unwrap());
            assert!(verify_strict(key.public(), signed.as_bytes(), bytes).is_ok());
        }
    }
}
