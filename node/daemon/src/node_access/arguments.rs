//! Which node a command means. Without anything: the node this machine is configured for, asked with
//! the token it leaves in its data folder for whoever may read it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tongban_api::Said;
use tongban_types::Code;

use super::{NodeClient, NodeUrl, path_word, word};
use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::read_bounded;
use crate::node_process::{READY_FILE, Ready, read_token};
use crate::tls::Trust;

/// Where an installed node is configured and where its data are, if the file does not say it.
pub(crate) const CONFIG_USUAL: &str = "/etc/tongban/node.toml";
const DATA_USUAL: &str = "/var/lib/tongban";

/// Where a token is taken from that nobody typed.
const TOKEN_VARIABLE: &str = "TONGBAN_TOKEN";

/// A token has 43 characters.
const TOKEN_BYTES_MAX: usize = 128;

/// The node, and who asks.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "节点 / Node")]
pub(crate) struct NodeAccess {
    /// 本机节点的配置文件 [默认 /etc/tongban/node.toml, 没有则用数据目录 /var/lib/tongban] (configuration of a node here)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "url"])]
    config: Option<PathBuf>,
    /// 本机节点的数据目录 (data folder of a node here)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// 接口地址, 如 <https://127.0.0.1:8443> (address of the API)
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    url: Option<NodeUrl>,
    /// 所信任的证书 (PEM), 与 https 的 --url 同用: 节点自备的证书在其数据目录的 tls/certificate.pem (certificates to trust)
    #[arg(long, value_name = "FILE", requires = "url")]
    ca: Option<PathBuf>,
    /// 访问令牌; 不给则用本机节点留下的运维令牌 (access token)
    #[arg(long, env = TOKEN_VARIABLE, hide_env_values = true)]
    token: Option<String>,
    /// 从文件读访问令牌 (file of the access token)
    #[arg(
        long,
        value_name = "FILE",
        env = "TONGBAN_TOKEN_FILE",
        conflicts_with = "token"
    )]
    token_file: Option<PathBuf>,
    /// 最多等几秒 (seconds to wait at most)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..=3600))]
    timeout: Option<u16>,
    /// 不发送, 只显示等同的 curl 命令 (send nothing; show the call as a curl command)
    #[arg(long)]
    curl: bool,
}

impl NodeAccess {
    /// The node that runs on a data folder.
    pub(crate) fn of_data(data: &Path) -> Self {
        Self {
            data: Some(data.to_owned()),
            ..Self::default()
        }
    }

    /// A client of the node, waiting for `patience` where nothing else was asked.
    pub(crate) fn open(&self, patience: Duration) -> Result<NodeClient, Failure> {
        let timeout = self
            .timeout
            .map(|seconds| Duration::from_secs(seconds.into()));
        let (url, trust, token) = match &self.url {
            Some(url) => {
                let trust = url.trust(self.ca.as_deref())?;
                (
                    url.clone(),
                    trust,
                    self.given_token()?.ok_or_else(no_token)?,
                )
            }
            None => self.here()?,
        };
        Ok(NodeClient::new(
            url,
            trust,
            token,
            timeout.unwrap_or(patience),
            self.curl,
            self.words(),
        ))
    }

    /// How the node was named, each word behind a space, so that a command told next means the same one.
    /// A token that was typed is not shown; the environment has its own for the next command too.
    pub(crate) fn words(&self) -> String {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let named = [
            ("--config", self.config.as_deref().map(path)),
            ("--data", self.data.as_deref().map(path)),
            ("--url", self.url.as_ref().map(ToString::to_string)),
            ("--ca", self.ca.as_deref().map(path)),
            ("--token-file", self.token_file.as_deref().map(path)),
        ];
        let mut words = String::new();
        for (name, value) in named {
            if let Some(value) = value {
                words.extend([" ", name, " ", &word(&value)]);
            }
        }
        if self.token.is_some() && self.token != std::env::var(TOKEN_VARIABLE).ok() {
            words.push_str(" --token TOKEN");
        }
        words
    }

    /// Whether a node is named by its address: then nothing of it is looked for on this machine.
    pub(crate) const fn is_elsewhere(&self) -> bool {
        self.url.is_some()
    }

    /// Whether calls are shown instead of made.
    pub(crate) const fn shows_curl(&self) -> bool {
        self.curl
    }

    fn here(&self) -> Result<(NodeUrl, Trust, String), Failure> {
        let data = self.folder()?;
        let Some(ready) = Ready::on(&data)? else {
            return Err(self.nobody(&data));
        };
        let url: NodeUrl = ready
            .url
            .parse()
            .map_err(|_| anyhow::anyhow!("{READY_FILE} does not say where the node answers"))?;
        if let Some(token) = self.given_token()? {
            return Ok((url, ready.trust(), token));
        }
        let token = read_token(&data).map_err(|error| {
            if error.is_missing() {
                self.nobody(&data)
            } else {
                // It is for the node's own user and root.
                Failure::from(error).exiting(Exit::NotAllowed)
            }
        })?;
        Ok((url, ready.trust(), token))
    }

    /// The data folder of the node on this machine.
    pub(crate) fn folder(&self) -> Result<PathBuf, Failure> {
        if let Some(data) = &self.data {
            return Ok(data.clone());
        }
        match self.config_here() {
            Some(config) => Ok(Configuration::read(config)?.data),
            None => Ok(DATA_USUAL.into()),
        }
    }

    /// The configuration of the node on this machine, where one is known.
    pub(crate) fn configuration(&self) -> Result<Option<Configuration>, Failure> {
        let read = self.config_here().map(Configuration::read);
        Ok(read.transpose()?)
    }

