//! The steps of the tour that the story's people take, and what is looked at to see whether each is as claimed.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Context as _;
use bytes::Bytes;
use serde_json::{Value, json};
use tongban_runtime::seams::Entropy as _;
use tongban_trust::RegistryFile;
use tongban_types::{Code, Role, sha256};
use zeroize::Zeroizing;

use super::claim::{DINGXI, FUZHOU, WEINAN};
use super::{Came, Tour};
use crate::commands::backup::{Source, back_up_running, drill};
use crate::demo::lines::{QUIC, TCP};
use crate::demo::proof::{DOCUMENT, Proof, prove, prove_strangers, prove_tampered};
use crate::demo::rehearsal::{backup_file, recovery_key};
use crate::demo::story::{CLERK, ITEM, REVIEWER, form_of, grant, seconds};
use crate::demo::summary::verdict;
use crate::demo::words;
use crate::files::replace;
use crate::keys::read_seed;
use crate::platform::OsEntropy;
use crate::registry::{believe, read_registry};

/// A third officer in Weinan.
const ACCEPTOR: &str = "wn-203";

/// Nodes of six cities, one of which has two.
const NODES: usize = 7;

/// Governance keys that sign a registry of six: two thirds and one more.
const SIGNERS_MIN: usize = 5;

/// Bytes of the file that is carried: some ranges, and not the end of one.
const FILE_BYTES: usize = 2_345_678;
const KIB: usize = 1024;

/// Letters of a hash that people compare at a glance.
const HASH_LETTERS: usize = 16;

