//! `tongban registry sign`: adds the signature of one governance key to a registry file.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tongban_api::Said;
use tongban_trust::{Registry, RegistryFile, SigningKey};
use tongban_types::{CityCode, Code, PublicKey};
use utoipa::ToSchema;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::replace;
use crate::keys::read_seed;
use crate::output::{Answer, Described, Output, Reader};
use crate::registry::read_registry;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 名册文件, 就地加上签名 (the registry, signed in place)
    #[arg(value_name = "REGISTRY", default_value = "registry.json")]
    registry: PathBuf,
    /// 治理密钥文件 (the governance key)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// 现行名册; 其治理密钥也可以签名 (the registry in force, whose governance keys may sign too)
    #[arg(long, value_name = "FILE")]
    after: Option<PathBuf>,
}

#[derive(Serialize, ToSchema)]
struct SignedBy {
    #[schema(value_type = String)]
    file: PathBuf,
    city: String,
    key_id: String,
    signatures: usize,
    signatures_needed: usize,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<SignedBy>("tongban registry sign");

impl Answer for SignedBy {
    const SCHEMA: &'static str = "tongban.registry-signed/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (city, signed, needed) = (&self.city, self.signatures, self.signatures_needed);
        let said = reader.say(
            format!("{city} 已签名 ({signed} 个签名, 需要 {needed} 个)"),
            format!("{city} has signed ({signed} signatures, {needed} are needed)"),
        );
        let next = reader.next(&format!("tongban registry check {}", self.file.display()));
        format!("{said}\n{next}")
    }
}

/// Signs the file.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut file = RegistryFile::decode(&read_registry(&arguments.registry)?)?;
    let key = SigningKey::from_seed(&*read_seed(&arguments.key)?);
    let current = match &arguments.after {
        Some(path) => Some(RegistryFile::decode(&read_registry(path)?)?),
        None => None,
    };
    let holder = holder_of(file.registry(), key.public())
        .or_else(|| holder_of(current.as_ref()?.registry(), key.public()));
    let Some(city) = holder else {
        let key = key.public();
        let says = Said::new(
            format!("{key} 不在名册的治理密钥之中"),
            format!("{key} is none of the governance keys of the registry"),
        );
        return Err(Failure::told(Code::NOT_A_GOVERNANCE_KEY, Exit::No, says));
    };
    let key_id = file.sign(&key);
    replace(
        &arguments.registry,
        file.encode_indented().as_bytes(),
        0o644,
    )?;
    output.answer(&SignedBy {
        file: arguments.registry.clone(),
        city: city.to_string(),
        key_id: key_id.to_string(),
        signatures: file.signers().count(),
        signatures_needed: file.registry().threshold(),
    });
    Ok(Exit::Yes)
}

fn holder_of(registry: &Registry, key: PublicKey) -> Option<CityCode> {
    let keys = &registry.content().governance;
    keys.iter()
        .find(|(_, governance)| **governance == key)
        .map(|(city, _)| *city)
}
