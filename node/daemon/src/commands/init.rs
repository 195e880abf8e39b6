//! `tongban init`: what an operator's node needs before its first start: keys, the public halves to be
//! enrolled, and a configuration. Nothing that is there is overwritten.

use std::fs;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::fs::{Access, access};
use serde::Serialize;
use tongban_api::Said;
use tongban_trust::governance_hash;
use tongban_types::{CityCode, Code, Division, Hash, NodeId};
use utoipa::ToSchema;

use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::{FileError, replace};
use crate::keys::KeyFolder;
use crate::node_access::path_word;
use crate::node_process::check_user;
use crate::output::{Answer, Described, Output, Reader};
use crate::registry::{believe, read_registry};

/// An answer typed at a terminal is a path at most.
const ANSWER_BYTES_MAX: u64 = 4_096;

/// The signed registry, beside the configuration, until another place is written there.
const REGISTRY_FILE: &str = "registry.json";

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 城市代码 GB/T 2260, 六位 (code of the city)
    #[arg(long, value_name = "CODE")]
    city: CityCode,
    /// 节点在本市的编号 (number of the node within the city)
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=99))]
    number: u8,
    /// 写到哪个目录 (folder of node.toml)
    #[arg(long, value_name = "DIR", default_value = "/etc/tongban")]
    dir: PathBuf,
    /// 数据目录 (data folder)
    #[arg(long, value_name = "DIR", default_value = "/var/lib/tongban")]
    data: PathBuf,
    /// 已签名的名册; 还没有则以后填写 (the signed registry, if there is one yet)
    #[arg(long, value_name = "FILE")]
    registry: Option<PathBuf>,
    /// 不提问 (ask nothing)
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize, ToSchema)]
struct Begun {
    node: String,
    city: String,
    #[schema(value_type = String)]
    config: PathBuf,
    #[schema(value_type = String)]
    enrolment: PathBuf,
    #[schema(value_type = String)]
    data: PathBuf,
    governance: Option<String>,
    next: Vec<String>,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Begun>("tongban init");

impl Answer for Begun {
    const SCHEMA: &'static str = "tongban.init/v1";

    fn to_text(&self, reader: Reader) -> String {
        let mut lines = vec![
            format!("{} {} {}", reader.say("节点", "node"), self.node, self.city),
            format!(
                "  {} {}",
                reader.say("配置", "configuration"),
                self.config.display()
            ),
            format!(
                "  {} {}",
                reader.say("公钥", "public keys  "),
                self.enrolment.display()
            ),
            format!(
                "  {} {}",
                reader.say("数据", "data         "),
                self.data.display()
            ),
        ];
        lines.push(match &self.governance {
            Some(hash) => reader.say(
                format!("治理密钥哈希 {hash}: 请向另一城市当面核对"),
                format!("hash of the governance keys {hash}: compare it with another city"),
            ),
            None => reader.say(
                "还没有名册: 把公钥文件交给制作名册的人 (tongban registry make --help), 名册签好后按下面的命令填写"
                    .to_owned(),
                "no registry yet: hand the public keys to whoever makes it (tongban registry make --help), \
                 and once it is signed go on as follows"
                    .to_owned(),
            ),
        });
        let word = reader.say("下一步", "next");
        lines.extend(self.next.iter().map(|command| format!("{word}: {command}")));
        lines.join("\n")
    }
}

/// Writes it all.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let node = NodeId::new(arguments.city, arguments.number).map_err(|error| {
        let says = Said::of_identifier(&error);
        Failure::told(Code::MALFORMED_IDENTIFIER, Exit::Usage, says)
    })?;
    let config = arguments.dir.join("node.toml");
    if config.exists() {
        let says = Said::new(
            format!("{} 已存在, 不覆盖", config.display()),
            format!(
                "{} is there already and is not overwritten",
                config.display()
            ),
        );
        let next = format!("tongban config check --config {}", path_word(&config));
        return Err(Failure::told(Code::CONFIGURATION_EXISTS, Exit::Conflict, says).then(next));
    }
    // On an installed machine the configuration is root's and the data are the node's: no one user may make both,
    // and the keys are what has to be made there.
    check_user(&arguments.data)
        .map_err(|error| Failure::from(error).then("tongban key make --help"))?;
    let registry = match &arguments.registry {
        Some(file) => Some(absolute(file)?),
        None => ask_for_registry(arguments.yes)?,
    };
    // Believed before anything is written, so that a wrong file leaves nothing behind.
    let pin = match &registry {
        Some(file) => Some(governance_hash(&believe(&read_registry(file)?, None)?)),
        None => None,
    };
    for folder in [&arguments.dir, &arguments.data] {
        fs::create_dir_all(folder).map_err(FileError::at(folder))?;
    }
    // Before there are keys: they would be in the way of the next try.
    check_writable(&arguments.dir).map_err(|error| {
        let data = arguments.data.display();
        Failure::from(error).then(format!("tongban key make --data {data} --node {node}"))
    })?;
    private(&arguments.data)?;
    let keys = KeyFolder::of(&arguments.data);
    keys.make(node)?;
    let enrolment = arguments.dir.join(format!("{node}.json"));
    let public = serde_json::to_vec_pretty(&keys.load()?.enrolment(node)).expect("keys are texts");
    replace(&enrolment, &public, 0o644)?;
    let data = absolute(&arguments.data)?;
    let text = configuration(node, &data, registry.as_deref(), pin);
    replace(&config, text.as_bytes(), 0o644)?;
    // What was written is what a node would read.
    Configuration::read(&config)?;
    output.answer(&Begun {
        node: node.to_string(),
        city: city_name(arguments.city),
        next: next(&config, registry.is_some()),
        governance: pin.map(|pin| pin.to_string()),
        config,
        enrolment,
        data,
    });
    Ok(Exit::Yes)
}

