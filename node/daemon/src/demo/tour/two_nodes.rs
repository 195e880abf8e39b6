//! The two steps in which a leader is lost: nothing of what was acknowledged goes with it, and its city, which has
//! another node, goes on deciding and issuing.

use super::{Came, Tour};
use crate::demo::story::{REVIEWER, seconds};
use crate::demo::words;

impl Tour<'_> {
    /// Kills a leader, which stays down; hands on a case that was begun at it.
    pub(super) async fn leader_is_lost(&mut self) -> Came<String> {
        let story = &mut self.story;
        story.collect_more(words::COLLECTED_BEFORE, None).await?;
        let begun = story.collect(story.acknowledged.len()).await?;
        story.receive(&begun).await?;
        story.accept_and_review(&begun).await?;
        let fall = story.lose_a_leader().await?;
        self.summary.leader_killed = fall.was_killed;
        let counted = story.count().await?;
        let (victim, next) = (story.node_name(story.authority), story.node_name(fall.next));
        let group = story.name(story.authority);
        let cases = story.acknowledged.len();
        let holds = fall.was_killed
            && fall.next != story.authority
            && counted.lost == 0
            && counted.duplicated == 0;
        self.seen(
            holds,
            begun,
            words::LEADER_SEEN,
            &[
                ("group", &group),
                ("victim", &victim),
                ("next", &next),
                ("seconds", &seconds(fall.leaderless)),
                ("cases", &cases),
                ("lost", &counted.lost),
                ("more", &counted.duplicated),
            ],
        )
    }

    /// Goes on with that case at the other node of the city, and brings the first one back.
    pub(super) async fn second_goes_on(&mut self, begun: &str) -> Came<()> {
        let story = &mut self.story;
        story.open_at_the_second(begun).await?;
        story.decide(begun).await?;
        let document = story.return_and_deliver(begun).await?;
        let went_on = story.bring_back(begun, &document).await?;
        self.summary.two_node_city = went_on.holds;
        let node = |place: usize| story.federation.site(place).node;
        let (first, second) = (node(story.authority), node(story.second));
        let signer = went_on.signer.map(|signer| signer.to_string());
        self.seen(
            went_on.holds,
            (),
            words::SECOND_SEEN,
            &[
                ("first", &first),
                ("second", &second),
                ("reviewer", &REVIEWER),
                ("signer", &signer.unwrap_or_else(|| "-".to_owned())),
                ("documents", &went_on.documents),
            ],
        )
    }
}
