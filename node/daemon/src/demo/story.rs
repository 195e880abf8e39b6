//! 户口迁移 from Fuzhou to Weinan, with more applications all the while. Each act is told when it is done,
//! and hands back what was seen. How a leader is killed on the way, and its city goes on, is in `fall`.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tongban_types::Role;

use super::account::Account;
use super::audit::{Count, count};
use super::lines::{Lines, QUIC, TCP};
use super::proof::{DOCUMENT, prove, prove_tampered};
use super::rehearsal::{Rehearsal, rehearse};
use super::summary::Summary;
use super::words::{self, Line};
use crate::failure::Failure;
use crate::staging::{Clerk, Desk, Federation, StageError};

/// 户口迁移, and its filled example.
pub(super) const ITEM: &str = "000109900001";
pub(super) const FORM: &str =
    include_str!("../../../../protocol/items/national/000109900001/1.example.json");

const INTAKE: u32 = 350_100;
pub(super) const AUTHORITY: u32 = 610_500;

/// Who is in it: at the window in Fuzhou, and in the office in Weinan at its first and its second node.
pub(super) const CLERK: &str = "fz-001";
pub(super) const REVIEWER: &str = "wn-201";
pub(super) const DECIDER: &str = "wn-202";

/// Applications before, during and after the kill, beside the one the story is about.
const CASES_AROUND: usize = 4;

/// The story and who is in it.
#[derive(Debug)]
pub(super) struct Story<'a> {
    pub(super) federation: &'a mut Federation,
    pub(super) account: &'a Account,
    /// The receiving city's place in the ring.
    pub(super) intake: usize,
    /// The deciding city's, which is that of its first node.
    pub(super) authority: usize,
    /// The place of the deciding city's second node.
    pub(super) second: usize,
    pub(super) clerk: Clerk,
    pub(super) reviewer: Desk,
    pub(super) decider: Desk,
    /// Every case that was acknowledged.
    pub(super) acknowledged: BTreeSet<String>,
}

impl<'a> Story<'a> {
    /// Gives the people in it their tokens.
    pub(super) fn begin(
        federation: &'a mut Federation,
        account: &'a Account,
    ) -> Result<Self, Failure> {
        let intake = federation.place_of(INTAKE)?;
        let authority = federation.place_of(AUTHORITY)?;
        let second = federation.other_node(authority);
        let second = second.context("the deciding city has two nodes")?;
        Ok(Self {
            clerk: Clerk::at(federation.person(intake, Role::Clerk, CLERK)?),
            reviewer: federation.person(authority, Role::Officer, REVIEWER)?,
            decider: federation.person(second, Role::Officer, DECIDER)?,
            federation,
            account,
            intake,
            authority,
            second,
            acknowledged: BTreeSet::new(),
        })
    }

    /// Tells it, and counts at its end.
    pub(super) async fn tell(&mut self) -> Result<Summary, Failure> {
        self.open_the_cities().await?;
        let case = self.collect_the_case().await?;
        self.collect_more(words::COLLECTED_BEFORE, None).await?;
        self.receive(&case).await?;
        let lines = self.look_at_the_lines().await?;
        self.accept_and_review(&case).await?;
        let fall = self.lose_a_leader().await?;
        self.open_at_the_second(&case).await?;
        self.decide(&case).await?;
        let document = self.return_and_deliver(&case).await?;
        let went_on = self.bring_back(&case, &document).await?;
        self.collect_more(words::COLLECTED_AFTER, None).await?;
        let verdicts = self.verify(&document)?;
        let counted = self.count().await?;
        let rehearsal = self.rehearse().await?;
        let mut summary = Summary {
            cases_lost: Some(counted.lost),
            cases_duplicated: Some(counted.duplicated),
            leader_killed: fall.was_killed,
            two_node_city: went_on.holds,
            document: verdicts.0,
            tampered: verdicts.1,
            cases: self.acknowledged.len(),
            ..Summary::default()
        };
        summary.note_lines(&lines, (self.intake, self.authority));
        summary.note_drill(&rehearsal.drilled);
        summary.seconds = self.account.seconds();
        Ok(summary)
    }

    /// Starts every city's nodes.
    pub(super) async fn open_the_cities(&mut self) -> Result<(), Failure> {
        self.account.tell(words::REGISTRY_SIGNED, &[]);
        self.federation.start().await?;
        self.account
            .tell(words::READY, &[("pids", &self.federation.pids_said())]);
        Ok(())
    }

    /// Takes the case in that the story is about.
    pub(super) async fn collect_the_case(&mut self) -> Result<String, Failure> {
        let case = self.collect(0).await?;
        self.account.tell(words::COLLECTED, &[("case", &case)]);
        Ok(case)
    }

    /// The same application of another household: its own street number.
    pub(super) async fn collect(&mut self, household: usize) -> Result<String, Failure> {
        let form = form_of(household)?;
        let case = self.clerk.collect(ITEM, &form, true).await?;
        self.acknowledged.insert(case.clone());
        Ok(case)
    }

    /// Some more; what is said of them may name a node.
    pub(super) async fn collect_more(
        &mut self,
        what: Line,
        node: Option<usize>,
    ) -> Result<(), Failure> {
        for _ in 0..CASES_AROUND {
            self.collect(self.acknowledged.len()).await?;
        }
        let node = node.map_or_else(String::new, |place| self.node_name(place));
        self.account
            .tell(what, &[("count", &CASES_AROUND), ("node", &node)]);
        Ok(())
    }

