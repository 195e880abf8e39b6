//! `tongban version`: what this program is, and the permanent formats it speaks.

use serde::Serialize;
use utoipa::ToSchema;

use crate::exit::Exit;
use crate::output::{Answer, Described, Output, Reader};

/// The commit, where whoever built it said so (`TONGBAN_COMMIT`): a build asks git nothing.
const COMMIT: Option<&str> = option_env!("TONGBAN_COMMIT");

/// The lowest Rust that builds it.
const RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// What stays readable for ever (decision 0001).
const FORMATS: [&str; 5] = [
    "tongban-wire/1",
    "tongban-registry/1",
    "tongban-receipt/1",
    "dc+sd-jwt",
    "tongban-api/v1",
];

#[derive(Serialize, ToSchema)]
struct Program {
    version: &'static str,
    commit: Option<&'static str>,
    target: String,
    rust: &'static str,
    profile: &'static str,
    features: Vec<&'static str>,
    formats: [&'static str; 5],
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Program>("tongban version");

impl Answer for Program {
    const SCHEMA: &'static str = "tongban.version/v1";

    fn to_text(&self, reader: Reader) -> String {
        let features = if self.features.is_empty() {
            reader.say("无", "none").to_owned()
        } else {
            self.features.join(" ")
        };
        [
            format!("tongban {} ({})", self.version, self.target),
            format!(
                "  {} {}",
                reader.say("提交", "commit"),
                self.commit.unwrap_or("?")
            ),
            format!("  rust   >= {}, {}", self.rust, self.profile),
            format!("  {} {features}", reader.say("选件", "features")),
            format!(
                "  {} {}",
                reader.say("格式", "formats"),
                self.formats.join(" ")
            ),
        ]
        .join("\n")
    }
}

/// Says which version this is.
pub(crate) fn run(output: Output) -> Exit {
    output.answer(&Program {
        version: env!("CARGO_PKG_VERSION"),
        commit: COMMIT,
        target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        rust: RUST,
        profile: if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        },
        features: features(),
        formats: FORMATS,
    });
    Exit::Yes
}

/// What this build has that one without options has not.
fn features() -> Vec<&'static str> {
    let all = [
        ("s3", cfg!(feature = "s3")),
        ("otlp", cfg!(feature = "otlp")),
    ];
    let built = all.into_iter().filter(|(_, is_built)| *is_built);
    built.map(|(name, _)| name).collect()
}
