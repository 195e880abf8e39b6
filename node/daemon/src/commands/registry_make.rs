//! `tongban registry make`: turns a plan into a registry nobody has signed yet.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use tongban_trust::{RegistryFile, governance_hash};
use utoipa::ToSchema;

use super::draft;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::replace;
use crate::node_access::path_word;
use crate::output::{Answer, Described, Output, Reader};
use crate::registry::{Plan, read_registry};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 计划文件 (TOML): 城市, 节点, 地址, 公钥 (the plan: cities, nodes, addresses, keys)
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// 写到哪里 (where to)
    #[arg(long, value_name = "FILE", default_value = "registry.json")]
    out: PathBuf,
    /// 现行名册; 新名册版本加一, 保留其旧密钥
    /// (the registry in force: the next version, which keeps its old keys)
    #[arg(long, value_name = "FILE")]
    after: Option<PathBuf>,
}

#[derive(Serialize, ToSchema)]
struct Made {
    #[schema(value_type = String)]
    file: PathBuf,
    version: u64,
    governance: String,
    signatures_needed: usize,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Made>("tongban registry make");

impl Answer for Made {
    const SCHEMA: &'static str = "tongban.registry-made/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (version, file, hash) = (self.version, self.file.display(), &self.governance);
        let needed = self.signatures_needed;
        let made = reader.say(
            format!(
                "已制作名册第 {version} 版: {file}\n治理密钥哈希 {hash}\n还需 {needed} 个治理密钥签名"
            ),
            format!(
                "registry version {version}: {file}\nhash of its governance keys {hash}\n\
                 {needed} governance keys have to sign it"
            ),
        );
        let next = reader.next(&format!("tongban registry sign {file} --key FILE"));
        format!("{made}\n{next}")
    }
}

/// Makes the file.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    check_only_draft(&arguments.out)?;
    let plan = Plan::read(&arguments.plan)?;
    let current = match &arguments.after {
        Some(file) => Some(RegistryFile::decode(&read_registry(file)?)?),
        None => None,
    };
    let folder = arguments.plan.parent().unwrap_or_else(|| Path::new(""));
    let registry = plan.to_registry(folder, current.as_ref().map(RegistryFile::registry))?;
    if let Some(current) = &current {
        // What can never follow is told before anybody signs it.
        registry.check_follows(current.registry())?;
    }
    let made = Made {
        file: arguments.out.clone(),
        version: registry.version(),
        governance: governance_hash(&registry).to_string(),
        signatures_needed: registry.threshold(),
    };
    let text = RegistryFile::unsigned(registry).encode_indented();
    replace(&arguments.out, text.as_bytes(), 0o644)?;
    output.answer(&made);
    Ok(Exit::Yes)
}

/// A draft is made again as often as the plan needs. Signatures are gathered from city to city, for
/// weeks: a file that bears one is never written over, nor one that is no registry.
fn check_only_draft(out: &Path) -> Result<(), Failure> {
    let is_draft = |bytes: &[u8]| {
        RegistryFile::decode(bytes).is_ok_and(|file| file.signers().next().is_none())
    };
    // It says which of the two it is, and how many signatures there are.
    let next = || format!("tongban registry check {}", path_word(out));
    let what = ("名册", "registry");
    draft::check_only_draft(out, read_registry(out), is_draft, what, next)
}

#[cfg(test)]
mod tests {
    use tongban_types::Code;

    use super::*;

    #[test]
    fn what_is_no_draft_is_not_made_over_and_the_next_command_looks_at_it() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("next.json");
        assert!(check_only_draft(&out).is_ok());
        std::fs::write(&out, "{}").unwrap();
        let refused = check_only_draft(&out).unwrap_err();
        assert_eq!(
            (refused.code, refused.exit),
            (Code::FILE_UNUSABLE, Exit::Conflict)
        );
        let look = format!("tongban registry check {}", out.display());
        assert_eq!(refused.next, look);
        // What cannot be read is told as such, not as a registry that is none.
        let unreadable = check_only_draft(folder.path()).unwrap_err();
        assert_ne!(unreadable.exit, Exit::Conflict);
    }
}
