//! A receipt as a citizen holds it, verified with the registry and nothing else.

use anyhow::{Context, Result, bail, ensure};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use tongban_trust::{Attributed, BatchSignature, LeafPlace, RegistryFile, Verified};
use tongban_types::{Hash, KeyRole, PublicKey, Purpose, ReceiptBody, Signature, Signed};

/// Checks a receipt, as the API shows it, and that the node it names was enrolled with the key that
/// signed it; returns what it says.
pub fn verify_receipt(receipt: &Value, registry: &[u8]) -> Result<ReceiptBody> {
    let signed = &receipt["signed"];
    let signer = PublicKey(array(&signed["signer"])?);
    let signature = Signature(array(&signed["signature"])?);
    let bytes = decode(&signed["bytes"])?;
    let opened = match receipt["safety"].as_str() {
        Some("stored") => Verified::<Attributed<ReceiptBody>>::open(
            Purpose::ReceiptLocal,
            &Signed {
                signer,
                signature,
                bytes,
            },
        )?,
        Some("replicated") => Verified::open_leaf(
            &BatchSignature {
                purpose: Purpose::ReceiptReplicated,
                signer,
                signature,
            },
            &bytes,
            &place(signed)?,
        )?,
        other => bail!("a receipt as safe as {other:?}"),
    };
    let body = opened.into_inner().record;
    let file = RegistryFile::decode(registry)?;
    let holder = file.registry().key_holder(KeyRole::Receipt, signer);
    ensure!(
        holder == Some(body.node),
        "the key is of {holder:?}, not of {}",
        body.node
    );
    Ok(body)
}

fn place(signed: &Value) -> Result<LeafPlace> {
    let number = |name: &str| -> Result<usize> {
        Ok(usize::try_from(signed[name].as_u64().context("a number")?)?)
    };
    let path = signed["path"].as_array().context("a path")?;
    let path: Result<Vec<Hash>> = path.iter().map(|hash| Ok(Hash(array(hash)?))).collect();
    Ok(LeafPlace {
        index: number("index")?,
        count: number("count")?,
        path: path?,
    })
}

fn decode(text: &Value) -> Result<Vec<u8>> {
    let text = text.as_str().context("a text in base64url")?;
    Ok(BASE64URL_NOPAD.decode(text.as_bytes())?)
}

fn array<const N: usize>(text: &Value) -> Result<[u8; N]> {
    let bytes = decode(text)?;
    let found = bytes.len();
    bytes
        .try_into()
        .ok()
        .with_context(|| format!("{found} bytes instead of {N}"))
}
