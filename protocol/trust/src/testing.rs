//! A made-up federation whose private keys are known to everybody: the six cities with one node
//! each, voters in a ring. For tests of any room; never for use.

use std::collections::BTreeMap;

use curve25519_dalek::montgomery::MontgomeryPoint;
use tongban_types::{CityCode, KeyRole, NodeId, SealingPublicKey, Timestamp, sha256_parts};

use crate::registry::{NodeEnrolment, Registry, RegistryDraft, RegistryFile};
use crate::signing::SigningKey;

/// Code and name of the six cities, in the order of the ring.
pub const SIX_CITIES: [(u32, &str); 6] = [
    (350_100, "福州市"),
    (350_300, "莆田市"),
    (350_900, "宁德市"),
    (350_700, "南平市"),
    (610_500, "渭南市"),
    (621_100, "定西市"),
];

/// 2026-11-24T00:00:00Z: the sample's keys sign from a day before.
pub const SAMPLE_NOW: Timestamp = Timestamp::from_unix_ms(1_795_478_400_000);

/// The sample federation.
#[derive(Debug)]
pub struct SampleFederation {
    /// Its registry.
    pub registry: Registry,
}

impl Default for SampleFederation {
    fn default() -> Self {
        Self::six_cities()
    }
}

impl SampleFederation {
    /// The six cities with a node each; each group's voters are its own node and the next two.
    pub fn six_cities() -> Self {
        let registry = sample_draft().check().expect("the sample keeps every rule");
        Self { registry }
    }

    /// A city of the ring.
    pub fn city(place: usize) -> CityCode {
        CityCode::new(SIX_CITIES[place % SIX_CITIES.len()].0).expect("codes of real cities")
    }

    /// The only node of a city of the ring.
    pub fn node(place: usize) -> NodeId {
        NodeId::new(Self::city(place), 1).expect("one is a node number")
    }

    /// The private key of a node in a role.
    pub fn key(node: NodeId, role: KeyRole) -> SigningKey {
        SigningKey::from_seed(&seed(&node.to_string(), role.name()))
    }

    /// The X25519 private key of a node.
    pub fn sealing_seed(node: NodeId) -> [u8; 32] {
        seed(&node.to_string(), "sealing")
    }

    /// The governance key of a city.
    pub fn governance_key(city: CityCode) -> SigningKey {
        SigningKey::from_seed(&seed(&city.to_string(), KeyRole::Governance.name()))
    }

    /// A registry file signed by the first `signers` cities of the ring.
    pub fn signed_file(registry: Registry, signers: usize) -> Vec<u8> {
        let mut file = RegistryFile::unsigned(registry);
        for place in 0..signers {
            file.sign(&Self::governance_key(Self::city(place)));
        }
        file.encode()
    }
}

/// The draft behind the sample, to be changed by tests.
pub fn sample_draft() -> RegistryDraft {
    let year = 365 * tongban_types::DAY_MS;
    let mut draft = RegistryDraft::first(SAMPLE_NOW.plus_ms(year));
    for (place, (code, name)) in SIX_CITIES.into_iter().enumerate() {
        let (city, node) = (SampleFederation::city(place), SampleFederation::node(place));
        draft.city(city, name, &format!("https://{code}.tongban.example"));
        draft.governance(city, SampleFederation::governance_key(city).public());
        let port = 7400 + place;
        draft
            .enrol(&enrolment(node, &format!("127.0.0.1:{port}")))
            .expect("its city was just added");
        let mut voters: Vec<NodeId> = (place..place + 3).map(SampleFederation::node).collect();
        voters.sort_unstable();
        draft
            .voters(city, &voters)
            .expect("the city was just added");
    }
    draft
}

/// What a sample node shows of itself.
pub fn enrolment(node: NodeId, address: &str) -> NodeEnrolment {
    let roles = [
        KeyRole::Transport,
        KeyRole::Command,
        KeyRole::Voter,
        KeyRole::Receipt,
        KeyRole::Issuer,
    ];
    let keys: BTreeMap<_, _> = roles
        .into_iter()
        .map(|role| (role, SampleFederation::key(node, role).public()))
        .collect();
    let sealing = MontgomeryPoint::mul_base_clamped(SampleFederation::sealing_seed(node));
    NodeEnrolment {
        node,
        addresses: vec![address.to_owned()],
        keys,
        sealing: SealingPublicKey(sealing.0),
        not_before: SAMPLE_NOW.plus_ms(-tongban_types::DAY_MS),
        not_after: SAMPLE_NOW.plus_ms(365 * tongban_types::DAY_MS),
    }
}

/// Values of every variant of an enum, one each. It does not compile once a variant is added that is not
/// listed, so that a test which walks them walks them all.
#[macro_export]
macro_rules! every_variant {
    ($kind:ty { $($variant:pat => $value:expr),+ $(,)? }) => {{
        let name = |of: &$kind| match of {
            $($variant => stringify!($variant),)+
        };
        let values: Vec<$kind> = vec![$($value),+];
        let mut names: Vec<&str> = values.iter().map(name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), values.len(), "each value is of its own variant");
        values
    }};
}

fn seed(holder: &str, role: &str) -> [u8; 32] {
    sha256_parts(&[b"tongban sample key", holder.as_bytes(), role.as_bytes()]).0
}
