//! The API against its own description: a foreign validator reads the description, and schemathesis
//! sends a real node what it allows and what it forbids, with real tokens and cases, and looks whether
//! the answers are what it says. Both are Python programs that `tests/run` installs into `target/`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tongban_tests::city::{City, DISTRICT};
use tongban_tests::client::{Ask, Client};
use tongban_tests::process::run;
use tongban_tests::tools::tool;

/// The requests of the clerk, who is tried on every operation, take a minute on two quiet cores.
const LIMIT: Duration = Duration::from_mins(5);

/// What is drawn is drawn from this; `TONGBAN_SEED` names another for a longer hunt by hand.
const SEED: &str = "20261127";

/// How what is allowed may be answered: a state that forbids an act, a stale version and a form that its item
/// refuses are no faults of the request's shape.
const POSITIVE: &str = r#""2xx", "401", "403", "404", "409", "410", "412", "422", "428""#;

/// How what is forbidden may be refused: a stale version may be seen before the shape of a body is.
const NEGATIVE: &str =
    r#""400", "401", "403", "404", "405", "406", "409", "412", "415", "422", "428""#;

/// How a header that is missing may be missed; the protocol of uploads says 412 where its version is.
const MISSING: &str = r#""400", "401", "403", "406", "412", "415", "422""#;

/// The media type of tus, which schemathesis does not know.
const UPLOADS: &str = include_str!("../foreign/schemathesis_uploads.py");

/// Bytes of each upload there is when it begins: more than all pieces that are drawn for one.
const UPLOAD_BYTES: &str = "1048576";

/// Cases there are when it begins: two pages of the shortest list, and some to act upon.
const CASES: usize = 6;

/// A form of the sample item for a district of the city itself.
fn application(index: usize) -> Value {
    let form = include_str!("../../protocol/items/national/000109900001/1.example.json");
    let mut form: Value = serde_json::from_str(form).expect("the sample is JSON");
    form["move_in"]["division"] = DISTRICT.into();
    json!({"item": {"code": "000109900001", "version": 1}, "form": form, "hand_over": index.is_multiple_of(2)})
}

struct Seeded {
    number: String,
    cursor: String,
    uploads: Uploads,
}

/// Uploads of the clerk's, by id. What forgets one is tried on others, so that the first is always there.
struct Uploads {
    stays: String,
    cancelled: String,
    overridden: String,
}

fn begin_upload(clerk: &mut Client) -> Result<String> {
    let ask = Ask::new("POST", "/api/v1/uploads").header("tus-resumable", "1.0.0");
    let answer = clerk.ask(&ask.header("upload-length", UPLOAD_BYTES))?;
    ensure!(answer.status == 201, "{answer}");
    let place = answer.header("location").context("a place")?;
    let id = place.rsplit('/').next().context("an id")?;
    Ok(id.to_owned())
}

fn seed(clerk: &mut Client) -> Result<Seeded> {
    for index in 0..CASES {
        let ask = Ask::post("/api/v1/cases", &application(index));
        let answer = clerk.ask(&ask.key(&format!("seed-{index}")).replicated())?;
        ensure!([201, 202].contains(&answer.status), "{answer}");
    }
    let page = tongban_tests::process::until(LIMIT, "the cases are listed", || {
        let page = clerk.read("/api/v1/cases?limit=2")?;
        Ok(page["next"].is_string().then_some(page))
    })?;
    let text = |value: &Value| value.as_str().map(str::to_owned).context("a text");
    Ok(Seeded {
        number: text(&page["cases"][0]["number"])?,
        cursor: text(&page["next"])?,
        uploads: Uploads {
            stays: begin_upload(clerk)?,
            cancelled: begin_upload(clerk)?,
            overridden: begin_upload(clerk)?,
        },
    })
}

/// Who asks: a clerk for every operation, also for what is not a clerk's, and the others for what a clerk may not
/// do. Whom an operation is closed to is refused before anything is read; what several may read is read as the
/// clerk alone.
const ROLES: [&str; 3] = ["clerk", "officer", "operator"];

/// Operations open to officers alone.
const OF_OFFICERS: [&str; 5] = [
    "acceptCase",
    "askCorrection",
    "decideCase",
    "refuseToAccept",
    "reviewCase",
];

/// Operations on uploads of which something is said to schemathesis.
const OF_UPLOADS: [&str; 3] = ["beginUpload", "cancelUpload", "overrideUpload"];

/// The tag of operations on the node itself, most of them open to operators alone.
const OF_THE_NODE: &str = "节点 node";

/// Refuses names that the description does not know, of which nothing would be tried.
fn check_named(description: &Value) -> Result<()> {
    let text = description.to_string();
    let ids = OF_OFFICERS.iter().chain(&OF_UPLOADS);
    let ids = ids.map(|id| format!("\"operationId\":\"{id}\""));
    let tag = format!("\"tags\":[\"{OF_THE_NODE}\"]");
    for named in ids.chain([tag]) {
        ensure!(text.contains(&named), "no operation has {named}");
    }
    Ok(())
}

