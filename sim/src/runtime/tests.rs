use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use openraft_rt::{
    AsyncRuntime, Instant as _, Mpsc as _, MpscReceiver as _, MpscSender as _, Mutex as _,
    Oneshot as _, OneshotSender as _, Select2, Watch as _, WatchSender as _,
};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn in_order(seed: u64) {
    World::reset_with(seed, Scheduling::IN_ORDER, Limits::default());
}

#[derive(Clone, Default)]
struct Counter(Arc<AtomicU32>);

impl Counter {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn value(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_killed_node_runs_nothing_more_and_drops_everything() {
    World::reset(1);
    let (ran, alive) = (Counter::default(), Arc::new(()));
    for owner in [1, 2] {
        for _ in 0..10 {
            let (ran, alive) = (ran.clone(), Arc::clone(&alive));
            World::spawn(Owner::new(owner), async move {
                SimRuntime::sleep(SECOND).await;
                ran.count();
                drop(alive);
            });
        }
    }
    World::run_for(SECOND / 2);
    assert_eq!(World::kill(Owner::new(1)), 10);
    assert_eq!(Arc::strong_count(&alive), 11);
    World::run_for(SECOND);
    assert_eq!(ran.value(), 10);
    assert_eq!(World::kill(Owner::new(1)), 0);
    assert_eq!(World::counts().killed, 10);
}

#[test]
fn a_killed_task_is_an_error_to_whoever_joins_it() {
    World::reset(1);
    let joined = Arc::new(Mutex::new(None));
    let (slot, (handles, handle)) = (Arc::clone(&joined), SimOneshot::channel());
    World::spawn(Owner::new(1), async move {
        let join = SimRuntime::spawn(async { SimRuntime::sleep(SECOND).await });
        assert!(handles.send(join).is_ok());
    });
    World::spawn(Owner::new(2), async move {
        let join: JoinHandle<()> = handle.await.unwrap();
        *lock(&slot) = Some(join.await);
    });
    World::run_for(SECOND / 2);
    World::kill(Owner::new(1));
    World::run_for(SECOND / 2);
    assert_eq!(lock(&joined).take(), Some(Err(TaskKilled)));
}

struct SpawnsWhenDropped(Counter);

impl Drop for SpawnsWhenDropped {
    fn drop(&mut self) {
        let ran = self.0.clone();
        let join = SimRuntime::spawn(async move { ran.count() });
        drop(join);
    }
}

#[test]
fn a_node_cannot_outlive_its_kill_through_destructors() {
    World::reset(1);
    let ran = Counter::default();
    let last_words = SpawnsWhenDropped(ran.clone());
    World::spawn(Owner::new(1), async move {
        SimRuntime::sleep(SECOND).await;
        drop(last_words);
    });
    World::run_for(SECOND / 2);
    World::kill(Owner::new(1));
    World::run_for(SECOND);
    assert_eq!(ran.value(), 0);
}

#[test]
fn a_node_that_kills_itself_stops_at_its_next_await() {
    World::reset(1);
    let ran = Counter::default();
    let inside = ran.clone();
    World::spawn(Owner::new(1), async move {
        World::kill(Owner::new(1));
        drop(SpawnsWhenDropped(inside.clone()));
        SimRuntime::sleep(SECOND).await;
        inside.count();
    });
    World::run_for(SECOND * 2);
    assert_eq!(ran.value(), 0);
}

#[test]
fn tasks_belong_to_the_owner_of_the_task_that_spawned_them() {
    World::reset(1);
    let ran = Counter::default();
    let inside = ran.clone();
    World::spawn(Owner::new(4), async move {
        let join = SimRuntime::spawn(async move {
            assert_eq!(World::owner(), Owner::new(4));
            inside.count();
        });
        join.await.unwrap();
    });
    World::run_for(SECOND);
    assert_eq!(ran.value(), 1);
    assert_eq!(World::owner(), Owner::WORLD);
}

#[test]
fn each_node_sleeps_and_reads_by_its_own_clock() {
    World::reset(1);
    let (slow, fast) = (Owner::new(1), Owner::new(2));
    let ahead = Duration::from_millis(700);
    World::set_clock(
        slow,
        ClockSkew {
            ahead,
            drift_ppm: -500,
        },
    );
    World::set_clock(
        fast,
        ClockSkew {
            drift_ppm: 500,
            ..ClockSkew::default()
        },
    );
    assert_eq!(
        World::instant_of(slow) - World::instant_of(Owner::WORLD),
        ahead
    );
    let woken = Arc::new(Mutex::new(Vec::new()));
    for owner in [slow, fast] {
        let woken = Arc::clone(&woken);
        World::spawn(owner, async move {
            let began = SimInstant::now();
            SimRuntime::sleep(SECOND * 1_000).await;
            assert!(began.elapsed() >= SECOND * 1_000);
            assert!(began.elapsed() < SECOND * 1_000 + Duration::from_micros(1));
            lock(&woken).push((owner, World::now().as_millis()));
        });
    }
    World::run_for(SECOND * 2_000);
    // 1,000 s / 1.0005 and / 0.9995.
    assert_eq!(*lock(&woken), [(fast, 999_500), (slow, 1_000_500)]);
}

#[test]
fn a_world_ends_with_its_tasks_timers_and_wakers() {
    World::reset(1);
    let (ran, alive) = (Counter::default(), Arc::new(()));
    let (inside, held) = (ran.clone(), Arc::clone(&alive));
    let (sender, receiver) = SimOneshot::channel::<()>();
    World::spawn(Owner::new(1), async move {
        let _ = receiver.await;
        inside.count();
        drop(held);
    });
    let late = ran.clone();
    World::after(SECOND, move || late.count());
    World::run_for(SECOND / 2);
    World::reset(2);
    assert_eq!(Arc::strong_count(&alive), 1);
    let again = ran.clone();
    World::spawn(Owner::new(1), async move {
        std::future::pending::<()>().await;
        again.count();
    });
    World::run_for(SECOND);
    let polls = World::counts().polls;
    drop(sender);
    World::run_for(SECOND);
    assert_eq!((ran.value(), World::counts().polls), (0, polls));
}

#[test]
#[should_panic(expected = "of node 3")]
fn a_task_that_keeps_time_from_going_on_is_named() {
    let limits = Limits {
        steps_per_instant_max: 10_000,
        ..Limits::default()
    };
    World::reset_with(1, Scheduling::default(), limits);
    for owner in [1, 2] {
        World::spawn(Owner::new(owner), SimRuntime::sleep(SECOND));
    }
    World::spawn(
        Owner::new(3),
        std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Pending
        }),
    );
    World::run_for(SECOND);
}

