//! What fuzzing reaches of this room: every decoder of what peers send and disks hold.

use bytes::Bytes;

use crate::formats::{
    AppendAnswer, AppendRequest, BallotAnswer, BallotRequest, Position, SnapshotAnswer,
    SnapshotPiece, TransferAnswer, TransferRequest, decode_entry, decode_log_id, decode_vote,
    encode_entry, encode_vote, group_of,
};

/// Decodes any bytes as every format; what decodes is the same after being written and read again.
pub fn decode_all(input: &[u8]) {
    let bytes = Bytes::copy_from_slice(input);
    if let Ok(vote) = decode_vote(&bytes) {
        assert_eq!(decode_vote(&encode_vote(&vote)), Ok(vote));
    }
    let _ = decode_log_id(&bytes);
    if let Ok(payload) = decode_entry(&bytes) {
        assert_eq!(decode_entry(&encode_entry(&payload)), Ok(payload));
    }
    if let Ok(position) = Position::decode(&bytes) {
        assert_eq!(Position::decode(&position.encode()), Ok(position));
    }
    if let Some(group) = group_of(&bytes) {
        if let Ok(request) = AppendRequest::decode(&bytes) {
            assert_eq!(AppendRequest::decode(&request.encode(group)), Ok(request));
        }
        if let Ok(piece) = SnapshotPiece::decode(&bytes) {
            assert_eq!(SnapshotPiece::decode(&piece.encode(group)), Ok(piece));
        }
        if let Ok(ballot) = BallotRequest::decode(&bytes) {
            assert_eq!(BallotRequest::decode(&ballot.encode(group)), Ok(ballot));
        }
        if let Ok(transfer) = TransferRequest::decode(&bytes) {
            assert_eq!(
                TransferRequest::decode(&transfer.encode(group)),
                Ok(transfer)
            );
        }
    }
    if let Ok(answer) = AppendAnswer::decode(&bytes) {
        assert_eq!(AppendAnswer::decode(&answer.encode()), Ok(answer));
    }
    if let Ok(answer) = BallotAnswer::decode(&bytes) {
        assert_eq!(BallotAnswer::decode(&answer.encode()), Ok(answer));
    }
    if let Ok(answer) = SnapshotAnswer::decode(&bytes) {
        assert_eq!(SnapshotAnswer::decode(&answer.encode()), Ok(answer));
    }
    if let Ok(answer) = TransferAnswer::decode(&bytes) {
        assert_eq!(TransferAnswer::decode(&answer.encode()), Ok(answer));
    }
}
