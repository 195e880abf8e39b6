//! What voters sign for whoever carries the parcels of their group, and what becomes of a parcel that they
//! do not sign.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft_rt::AsyncRuntime as _;
use tongban_machine::{Write, WriteSet, ground, parcel_batch, parcel_bytes, unanswered};
use tongban_runtime::seams::{Lane, Transport as _, TransportError};
use tongban_runtime::{StoreView, Tempo, Wait};
use tongban_sim::runtime::{SimRuntime, Sleep, World};
use tongban_sim::store::MemoryStore;
use tongban_sim::world::federation;
use tongban_sim::world::scene::Scene;
use tongban_types::{CaseNumber, Code, Parcel, Purpose, Signature, decode, limits};

use super::{
    DINGXI, FUZHOU, NANPING, NINGDE, PUTIAN, WEINAN, calm_world, hand_in, has_case, spoil,
    stored_pairs, two_cities_at_work, until,
};

/// Kind and version of a request and of its answer.
const REQUEST: [u16; 2] = [402, 1];
const ANSWER: [u16; 2] = [403, 1];

/// Beyond the time that a voter waits for what it is asked to sign.
const PATIENCE: Duration = Duration::from_secs(10);

/// The state of Fuzhou's group on a machine.
fn state(scene: &Scene, place: usize) -> StoreView<MemoryStore> {
    let store = scene.machines[place].store().clone();
    StoreView::new(store, federation::group(FUZHOU))
}

/// Where the packets stand that Fuzhou's group waits for an answer to, as a machine shows it.
fn waiting(scene: &Scene, place: usize) -> Vec<u64> {
    let waiting = unanswered(&state(scene, place), None, 10).into_iter();
    waiting.map(|packet| packet.position).collect()
}

fn head([kind, version]: [u16; 2]) -> Vec<u8> {
    [kind.to_le_bytes(), version.to_le_bytes()].concat()
}

/// A number as postcard writes it: seven bits a byte, the lowest first.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Asks a machine as the node of another place to sign parcels of Fuzhou's group.
async fn asked(
    scene: Arc<Scene>,
    from: usize,
    to: usize,
    positions: Vec<u64>,
) -> Result<Option<Signature>, TransportError> {
    let mut request = head(REQUEST);
    put(&mut request, federation::city(FUZHOU).number().into());
    put(&mut request, positions.len().try_into().unwrap());
    for position in positions {
        put(&mut request, position);
    }
    let transport = scene.net.transport(federation::node(from));
    let to = federation::node(to);
    let answer = transport.request(to, Lane::Certify, Bytes::from(request), PATIENCE);
    let answer = answer.await?;
    Ok(match answer.strip_prefix(&head(ANSWER)[..]).unwrap() {
        [0] => None,
        [1, signature @ ..] => Some(Signature(signature.try_into().unwrap())),
        other => panic!("{other:?}"),
    })
}

/// Hands in at Fuzhou for Nanping, from whose group Fuzhou's is cut off: so many packets wait.
async fn hand_in_apart(scene: &Arc<Scene>, names: &[&[u8]]) {
    for ours in [FUZHOU, PUTIAN, NINGDE].map(federation::node) {
        for theirs in [NANPING, WEINAN, DINGXI].map(federation::node) {
            scene.net.cut(ours, theirs);
        }
    }
    for name in names {
        let subject = "350102199001010003";
        hand_in(scene, NANPING, subject, name, Wait::Replicated).await;
    }
    until("all replicas show what waits", || {
        let places = [FUZHOU, PUTIAN, NINGDE].into_iter();
        places.map(|place| waiting(scene, place).len()).min() == Some(names.len())
    })
    .await;
}

#[test]
fn a_voter_that_is_behind_waits_for_the_parcels_it_is_asked_to_sign_and_not_for_ever() {
    let scene = calm_world(20);
    World::block_on(async {
        two_cities_at_work(&scene).await;
        let next = ground(&state(&scene, NINGDE)).outbox_next;
        let far = vec![next + 1_000];
        let since = World::now();
        let never = asked(Arc::clone(&scene), PUTIAN, NINGDE, far).await;
        assert_eq!(never, Ok(None));
        let took = World::now().saturating_sub(since);
        let patience = Tempo::default().certify_timeout;
        assert!((patience..2 * patience).contains(&took), "{took:?}");

        let soon = asked(Arc::clone(&scene), PUTIAN, NINGDE, vec![next]);
        let soon = SimRuntime::spawn(soon);
        Sleep::true_time(Duration::from_millis(300)).await;
        assert_eq!(ground(&state(&scene, NINGDE)).outbox_next, next);
        hand_in_apart(&scene, &[b"soon"]).await;
        let signature = soon.await.unwrap().unwrap().unwrap();
        let group = federation::group(FUZHOU);
        let batch = parcel_batch(&state(&scene, NINGDE), group, &[next]).unwrap();
        let signed = Purpose::ParcelBatch.message(&batch.signed_bytes());
        let voter = federation::node(NINGDE);
        let key = scene.federation.registry.voter_key(voter).unwrap();
        assert!(tongban_trust::verify_strict(key, &signed, signature).is_ok());
    });
}

