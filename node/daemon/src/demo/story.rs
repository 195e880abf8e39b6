//! 户口迁移 from Fuzhou to Weinan, with a leader killed on the way and more applications all the
//! while.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Instant;

use anyhow::Context as _;
use serde_json::{Value, json};
use tongban_types::Role;

use super::account::Account;
use super::audit::count;
use super::proof::prove;
use super::summary::Summary;
use crate::failure::Failure;
use crate::staging::{Clerk, Desk, Federation, wait_until_leading};

/// 户口迁移, and its filled example.
pub(super) const ITEM: &str = "000109900001";
pub(super) const FORM: &str =
    include_str!("../../../../protocol/items/national/000109900001/1.example.json");

/// What `kill -9` sends (signal(7)).
const SIGKILL: i32 = 9;

const INTAKE: u32 = 350_100;
const AUTHORITY: u32 = 610_500;

/// Applications before, during and after the kill, beside the one the story is about.
const CASES_AROUND: usize = 4;

/// The story and who is in it.
#[derive(Debug)]
pub(crate) struct Story<'a> {
    federation: &'a mut Federation,
    account: &'a mut Account,
    intake: usize,
    authority: usize,
    clerk: Clerk,
    reviewer: Desk,
    decider: Desk,
    acknowledged: BTreeSet<String>,
}

impl<'a> Story<'a> {
    /// Gives the people in it their tokens.
    pub(crate) fn begin(
        federation: &'a mut Federation,
        account: &'a mut Account,
    ) -> Result<Self, Failure> {
        let intake = federation.place_of(INTAKE)?;
        let authority = federation.place_of(AUTHORITY)?;
        Ok(Self {
            clerk: Clerk::at(federation.person(intake, Role::Clerk, "fz-001")?),
            reviewer: federation.person(authority, Role::Officer, "wn-201")?,
            decider: federation.person(authority, Role::Officer, "wn-202")?,
            federation,
            account,
            intake,
            authority,
            acknowledged: BTreeSet::new(),
        })
    }

    /// Tells it, and counts at its end.
    pub(crate) async fn tell(&mut self) -> Result<Summary, Failure> {
        let case = self.collect_the_case().await?;
        self.collect_more("切换之前").await?;
        self.receive_and_review(&case).await?;
        let killed = self.lose_a_leader().await?;
        self.decide_and_deliver(&case).await?;
        self.collect_more("切换之后").await?;
        let document = self.document_of(&case).await?;
        let proof = prove(&self.federation.layout, &document)?;
        self.account
            .tell(&format!("离线核验文书 {}", proof.file.display()));
        self.account.say(&indented(&proof.report));
        let refused = if proof.tampered == "invalid" {
            "被拒绝"
        } else {
            "没有被拒绝!"
        };
        self.account.tell(&format!("改动一个字符的副本{refused}"));
        let counted = self.count().await?;
        Ok(Summary {
            cases_lost: counted.lost,
            cases_duplicated: counted.duplicated,
            leader_killed: killed,
            document: proof.document,
            tampered: proof.tampered,
            seconds: (self.account.seconds() * 10.0).round() / 10.0,
            cases: self.acknowledged.len(),
        })
    }

    async fn collect_the_case(&mut self) -> Result<String, Failure> {
        let case = self.collect(0).await?;
        self.account.tell(&format!(
            "福州窗口收件 户口迁移 {case}, 属地渭南 (按表单中的迁入地); 多数副本已落盘, 回执已签"
        ));
        Ok(case)
    }

    /// The same application of another household: its own street number.
    async fn collect(&mut self, household: usize) -> Result<String, Failure> {
        let mut form: Value = serde_json::from_str(FORM).context("the example is JSON")?;
        form["move_in"]["street"] = format!("示例街道示例巷{}号", household + 1).into();
        let case = self.clerk.collect(ITEM, &form, true).await?;
        self.acknowledged.insert(case.clone());
        Ok(case)
    }

    async fn collect_more(&mut self, when: &str) -> Result<(), Failure> {
        for _ in 0..CASES_AROUND {
            self.collect(self.acknowledged.len()).await?;
        }
        self.account
            .tell(&format!("{when}又收 {CASES_AROUND} 件, 均已复制"));
        Ok(())
    }

