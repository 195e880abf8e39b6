//! The rules a registry keeps, each a value of its own, so that a room above can say which one is broken in
//! the language of its reader. Where they are checked is `check`; the numbers in them are its limits.

use std::fmt;

use thiserror::Error;
use tongban_types::{CityCode, NodeId};

/// What holds of a registry as a whole.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum WholeRule {
    /// Its version.
    #[error("versions count from 1 to 2^53-1")]
    Version,
    /// Its end.
    #[error("it expires at a whole second of a year of four digits")]
    Expiry,
    /// How many cities.
    #[error("it has 1 to 400 cities")]
    Cities,
    /// How many governance keys.
    #[error("it has 1 to 15 governance keys")]
    GovernanceKeys,
}

/// What holds of a city's entry.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CityRule {
    /// The form of its name.
    #[error("a name has 1 to 32 visible characters")]
    Name,
    /// The form of its issuer.
    #[error("the issuer is an https URL in its one spelling")]
    Issuer,
    /// How many division prefixes.
    #[error("it answers for 1 to 64 prefixes")]
    Divisions,
    /// The form of a division prefix.
    #[error("a division prefix has 2, 4 or 6 digits")]
    DivisionPrefix,
    /// How many nodes.
    #[error("it has at most 99 nodes")]
    Nodes,
    /// How many voters.
    #[error("its group has 3 or 5 voters")]
    VoterCount,
    /// The order of its voters.
    #[error("its voters are distinct and sorted")]
    VoterOrder,
    /// What a voter needs.
    #[error("a voter is a node with a voter key, in the first registry an active one")]
    VoterKey,
    /// Its name is its own.
    #[error("another city has its name")]
    NameShared,
    /// Its issuer is its own.
    #[error("another city has its issuer URL")]
    IssuerShared,
    /// Its division prefixes are its own.
    #[error("one of its division prefixes stands twice")]
    DivisionShared,
}

/// What holds of a node's entry.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NodeRule {
    /// The city it stands under is its own.
    #[error("it stands under another city")]
    City,
    /// How many addresses.
    #[error("it has 1 to 8 addresses")]
    Addresses,
    /// The form of an address.
    #[error("an address is host:port")]
    Address,
    /// How many keys.
    #[error("it has 1 to 64 keys")]
    Keys,
    /// The roles of its keys.
    #[error("a node holds no key of that role")]
    KeyRole,
    /// The form of its keys' times.
    #[error("key times are whole seconds of years of four digits")]
    KeyTimes,
    /// The order of a key's times.
    #[error("a key's time ends after it begins")]
    KeyTimeOrder,
}

/// Who holds a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The governance of a city.
    Governance(CityCode),
    /// A node.
    Node(NodeId),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Governance(city) => write!(f, "the governance of {city}"),
            Self::Node(node) => node.fmt(f),
        }
    }
}

/// Whose governance keys have to sign a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GovernanceOf {
    /// Those of the registry held.
    Current,
    /// Those of the registry that is signed.
    New,
}

impl fmt::Display for GovernanceOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "current",
            Self::New => "new",
        })
    }
}
