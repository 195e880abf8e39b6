//! How a process says that it answers: one JSON object on stdout, and in files for whoever waits.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::folder_lock::is_held;
use crate::files::{FileError, read_bounded, replace};
use crate::output::{Answer, Described, Reader};
use crate::tls::Trust;

/// In the data folder while the process runs.
pub(crate) const READY_FILE: &str = "ready.json";

/// Addresses, a path, names and a number.
const READY_BYTES_MAX: usize = 4_096;

/// Where a running node answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema, Deserialize)]
pub(crate) struct Ready {
    /// Address and port of the API.
    pub(crate) http: String,
    /// The same with what it is spoken over, `https` or `http`.
    pub(crate) url: String,
    /// Where its certificate is; `None` without TLS.
    #[schema(value_type = Option<String>)]
    pub(crate) certificate: Option<PathBuf>,
    /// SHA-256 of its certificate, to be compared by whoever connects from elsewhere.
    pub(crate) fingerprint: Option<String>,
    /// Address and port of the links to other nodes.
    pub(crate) federation: String,
    /// Which node.
    pub(crate) node: String,
    /// Its process.
    pub(crate) pid: u32,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Ready>("tongban up");

impl Answer for Ready {
    const SCHEMA: &'static str = "tongban.ready/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (node, url, federation) = (&self.node, &self.url, &self.federation);
        let status = "tongban status --config FILE";
        let token = "tongban token create --data DIR --role clerk --person ID";
        let mut lines = vec![
            reader.say(format!("节点 {node} 就绪"), format!("node {node} is ready")),
            format!("  {} {url}", reader.say("接口", "API       ")),
            format!("  {} {federation}", reader.say("联盟", "federation")),
        ];
        if let Some(fingerprint) = &self.fingerprint {
            let name = reader.say("证书指纹 (SHA-256)", "certificate (SHA-256)");
            lines.push(format!("  {name} {fingerprint}"));
        }
        lines.extend([
            format!("  {} Ctrl-C", reader.say("停止", "stop      ")),
            reader.next(status),
            format!("        {token}"),
        ]);
        lines.join("\n")
    }
}

impl Ready {
    /// How a client on this machine knows the node.
    pub(crate) fn trust(&self) -> Trust {
        match &self.certificate {
            Some(certificate) => Trust::Exactly(certificate.clone()),
            None => Trust::Plain,
        }
    }

    /// Writes it; whoever finds the file finds it whole.
    pub(crate) fn write(&self, file: &Path) -> Result<(), FileError> {
        let json = serde_json::to_vec(self).expect("texts and a number");
        replace(file, &json, 0o644)
    }

    /// Where the node that runs on a data folder answers; `None` where none runs, whatever one that was
    /// killed left there.
    pub(crate) fn on(data: &Path) -> Result<Option<Self>, FileError> {
        if is_held(data) {
            Self::read(&data.join(READY_FILE))
        } else {
            Ok(None)
        }
    }

    /// Reads it; `None` while there is none.
    pub(crate) fn read(file: &Path) -> Result<Option<Self>, FileError> {
        match read_bounded(file, READY_BYTES_MAX) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
