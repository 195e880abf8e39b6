//! `tongban status`: a running node at a glance. The first line says how many more nodes can be lost.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tongban_api::FileTokenBook;
use tongban_runtime::seams::WallClock as _;
use tongban_types::{Actor, Code, Division, NodeId, PersonId, Role};

use crate::columns::padded;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::HttpClient;
use crate::node_process::{READY_FILE, Ready, TOKENS_FILE};
use crate::output::{Answer, Output};
use crate::platform::{OsEntropy, SystemClock};

/// A node that answers at all answers a status from memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// The token made for one question lives no longer.
const TOKEN_LIFE_MS: i64 = 60_000;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 本机节点的数据目录
    #[arg(long, value_name = "DIR", required_unless_present = "url")]
    data: Option<PathBuf>,
    /// 接口地址, 如 <http://127.0.0.1:8443>
    #[arg(long, value_name = "URL", conflicts_with = "data", requires = "token")]
    url: Option<String>,
    /// 访问令牌, 与 --url 同用
    #[arg(long, env = "TONGBAN_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Status(Value);

impl Answer for Status {
    const SCHEMA: &'static str = "tongban.status/v1";

    fn to_text(&self) -> String {
        let status = &self.0;
        let groups = status["groups"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let node = text(&status["node"]);
        let mut lines = vec![
            format!(
                "可再失去节点: {}",
                can_lose(groups.first().unwrap_or(&Value::Null))
            ),
            format!(
                "节点 {node} · {} · 名册第 {} 版 · 已连接 {} 个节点 · 待复制 {} 件",
                if status["failed"] == true {
                    "故障"
                } else {
                    "正常"
                },
                status["registry"],
                status["connected"].as_array().map_or(0, Vec::len),
                status["desk_waiting"],
            ),
        ];
        for group in groups {
            lines.push(format!(
                "  {} 主 {} 任期 {} 应用 {}/{} 办件 {} 未答报文 {}",
                padded(&city_name(&group["group"]), 8),
                group["leader"].as_str().unwrap_or("未知"),
                group["term"],
                group["applied_index"],
                group["last_index"],
                group["cases"],
                group["unanswered"],
            ));
        }
        if status["failed"] == true {
            lines.push(format!("下一步: tongban explain {}", Code::NODE_FAILED));
        }
        lines.join("\n")
    }
}

fn can_lose(own: &Value) -> String {
    match (&own["can_lose"], own["leader"].as_str()) {
        (Value::Number(count), _) => {
            let voters = own["voters"].as_array().map_or(0, Vec::len);
            format!(
                "{count} ({voters} 个投票成员, {} 个在线)",
                own["voters_in_touch"]
            )
        }
        (_, Some(leader)) => format!("未知 (主副本在 {leader}, 请向它查询)"),
        (_, None) => "0 (审批组暂无主副本; 收件仍可进行)".to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

fn city_name(group: &Value) -> String {
    let code = text(group);
    let division: Option<Division> = code.parse().ok();
    division.and_then(Division::name).unwrap_or(code).to_owned()
}

/// Asks and shows.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the tasks of the command")?;
    let mut status = runtime.block_on(async {
        match (&arguments.data, &arguments.url) {
            (Some(data), _) => ask_here(data).await,
            (None, url) => {
                let url = url.as_deref().unwrap_or_default();
                ask(
                    address_of(url)?,
                    arguments.token.as_deref().unwrap_or_default(),
                )
                .await
            }
        }
    })?;
    let failed = status["failed"] == true;
    if let Some(members) = status.as_object_mut() {
        // The answer's own envelope says it.
        members.remove("schema");
    }
    output.answer(&Status(status));
    Ok(if failed { Exit::No } else { Exit::Yes })
}

async fn ask(address: SocketAddr, token: &str) -> Result<Value, Failure> {
    let mut client = HttpClient::new(address, Some(token), PATIENCE);
    Ok(client.get_json("/api/v1/status").await?)
}

/// Whoever may write the data folder may make tokens: one for this question, taken back after it.
async fn ask_here(data: &Path) -> Result<Value, Failure> {
    let Some(ready) = Ready::read(&data.join(READY_FILE))? else {
        let message = format!("{} 中没有运行的节点", data.display());
        return Err(
            Failure::new(Code::NODE_UNREACHABLE, Exit::Unreachable, message)
                .then("tongban up --config FILE"),
        );
    };
    let node: NodeId = ready
        .node
        .parse()
        .context("reading where the node answers")?;
    let address = ready
        .http
        .parse()
        .context("reading where the node answers")?;
    let book = FileTokenBook::open(data.join(TOKENS_FILE))?;
    let operator = Actor {
        city: node.city(),
        person: PersonId::system(),
        role: Role::Operator,
    };
    let now = SystemClock.now();
    let expires = now.plus_ms(TOKEN_LIFE_MS);
    let made = book.create(&operator, expires, "tongban status", now, &OsEntropy)?;
    let status = ask(address, made.token.expose()).await;
    book.revoke(&made.id)?;
    status
}

fn address_of(url: &str) -> Result<SocketAddr, Failure> {
    let host = url
        .strip_prefix("http://")
        .unwrap_or(url)
        .trim_end_matches('/');
    host.parse().map_err(|_| {
        let message = format!("{url} 不是 http://地址:端口");
        Failure::new(Code::NODE_UNREACHABLE, Exit::Unreachable, message)
            .then("tongban status --url http://127.0.0.1:8443 --token TOKEN")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_line_says_how_many_more_can_be_lost() {
        let own = json!({"group": "350100", "can_lose": 1, "leader": "350100-01",
            "voters": ["a", "b", "c"], "voters_in_touch": 3});
        let status = Status(json!({"node": "350100-01", "failed": false, "groups": [own]}));
        let shown = status.to_text();
        assert!(
            shown.starts_with("可再失去节点: 1 (3 个投票成员, 3 个在线)\n"),
            "{shown}"
        );
        assert!(shown.contains("福州市"));
        assert!(can_lose(&json!({"leader": "350300-01"})).starts_with("未知"));
        assert!(can_lose(&json!({"leader": null})).starts_with('0'));
    }

    #[test]
    fn an_address_is_read_out_of_a_url() {
        assert_eq!(address_of("http://127.0.0.1:8443/").unwrap().port(), 8443);
        assert!(address_of("http://localhost").is_err());
    }
}
