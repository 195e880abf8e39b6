//! `tongban group sign`: puts the signature of the city's governance key under an order of placement.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tongban_trust::SigningKey;
use utoipa::ToSchema;

use super::file::read_order;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::replace;
use crate::keys::read_seed;
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 部署令文件, 就地签署 (the order, signed in place)
    #[arg(value_name = "ORDER")]
    order: PathBuf,
    /// 治理密钥文件 (the governance key)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

#[derive(Serialize, ToSchema)]
struct SignedOrder {
    #[schema(value_type = String)]
    file: PathBuf,
    group: String,
    version: u64,
    voters: Vec<String>,
    learners: Vec<String>,
    signer: String,
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
        let next = reader.next(&format!("tongban group apply {}", self.file.display()));
        format!("{said}\n{next}")
    }
}

/// Signs it. Whether the key is the city's is for the group to say: here is no registry.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut file = read_order(&arguments.order)?;
    let key = SigningKey::from_seed(&*read_seed(&arguments.key)?);
    file.sign(&key);
    replace(&arguments.order, file.encode_indented().as_bytes(), 0o644)?;
    let order = file.order();
    output.answer(&SignedOrder {
        file: arguments.order.clone(),
        group: order.group.to_string(),
        version: order.version,
        voters: order.voters.iter().map(ToString::to_string).collect(),
        learners: order.learners.iter().map(ToString::to_string).collect(),
        signer: key.public().to_string(),
    });
    Ok(Exit::Yes)
}
