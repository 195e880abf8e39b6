//! `tongban group sign`: puts the signature of the city's governance key under an order of placement.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tongban_api::Said;
use tongban_trust::{Registry, SigningKey};
use tongban_types::{Code, GroupId, PublicKey};
use utoipa::ToSchema;

use super::file::read_order;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::replace;
use crate::keys::read_seed;
use crate::output::{Answer, Described, Output, Reader};
use crate::registry::{believe, read_registry};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 部署令文件, 就地签署 (the order, signed in place)
    #[arg(value_name = "ORDER")]
    order: PathBuf,
    /// 治理密钥文件 (the governance key)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// 名册文件, 凭它核对密钥是该组城市的 (registry that says whether the key governs the group's city)
    #[arg(long, value_name = "REGISTRY")]
    trust: Option<PathBuf>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SignedOrder {
    #[schema(value_type = String)]
    file: PathBuf,
    group: String,
    version: u64,
    voters: Vec<String>,
    learners: Vec<String>,
    signer: String,
    /// Whether a registry said that the signer governs the group's city.
    signer_compared: bool,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<SignedOrder>("tongban group sign");

impl Answer for SignedOrder {
    const SCHEMA: &'static str = "tongban.placement-signed/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (group, version, voters) = (&self.group, self.version, self.voters.join(" "));
        let said = reader.say(
            format!("{group} 的部署令 v{version} 已签署: {voters}"),
            format!("order v{version} of {group} is signed: {voters}"),
        );
        let mut lines = vec![said];
        if !self.signer_compared {
            let advice = reader.say(
                "密钥未与名册核对 (--trust registry.json): 若是别的城市的, 下达时才会被拒绝",
                "the key was not compared with a registry (--trust registry.json): \
                 another city's is refused only when the order is handed in",
            );
            lines.push(advice.to_owned());
        }
        lines.push(reader.next(&format!("tongban group apply {}", self.file.display())));
        lines.join("\n")
    }
}

/// Signs it.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    output.answer(&sign(arguments)?);
    Ok(Exit::Yes)
}

/// Signs it in place. Without a registry it is for the group to say whether the key is the city's.
fn sign(arguments: &Arguments) -> Result<SignedOrder, Failure> {
    let mut file = read_order(&arguments.order)?;
    let key = SigningKey::from_seed(&*read_seed(&arguments.key)?);
    if let Some(registry) = &arguments.trust {
        let registry = believe(&read_registry(registry)?, None)?;
        check_governs(&registry, file.order().group, key.public())?;
    }
    file.sign(&key);
    replace(&arguments.order, file.encode_indented().as_bytes(), 0o644)?;
    let order = file.order();
    Ok(SignedOrder {
        file: arguments.order.clone(),
        group: order.group.to_string(),
        version: order.version,
        voters: order.voters.iter().map(ToString::to_string).collect(),
        learners: order.learners.iter().map(ToString::to_string).collect(),
        signer: key.public().to_string(),
        signer_compared: arguments.trust.is_some(),
    })
}

/// As the group itself judges when the order is handed in, and with its code.
fn check_governs(registry: &Registry, group: GroupId, key: PublicKey) -> Result<(), Failure> {
    if registry.governance_key(group.city()) == Some(key) {
        return Ok(());
    }
    let version = registry.version();
    let says = Said::new(
        format!("{key} 不是名册第 {version} 版中 {group} 的治理密钥, 未签署"),
        format!(
            "{key} is not the governance key of {group} in version {version} of the registry; not signed"
        ),
    );
    Err(Failure::told(Code::KEY_WITHOUT_RIGHT, Exit::No, says))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tongban_trust::testing::{SampleFederation, sample_draft};
    use tongban_trust::{PlacementFile, RegistryFile};
    use tongban_types::PlacementOrder;
    use zeroize::Zeroizing;

    use super::*;
    use crate::keys::write_seed;
    use crate::output::Language;

    const SEED: [u8; 32] = [77; 32];

    /// A registry in which the governance key of the first city is that of `SEED`.
    fn registry() -> Vec<u8> {
        let mut draft = sample_draft();
        draft.governance(
            SampleFederation::city(0),
            SigningKey::from_seed(&SEED).public(),
        );
        let mut file = RegistryFile::unsigned(draft.check().unwrap());
        for place in 1..6 {
            let city = SampleFederation::city(place);
            file.sign(&SampleFederation::governance_key(city));
        }
        file.encode()
    }

    /// An order for the group of a city, the key of `SEED` and the registry, in a folder.
    fn order_for(folder: &Path, place: usize) -> Arguments {
        let order = PlacementFile::new(PlacementOrder {
            group: GroupId(SampleFederation::city(place)),
            version: 1,
            voters: (place..place + 3).map(SampleFederation::node).collect(),
            learners: Vec::new(),
            reason: String::new(),
        });
        let files = ["order.json", "governance.key", "registry.json"];
        let [file, key, trust] = files.map(|name| folder.join(name));
        replace(&file, order.encode_indented().as_bytes(), 0o644).unwrap();
        write_seed(&key, &Zeroizing::new(SEED)).unwrap();
        replace(&trust, &registry(), 0o644).unwrap();
        Arguments {
            order: file,
            key,
            trust: Some(trust),
        }
    }

    fn is_signed(arguments: &Arguments) -> bool {
        read_order(&arguments.order).unwrap().signed().is_some()
    }

    #[test]
    fn an_order_is_not_signed_with_the_governance_key_of_another_city() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = order_for(folder.path(), 1);
        let refused = sign(&arguments).unwrap_err();
        assert_eq!(
            (refused.code, refused.exit),
            (Code::KEY_WITHOUT_RIGHT, Exit::No)
        );
        assert!(!is_signed(&arguments));
    }

    #[test]
    fn an_order_is_signed_with_the_governance_key_of_its_city() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = order_for(folder.path(), 0);
        let signed = sign(&arguments).unwrap();
        assert!(is_signed(&arguments));
        let said = signed.to_text(Reader::plain(Language::En));
        assert!(!said.contains("not compared"), "{said}");
    }

    #[test]
    fn without_a_registry_it_is_said_that_the_key_was_not_compared() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = Arguments {
            trust: None,
            ..order_for(folder.path(), 1)
        };
        let signed = sign(&arguments).unwrap();
        let said = signed.to_text(Reader::plain(Language::En));
        assert!(said.contains("not compared"), "{said}");
    }
}
