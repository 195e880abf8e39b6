//! How a node stands that is being drained.

use serde::Serialize;
use serde_json::Value;
use tongban_api::DrainShape;
use utoipa::ToSchema;

use crate::output::{Answer, Described, Reader};

#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = DrainShape)]
pub(super) struct Drained(pub(super) Value);

impl Drained {
    pub(super) fn is_safe(&self) -> bool {
        self.0["safe_to_stop"] == true
    }
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Drained>("tongban node drain");

impl Answer for Drained {
    const SCHEMA: &'static str = "tongban.drain/v1";

    fn to_text(&self, reader: Reader) -> String {
        let node = self.0["node"].as_str().unwrap_or("-");
        if self.0["draining"] != true {
            return reader.say(format!("{node} 在用"), format!("{node} is in service"));
        }
        if self.is_safe() {
            return reader.say(
                format!("{node} 已停用, 可以停机"),
                format!("{node} is drained and safe to stop"),
            );
        }
        let head = reader.say(
            format!("{node} 正在停用, 还不能停机:"),
            format!("{node} is being drained and not safe to stop yet:"),
        );
        let hindrances = self.0["hindrances"].as_array().into_iter().flatten();
        let lines = hindrances.map(|hindrance| {
            let said = hindrance[reader.say("zh", "en")].as_str();
            format!("  {}", said.unwrap_or("-"))
        });
        let lines: Vec<String> = std::iter::once(head).chain(lines).collect();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::Language;

    #[test]
    fn what_speaks_against_a_stop_is_listed_until_nothing_does() {
        let waits = Drained(json!({
            "node": "350100-01", "draining": true, "safe_to_stop": false,
            "hindrances": [{"kind": "leads", "zh": "还主持 350100 组", "en": "it leads group 350100"}],
        }));
        let en = waits.to_text(Reader::plain(Language::En));
        assert!(en.contains("  it leads group 350100"), "{en}");
        let safe = Drained(json!({
            "node": "350100-01", "draining": true, "safe_to_stop": true, "hindrances": [],
        }));
        let zh = safe.to_text(Reader::plain(Language::Zh));
        assert_eq!(zh, "350100-01 已停用, 可以停机");
    }
}
