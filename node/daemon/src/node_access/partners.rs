//! The other cities of the federation, as the links of a running node stand: of each city the best of
//! its nodes' links. Read from `GET /api/v1/peers`.

use std::collections::BTreeMap;

use serde_json::Value;

/// How a city can be reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contact {
    /// One of its nodes is connected.
    Connected {
        /// Microseconds, once measured.
        round_trip_us: Option<u64>,
    },
    /// A dial is under way.
    Dialing,
    /// Nobody wanted anything of it yet.
    Idle,
    /// All its nodes were dialed in vain.
    Away {
        /// Milliseconds until the next dial, if somebody wants one.
        next_dial_ms: u64,
    },
}

/// A city.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Partner {
    /// Its name.
    pub(crate) name: String,
    /// The best of its nodes' links.
    pub(crate) contact: Contact,
}

/// The cities of an answer, in the order of their codes; none of an answer that is none.
pub(crate) fn partners(answer: &Value) -> Vec<Partner> {
    let own = answer["this_node"].as_str().and_then(|node| node.get(..6));
    let peers = answer["peers"].as_array().map(Vec::as_slice);
    let mut cities: BTreeMap<&str, Partner> = BTreeMap::new();
    for peer in peers.unwrap_or_default() {
        let Some(city) = peer["city"].as_str().filter(|city| Some(*city) != own) else {
            continue;
        };
        let contact = contact(peer);
        let partner = cities.entry(city).or_insert_with(|| Partner {
            name: peer["city_name"].as_str().unwrap_or(city).to_owned(),
            contact: contact.clone(),
        });
        partner.contact = partner.contact.clone().min(contact);
    }
    cities.into_values().collect()
}

fn contact(peer: &Value) -> Contact {
    match peer["state"].as_str().unwrap_or_default() {
        "connected" => Contact::Connected {
            round_trip_us: peer["round_trip_us"].as_u64(),
        },
        "dialing" => Contact::Dialing,
        "waiting" => Contact::Away {
            next_dial_ms: peer["next_dial_ms"].as_u64().unwrap_or(0),
        },
        _ => Contact::Idle,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_city_is_as_near_as_the_nearest_of_its_nodes() {
        let peer = |city: &str, state: &str| json!({"city": city, "city_name": city, "state": state, "round_trip_us": 900, "next_dial_ms": 20_000});
        let answer = json!({"this_node": "350100-01", "peers": [
            peer("350100", "waiting"), peer("350300", "waiting"), peer("350300", "connected"),
            peer("610500", "waiting"), peer("621100", "idle"),
        ]});
        let found: Vec<Contact> = partners(&answer)
            .into_iter()
            .map(|one| one.contact)
            .collect();
        let connected = Contact::Connected {
            round_trip_us: Some(900),
        };
        let away = Contact::Away {
            next_dial_ms: 20_000,
        };
        assert_eq!(found, [connected, away, Contact::Idle]);
        assert!(partners(&Value::Null).is_empty());
    }
}
