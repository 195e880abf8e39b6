//! `tongban token create`: makes an access token for a person; its text is shown once.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tongban_api::FileTokenBook;
use tongban_runtime::seams::WallClock as _;
use tongban_types::{Actor, DAY_MS, NodeId, PersonId, Role};
use utoipa::ToSchema;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::instant::beijing;
use crate::node_process::{TOKENS_FILE, city_of_folder};
use crate::output::{Answer, Described, Output, Reader};
use crate::platform::{OsEntropy, SystemClock};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 节点的数据目录 (data folder of the node)
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// 岗位: clerk 窗口, officer 审批, supervisor 督办, operator 运维, auditor 审计 (the role)
    #[arg(long)]
    role: Role,
    /// 工号, 如 fz-001 (number of the person)
    #[arg(long)]
    person: PersonId,
    /// 有效天数 (days it is good for)
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
    /// 备注, 便于辨认 (a note to know it by)
    #[arg(long, default_value = "")]
    label: String,
    /// 节点编号; 节点从未启动过时必须给出 (the node, needed where it was never started)
    #[arg(long, value_name = "NODE")]
    node: Option<NodeId>,
}

#[derive(Serialize, ToSchema)]
struct Created {
    id: String,
    token: String,
    city: String,
    role: &'static str,
    person: String,
    expires: String,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Created>("tongban token create");

impl Answer for Created {
    const SCHEMA: &'static str = "tongban.token/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (id, city, role, person) = (&self.id, &self.city, self.role, &self.person);
        let (token, expires) = (&self.token, &self.expires);
        let said = reader.say(
            format!("令牌只显示这一次。编号 {id}, {city} {role} {person}, 有效期至 {expires}"),
            format!("shown this once. id {id}, {city} {role} {person}, until {expires}"),
        );
        format!("{token}\n{said}")
    }
}

/// Makes the token.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let city = city_of_folder(&arguments.data, arguments.node)?;
    let actor = Actor {
        city,
        person: arguments.person.clone(),
        role: arguments.role,
    };
    let book = FileTokenBook::open(arguments.data.join(TOKENS_FILE))?;
    let now = SystemClock.now();
    let expires = now.plus_ms(i64::from(arguments.days) * DAY_MS);
    let made = book.create(&actor, expires, &arguments.label, now, &OsEntropy)?;
    output.answer(&Created {
        id: made.id,
        token: made.token.expose().to_owned(),
        city: city.to_string(),
        role: actor.role.name(),
        person: actor.person.to_string(),
        expires: beijing(expires),
    });
    Ok(Exit::Yes)
}
