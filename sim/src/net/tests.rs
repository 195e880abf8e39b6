use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use openraft_rt::AsyncRuntime;
use tongban_runtime::seams::{Transport, TransportError};
use tongban_types::Code;
use tongban_types::limits::FRAME_BYTES_MAX;

use super::*;
use crate::runtime::{Chance, SimRuntime};

const TTL: Duration = Duration::from_secs(5);

fn node(city: u32) -> NodeId {
    format!("{city}-01").parse().unwrap()
}

/// Answers with what it was asked, after a while, and remembers every call.
#[derive(Default)]
struct Echo {
    takes: Duration,
    calls: Mutex<Vec<Bytes>>,
}

#[async_trait]
impl Service for Echo {
    async fn call(&self, _: NodeId, _: Lane, body: Bytes) -> Result<Bytes, Code> {
        lock(&self.calls).push(body.clone());
        SimRuntime::sleep(self.takes).await;
        if body.is_empty() {
            return Err(Code::MALFORMED_RECORD);
        }
        if body.as_ref() == b"too much" {
            return Ok(vec![0; FRAME_BYTES_MAX + 1].into());
        }
        Ok(body)
    }
}

struct Two {
    net: SimNet,
    from: SimTransport,
    to: NodeId,
    echo: Arc<Echo>,
}

/// Fuzhou asks Weinan.
fn two(seed: u64, takes: Duration) -> Two {
    World::reset(seed);
    let net = SimNet::new(NetOptions::default());
    let (asks, to) = (node(350_100), node(610_500));
    net.enroll(asks, Owner::new(1));
    net.enroll(to, Owner::new(2));
    let echo = Arc::new(Echo {
        takes,
        calls: Mutex::default(),
    });
    net.transport(to).serve(Arc::<Echo>::clone(&echo));
    let from = net.transport(asks);
    Two {
        net,
        from,
        to,
        echo,
    }
}

impl Two {
    fn ask(&self, body: &'static [u8]) -> Result<Bytes, TransportError> {
        let body = Bytes::from_static(body);
        World::block_on(self.from.request(self.to, Lane::Submit, body, TTL))
    }

    fn calls(&self) -> usize {
        lock(&self.echo.calls).len()
    }
}

#[test]
fn an_answer_takes_two_ways_of_the_distance() {
    let two = two(1, Duration::ZERO);
    assert_eq!(two.ask(b"hello").unwrap(), "hello");
    let took = World::now();
    assert!((30..=120).contains(&took.as_millis()), "{took:?}");
    assert_eq!(two.from.connected(), [two.to]);
}

#[test]
fn refusals_and_bounds_are_errors_of_their_own() {
    let two = two(1, Duration::ZERO);
    let peer = two.to;
    let code = Code::MALFORMED_RECORD;
    assert_eq!(two.ask(b""), Err(TransportError::Refused { peer, code }));
    let code = Code::ANSWER_TOO_LARGE;
    assert_eq!(
        two.ask(b"too much"),
        Err(TransportError::Refused { peer, code })
    );
    let body = Bytes::from(vec![0; FRAME_BYTES_MAX + 1]);
    let asked = World::block_on(two.from.request(peer, Lane::Keys, body, TTL));
    assert!(matches!(asked, Err(TransportError::TooLarge { .. })));
    let stranger = node(110_100);
    let asked = World::block_on(two.from.request(stranger, Lane::Keys, Bytes::new(), TTL));
    assert_eq!(asked, Err(TransportError::NotEnrolled { peer: stranger }));
    two.net.configure(|options| options.waiting_max = 0);
    assert_eq!(two.ask(b"x"), Err(TransportError::Busy { peer }));
    assert_eq!(two.net.faults().busy, 1);
}

#[test]
fn requests_of_one_lane_arrive_in_order_however_late_some_are() {
    for seed in 0..20 {
        let two = two(seed, Duration::ZERO);
        two.net
            .configure(|options| options.spike = Chance::percent(30));
        let sent = send_many(&two, Lane::RaftControl);
        assert_eq!(*lock(&two.echo.calls), sent, "seed {seed}");
        assert!(two.net.faults().spiked > 0);
        assert_eq!(two.net.faults().overtaken, 0);
    }
}

#[test]
fn order_is_lost_where_it_is_drawn_to_be_but_never_of_appends() {
    let overtaking = |lane| {
        let two = two(3, Duration::ZERO);
        two.net
            .configure(|options| options.reorder = Chance::percent(30));
        let sent = send_many(&two, lane);
        let keeps_order = *lock(&two.echo.calls) == sent;
        (keeps_order, two.net.faults().overtaken > 0)
    };
    assert_eq!(overtaking(Lane::RaftControl), (false, true));
    assert_eq!(overtaking(Lane::RaftAppend), (true, false));
}

fn send_many(two: &Two, lane: Lane) -> Vec<Bytes> {
    let bodies: Vec<Bytes> = (1..=50_u8)
        .map(|number| Bytes::from(vec![number]))
        .collect();
    let (from, to, sent) = (two.from.clone(), two.to, bodies.clone());
    World::block_on(async move {
        let mut joins = Vec::new();
        for body in bodies {
            let from = from.clone();
            joins.push(SimRuntime::spawn(async move {
                from.request(to, lane, body, TTL * 12).await
            }));
            SimRuntime::sleep(Duration::from_micros(10)).await;
        }
        for join in joins {
            join.await.unwrap().unwrap();
        }
    });
    sent
}

