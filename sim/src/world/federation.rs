//! The six cities as a signed registry, with keys drawn from the seed, one item and the calendar of
//! the year the world lies in.

use std::sync::Arc;

use tongban_runtime::seams::Signer;
use tongban_runtime::{ClaimTemplate, DocumentTemplate};
use tongban_trust::{NodeEnrolment, Registry, RegistryDraft, RegistryFile, SigningKey};
use tongban_types::{
    Calendar, CalendarYear, CityCode, CivilDay, DAY_MS, GroupId, HandlingMode, Holiday, ItemCode,
    ItemTerms, ItemVersion, KeyRole, NodeId, sha256,
};
use zeroize::Zeroizing;

use crate::clock::WORLD_BEGINS;
use crate::runtime::{Owner, World};
use crate::signer::{SimSigner, drawn_keys};

/// Code and name of the six cities, in the order of the ring.
pub const CITIES: [(u32, &str); 6] = [
    (350_100, "福州市"),
    (350_300, "莆田市"),
    (350_900, "宁德市"),
    (350_700, "南平市"),
    (610_500, "渭南市"),
    (621_100, "定西市"),
];

/// Replicas of a group: the city's own node and those of the next two cities.
pub const VOTERS: usize = 3;

/// Roles of which every node has a key.
const ROLES: [KeyRole; 5] = [
    KeyRole::Transport,
    KeyRole::Command,
    KeyRole::Voter,
    KeyRole::Receipt,
    KeyRole::Issuer,
];

/// The type of the document a grant produces.
const DOCUMENT_TYPE: &str = "urn:tongban:vct:household-migration:1";

/// What every node is told alike, and the keys of each.
#[derive(Debug)]
pub struct Federation {
    /// The registry, believed.
    pub registry: Arc<Registry>,
    /// The same as it was signed by five of six.
    pub registry_file: Vec<u8>,
    /// The one item.
    pub item: ItemTerms,
    /// What its grants produce.
    pub template: DocumentTemplate,
    /// 2026.
    pub calendar: Calendar,
    signers: Vec<Arc<SimSigner>>,
}

impl Federation {
    /// The federation of this world's seed.
    pub fn draw() -> Self {
        let signers: Vec<Arc<SimSigner>> = (0..CITIES.len())
            .map(|place| Arc::new(drawn_keys(owner(place), &ROLES)))
            .collect();
        let registry = draft(&signers)
            .check()
            .expect("six cities in a ring keep every rule");
        let mut file = RegistryFile::unsigned(registry);
        for key in governance_keys().iter().take(CITIES.len() - 1) {
            file.sign(key);
        }
        let registry = Arc::new(file.registry().clone());
        let item = item_terms();
        Self {
            registry,
            registry_file: file.encode(),
            template: template(item.item),
            item,
            calendar: calendar(),
            signers,
        }
    }

    /// The keys of the node at a place of the ring.
    pub fn signer(&self, place: usize) -> Arc<SimSigner> {
        self.signers[place].clone()
    }

    /// Every group with the places of its voters, its own city's first.
    pub fn groups() -> impl Iterator<Item = (GroupId, [usize; VOTERS])> {
        (0..CITIES.len()).map(|place| (group(place), voters(place)))
    }
}

/// The city at a place of the ring.
pub fn city(place: usize) -> CityCode {
    CityCode::new(CITIES[place].0).expect("codes of real cities")
}

/// Its group.
pub fn group(place: usize) -> GroupId {
    GroupId(city(place))
}

/// Its only node.
pub fn node(place: usize) -> NodeId {
    NodeId::new(city(place), 1).expect("one is a node number")
}

/// The machine its node runs on.
pub fn owner(place: usize) -> Owner {
    Owner::new(u16::try_from(place + 1).expect("six machines"))
}

/// The place of a city.
pub fn place_of(city: CityCode) -> Option<usize> {
    CITIES.iter().position(|(code, _)| *code == city.number())
}

/// The places of the voters of a city's group.
pub fn voters(place: usize) -> [usize; VOTERS] {
    std::array::from_fn(|step| (place + step) % CITIES.len())
}

/// The governance key of a city.
pub fn governance_key(place: usize) -> SigningKey {
    governance_keys().swap_remove(place)
}

fn governance_keys() -> Vec<SigningKey> {
    let mut dice = World::dice("governance", 0);
    let mut draw = || {
        let mut seed = Zeroizing::new([0; 32]);
        dice.fill(seed.as_mut_slice());
        SigningKey::from_seed(&seed)
    };
    CITIES.iter().map(|_| draw()).collect()
}

fn draft(signers: &[Arc<SimSigner>]) -> RegistryDraft {
    let governance = governance_keys();
    let mut draft = RegistryDraft::first(WORLD_BEGINS.plus_ms(365 * DAY_MS));
    for (place, (code, name)) in CITIES.into_iter().enumerate() {
        let signer = &signers[place];
        draft.city(
            city(place),
            name,
            &format!("https://{code}.tongban.example"),
        );
        draft.governance(city(place), governance[place].public());
        let keys = ROLES
            .into_iter()
            .filter_map(|role| Some((role, signer.public(role)?)));
        let enrolment = NodeEnrolment {
            node: node(place),
            addresses: vec![format!("127.0.0.1:{}", 7400 + place)],
            keys: keys.collect(),
            sealing: signer.sealing_public(),
            not_before: WORLD_BEGINS.plus_ms(-DAY_MS),
            not_after: WORLD_BEGINS.plus_ms(365 * DAY_MS),
        };
        draft.enrol(&enrolment).expect("its city was just added");
    }
    for place in 0..CITIES.len() {
        let mut nodes = voters(place).map(node);
        nodes.sort_unstable();
        draft
            .voters(city(place), &nodes)
            .expect("its city was just added");
    }
    draft
}

fn item_terms() -> ItemTerms {
    ItemTerms {
        item: ItemVersion {
            code: ItemCode::new("000109900001").expect("twelve digits"),
            version: 1,
        },
        mode: HandlingMode::CollectedElsewhere,
        notice_days: 5,
        promise_days: 10,
        statutory_days: Some(20),
        document_type: Some(DOCUMENT_TYPE.to_owned()),
        file: sha256(b"the item of the simulated federation"),
    }
}

fn template(item: ItemVersion) -> DocumentTemplate {
    let claim = |name: &str, pointer: &str, disclosable| ClaimTemplate {
        name: name.to_owned(),
        pointer: pointer.to_owned(),
        disclosable,
    };
    DocumentTemplate {
        item,
        vct: DOCUMENT_TYPE.to_owned(),
        name_zh: "准予迁入证明".to_owned(),
        claims: vec![
            claim("name", "/applicant/name", true),
            claim("id_number", "/applicant/id_number", true),
            claim("reason", "/reason", false),
        ],
    }
}

fn calendar() -> Calendar {
    let day = |month, day| CivilDay::from_ymd(2026, month, day).expect("days of the year");
    let year = CalendarYear {
        year: 2026,
        notice: "国务院办公厅关于2026年部分节假日安排的通知".to_owned(),
        holidays: vec![
            Holiday {
                name: "清明节".to_owned(),
                first: day(4, 4),
                last: day(4, 6),
            },
            Holiday {
                name: "劳动节".to_owned(),
                first: day(5, 1),
                last: day(5, 5),
            },
        ],
        make_up_workdays: vec![day(5, 9)],
    };
    Calendar::new(1, vec![year]).expect("a year of a few holidays is sound")
}