/// What schemathesis is told beside the description. Of settings that several entries make for an operation the
/// first is taken.
fn configuration(hooks: &str, seeded: &Seeded) -> String {
    let Seeded {
        number,
        cursor,
        uploads,
    } = seeded;
    let Uploads {
        stays,
        cancelled,
        overridden,
    } = uploads;
    format!(
        r#"request-timeout = 15
max-stream-events = 1
hooks = "{hooks}"

[parameters]
"path.number" = "{number}"
"path.id" = "{stays}"
"query.cursor" = "{cursor}"

# A stream says nothing while nothing happens, and is read for as long as a request may take.
[[operations]]
include-path-regex = "/events$"
request-timeout = 3

# Whatever is begun counts until the token may begin no more, and may be larger than a file may be, or than the disk.
[[operations]]
include-operation-id = "beginUpload"
[operations.checks.positive_data_acceptance]
expected-statuses = [{POSITIVE}, "413", "429", "507"]
[operations.checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "507"]

[[operations]]
include-operation-id = "cancelUpload"
parameters = {{ "path.id" = "{cancelled}" }}

# The offset is needed by one of the methods that may be meant, which no description can say.
[[operations]]
include-operation-id = "overrideUpload"
parameters = {{ "path.id" = "{overridden}" }}
[operations.checks.positive_data_acceptance]
expected-statuses = [{POSITIVE}, "400"]
[operations.checks.missing_required_header]
expected-statuses = [{MISSING}, "405"]

[[operations]]
include-path-regex = "^/api/v1/uploads"
[operations.checks.missing_required_header]
expected-statuses = [{MISSING}]

[checks.positive_data_acceptance]
expected-statuses = [{POSITIVE}]
[checks.negative_data_rejection]
expected-statuses = [{NEGATIVE}]
"#
    )
}

/// Sends what the description allows and forbids as the holder of one token.
fn try_as(
    folder: &Path,
    http: SocketAddr,
    token: &str,
    which: &[&str],
    seeded: &Seeded,
) -> Result<()> {
    let hooks = folder.join("uploads.py");
    fs::write(&hooks, UPLOADS)?;
    let hooks = hooks.to_str().context("a folder whose name is a text")?;
    let config = folder.join("schemathesis.toml");
    fs::write(&config, configuration(hooks, seeded))?;
    let mut command = tool("schemathesis")?;
    command.arg("--config-file").arg(&config);
    // What it remembers between runs goes with the test.
    command.current_dir(folder);
    command
        .args(["--no-color", "run"])
        .arg(folder.join("openapi.json"));
    command.args(["--url", &format!("http://{http}"), "--header"]);
    command.arg(format!("Authorization: Bearer {token}"));
    let seed = env::var("TONGBAN_SEED").unwrap_or_else(|_| SEED.to_owned());
    command.args(["--seed", &seed, "--max-examples", "10"]);
    command.arg("--continue-on-failure");
    command.args(which);
    command.args(["--checks", "all"]);
    let ended = run(command, LIMIT)?;
    ensure!(ended.code == Some(0), "{}{}", ended.stdout, ended.stderr);
    let said = ended.stdout.lines();
    let said = said.filter(|line| line.contains("Test cases") || line.contains("generated"));
    said.for_each(|line| eprintln!("{line}"));
    Ok(())
}

#[test]
fn the_api_does_what_its_description_says() {
    let folder = tempfile::Builder::new()
        .prefix("tongban-api-")
        .tempdir()
        .unwrap();
    let mut city = City::prepare(folder, "").unwrap();
    let rates = "tls = \"off\"\nreads_per_second = 100000\norders_per_second = 100000";
    let tokens = ROLES.map(|role| city.token(0, role, role).unwrap());
    for index in 0..3 {
        city.rewrite(index, "tls = \"off\"", rates).unwrap();
        city.start(index).unwrap();
    }
    let http = city.machines[0].http;
    let mut operator = Client::new(http, &tokens[2]);
    city.until_answering(0, &mut operator, true).unwrap();
    let seeded = seed(&mut Client::new(http, &tokens[0])).unwrap();

    let scratch = tempfile::tempdir().unwrap();
    let description = operator
        .ask(&Ask::get("/api/v1/openapi.json").anonymous())
        .unwrap();
    check_named(&description.json().unwrap()).unwrap();
    let file = scratch.path().join("openapi.json");
    fs::write(&file, &description.body).unwrap();
    let mut validator = tool("openapi-spec-validator").unwrap();
    let read = run(
        {
            validator.arg(&file);
            validator
        },
        LIMIT,
    )
    .unwrap();
    assert_eq!(read.code, Some(0), "{read:?}");

    let of_officers = format!("^({})$", OF_OFFICERS.join("|"));
    let asked: [&[&str]; 3] = [
        &[],
        &["--include-operation-id-regex", &of_officers],
        &["--include-tag", OF_THE_NODE],
    ];
    for (token, which) in tokens.iter().zip(asked) {
        try_as(scratch.path(), http, token, which, &seeded).unwrap();
    }
    for index in 0..3 {
        city.end(index).unwrap();
    }
}
