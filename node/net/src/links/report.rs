//! How a link stands and what went wrong on it, as it is shown to whoever watches.

use std::time::Duration;

use tongban_types::Code;

use crate::carrier::Carrier;

/// How a link to a peer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// A connection is open on which an echo came back.
    Connected {
        /// What it runs on.
        carrier: Carrier,
        /// For how long it has been open.
        since: Duration,
    },
    /// A dial is under way, or waits for its turn, or the peer has not shown that it takes us.
    Dialing,
    /// The last dial brought nothing.
    Waiting {
        /// The earliest next dial, if a request wants one.
        next_dial: Duration,
    },
    /// Nobody wanted anything of the peer yet.
    Idle,
}

/// A link to a peer at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkReport {
    /// How it stands.
    pub state: LinkState,
    /// The last measured round trip, while connected.
    pub round_trip: Option<Duration>,
    /// Failed dials and lost connections in a row.
    pub failures: u32,
    /// What went wrong last, and how long ago.
    pub last_error: Option<(LinkError, Duration)>,
}

/// What went wrong on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// Nobody answered at its addresses.
    NoAnswer,
    /// Another key answered there.
    WrongKey,
    /// It broke the connection off before it showed that it takes us: it does not know our key.
    NotTaken,
    /// The connection broke or went silent.
    Lost,
    /// The registry names no address of it that resolves.
    NoAddress,
}

impl LinkError {
    /// The code `explain` describes.
    pub fn code(self) -> Code {
        match self {
            Self::NoAnswer | Self::Lost | Self::NoAddress => Code::PEER_UNREACHABLE,
            Self::WrongKey => Code::PEER_KEY_WRONG,
            Self::NotTaken => Code::PEER_NOT_ENROLLED,
        }
    }

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoAnswer => "no-answer",
            Self::WrongKey => "wrong-key",
            Self::NotTaken => "not-taken",
            Self::Lost => "lost",
            Self::NoAddress => "no-address",
        }
    }
}