    async fn receive_and_review(&mut self, case: &str) -> Result<(), Failure> {
        self.reviewer.until_state(case, &["received"]).await?;
        self.account.tell("渭南的审批组签收, 从此由渭南负责");
        self.reviewer.act(case, "accept", &json!({})).await?;
        self.account.tell("渭南 wn-201 受理, 开始计算承诺时限");
        let opinion = json!({"recommend": "grant", "opinion": "材料齐全, 符合迁移条件"});
        self.reviewer.act(case, "review", &opinion).await?;
        self.account.tell("渭南 wn-201 审查: 建议准予");
        Ok(())
    }

    /// Kills the process that leads the authority's or the receiving city's group, goes on
    /// collecting, and starts it again. Whether it was that blow that ended it.
    async fn lose_a_leader(&mut self) -> Result<bool, Failure> {
        let (group, leader) = self.choose_leader().await?;
        let (group_name, victim) = (
            self.federation.city(group).said(),
            self.federation.city(leader).said(),
        );
        let ended = self.federation.kill(leader).await?;
        let since = Instant::now();
        self.account.tell(&format!(
            "kill -9 {victim}的进程: 它正是{group_name}审批组的主副本"
        ));
        if leader == self.intake {
            // Its own desk is what was killed: it comes back before anybody can hand anything in.
            self.federation.restart(leader).await?;
            self.collect_more("福州重启后").await?;
        } else {
            self.collect_more(&format!("{victim}停机期间")).await?;
        }
        let next = wait_until_leading(self.federation, group, Some(leader)).await?;
        self.account.tell(&format!(
            "{group_name}审批组的新主副本在{} (停机后 {:.1} 秒)",
            self.federation.city(next).said(),
            since.elapsed().as_secs_f64(),
        ));
        if leader != self.intake {
            self.federation.restart(leader).await?;
        }
        self.account
            .tell(&format!("{victim}的节点重新启动, 从自己的日志恢复"));
        Ok(ended.signal() == Some(SIGKILL))
    }

    /// Of the two groups' leaders one that is neither city's own node, where there is one: then
    /// both desks stay open and show that nobody notices.
    async fn choose_leader(&self) -> anyhow::Result<(usize, usize)> {
        let mut leaders = Vec::new();
        for group in [self.authority, self.intake] {
            leaders.push((
                group,
                wait_until_leading(self.federation, group, None).await?,
            ));
        }
        let is_elsewhere = |leader: usize| leader != self.intake && leader != self.authority;
        let chosen = leaders.iter().find(|(_, leader)| is_elsewhere(*leader));
        Ok(*chosen.unwrap_or(&leaders[0]))
    }

    async fn decide_and_deliver(&mut self, case: &str) -> Result<(), Failure> {
        let decision = json!({"decision": "grant", "reason": "符合户口迁移规定"});
        self.decider.act(case, "decide", &decision).await?;
        self.account
            .tell("渭南 wn-202 核准: 准予 (审查人与核准人不是同一人)");
        let clerk = self.clerk.desk();
        clerk.until_state(case, &["granted"]).await?;
        self.document_of(case).await?;
        self.account.tell("结果和渭南签发的文书回到福州");
        self.clerk.desk().act(case, "deliver", &json!({})).await?;
        self.account.tell("福州窗口送达申请人");
        Ok(())
    }

    /// The document at the city where the applicant is.
    async fn document_of(&mut self, case: &str) -> Result<Vec<u8>, Failure> {
        let path = format!("/api/v1/cases/{case}/document");
        let found = self.clerk.desk().until("文书", &path, |answer| {
            (answer.status == 200).then(|| answer.body.to_vec())
        });
        Ok(found.await?)
    }

    async fn count(&mut self) -> Result<super::audit::Count, Failure> {
        let counted = count(
            &self.acknowledged,
            &INTAKE.to_string(),
            self.clerk.desk(),
            &mut self.reviewer,
        )
        .await?;
        self.account.tell(&format!(
            "清点: 已答复的 {} 件在福州和渭南各有一份; 缺 {} 件, 多 {} 件",
            self.acknowledged.len(),
            counted.lost,
            counted.duplicated,
        ));
        Ok(counted)
    }
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("           {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
