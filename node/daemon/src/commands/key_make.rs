//! `tongban key make`: draws the keys of a node, or one governance or recovery key, and prints the
//! public halves as JSON.

use std::path::PathBuf;

use clap::Args;
use data_encoding::HEXLOWER;
use serde::Serialize;
use tongban_runtime::recovery_public;
use tongban_runtime::seams::Entropy as _;
use tongban_trust::{KeyId, SigningKey};
use tongban_types::NodeId;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::keys::{KeyFolder, write_seed};
use crate::node_process::check_user;
use crate::output::{Answer, Described, Output, Reader};
use crate::platform::OsEntropy;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 节点的数据目录, 密钥写入其中的 keys/ (data folder of the node; its keys/ takes them)
    #[arg(
        long,
        value_name = "DIR",
        requires = "node",
        required_unless_present_any = ["governance", "recovery"]
    )]
    data: Option<PathBuf>,
    /// 节点编号, 如 350100-01 (the node)
    #[arg(long, value_name = "NODE", requires = "data")]
    node: Option<NodeId>,
    /// 改为生成一把治理密钥, 写入该文件; 应离线保管
    /// (a governance key instead, into this file, to be kept offline)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "node"])]
    governance: Option<PathBuf>,
    /// 改为生成一把恢复密钥, 写入该文件; 应离线保管, 办件密钥的备份加密给它
    /// (a recovery key instead, which backups are sealed to, to be kept offline)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "node", "governance"])]
    recovery: Option<PathBuf>,
}

#[derive(Serialize, ToSchema)]
struct RecoveryKey {
    public: String,
}

/// The JSON form of a recovery key made.
pub(crate) const RECOVERY_KEY: Described = Described::answer::<RecoveryKey>("tongban key make");

impl Answer for RecoveryKey {
    const SCHEMA: &'static str = "tongban.recovery-key/v1";

    fn to_text(&self, _: Reader) -> String {
        format!("恢复密钥 {}", self.public)
    }
}

#[derive(Serialize, ToSchema)]
struct GovernanceKey {
    public: String,
    key_id: String,
}

/// The JSON form of a governance key made.
pub(crate) const GOVERNANCE_KEY: Described = Described::answer::<GovernanceKey>("tongban key make");

impl Answer for GovernanceKey {
    const SCHEMA: &'static str = "tongban.governance-key/v1";

    fn to_text(&self, _: Reader) -> String {
        format!("治理密钥 {}", self.public)
    }
}

/// Makes the keys.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    if let Some(file) = &arguments.governance {
        let seed = Zeroizing::new(OsEntropy.array());
        write_seed(file, &seed)?;
        let public = SigningKey::from_seed(&seed).public();
        output.answer_json(&GovernanceKey {
            public: public.to_string(),
            key_id: KeyId::of(public).to_string(),
        });
        return Ok(Exit::Yes);
    }
    if let Some(file) = &arguments.recovery {
        let seed = Zeroizing::new(OsEntropy.array());
        write_seed(file, &seed)?;
        let public = HEXLOWER.encode(&recovery_public(&seed).0);
        output.answer_json(&RecoveryKey { public });
        return Ok(Exit::Yes);
    }
    let (data, node) = arguments
        .data
        .as_ref()
        .zip(arguments.node)
        .expect("clap requires both unless a governance key is asked for");
    check_user(data)?;
    let folder = KeyFolder::of(data);
    folder.make(node).map_err(|error| {
        let next = format!("tongban key show --data {} --node {node}", data.display());
        Failure::from(error).then(next)
    })?;
    output.answer_json(&folder.load()?.enrolment(node));
    Ok(Exit::Yes)
}
