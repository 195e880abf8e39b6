//! A city that keeps a replica for others learns nothing of the people in it: its folder and its log are searched
//! for their words, with controls that the search finds what is there.

use anyhow::Context as _;
use serde_json::Value;

use super::claim::PUTIAN;
use super::search::Search;
use super::{Came, Tour};
use crate::demo::story::{CLERK, FORM};
use crate::demo::words;

/// Places of the form that are about the applicants.
const ABOUT_THEM: [&str; 6] = [
    "/applicant/name",
    "/applicant/id_number",
    "/applicant/phone",
    "/applicant/address/street",
    "/migrants/0/name",
    "/migrants/0/id_number",
];

/// Bytes of a mebibyte.
const MIB: u64 = 1024 * 1024;

impl Tour<'_> {
    /// Searches what Putian has.
    pub(super) async fn host_knows_nothing(&mut self, case: &str) -> Came<()> {
        let form: Value = serde_json::from_str(FORM).context("the example is JSON")?;
        let words = ABOUT_THEM.map(|place| form.pointer(place).and_then(Value::as_str));
        let words: Option<Vec<&str>> = words.into_iter().collect();
        let words = words.context("the example has what is looked for")?;
        let search = Search::new(&words)?;
        // The control: a party reads all of it, and the same search finds it.
        let path = format!("/api/v1/cases/{case}");
        let read = self.story.reviewer.read(&path).await?.to_string();
        let shown = search.in_bytes(read.as_bytes()).len();
        let site = self.story.federation.site(PUTIAN).clone();
        let spellings = search.spellings();
        // It takes a second or two; meanwhile Ctrl-C is heard.
        let looked = tokio::task::spawn_blocking(move || {
            let in_data = search.below(&site.data)?;
            let in_log = search.below(&site.log)?;
            // The control: who acted stands in the clear, in that very folder.
            let actor = Search::new(&[CLERK])?.below(&site.data)?;
            anyhow::Ok((in_data, in_log, !actor.words.is_empty()))
        });
        let (in_data, in_log, has_actor) = looked.await.context("a search")??;
        let found = in_data.words.union(&in_log.words).count();
        let control = if has_actor {
            words::FOUND
        } else {
            words::NOT_FOUND
        };
        let mib = (in_data.bytes + in_log.bytes) / MIB;
        self.seen(
            found == 0 && has_actor && shown == words.len(),
            (),
            words::HOST_SEEN,
            &[
                ("mib", &mib),
                ("words", &words.len()),
                ("spellings", &spellings),
                ("found", &found),
                ("actor", &CLERK),
                ("control", &control.told(self.account.reader(), &[])),
                ("shown", &shown),
            ],
        )
    }
}
