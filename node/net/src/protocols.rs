//! Names of the protocols a stream may speak: one a lane, and the keepalive.

use libp2p::StreamProtocol;
use tongban_runtime::seams::Lane;

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum StreamKind {
    /// Requests and answers of a lane.
    Lane(Lane),
    /// Echoes that show a connection is alive.
    Keepalive,
}

impl StreamKind {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Lane::ALL
            .into_iter()
            .map(Self::Lane)
            .chain(std::iter::once(Self::Keepalive))
    }

    /// `/tongban/<lane number>/1`; the last number grows when frames change.
    pub(crate) fn protocol(self) -> StreamProtocol {
        match self {
            Self::Lane(lane) => {
                StreamProtocol::try_from_owned(format!("/tongban/{}/1", lane as u16))
                    .expect("the name begins with a slash")
            }
            Self::Keepalive => StreamProtocol::new("/tongban/keepalive/1"),
        }
    }

    pub(crate) fn of_protocol(protocol: &StreamProtocol) -> Option<Self> {
        Self::all().find(|kind| kind.protocol() == *protocol)
    }
}

/// Every protocol that nodes of this version speak on a connection, with its version.
pub fn protocols() -> Vec<String> {
    StreamKind::all()
        .map(|kind| kind.protocol().to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_stream_has_its_own_name() {
        for kind in StreamKind::all() {
            assert_eq!(StreamKind::of_protocol(&kind.protocol()), Some(kind));
        }
        assert_eq!(
            StreamKind::Lane(Lane::Parcel).protocol().as_ref(),
            "/tongban/5/1"
        );
        assert_eq!(
            StreamKind::of_protocol(&StreamProtocol::new("/tongban/5/2")),
            None
        );
    }
}
