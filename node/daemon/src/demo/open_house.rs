//! After the story the six cities stay up, with addresses, tokens and commands that run as they are
//! shown for whoever wants to try.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use tongban_types::Role;

use super::account::Account;
use super::story::{FORM, ITEM};
use super::words;
use crate::failure::Failure;
use crate::files::replace;
use crate::output::Reader;
use crate::staging::Federation;
use crate::tls::OWN_CERTIFICATE;

/// The same key hands in once, however often it is sent.
const FIRST_KEY: &str = "demo-1";

/// Says how to go on by oneself.
pub(crate) fn welcome(federation: &Federation, account: &Account) -> Result<(), Failure> {
    let reader = account.reader();
    account.show(&format!("\n{}", words::STILL_UP.told(reader, &[])));
    for (place, site) in federation.layout.sites.iter().enumerate() {
        let name = reader.say(site.city.name, site.city.english);
        account.show(&format!("\n{name} {}  {}", site.node, site.url()));
        for (role, person, what) in [
            (Role::Clerk, "demo-clerk", words::CLERK),
            (Role::Officer, "demo-officer-1", words::OFFICER),
            (Role::Officer, "demo-officer-2", words::OFFICER),
            (Role::Operator, "demo-operator", words::OPERATOR),
        ] {
            let token = federation.token(place, role, person)?;
            let what = what.told(reader, &[]);
            account.show(&format!("  {what} {person:<14}  {token}"));
        }
    }
    let form = application(federation)?;
    let site = federation.site(0);
    let clerk = federation.token(0, Role::Clerk, "demo-clerk")?;
    account.show(&format!(
        "\n  {program} status --data {data}{language}\n\
         \x20 {program} doc verify {document} --trust {registry} --pin {pin}{language}\n\
         \n{hand_in}\n\n\
         \x20 curl -i --cacert {certificate} -H 'Authorization: Bearer {clerk}' -H 'Content-Type: application/json' \
         -H 'Idempotency-Key: {key}' -H 'Prefer: wait=replicated' --data @{form} {url}/api/v1/cases\n\
         \x20 curl --cacert {certificate} -H 'Authorization: Bearer {clerk}' {url}/api/v1/cases\n\
         \n{page}",
        program = this_program(),
        language = in_language_of(reader),
        hand_in = words::HAND_IN.told(reader, &[]),
        page = words::API_PAGE.told(reader, &[("url", &format!("{}/docs", site.url()))]),
        data = quoted(&site.data),
        document = quoted(&federation.layout.folder.join("document.sdjwt")),
        registry = quoted(&federation.layout.registry),
        pin = federation.layout.governance,
        key = FIRST_KEY,
        form = quoted(&form),
        url = site.url(),
        certificate = quoted(&site.data.join(OWN_CERTIFICATE)),
    ));
    Ok(())
}

/// This very program: nobody has to have installed it to run what is shown.
pub(super) fn this_program() -> String {
    std::env::current_exe().map_or_else(|_| "tongban".to_owned(), |path| quoted(&path))
}

/// What has a command that is shown answer in the language of whoever it is shown to.
pub(super) fn in_language_of(reader: Reader) -> &'static str {
    reader.say("", " --lang en")
}

/// As a shell reads it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+=:@".contains(letter);
    if text.chars().all(is_plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// An application that can be handed in as it is, in a file beside the cities.
fn application(federation: &Federation) -> Result<PathBuf, Failure> {
    let form: Value = serde_json::from_str(FORM).context("the example is JSON")?;
    let body = json!({"item": {"code": ITEM, "version": 1}, "form": form, "hand_over": true});
    let file = federation.layout.folder.join("form.json");
    replace(&file, format!("{body:#}\n").as_bytes(), 0o600)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Language;

    #[test]
    fn a_command_is_shown_to_answer_in_the_language_it_is_shown_in() {
        let shown = |language| in_language_of(Reader::plain(language));
        assert_eq!(
            (shown(Language::Zh), shown(Language::En)),
            ("", " --lang en")
        );
    }

    #[test]
    fn a_path_is_quoted_where_a_shell_would_read_it_otherwise() {
        assert_eq!(quoted(Path::new("/tmp/a-1.json")), "/tmp/a-1.json");
        assert_eq!(quoted(Path::new("/tmp/a b's")), "'/tmp/a b'\\''s'");
    }
}
