//! Where things stand in the one tree: a group's pages under its code and their first key, and above every group
//! positions, how much is live of the files of pages, and the format marker. No key of a group can reach a
//! position or another group.

use tongban_types::GroupId;

use crate::page_place::FileNumber;

/// Bytes of a group's code in front of its keys.
pub(crate) const GROUP_BYTES: usize = 4;

/// Where the format marker stands. Group codes are at most 829900, so their first byte is 0.
pub(crate) const FORMAT_KEY: &[u8] = b"\xfeformat";

/// What the format marker says; another text is a store this program does not know.
pub(crate) const FORMAT: &[u8] = b"tongban-store/3";

/// Where stands what was written last before an engine was closed to be opened anew.
pub(crate) const RENEWAL_KEY: &[u8] = b"\xferenewal";

const POSITION_TAG: u8 = 0xff;

/// Above it stands how much is live of each file of pages.
const LIVE_TAG: u8 = 0xfd;

/// The code of a group as it stands in front of its keys; big-endian, so that groups are ranges.
pub(crate) fn group_prefix(group: GroupId) -> [u8; GROUP_BYTES] {
    group.city().number().to_be_bytes()
}

/// The place of a group's key.
pub(crate) fn pair_key(group: GroupId, key: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(GROUP_BYTES + key.len());
    whole.extend_from_slice(&group_prefix(group));
    whole.extend_from_slice(key);
    whole
}

/// A place without its group.
pub(crate) fn bare(place: &[u8]) -> &[u8] {
    place.get(GROUP_BYTES..).unwrap_or_default()
}

/// The place of a group's position.
pub(crate) fn position_key(prefix: [u8; GROUP_BYTES]) -> [u8; GROUP_BYTES + 1] {
    let [a, b, c, d] = prefix;
    [POSITION_TAG, a, b, c, d]
}

/// The place of how much is live of a file of pages.
pub(crate) fn live_key(file: FileNumber) -> [u8; 5] {
    let [a, b, c, d] = file.0.to_be_bytes();
    [LIVE_TAG, a, b, c, d]
}

/// Where all of these stand.
pub(crate) fn live_keys() -> std::ops::Range<[u8; 1]> {
    [LIVE_TAG]..[LIVE_TAG + 1]
}

/// The file a place of these is about.
pub(crate) fn file_of(place: &[u8]) -> Option<FileNumber> {
    let number = place.strip_prefix(&[LIVE_TAG])?;
    let number = u32::from_be_bytes(number.try_into().ok()?);
    Some(FileNumber(number))
}

/// The first place behind all pairs of a group.
pub(crate) fn behind(prefix: [u8; GROUP_BYTES]) -> [u8; GROUP_BYTES] {
    u32::from_be_bytes(prefix).saturating_add(1).to_be_bytes()
}

/// The group code in front of a place, `None` for places above the groups.
pub(crate) fn prefix_of(place: &[u8]) -> Option<[u8; GROUP_BYTES]> {
    let prefix: [u8; GROUP_BYTES] = place.get(..GROUP_BYTES)?.try_into().ok()?;
    (prefix[0] == 0).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongban_types::CityCode;

    fn group(code: u32) -> GroupId {
        GroupId(CityCode::new(code).unwrap())
    }

    #[test]
    fn the_highest_group_ends_below_positions_and_marker() {
        let last = group(829_900);
        let highest = pair_key(last, &[0xff; 64]);
        assert!(highest.as_slice() < FORMAT_KEY);
        assert!(highest.as_slice() < position_key(group_prefix(group(110_000))).as_slice());
        assert!(highest.as_slice() < behind(group_prefix(last)).as_slice());
        assert_eq!(prefix_of(&highest), Some(group_prefix(last)));
        assert!(highest.as_slice() < live_keys().start.as_slice());
        assert!(live_key(FileNumber(u32::MAX)).as_slice() < live_keys().end.as_slice());
        assert!(live_keys().end.as_slice() <= FORMAT_KEY);
        assert_eq!(file_of(&live_key(FileNumber(7))), Some(FileNumber(7)));
        assert_eq!(prefix_of(&live_key(FileNumber(7))), None);
        assert_eq!(prefix_of(FORMAT_KEY), None);
        assert_eq!(prefix_of(&position_key(group_prefix(last))), None);
    }
}