fn city_name(city: CityCode) -> String {
    Division::from(city)
        .name()
        .map(str::to_owned)
        .unwrap_or_default()
}

fn absolute(path: &Path) -> Result<PathBuf, FileError> {
    std::path::absolute(path).map_err(FileError::at(path))
}

fn check_writable(folder: &Path) -> Result<(), FileError> {
    let found = access(folder, Access::WRITE_OK | Access::EXEC_OK);
    found.map_err(|error| FileError::at(folder)(error.into()))
}

fn private(folder: &Path) -> Result<(), FileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::Permissions::from_mode(0o700);
    fs::set_permissions(folder, mode).map_err(FileError::at(folder))
}

/// The one thing that cannot be guessed, asked for where somebody sits at a terminal.
fn ask_for_registry(asks_nothing: bool) -> Result<Option<PathBuf>, Failure> {
    use std::io::Read as _;
    let stdin = std::io::stdin();
    if asks_nothing || !stdin.is_terminal() {
        return Ok(None);
    }
    let mut talk = std::io::stderr();
    let _ = write!(
        talk,
        "已签名的名册文件, 没有则回车 (signed registry, or Enter): "
    );
    let _ = talk.flush();
    let mut line = String::new();
    let mut bounded = std::io::BufReader::new(stdin.lock().take(ANSWER_BYTES_MAX));
    bounded
        .read_line(&mut line)
        .map_err(FileError::at(Path::new("stdin")))?;
    match line.trim() {
        "" => Ok(None),
        file => Ok(Some(absolute(Path::new(file))?)),
    }
}

fn next(config: &Path, has_registry: bool) -> Vec<String> {
    // Where the configuration looks for it, from wherever the command is typed.
    let registry = config.with_file_name(REGISTRY_FILE);
    let config = path_word(config);
    let mut commands = Vec::new();
    if !has_registry {
        commands.push(format!("tongban registry check {}", path_word(&registry)));
        commands.push(format!("tongban config check --config {config}"));
    }
    commands.push(format!("tongban doctor --config {config}"));
    commands.push(format!("tongban up --config {config}"));
    commands
}