    /// The configuration that says where the node on this machine has its data, if one does.
    fn config_here(&self) -> Option<&Path> {
        if self.data.is_some() {
            return None;
        }
        let usual = || Some(Path::new(CONFIG_USUAL)).filter(|usual| usual.exists());
        self.config.as_deref().or_else(usual)
    }

    /// The command that looks closer at this node: at all it needs where it is here, and from outside where not.
    pub(crate) fn look_closer(&self) -> String {
        if self.is_elsewhere() {
            return format!("tongban status{}", self.words());
        }
        format!("tongban doctor --config {}", self.config_known())
    }

    /// The configuration as the next command names it.
    fn config_known(&self) -> String {
        let config = self.config_here();
        config.map_or_else(|| "FILE".to_owned(), path_word)
    }

    fn nobody(&self, data: &Path) -> Failure {
        let config = self.config_known();
        let data = data.display();
        let says = Said::new(
            format!("{data} 中没有运行的节点"),
            format!("no node runs on {data}"),
        );
        Failure::told(Code::NODE_UNREACHABLE, Exit::Unreachable, says)
            .then(format!("tongban up --config {config}"))
    }

    fn given_token(&self) -> Result<Option<String>, Failure> {
        if let Some(file) = &self.token_file {
            let bytes = read_bounded(file, TOKEN_BYTES_MAX)?;
            return Ok(Some(
                String::from_utf8_lossy(bytes.trim_ascii()).into_owned(),
            ));
        }
        // A variable that is set and empty says nothing.
        Ok(self.token.clone().filter(|token| !token.is_empty()))
    }
}

fn no_token() -> Failure {
    let says = Said::new(
        "--url 需要 --token 或 TONGBAN_TOKEN",
        "--url needs --token or TONGBAN_TOKEN",
    );
    Failure::told(Code::USAGE, Exit::Usage, says)
        .then("tongban token create --data DIR --role operator --person ID")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::minimal::MINIMAL;
    use crate::node_process::DataFolder;

    #[test]
    fn where_no_node_runs_the_next_command_names_the_configuration_that_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("node.toml");
        std::fs::write(&config, MINIMAL).unwrap();
        let by_config = NodeAccess {
            config: Some(config.clone()),
            ..NodeAccess::default()
        };
        let by_data = NodeAccess::of_data(folder.path());
        let started_by = format!("tongban up --config {}", config.display());
        for (access, next) in [
            (by_config, started_by.as_str()),
            (by_data, "tongban up --config FILE"),
        ] {
            let refused = access.open(Duration::from_secs(1)).unwrap_err();
            assert_eq!(refused.code, Code::NODE_UNREACHABLE);
            assert_eq!(refused.next, next);
        }
    }

    #[test]
    fn whoever_looks_closer_looks_at_the_node_that_was_asked() {
        let here = NodeAccess {
            config: Some("350100.toml".into()),
            ..NodeAccess::default()
        };
        assert_eq!(here.look_closer(), "tongban doctor --config 350100.toml");
        let elsewhere = NodeAccess {
            url: Some("https://192.0.2.1:8443".parse().unwrap()),
            ca: Some("ca.pem".into()),
            ..NodeAccess::default()
        };
        assert_eq!(
            elsewhere.look_closer(),
            "tongban status --url https://192.0.2.1:8443 --ca ca.pem"
        );
        let spaced = NodeAccess {
            config: Some("the node.toml".into()),
            ..NodeAccess::default()
        };
        let next = "tongban doctor --config 'the node.toml'";
        assert_eq!(spaced.look_closer(), next);
        let by_number = NodeAccess {
            url: Some("https://[::1]:8443".parse().unwrap()),
            ca: Some("the ca.pem".into()),
            ..NodeAccess::default()
        };
        assert_eq!(
            by_number.look_closer(),
            "tongban status --url 'https://[::1]:8443' --ca 'the ca.pem'"
        );
    }

    #[test]
    fn a_node_is_named_again_as_it_was_and_a_token_is_not_shown() {
        assert_eq!(NodeAccess::default().words(), "");
        let here = NodeAccess::of_data(Path::new("/srv/the node"));
        assert_eq!(here.words(), " --data '/srv/the node'");
        let elsewhere = NodeAccess {
            url: Some("https://127.0.0.1:8443".parse().unwrap()),
            ca: Some("c.pem".into()),
            token: Some("a token nobody is to see".to_owned()),
            ..NodeAccess::default()
        };
        let words = " --url https://127.0.0.1:8443 --ca c.pem --token TOKEN";
        assert_eq!(elsewhere.words(), words);
    }

    #[test]
    fn a_node_that_was_killed_does_not_run_whatever_it_left() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let taken = DataFolder::take(data, "350100-01".parse().unwrap()).unwrap();
        let ready = Ready {
            http: "127.0.0.1:9".to_owned(),
            url: "http://127.0.0.1:9".to_owned(),
            certificate: None,
            fingerprint: None,
            federation: String::new(),
            node: "350100-01".to_owned(),
            pid: 1,
        };
        ready.write(&data.join(READY_FILE)).unwrap();
        std::fs::write(data.join("operator.token"), "token").unwrap();
        let access = NodeAccess::of_data(data);
        let open = || access.open(Duration::from_secs(1));
        assert!(open().is_ok());
        drop(taken);
        let refused = open().unwrap_err();
        assert_eq!(refused.code, Code::NODE_UNREACHABLE);
        assert_eq!(refused.next, "tongban up --config FILE");
    }
}