    /// Waits until the authority's group has it.
    pub(super) async fn receive(&mut self, case: &str) -> Result<(), Failure> {
        self.reviewer.until_state(case, &["received"]).await?;
        self.account.tell(words::RECEIVED, &[]);
        Ok(())
    }

    /// What the cities are linked by.
    pub(super) async fn look_at_the_lines(&mut self) -> Result<Lines, Failure> {
        let pair = (self.intake, self.authority);
        let lines = Lines::look(self.federation, pair).await?;
        self.account.tell(
            words::LINES,
            &[
                ("carrier", &lines.carrier_of(pair).to_uppercase()),
                ("quic", &lines.count(QUIC)),
                ("tcp", &lines.count(TCP)),
            ],
        );
        Ok(lines)
    }

    /// What the first officer does.
    pub(super) async fn accept_and_review(&mut self, case: &str) -> Result<(), Failure> {
        self.reviewer.act(case, "accept", &json!({})).await?;
        self.account.tell(words::ACCEPTED, &[]);
        self.review(case).await
    }

    /// What the reviewer thinks of it.
    pub(super) async fn review(&mut self, case: &str) -> Result<(), Failure> {
        let opinion = json!({"recommend": "grant", "opinion": "材料齐全, 符合迁移条件"});
        self.reviewer.act(case, "review", &opinion).await?;
        self.account.tell(words::REVIEWED, &[]);
        Ok(())
    }

    /// What the second officer does, at the city's second node.
    pub(super) async fn decide(&mut self, case: &str) -> Result<(), Failure> {
        self.decider.act(case, "decide", &grant()).await?;
        let node = self.federation.site(self.second).node;
        self.account.tell(words::DECIDED, &[("node", &node)]);
        Ok(())
    }

    /// Waits until the result is where the applicant is, and hands it out; the document.
    pub(super) async fn return_and_deliver(&mut self, case: &str) -> Result<Vec<u8>, Failure> {
        let clerk = self.clerk.desk();
        clerk.until_state(case, &["granted"]).await?;
        let document = document_at(clerk, case).await?;
        self.account.tell(words::RETURNED, &[]);
        self.clerk.desk().act(case, "deliver", &json!({})).await?;
        self.account.tell(words::DELIVERED, &[]);
        Ok(document)
    }

    /// Verdicts on the document and on a tampered copy.
    fn verify(&self, document: &[u8]) -> Result<(&'static str, &'static str), Failure> {
        let (layout, reader) = (&self.federation.layout, self.account.reader());
        let proof = prove(layout, document, DOCUMENT, reader)?;
        let file = proof.file.display();
        self.account.tell(words::VERIFIED, &[("file", &file)]);
        self.account.show_below(&proof.report);
        let tampered = prove_tampered(layout, document, reader)?.verdict;
        let told = match tampered {
            "invalid" => words::TAMPERED_REFUSED,
            _ => words::TAMPERED_TAKEN,
        };
        self.account.tell(told, &[]);
        Ok((proof.verdict, tampered))
    }

    /// Counts what was acknowledged in both cities, at every node of theirs that runs.
    pub(super) async fn count(&mut self) -> Result<Count, Failure> {
        let mut desks = vec![self.clerk.desk(), &mut self.decider];
        if self.federation.is_running(self.authority) {
            desks.push(&mut self.reviewer);
        }
        let counted = count(&self.acknowledged, &INTAKE.to_string(), &mut desks).await?;
        self.account.tell(
            words::COUNTED,
            &[
                ("cases", &self.acknowledged.len()),
                ("lost", &counted.lost),
                ("more", &counted.duplicated),
            ],
        );
        Ok(counted)
    }

    /// Backs the receiving city's node up and drills with the backup.
    pub(super) async fn rehearse(&mut self) -> Result<Rehearsal, Failure> {
        let layout = &self.federation.layout;
        let rehearsal = Box::pin(rehearse(layout, self.federation.site(self.intake))).await?;
        let drilled = &rehearsal.drilled;
        let file = rehearsal.file.display();
        self.account.tell(words::BACKED_UP, &[("file", &file)]);
        let equal = drilled.groups.iter().filter(|group| group.equal).count();
        self.account.tell(
            words::DRILLED,
            &[
                ("equal", &equal),
                ("groups", &drilled.groups.len()),
                ("opened", &drilled.cases.opened),
                ("cases", &drilled.cases.cases),
            ],
        );
        Ok(rehearsal)
    }

    /// A city as the reader says it.
    pub(super) fn name(&self, place: usize) -> &'static str {
        self.federation.city(place).name_for(self.account.reader())
    }

    /// A node as the reader says it.
    pub(super) fn node_name(&self, place: usize) -> String {
        self.federation.node_name(place, self.account.reader())
    }
}

/// The document of a case, once it is where a desk is.
pub(super) async fn document_at(desk: &mut Desk, case: &str) -> Result<Vec<u8>, StageError> {
    let path = format!("/api/v1/cases/{case}/document");
    desk.until("文书 (the document)", &path, |answer| {
        (answer.status == 200).then(|| answer.body.to_vec())
    })
    .await
}

/// The example's application, of a household by its number.
pub(super) fn form_of(household: usize) -> anyhow::Result<Value> {
    let mut form: Value = serde_json::from_str(FORM).context("the example is JSON")?;
    form["move_in"]["street"] = format!("示例街道示例巷{}号", household + 1).into();
    Ok(form)
}

/// The decision that is asked for.
pub(super) fn grant() -> Value {
    json!({"decision": "grant", "reason": "符合户口迁移规定"})
}

/// Seconds as people read them.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}