/// The file, with what may be changed explained beside it.
fn configuration(node: NodeId, data: &Path, registry: Option<&Path>, pin: Option<Hash>) -> String {
    let quoted = |path: &Path| toml::Value::String(path.display().to_string()).to_string();
    let (file, advice) = match registry {
        Some(file) => (quoted(file), ""),
        None => (
            quoted(Path::new(REGISTRY_FILE)),
            "# 名册签好后放在这里, 并填入 tongban registry check 显示的治理密钥哈希\n\
             # Put the signed registry here and fill in the hash that `tongban registry check` shows.\n",
        ),
    };
    let pin = pin.unwrap_or(Hash([0; 32]));
    let (city, number) = (node.city(), node.to_string());
    let number = number
        .rsplit('-')
        .next()
        .unwrap_or_default()
        .trim_start_matches('0');
    format!(
        "# 通办节点配置; 全部配置项、值和来处: tongban config show --origin\n\
         [node]\ncity = \"{city}\"\nnumber = {number}\n\n\
         [data]\nfolder = {data}\n\n\
         [federation]\n# 其他城市的节点由此连接 (other cities' nodes connect here)\n\
         listen = \"0.0.0.0:7400\"\n\n\
         [http]\nlisten = \"127.0.0.1:8443\"\n\n\
         [registry]\n{advice}file = {file}\ngovernance = \"{pin}\"\n\n\
         [log]\nlevel = \"info\"\nformat = \"json\"\n",
        data = quoted(data),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(folder: &Path) -> Arguments {
        Arguments {
            city: "350100".parse().unwrap(),
            number: 2,
            dir: folder.join("etc"),
            data: folder.join("var"),
            registry: None,
            yes: true,
        }
    }

    #[test]
    fn what_is_begun_is_what_a_node_reads_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = arguments(folder.path());
        assert_eq!(run(&arguments, Output::default()).unwrap(), Exit::Yes);
        let read = Configuration::read(&folder.path().join("etc/node.toml")).unwrap();
        assert_eq!(read.node.to_string(), "350100-02");
        assert_eq!(read.data, folder.path().join("var"));
        assert_eq!(KeyFolder::of(&read.data).owner(), Some(read.node));
        assert!(folder.path().join("etc/350100-02.json").exists());
        let again = run(&arguments, Output::default()).unwrap_err();
        assert_eq!(
            (again.code, again.exit),
            (Code::CONFIGURATION_EXISTS, Exit::Conflict)
        );
        // Keys of an earlier node are as safe as its configuration.
        fs::remove_file(folder.path().join("etc/node.toml")).unwrap();
        let keys = run(&arguments, Output::default()).unwrap_err();
        assert_eq!(keys.code, Code::KEY_FILE_EXISTS);
    }

    #[test]
    fn whoever_has_no_registry_is_sent_to_where_the_configuration_looks_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = arguments(folder.path());
        assert_eq!(run(&arguments, Output::default()).unwrap(), Exit::Yes);
        let config = folder.path().join("etc/node.toml");
        let read = Configuration::read(&config).unwrap();
        let check = format!("tongban registry check {}", read.registry_file.display());
        assert_eq!(next(&config, false).first(), Some(&check));
        assert!(!next(&config, true).contains(&check));
    }

    #[test]
    fn root_begins_no_node_in_a_folder_of_another_user() {
        use std::os::unix::fs::chown;

        let folder = tempfile::tempdir().unwrap();
        let arguments = arguments(folder.path());
        fs::create_dir(&arguments.data).unwrap();
        if chown(&arguments.data, Some(12_345), None).is_err() {
            // Who may not give a folder away is not root, and locks nobody out.
            return;
        }
        let refused = run(&arguments, Output::default()).unwrap_err();
        assert_eq!(refused.code, Code::FOLDER_OF_OTHER_USER);
        assert_eq!(refused.next, "tongban key make --help");
        assert!(!arguments.dir.exists());
        assert_eq!(fs::read_dir(&arguments.data).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_may_not_be_written_to_leaves_no_keys_behind() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let arguments = arguments(folder.path());
        fs::create_dir(&arguments.dir).unwrap();
        fs::set_permissions(&arguments.dir, fs::Permissions::from_mode(0o500)).unwrap();
        if check_writable(&arguments.dir).is_ok() {
            // Root may write anywhere.
            return;
        }
        let refused = run(&arguments, Output::default()).unwrap_err();
        assert_eq!(refused.code, Code::FILE_UNUSABLE);
        let data = arguments.data.display();
        let next = format!("tongban key make --data {data} --node 350100-02");
        assert_eq!(refused.next, next);
        assert!(!arguments.data.join("keys").exists());
    }

    #[test]
    fn a_registry_that_is_none_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let registry = folder.path().join("registry.json");
        fs::write(&registry, "{}").unwrap();
        let wrong = Arguments {
            registry: Some(registry),
            ..arguments(folder.path())
        };
        assert!(run(&wrong, Output::default()).is_err());
        assert!(!folder.path().join("etc").exists() && !folder.path().join("var").exists());
    }
}