#[test]
#[should_panic(expected = "of the world")]
fn a_world_that_acts_for_ever_at_one_instant_is_named_too() {
    fn again() {
        World::after(Duration::ZERO, again);
    }
    let limits = Limits {
        steps_per_instant_max: 10_000,
        ..Limits::default()
    };
    World::reset_with(1, Scheduling::default(), limits);
    again();
    World::run_for(SECOND);
}

#[test]
#[should_panic(expected = "limit of 1000 events")]
fn a_run_ends_at_its_limit_of_events() {
    let limits = Limits {
        events_max: 1_000,
        ..Limits::default()
    };
    World::reset_with(1, Scheduling::default(), limits);
    World::spawn(Owner::new(1), async {
        loop {
            SimRuntime::sleep(Duration::from_millis(1)).await;
        }
    });
    World::run_for(SECOND * 10);
}

#[test]
#[should_panic(expected = "nothing is left to run")]
fn a_world_at_rest_is_no_reason_to_wait_for_ever() {
    World::reset(1);
    World::block_on(std::future::pending::<()>());
}

#[test]
#[should_panic(expected = "reset from within")]
fn a_world_is_not_reset_from_within() {
    World::reset(1);
    World::block_on(async { World::reset(2) });
}

fn order_of_ten(seed: u64, shuffle_tasks: bool) -> Vec<u16> {
    let scheduling = Scheduling {
        shuffle_tasks,
        ..Scheduling::IN_ORDER
    };
    World::reset_with(seed, scheduling, Limits::default());
    let order = Arc::new(Mutex::new(Vec::new()));
    for owner in 0..10 {
        let order = Arc::clone(&order);
        World::spawn(Owner::new(owner), async move { lock(&order).push(owner) });
    }
    World::run_for(SECOND);
    lock(&order).clone()
}