#[test]
fn a_lost_request_times_out_and_was_not_carried_out() {
    let two = two(1, Duration::ZERO);
    two.net.configure(|options| options.loss = Chance::ALWAYS);
    let (peer, after_ms) = (two.to, 5_000);
    assert_eq!(
        two.ask(b"x"),
        Err(TransportError::TimedOut { peer, after_ms })
    );
    assert_eq!(World::now(), TTL);
    assert_eq!((two.calls(), two.net.faults().requests_lost), (0, 1));
}

#[test]
fn a_lost_answer_times_out_though_the_request_was_carried_out() {
    let two = two(1, Duration::ZERO);
    two.net
        .configure(|options| options.answer_loss = Chance::ALWAYS);
    assert!(matches!(
        two.ask(b"x"),
        Err(TransportError::TimedOut { .. })
    ));
    assert_eq!((two.calls(), two.net.faults().answers_lost), (1, 1));
}

#[test]
fn a_request_that_arrives_twice_is_carried_out_twice_and_answered_once() {
    let two = two(1, Duration::ZERO);
    two.net
        .configure(|options| options.duplicate = Chance::ALWAYS);
    assert_eq!(two.ask(b"x").unwrap(), "x");
    World::run_for(TTL);
    let faults = two.net.faults();
    assert_eq!((two.calls(), faults.duplicated), (2, 1));
    assert_eq!((faults.answered, faults.answers_vanished), (1, 1));
}

#[test]
fn a_cut_line_and_a_machine_that_is_down_are_seen_at_once_or_never() {
    for (name, break_it) in [
        (
            "cut",
            (|two| two.net.cut(node(350_100), two.to)) as fn(&Two),
        ),
        ("one way", |two| two.net.cut_one_way(node(350_100), two.to)),
        ("alone", |two| two.net.isolate(two.to)),
        ("down", |two| two.net.power_off(two.to)),
    ] {
        let (mut seen, mut silent) = (0, 0);
        for seed in 0..30 {
            let two = two(seed, Duration::ZERO);
            break_it(&two);
            match two.ask(b"x").unwrap_err() {
                TransportError::Unreachable { .. } => seen += 1,
                TransportError::TimedOut { .. } => silent += 1,
                other => panic!("{name}: {other}"),
            }
            assert!(two.from.connected().is_empty(), "{name}");
            assert_eq!(two.calls(), 0, "{name}");
            let faults = two.net.faults();
            assert_eq!(faults.cut + faults.down, 1, "{name}");
        }
        assert!(seen > 0 && silent > 0, "{name}: {seen} and {silent}");
    }
}

#[test]
fn a_line_cut_one_way_loses_the_answer_only() {
    let two = two(1, Duration::ZERO);
    two.net.cut_one_way(two.to, node(350_100));
    assert!(matches!(
        two.ask(b"x"),
        Err(TransportError::TimedOut { .. })
    ));
    assert_eq!(two.calls(), 1);
    two.net.mend(two.to, node(350_100));
    assert!(two.ask(b"x").is_ok());
    two.net.isolate(two.to);
    two.net.calm();
    assert!(two.ask(b"x").is_ok());
}

#[test]
fn a_killed_handler_answers_nothing() {
    let (mut seen, mut silent) = (0, 0);
    for seed in 0..30 {
        let two = two(seed, Duration::from_secs(1));
        let (net, to) = (two.net.clone(), two.to);
        World::after(Duration::from_millis(500), move || {
            net.power_off(to);
            assert_eq!(World::kill(Owner::new(2)), 1);
        });
        match two.ask(b"x").unwrap_err() {
            TransportError::Unclear { .. } => seen += 1,
            TransportError::TimedOut { .. } => silent += 1,
            other => panic!("{other}"),
        }
        assert_eq!((two.calls(), two.net.faults().handlers_killed), (1, 1));
    }
    assert!(seen > 0 && silent > 0, "{seen} and {silent}");
}

#[test]
fn an_answer_to_a_machine_switched_off_vanishes() {
    let two = two(1, Duration::from_secs(1));
    let (from, to) = (two.from.clone(), two.to);
    World::spawn(Owner::new(1), async move {
        let body = Bytes::from_static(b"x");
        let _ = from.request(to, Lane::Submit, body, TTL).await;
    });
    World::run_for(Duration::from_millis(500));
    two.net.power_off(node(350_100));
    assert_eq!(World::kill(Owner::new(1)), 1);
    World::run_for(TTL);
    let faults = two.net.faults();
    assert_eq!(
        (faults.delivered, faults.answered, faults.answers_vanished),
        (1, 0, 1)
    );
    assert!(matches!(
        two.ask(b"x"),
        Err(TransportError::Unreachable { .. })
    ));
}

#[test]
fn a_machine_that_comes_back_serves_again() {
    let two = two(1, Duration::ZERO);
    let old = two.net.transport(two.to);
    two.net.power_off(two.to);
    old.serve(Arc::<Echo>::clone(&two.echo));
    assert!(two.ask(b"x").is_err());
    two.net
        .transport(two.to)
        .serve(Arc::<Echo>::clone(&two.echo));
    assert!(two.ask(b"x").is_ok());
}
