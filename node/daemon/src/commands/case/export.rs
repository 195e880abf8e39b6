//! `tongban case export`: what somebody takes along of a case: its history, the receipt this node gave
//! and the signed document, each as a file.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tongban_types::Code;
use utoipa::ToSchema;

use super::number::{number_of, read_case};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::{FileError, replace};
use crate::http_client::order_patience;
use crate::node_access::{Call, NodeAccess};
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 办件编号或其开头 (number of the case, or its beginning)
    #[arg(value_name = "NO")]
    case: String,
    /// 写到哪个目录 (folder to write to)
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
struct Exported {
    case: String,
    #[schema(value_type = Vec<String>)]
    files: Vec<PathBuf>,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Exported>("tongban case export");

impl Answer for Exported {
    const SCHEMA: &'static str = "tongban.case-exported/v1";
    const ROWS: &'static str = "files";

    fn to_text(&self, reader: Reader) -> String {
        let mut lines: Vec<String> = self
            .files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let document = self
            .files
            .iter()
            .find(|file| file.extension().is_some_and(|kind| kind == "sdjwt"));
        lines.extend(document.map(|file| {
            reader.next(&format!(
                "tongban doc verify {} --trust REGISTRY",
                file.display()
            ))
        }));
        lines.join("\n")
    }
}

/// Exports it. What there is not yet is left out.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut client = arguments.node.open(order_patience())?;
    let number = number_of(&mut client, &arguments.case).await?;
    let case = read_case(&mut client, &number).await?;
    let folder = &arguments.dir;
    fs::create_dir_all(folder).map_err(FileError::at(folder))?;
    let mut files = Vec::new();
    let mut keep = |name: String, bytes: &[u8]| {
        let file = folder.join(name);
        replace(&file, bytes, 0o600)?;
        files.push(file);
        Ok::<(), FileError>(())
    };
    let whole = serde_json::to_vec_pretty(&case).expect("what was JSON is JSON");
    keep(format!("{number}.json"), &whole)?;
    for (part, name) in [("receipt", "receipt.json"), ("document", "sdjwt")] {
        match client
            .call(&Call::get(format!("/api/v1/cases/{number}/{part}")))
            .await
        {
            Ok(answer) => keep(format!("{number}.{name}"), &answer.body)?,
            Err(failure) if is_absent(failure.code) => {}
            Err(failure) => return Err(failure),
        }
    }
    output.answer(&Exported {
        case: number,
        files,
    });
    Ok(Exit::Yes)
}

const fn is_absent(code: Code) -> bool {
    matches!(
        code,
        Code::NO_DOCUMENT | Code::DOCUMENT_PENDING | Code::NO_RECEIPT
    )
}