impl Tour<'_> {
    pub(super) async fn cities_are_up(&mut self) -> Came<()> {
        self.story.open_the_cities().await?;
        let mut up = 0;
        for place in 0..NODES {
            up += usize::from(self.story.federation.status(place).await.is_some());
        }
        let layout = &self.story.federation.layout;
        let registry = read_registry(&layout.registry)?;
        believe(&registry, Some(layout.governance))?;
        let file = RegistryFile::decode(&registry).context("it was just believed")?;
        let signers: BTreeSet<String> = file.signers().map(|key| key.to_string()).collect();
        let holds = up == NODES && signers.len() >= SIGNERS_MIN;
        let pids = self.story.federation.pids_said();
        let values: words::Values<'_> = &[("signers", &signers.len()), ("pids", &pids)];
        self.seen(holds, (), words::PROCESSES, values)
    }

    pub(super) async fn is_replicated(&mut self) -> Came<(String, Instant)> {
        let case = self.story.collect_the_case().await?;
        let taken_in = Instant::now();
        let path = format!("/api/v1/cases/{case}/receipt");
        let receipt = self.story.clerk.desk().read(&path).await?;
        let safety = receipt["safety"].as_str().unwrap_or("-");
        let values: words::Values<'_> = &[("case", &case), ("safety", &safety)];
        let holds = safety == "replicated" && receipt["says"]["case"] == case.as_str();
        self.seen(holds, (case.clone(), taken_in), words::RECEIPT, values)
    }

    pub(super) async fn is_routed(&mut self, case: &str, taken_in: Instant) -> Came<()> {
        self.story.receive(case).await?;
        let took = seconds(taken_in.elapsed());
        let path = format!("/api/v1/cases/{case}");
        let there = self.story.reviewer.read(&path).await?;
        // The acknowledgement comes a moment later.
        self.story
            .clerk
            .desk()
            .until_state(case, &["received"])
            .await?;
        let here = self.story.clerk.desk().read(&path).await?;
        let text = |case: &Value, name: &str| {
            let text = case["case"][name].as_str().unwrap_or("-");
            text.to_owned()
        };
        let (owner, mirror) = (text(&there, "standpoint"), text(&here, "standpoint"));
        let state = text(&there, "state");
        let authority = there["case"]["authority"]["code"].as_str();
        let code = self.story.federation.city(WEINAN).code.to_string();
        let holds = owner == "owner" && mirror == "mirror" && authority == Some(code.as_str());
        self.seen(
            holds,
            (),
            words::ROUTED,
            &[
                ("standpoint", &owner),
                ("state", &state),
                ("mirror", &mirror),
                ("seconds", &took),
            ],
        )
    }

    pub(super) async fn lines_are_quic(&mut self) -> Came<()> {
        let pair = (FUZHOU, WEINAN);
        let lines = self.story.look_at_the_lines().await?;
        self.summary.note_lines(&lines, pair);
        let without: Vec<&str> = lines.of(DINGXI).collect();
        // Which of the two a pair keeps is for the moment to say, in which the one or the other connects first.
        let holds = lines.count(QUIC) > 0
            && !without.is_empty()
            && without.iter().all(|carrier| *carrier == TCP);
        self.seen(
            holds,
            (),
            words::LINES,
            &[
                ("carrier", &lines.carrier_of(pair).to_uppercase()),
                ("quic", &lines.count(QUIC)),
                ("tcp", &lines.count(TCP)),
            ],
        )
    }

    pub(super) async fn file_arrives(&mut self) -> Came<()> {
        let mut file = Vec::with_capacity(FILE_BYTES + 32);
        while file.len() < FILE_BYTES {
            file.extend(OsEntropy.array::<32>());
        }
        file.truncate(FILE_BYTES);
        let file = Bytes::from(file);
        let begun = Instant::now();
        let story = &mut self.story;
        let hash = story.clerk.desk().upload(&file).await?;
        let named = json!({"name": "结婚证.pdf", "media_type": "application/pdf", "hash": hash});
        let form = form_of(story.acknowledged.len())?;
        let case = story
            .clerk
            .collect_with(ITEM, &form, &[named], true)
            .await?;
        story.acknowledged.insert(case.clone());
        story.reviewer.until_state(&case, &["received"]).await?;
        let read = story.reviewer.read_file(&case, &hash).await?;
        let case = format!("/api/v1/cases/{case}");
        let listed = story.reviewer.read(&case).await?;
        let listed = listed["attachments"][0]["hash"] == hash.as_str();
        let holds = listed && read == file && sha256(&read) == sha256(&file);
        let short: String = hash.chars().take(HASH_LETTERS).collect();
        let took = seconds(begun.elapsed());
        let values: words::Values<'_> = &[
            ("kib", &(read.len() / KIB)),
            ("hash", &format!("{short}…")),
            ("seconds", &took),
        ];
        self.seen(holds, (), words::FILE_SEEN, values)
    }

    pub(super) async fn people_differ(&mut self, case: &str) -> Came<()> {
        let story = &mut self.story;
        let mut acceptor = story.federation.person(WEINAN, Role::Officer, ACCEPTOR)?;
        acceptor.act(case, "accept", &json!({})).await?;
        story.review(case).await?;
        let refused = story.reviewer.act_once(case, "decide", &grant()).await?;
        let code = refused.json()["code"].as_str().unwrap_or("-").to_owned();
        story.decide(case).await?;
        let path = format!("/api/v1/cases/{case}");
        // Where it was decided: the other node may be a moment behind.
        let shown = story.decider.read(&path).await?;
        let by = |act: &str| {
            let person = shown["case"][act]["by"]["person"].as_str();
            person.unwrap_or("-").to_owned()
        };
        let people = [by("accepted"), by("review"), by("decision")];
        let different: BTreeSet<&String> = people.iter().collect();
        let is_refused = code == Code::REVIEWER_MAY_NOT_DECIDE.to_string();
        let holds = different.len() == people.len() && people[1] == REVIEWER && is_refused;
        self.seen(
            holds,
            (),
            words::PEOPLE_SEEN,
            &[
                ("accepted", &people[0]),
                ("reviewed", &people[1]),
                ("decided", &people[2]),
                ("code", &code),
            ],
        )
    }

    pub(super) async fn result_returns(&mut self, case: &str) -> Came<Vec<u8>> {
        let document = self.story.return_and_deliver(case).await?;
        let clerk = self.story.clerk.desk();
        clerk.until_state(case, &["delivered"]).await?;
        let bytes = document.len();
        let values: words::Values<'_> = &[("clerk", &CLERK), ("bytes", &bytes)];
        self.seen(bytes > 0, document, words::RESULT_SEEN, values)
    }

    pub(super) fn document_is_valid(&mut self, document: &[u8]) -> Came<()> {
        let layout = &self.story.federation.layout;
        let proof = prove(layout, document, DOCUMENT, self.reader())?;
        self.summary.document = proof.verdict;
        self.proved(&proof, "valid")
    }

    pub(super) fn tampered_is_invalid(&mut self, document: &[u8]) -> Came<()> {
        let layout = &self.story.federation.layout;
        let proof = prove_tampered(layout, document, self.reader())?;
        self.summary.tampered = proof.verdict;
        self.proved(&proof, "invalid")
    }

    fn proved(&self, proof: &Proof, expected: &str) -> Came<()> {
        let said = verdict(proof.verdict).told(self.reader(), &[]);
        let values: words::Values<'_> = &[("verdict", &said), ("file", &proof.file.display())];
        self.seen(proof.verdict == expected, (), words::VERDICT_SEEN, values)
    }

    pub(super) fn stranger_is_refused(&self, document: &[u8]) -> Came<()> {
        let layout = &self.story.federation.layout;
        let [own, false_name] = prove_strangers(layout, document, self.reader())?;
        let say = |proof: &Proof| verdict(proof.verdict).told(self.reader(), &[]);
        let values: words::Values<'_> = &[("own", &say(&own)), ("false_name", &say(&false_name))];
        let holds = own.verdict == "indeterminate" && false_name.verdict == "invalid";
        self.seen(holds, (), words::STRANGER_SEEN, values)
    }

    pub(super) async fn all_are_there(&mut self) -> Came<()> {
        let counted = self.story.count().await?;
        self.summary.cases_lost = Some(counted.lost);
        self.summary.cases_duplicated = Some(counted.duplicated);
        let holds = counted.lost == 0 && counted.duplicated == 0;
        let values: words::Values<'_> = &[
            ("cases", &self.story.acknowledged.len()),
            ("lost", &counted.lost),
            ("more", &counted.duplicated),
        ];
        self.seen(holds, (), words::COUNT_SEEN, values)
    }

    pub(super) async fn backup_is_whole(&mut self) -> Came<Source> {
        let layout = &self.story.federation.layout;
        let site = self.story.federation.site(FUZHOU);
        let file = backup_file(layout, site);
        Box::pin(back_up_running(&site.data, &file)).await?;
        let source = Source::of(&file, &layout.registry, Some(layout.governance))?;
        source.open_all(&read_seed(&recovery_key(&layout.folder))?)?;
        let bytes = std::fs::read(&file).context("reading the backup")?;
        let mut altered = bytes.clone();
        altered[bytes.len() / 2] ^= 1;
        let copy = file.with_extension("altered");
        replace(&copy, &altered, 0o600)?;
        let refused = Source::of(&copy, &layout.registry, Some(layout.governance)).err();
        let code = refused.as_ref().map(|failure| failure.code.to_string());
        // A key that is not the one it was sealed to opens nothing.
        let another = Zeroizing::new(OsEntropy.array());
        let holds = refused.is_some() && source.open_all(&another).is_err();
        let values: words::Values<'_> = &[
            ("file", &file.display()),
            ("kib", &(bytes.len() / KIB)),
            ("code", &code.unwrap_or_else(|| "-".to_owned())),
        ];
        self.seen(holds, source, words::BACKUP_SEEN, values)
    }

    pub(super) async fn drill_passes(&mut self, source: &Source) -> Came<()> {
        let folder = &self.story.federation.layout.folder;
        let seed = read_seed(&recovery_key(folder))?;
        let drilled = Box::pin(drill(source, &seed, &folder.join("drill"))).await?;
        self.summary.note_drill(&drilled);
        let groups = drilled.groups.iter().map(|group| {
            let short = |hash: &str| hash.chars().take(HASH_LETTERS).collect::<String>();
            let sign = if group.equal { '=' } else { '≠' };
            let (signed, restored) = (short(&group.promised), short(&group.restored));
            // Without blanks, so that it stays on one line.
            format!("{}:{signed}{sign}{restored}", group.group)
        });
        let hashes: Vec<String> = groups.collect();
        let forms = &drilled.cases;
        let holds = drilled.has_passed() && forms.opened == forms.cases && forms.opened > 0;
        let values: words::Values<'_> = &[
            ("hashes", &hashes.join(", ")),
            ("opened", &forms.opened),
            ("cases", &forms.cases),
        ];
        self.seen(holds, (), words::DRILL_SEEN, values)
    }
}