#[test]
fn the_seed_decides_the_order_of_ready_tasks_unless_told_otherwise() {
    let given: Vec<u16> = (0..10).collect();
    assert_eq!(order_of_ten(1, false), given);
    assert_ne!(order_of_ten(1, true), given);
    assert_eq!(order_of_ten(1, true), order_of_ten(1, true));
    assert_ne!(order_of_ten(1, true), order_of_ten(2, true));
}

#[test]
fn selects_keep_the_order_of_their_arguments_unless_told_otherwise() {
    let choose = || World::block_on(SimRuntime::select2(async {}, async {}));
    World::reset(1);
    assert!((0..50).all(|_| choose() == Select2::First(())));
    let scheduling = Scheduling {
        shuffle_selects: true,
        ..Scheduling::IN_ORDER
    };
    World::reset_with(1, scheduling, Limits::default());
    let firsts = (0..50).filter(|_| choose() == Select2::First(())).count();
    assert!((10..40).contains(&firsts), "{firsts}");
}

#[test]
fn a_killed_waiter_for_a_mutex_hands_its_turn_on() {
    in_order(1);
    let got = Counter::default();
    let mutex = Arc::new(AsyncMutex::new(()));
    let guard = World::block_on(mutex.lock());
    for owner in [1, 2] {
        let (mutex, got) = (Arc::clone(&mutex), got.clone());
        World::spawn(Owner::new(owner), async move {
            let _guard = mutex.lock().await;
            got.count();
        });
    }
    World::run_for(SECOND);
    drop(guard);
    // Node 1 was called and dies before it takes the mutex.
    assert_eq!(World::kill(Owner::new(1)), 1);
    World::run_for(SECOND);
    assert_eq!(got.value(), 1);
}

#[test]
fn a_killed_sender_hands_its_free_place_on() {
    in_order(1);
    let (sender, mut receiver) = SimMpsc::channel::<u32>(1);
    World::block_on(sender.send(0)).unwrap();
    for owner in [1, 2] {
        let sender = sender.clone();
        World::spawn(Owner::new(owner), async move {
            sender.send(u32::from(owner)).await.unwrap();
        });
    }
    World::run_for(SECOND);
    assert_eq!(receiver.try_recv(), Ok(0));
    // Node 1 was called to the free place and dies before it takes it.
    assert_eq!(World::kill(Owner::new(1)), 1);
    World::run_for(SECOND);
    assert_eq!(receiver.try_recv(), Ok(2));
}

#[test]
#[should_panic(expected = "not changed while it is borrowed")]
fn changing_a_watched_value_under_a_borrow_is_a_panic_and_no_hang() {
    let (sender, receiver) = SimWatch::channel(1);
    let _borrow = openraft_rt::WatchReceiver::borrow_watched(&receiver);
    let _ = sender.send(2);
}

#[test]
fn generators_repeat_with_the_seed() {
    use rand::Rng as _;
    let draw = |seed| {
        World::reset(seed);
        (
            SimRuntime::thread_rng().next_u64(),
            SimRuntime::thread_rng().next_u64(),
        )
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert_ne!(draw(1).0, draw(1).1);
}
