//! `tongban version`.

use serde::Serialize;

use crate::exit::Exit;
use crate::output::{Answer, Output};

#[derive(Serialize)]
struct Version {
    version: &'static str,
    target: String,
}

impl Answer for Version {
    const SCHEMA: &'static str = "tongban.version/v1";

    fn to_text(&self) -> String {
        format!("tongban {} ({})", self.version, self.target)
    }
}

/// Says which version this is.
pub(crate) fn run(output: Output) -> Exit {
    output.answer(&Version {
        version: env!("CARGO_PKG_VERSION"),
        target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
    });
    Exit::Yes
}
