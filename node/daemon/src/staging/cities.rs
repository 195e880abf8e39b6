//! The six cities and the sample configurations an operator finds for them.

use crate::output::Reader;

/// A city of the federation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct City {
    /// GB/T 2260 code.
    pub(crate) code: u32,
    /// Full name.
    pub(crate) name: &'static str,
    /// Its name in English, without *City*.
    pub(crate) english: &'static str,
    /// Its sample of `node.toml`.
    pub(crate) sample: &'static str,
}

impl City {
    /// Its name as it is said: without 市.
    pub(crate) fn said(&self) -> &'static str {
        self.name.trim_end_matches('市')
    }

    /// Its name as a reader says it.
    pub(crate) fn name_for(&self, reader: Reader) -> &'static str {
        reader.say(self.said(), self.english)
    }
}

macro_rules! sample {
    ($folder:literal) => {
        include_str!(concat!(
            "../../../../deploy/six-cities/",
            $folder,
            "/node.toml"
        ))
    };
}

/// In the order of the ring: each group votes on its own node and the next two cities'.
pub(crate) const SIX_CITIES: [City; 6] = [
    City {
        code: 350_100,
        name: "福州市",
        english: "Fuzhou",
        sample: sample!("350100-fuzhou"),
    },
    City {
        code: 350_300,
        name: "莆田市",
        english: "Putian",
        sample: sample!("350300-putian"),
    },
    City {
        code: 350_900,
        name: "宁德市",
        english: "Ningde",
        sample: sample!("350900-ningde"),
    },
    City {
        code: 350_700,
        name: "南平市",
        english: "Nanping",
        sample: sample!("350700-nanping"),
    },
    City {
        code: 610_500,
        name: "渭南市",
        english: "Weinan",
        sample: sample!("610500-weinan"),
    },
    City {
        code: 621_100,
        name: "定西市",
        english: "Dingxi",
        sample: sample!("621100-dingxi"),
    },
];
