//! The six cities, their ring of voters and their registry, signed by five of six.

use std::sync::LazyLock;

use tongban_trust::{
    NodeEnrolment, Registry, RegistryDraft, RegistryFile, governance_hash, verify_first,
};
use tongban_types::{
    Calendar, CityCode, CivilDay, Hash, KeyRole, NodeId, SealingPublicKey, Timestamp, sha256_parts,
};

use super::keys::{governance_key, key_of};

pub(crate) const FUZHOU: u32 = 350_100;
pub(crate) const PUTIAN: u32 = 350_300;
pub(crate) const NINGDE: u32 = 350_900;
pub(crate) const NANPING: u32 = 350_700;
pub(crate) const WEINAN: u32 = 610_500;
pub(crate) const DINGXI: u32 = 621_100;

/// The ring: each city's group votes on its own node and those of the next two.
pub(crate) const CITIES: [(u32, &str, &str); 6] = [
    (FUZHOU, "福州", "fuzhou"),
    (PUTIAN, "莆田", "putian"),
    (NINGDE, "宁德", "ningde"),
    (NANPING, "南平", "nanping"),
    (WEINAN, "渭南", "weinan"),
    (DINGXI, "定西", "dingxi"),
];

const SIGNERS: usize = 5;

/// What every node of the federation starts from.
#[derive(Debug)]
pub(crate) struct Federation {
    /// The first registry, as a file.
    pub(crate) file: Vec<u8>,
    /// The same, read.
    pub(crate) registry: Registry,
    /// The pinned hash of its governance keys.
    pub(crate) genesis: Hash,
    /// The published working days.
    pub(crate) calendar: Calendar,
}

impl Federation {
    /// The one federation of these tests.
    pub(crate) fn get() -> &'static Self {
        static MADE: LazyLock<Federation> = LazyLock::new(Federation::make);
        &MADE
    }

    fn make() -> Self {
        let registry = first_draft().check().unwrap();
        let genesis = governance_hash(&registry);
        let file = signed_registry(registry.content().clone(), SIGNERS);
        let registry = verify_first(&file, genesis).unwrap().into_inner();
        let text = include_str!("../../../calendar/2024-2026.json");
        Self {
            file,
            registry,
            genesis,
            calendar: serde_json::from_str(text).unwrap(),
        }
    }
}

fn first_draft() -> RegistryDraft {
    let expires = CivilDay::from_ymd(2030, 1, 1).unwrap().first_ms();
    let mut draft = RegistryDraft::first(expires);
    for (number, zh, host) in CITIES {
        let city = city_code(number);
        draft.city(city, zh, &format!("https://{host}.example"));
        draft.governance(city, governance_key(city).public());
        draft.enrol(&enrolment(node_of(number, 1))).unwrap();
    }
    for (number, ..) in CITIES {
        draft.voters(city_code(number), &voters_of(number)).unwrap();
    }
    draft
}

/// What a node shows of itself to be enrolled.
pub(crate) fn enrolment(node: NodeId) -> NodeEnrolment {
    let roles = [
        KeyRole::Transport,
        KeyRole::Command,
        KeyRole::Voter,
        KeyRole::Receipt,
        KeyRole::Issuer,
    ];
    let mut sealing = sha256_parts(&[b"sealing", node.to_string().as_bytes()]).0;
    sealing[31] &= 0x7f;
    NodeEnrolment {
        node,
        addresses: vec!["127.0.0.1:7400".to_owned()],
        keys: roles.map(|role| (role, key_of(node, role).public())).into(),
        sealing: SealingPublicKey(sealing),
        not_before: CivilDay::from_ymd(2026, 1, 1).unwrap().first_ms(),
        not_after: CivilDay::from_ymd(2029, 1, 1).unwrap().first_ms(),
    }
}

/// A registry file of a draft, signed by the first `signers` cities.
pub(crate) fn signed_registry(draft: RegistryDraft, signers: usize) -> Vec<u8> {
    let mut file = RegistryFile::unsigned(draft.check().unwrap());
    for (number, ..) in CITIES.iter().take(signers) {
        file.sign(governance_key(city_code(*number)));
    }
    file.encode()
}

/// The next registry: the first one with a change.
pub(crate) fn registry_after(
    current: &Registry,
    change: impl FnOnce(&mut RegistryDraft),
) -> Vec<u8> {
    let mut draft = RegistryDraft::after(current, current.expires());
    change(&mut draft);
    signed_registry(draft, SIGNERS)
}

/// A city by its number.
pub(crate) fn city_code(number: u32) -> CityCode {
    CityCode::new(number).unwrap()
}

/// A node of a city.
pub(crate) fn node_of(city: u32, number: u8) -> NodeId {
    NodeId::new(city_code(city), number).unwrap()
}

/// The voters of a city's group, in node order.
pub(crate) fn voters_of(city: u32) -> [NodeId; 3] {
    let at = CITIES.iter().position(|(code, ..)| *code == city).unwrap();
    let mut voters = [0, 1, 2].map(|step| node_of(CITIES[(at + step) % CITIES.len()].0, 1));
    voters.sort_unstable();
    voters
}

/// Monday 2 March 2026, nine in the morning in China: no holiday is near.
pub(crate) fn monday_morning() -> Timestamp {
    CivilDay::from_ymd(2026, 3, 2)
        .unwrap()
        .first_ms()
        .plus_ms(9 * 3_600_000)
}
