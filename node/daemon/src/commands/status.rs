//! `tongban status`: a running node at a glance. The first line says how many more nodes can be lost.
//! Asking changes nothing: the node leaves a token in its data folder for whoever may read it.

mod place;
mod view;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use tongban_types::Code;

use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::{Coded as _, Failure};
use crate::http_client::{ClientError, HttpClient};
use crate::node_process::{READY_FILE, Ready, read_token};
use crate::output::Output;
use crate::tls::Trust;

use place::NodeUrl;
use view::Status;

/// A node that answers at all answers a status from memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where an installed node is configured and where its data are, if the file does not say it.
const CONFIG_USUAL: &str = "/etc/tongban/node.toml";
const DATA_USUAL: &str = "/var/lib/tongban";

/// What it takes. Without anything: the node this machine is configured for.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 本机节点的配置文件 [默认 /etc/tongban/node.toml, 没有则用数据目录 /var/lib/tongban]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "url"])]
    config: Option<PathBuf>,
    /// 本机节点的数据目录
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// 接口地址, 如 <https://127.0.0.1:8443>
    #[arg(long, value_name = "URL", conflicts_with = "data", requires = "token")]
    url: Option<NodeUrl>,
    /// 所信任的证书 (PEM), 与 https 的 --url 同用: 节点自备的证书在其数据目录的 tls/certificate.pem
    #[arg(long, value_name = "FILE", requires = "url")]
    ca: Option<PathBuf>,
    /// 访问令牌, 与 --url 同用
    #[arg(long, env = "TONGBAN_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Asks and shows.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the tasks of the command")?;
    let answer = runtime.block_on(async {
        match &arguments.url {
            Some(url) => {
                let trust = url.trust(arguments.ca.as_deref())?;
                ask(url, trust, arguments.token.as_deref().unwrap_or_default()).await
            }
            None => ask_here(&folder(arguments)?).await,
        }
    })?;
    let status = Status::of(answer);
    output.answer(&status);
    Ok(if status.is_healthy() {
        Exit::Yes
    } else {
        Exit::No
    })
}

fn folder(arguments: &Arguments) -> Result<PathBuf, Failure> {
    if let Some(data) = &arguments.data {
        return Ok(data.clone());
    }
    let usual = Path::new(CONFIG_USUAL);
    match &arguments.config {
        Some(config) => Ok(Configuration::read(config)?.data),
        None if usual.exists() => Ok(Configuration::read(usual)?.data),
        None => Ok(DATA_USUAL.into()),
    }
}

async fn ask_here(data: &Path) -> Result<Value, Failure> {
    let Some(ready) = Ready::read(&data.join(READY_FILE))? else {
        return Err(nobody(data));
    };
    let address: NodeUrl = ready
        .http
        .parse()
        .map_err(|_| anyhow::anyhow!("{READY_FILE} does not say where the node answers"))?;
    let token = read_token(data).map_err(|error| {
        if error.is_missing() {
            nobody(data)
        } else {
            // It is for the node's own user and root.
            Failure::from(error).exiting(Exit::NotAllowed)
        }
    })?;
    ask(&address, ready.trust(), &token).await
}

fn nobody(data: &Path) -> Failure {
    let message = format!("{} 中没有运行的节点", data.display());
    Failure::new(Code::NODE_UNREACHABLE, Exit::Unreachable, message)
        .then("tongban up --config FILE")
}

/// A name may stand for several addresses, of which the node has one.
async fn ask(node: &NodeUrl, trust: Trust, token: &str) -> Result<Value, Failure> {
    let mut last = None;
    for address in node.addresses().await? {
        let mut client = HttpClient::new(address, trust.clone(), Some(token), PATIENCE);
        match client.get_json("/api/v1/status").await {
            Err(error @ ClientError::Unreachable { .. }) => last = Some(error),
            Err(error) if error.exit() == Exit::NotAllowed => {
                return Err(Failure::from(error)
                    .then("tongban token create --data DIR --role operator --person ID"));
            }
            answered => return Ok(answered?),
        }
    }
    Err(match last {
        Some(error) => error.into(),
        None => node.unresolved(),
    })
}
