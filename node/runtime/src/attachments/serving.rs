//! What other nodes may fetch. To everybody who may not, and for everything that is not, the answer is
//! the same, so that nothing tells whether a file exists.

use bytes::Bytes;
use tongban_machine::load_case;
use tongban_types::{CaseNumber, Code, NodeId, decode, limits::BLOB_RANGE_BYTES};

use super::Files;
use crate::blob_store::BlobError;
use crate::seams::Platform;
use crate::switchboard::may_have_key;
use crate::wire::FileRequest;

impl<P: Platform> Files<P> {
    /// Answers a node that wants a range of a file of a case.
    pub(crate) async fn on_request(&self, peer: NodeId, body: &[u8]) -> Result<Bytes, Code> {
        let request: FileRequest = decode(body).map_err(|error| error.code())?;
        if request.length > BLOB_RANGE_BYTES {
            return Err(Code::TOO_LARGE);
        }
        let FileRequest { case, blob, .. } = request;
        // What this case merely names may be here for another's sake.
        let may_have = self.is_party(case, peer) && self.references.came_by(case, blob);
        if !may_have || request.length == 0 {
            return Err(Code::ATTACHMENT_UNKNOWN);
        }
        let proven = self
            .store
            .prove(request.blob, request.offset, request.length);
        proven.await.map_err(|error| {
            if !matches!(error, BlobError::NotHere) {
                tracing::error!(%peer, case = %request.case, %error, "a file cannot be served");
            }
            error.code()
        })
    }

    /// Whether a node's city is a party of a case in this city's group, as for its key.
    fn is_party(&self, case: CaseNumber, peer: NodeId) -> bool {
        let Some(own) = self.core.own() else {
            return false;
        };
        let record = own.replica.read(|view| load_case(view, case));
        let record = record.ok().flatten();
        record.is_some_and(|record| may_have_key(&record, self.core.city(), peer.city()))
    }
}
