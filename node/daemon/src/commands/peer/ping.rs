//! `tongban peer ping`: real round trips between two nodes, measured by the running one.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tongban_types::{Code, NodeId};
use utoipa::ToSchema;

use super::{PATIENCE, milliseconds};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::{Call, NodeAccess};
use crate::output::{Answer, Described, Output, Reader};

/// Between two round trips: seen one after the other, like any ping.
const PAUSE: Duration = Duration::from_millis(200);

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 对端节点, 如 610500-01 (the peer)
    #[arg(value_name = "NODE")]
    peer: NodeId,
    /// 几次 (how often)
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
struct Pinged {
    node: String,
    sent: usize,
    answered: usize,
    round_trips_us: Vec<u64>,
    min_us: Option<u64>,
    median_us: Option<u64>,
    max_us: Option<u64>,
    /// Code of the last that brought no answer.
    last_error: Option<String>,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Pinged>("tongban peer ping");

impl Answer for Pinged {
    const SCHEMA: &'static str = "tongban.peer-ping/v1";

    fn to_text(&self, reader: Reader) -> String {
        let times: Vec<String> = self
            .round_trips_us
            .iter()
            .copied()
            .map(milliseconds)
            .collect();
        let figures = [self.min_us, self.median_us, self.max_us]
            .map(|us| us.map_or("-".to_owned(), milliseconds));
        let [min, median, max] = figures;
        let head = format!("{} {}/{}", self.node, self.answered, self.sent);
        let figures = match reader.say("zh", "en") {
            "zh" => format!("最短 {min}   中位 {median}   最长 {max}"),
            _ => format!("min {min}   median {median}   max {max}"),
        };
        format!("{head}   {}\n{figures}", times.join(" "))
    }
}

impl Pinged {
    fn of(node: NodeId, sent: usize, round_trips_us: Vec<u64>, last_error: Option<Code>) -> Self {
        let mut sorted = round_trips_us.clone();
        sorted.sort_unstable();
        Self {
            node: node.to_string(),
            sent,
            answered: sorted.len(),
            min_us: sorted.first().copied(),
            median_us: sorted.get(sorted.len() / 2).copied(),
            max_us: sorted.last().copied(),
            round_trips_us,
            last_error: last_error.map(|code| code.to_string()),
        }
    }
}

/// Measures. Some answers are a yes; none is unreachable.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut client = arguments.node.open(PATIENCE)?;
    let path = format!("/api/v1/peers/{}/ping", arguments.peer);
    let call = Call::get(path);
    let (mut round_trips, mut failure) = (Vec::new(), None);
    for turn in 0..arguments.count {
        if turn > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        match client.order(&call).await {
            Ok(None) => return Ok(Exit::Yes),
            Ok(Some(answer)) => {
                round_trips.push(answer.json()["round_trip_us"].as_u64().unwrap_or(0));
            }
            Err(error) if matches!(error.exit, Exit::Unreachable | Exit::TimedOut) => {
                failure = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    match failure {
        Some(failure) if round_trips.is_empty() => {
            let next = format!("tongban peer ls{}", client.words());
            Err(failure.exiting(Exit::Unreachable).then(next))
        }
        failure => {
            let (sent, last) = (usize::from(arguments.count), failure.map(|one| one.code));
            output.answer(&Pinged::of(arguments.peer, sent, round_trips, last));
            Ok(Exit::Yes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_those_that_were_answered() {
        let node = NodeId::new("610500".parse().unwrap(), 1).unwrap();
        let pinged = Pinged::of(
            node,
            4,
            vec![40_000, 42_500, 41_000],
            Some(Code::PEER_TIMED_OUT),
        );
        assert_eq!((pinged.answered, pinged.sent), (3, 4));
        assert_eq!(pinged.median_us, Some(41_000));
        let text = pinged.to_text(Reader::plain(crate::output::Language::En));
        assert!(text.starts_with("610500-01 3/4"), "{text}");
        assert!(text.ends_with("max 42.50 ms"), "{text}");
        assert_eq!(Pinged::of(node, 1, Vec::new(), None).min_us, None);
    }
}