#[test]
fn more_than_a_delivery_or_out_of_order_or_asked_by_a_stranger_is_refused_at_once() {
    let scene = calm_world(21);
    World::block_on(async {
        two_cities_at_work(&scene).await;
        let (peer, code) = (federation::node(NINGDE), Code::MALFORMED_RECORD);
        let since = World::now();
        let first = |count: usize| (0..).take(count).collect::<Vec<u64>>();
        let more = first(limits::DELIVERY_PARCELS_MAX + 1);
        for unfit in [more, vec![5, 4], vec![4, 4], vec![]] {
            let asked = asked(Arc::clone(&scene), PUTIAN, NINGDE, unfit).await;
            assert_eq!(asked, Err(TransportError::Refused { peer, code }));
        }
        let code = Code::RAFT_NOT_A_REPLICA;
        let stranger = asked(Arc::clone(&scene), DINGXI, NINGDE, vec![0]).await;
        assert_eq!(stranger, Err(TransportError::Refused { peer, code }));
        assert!(World::now().saturating_sub(since) < Tempo::default().certify_timeout);
        // As many as a delivery carries are only not there yet.
        let whole = first(limits::DELIVERY_PARCELS_MAX);
        let asked = asked(Arc::clone(&scene), PUTIAN, NINGDE, whole).await;
        assert_eq!(asked, Ok(None));
    });
}

#[test]
fn a_parcel_that_is_answered_and_gone_is_not_signed_nor_waited_for() {
    let scene = calm_world(22);
    World::block_on(async {
        two_cities_at_work(&scene).await;
        hand_in_apart(&scene, &[b"first", b"second"]).await;
        let both = waiting(&scene, NINGDE);
        let ask = || asked(Arc::clone(&scene), PUTIAN, NINGDE, both.clone());
        assert!(ask().await.unwrap().is_some());
        scene.net.calm();
        until("the answers are entered at Ningde", || {
            waiting(&scene, NINGDE).is_empty()
        })
        .await;
        let since = World::now();
        assert_eq!(ask().await, Ok(None));
        let took = World::now().saturating_sub(since);
        assert!(took < Tempo::default().certify_timeout, "{took:?}");
    });
}

/// The case that a waiting packet of Fuzhou's is about.
fn case_at(scene: &Scene, position: u64) -> CaseNumber {
    let bytes = parcel_bytes(&state(scene, FUZHOU), position).unwrap();
    decode::<Parcel>(&bytes).unwrap().case()
}

/// Turns a parcel in a machine's store as rot might, on each machine another way; done twice it is as it was.
fn turn_parcel(scene: &Scene, place: usize, position: u64) {
    let group = federation::group(FUZHOU);
    let bytes = parcel_bytes(&state(scene, place), position).unwrap();
    let is_parcel = |(key, value): &(Vec<u8>, Vec<u8>)| {
        *value == bytes && key.ends_with(&position.to_be_bytes())
    };
    let mut pairs = stored_pairs(scene, place, group).into_iter();
    let (key, mut value) = pairs.find(is_parcel).unwrap();
    *value.last_mut().unwrap() ^= 1_u8 << place;
    let writes = WriteSet::from([(key, Write::Put(value))]);
    spoil(scene, place, group, &writes);
}

#[test]
fn a_parcel_that_no_majority_signs_waits_by_itself_and_what_stands_beside_it_goes() {
    let scene = calm_world(23);
    World::block_on(async {
        two_cities_at_work(&scene).await;
        hand_in_apart(&scene, &[b"one", b"two", b"three", b"four"]).await;
        let all = waiting(&scene, FUZHOU);
        let unsigned = all[1];
        let cases: Vec<CaseNumber> = all.iter().map(|place| case_at(&scene, *place)).collect();
        let turn = || {
            for place in [PUTIAN, NINGDE] {
                turn_parcel(&scene, place, unsigned);
            }
        };
        turn();
        // Longer than a delivery that was signed before waits for its answer.
        Sleep::true_time(Duration::from_mins(1)).await;
        scene.net.calm();
        let has = |case: CaseNumber| has_case(&scene, NANPING, case);
        until("what stands beside it goes over", || {
            [cases[0], cases[2], cases[3]].into_iter().all(has)
        })
        .await;
        until("it waits by itself", || {
            waiting(&scene, FUZHOU) == [unsigned]
        })
        .await;
        // What comes in then goes past it.
        let subject = "350102199001010003";
        let later = hand_in(&scene, NANPING, subject, b"five", Wait::Replicated).await;
        until("what came later goes over", || has(later.case)).await;
        assert!(!has(cases[1]), "no majority signed it");
        turn();
        until("it goes over once it is signed", || has(cases[1])).await;
    });
}
