//! Every bound of the protocol, with its reason.

/// A frame between nodes: holds a batch of commands, a piece of a snapshot, or a batch of parcels,
/// and keeps what one peer can make us buffer small.
pub const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Commands signed together: past 256 the share of a signature in a command is below 0.2 µs.
pub const BATCH_COMMANDS_MAX: usize = 256;

/// Bytes of commands signed together: two batches fit a frame with room for their heads.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// One encoded command: a form, its correction or a document, and an envelope.
pub const COMMAND_BYTES_MAX: usize = 28 * 1024;

/// One value of applied state: the store packs pairs into pages whose lengths are told in 16 bits.
pub const VALUE_BYTES_MAX: usize = 32 * 1024;

/// One key of applied state: a table's tag and a few identifiers take under 100 bytes.
pub const KEY_BYTES_MAX: usize = 256;

/// A filled form as JSON text. The longest form of the starter catalogue is under 4 KiB.
pub const FORM_BYTES_MAX: usize = 16 * 1024;

/// Files of one case; their list is sealed with the form and shares its bound. Larger sets come as one archive.
pub const ATTACHMENTS_MAX: usize = 32;

/// The name of a file: 66 Chinese characters, below what file systems take.
pub const ATTACHMENT_NAME_BYTES_MAX: usize = 200;

/// A media type: the longest registered ones have some 80 bytes.
pub const MEDIA_TYPE_BYTES_MAX: usize = 100;

/// One file: far above any drawing set or film of a site, and what a store's disk may still hold.
pub const BLOB_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;

/// Bytes of a file asked of another node at once: large beside its proof and its frame, small beside
/// what a line buffers, so that a few in flight fill it.
pub const BLOB_RANGE_BYTES: u64 = 1024 * 1024;

/// Binary logarithm of the chunks (1,024 bytes) verified together: 16 KiB. The tree above them costs
/// 0.4 % of the file, and a liar is caught after 16 KiB.
pub const BLOB_GROUP_LOG: u8 = 4;

/// A reason, notice or opinion as text: two A4 pages, 2,048 Chinese characters. A standing carries two
/// of them and a document, and must fit one value of applied state.
pub const TEXT_BYTES_MAX: usize = 6 * 1024;

/// A document in compact form.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024;

/// Bytes that sealing adds to a text: its authentication tag.
pub const SEAL_BYTES: usize = 16;

/// What a sealed text adds in a record to its bytes: tag, nonce, use and length.
const SEALED_BYTES: usize = SEAL_BYTES + 24 + 1 + 3;

/// Everything of a parcel that is not a sealed text, well above what a standing of all its steps or
/// an envelope takes: actors have 40 bytes, there are eight steps.
const PARCEL_HEAD_BYTES: usize = 1_792;

/// One encoded parcel: a standing with notice, reasons and document, each at its bound.
pub const PARCEL_BYTES_MAX: usize =
    2 * (TEXT_BYTES_MAX + SEALED_BYTES) + DOCUMENT_BYTES_MAX + SEALED_BYTES + PARCEL_HEAD_BYTES;

/// Hashes of a parcel's path: a batch has no more parcels than one delivery.
pub const PATH_HASHES_MAX: usize = DELIVERY_PARCELS_MAX.ilog2() as usize;

/// What stands beside a parcel under its certificate: its path, the batch and five signatures.
pub const PLACE_BYTES_MAX: usize = 1_024;

// A parcel holds whatever a command brought, and is kept whole under its certificate in one value.
const _: () = {
    assert!(DELIVERY_PARCELS_MAX.is_power_of_two());
    assert!(DELIVERY_PARCELS_MAX.is_multiple_of(PARCELS_MAX));
    assert!(FORM_BYTES_MAX + SEALED_BYTES + PARCEL_HEAD_BYTES <= PARCEL_BYTES_MAX);
    assert!(PATH_HASHES_MAX * 32 + VOTERS_MAX * 80 + 256 <= PLACE_BYTES_MAX);
    assert!(PARCEL_BYTES_MAX + PLACE_BYTES_MAX <= VALUE_BYTES_MAX);
    assert!(PARCEL_BYTES_MAX + PLACE_BYTES_MAX <= PARCELS_BYTES_MAX);
    assert!(DOCUMENT_BYTES_MAX + SEALED_BYTES + 1_024 <= COMMAND_BYTES_MAX);
};

/// Steps of a case at its owner: received, asked to correct, corrected, accepted, reviewed, decided,
/// delivered.
pub const STEPS_MAX: usize = 8;

/// Parcels taken in by one log entry, so that applying one entry stays short.
pub const PARCELS_MAX: usize = 64;

/// Bytes of parcels taken in by one log entry, and of those carried in one delivery: a quarter of a frame.
pub const PARCELS_BYTES_MAX: usize = 1024 * 1024;

/// Parcels carried in one delivery under one certificate, and case keys given with it or asked for. A
/// delivery takes five turns of two groups, the last beside the next delivery, so what it carries bounds
/// what two cities exchange: at 200 ms for the first four, 2,560 a second.
pub const DELIVERY_PARCELS_MAX: usize = 512;

/// Pieces of a delivery: an entry each.
pub const DELIVERY_PIECES_MAX: usize = DELIVERY_PARCELS_MAX / PARCELS_MAX;

/// Learners of a group: a few wait to become voters, and each is one more copy to feed.
pub const LEARNERS_MAX: usize = 8;

/// The reason of a placement order: one line of a protocol.
pub const PLACEMENT_REASON_BYTES_MAX: usize = 512;

/// Orders of placement kept a group, so that what older voters certified stays to be checked: a change
/// every two months for a decade.
pub const PLACEMENTS_KEPT_MAX: usize = 64;

/// Voters of a group: five survive two losses; more only slow every commit.
pub const VOTERS_MAX: usize = 5;

/// Milliseconds by which the author's time of an act may differ from group time: ten times what a
/// machine with working NTP drifts between two synchronisations, small beside any legal deadline.
pub const SKEW_MS_MAX: i64 = 30_000;

/// How old the receipt of an application may be when it enters its group's log: a year. What a desk
/// acknowledged must enter however long the desk was cut off, and no line is down for a year; without a
/// bound, an order once refused could be entered years later.
pub const DESK_RECORD_MS_MAX: i64 = 366 * 86_400_000;

/// Working days for which the authority must have had a package in its own log before silence can
/// count: whoever must answer was at work while it was there, however late it came and whatever the
/// clock of the desk that took it in.
pub const NOTICE_IN_LOG_DAYS: u16 = 1;

/// How long an answered command id is remembered: a day, as `Idempotency-Key` promises.
pub const REMEMBERED_MS: i64 = 24 * 3_600_000;

/// Answered command ids remembered at most: a day at 200 acts a second. Beyond it the oldest go;
/// the expected case version still refuses a replay.
pub const REMEMBERED_MAX: u64 = 200 * 86_400;

/// Expired ids forgotten in one log entry, so that no entry has to clear a whole day.
pub const FORGOTTEN_PER_ENTRY_MAX: usize = 512;

/// Deadlines fired in one log entry; the rest fire in the next ones.
pub const DEADLINES_PER_ENTRY_MAX: usize = 128;

/// Cases whose provisional days are reckoned again in one log entry once a newer calendar is in force.
pub const RECKONED_PER_ENTRY_MAX: usize = 32;

/// How long a packet may take before its receiver answers *not received* instead of taking it in:
/// longer than a cut line is left cut, shorter than the five working days of a notice.
pub const PACKET_LIFE_MS: i64 = 3 * 86_400_000;

/// A transfer not received is sent again by itself this often; then a person must look.
pub const RESENDS_MAX: u32 = 16;

/// A packet not received is said again by itself only this long after it was sent, by the
/// sender's own group time: a receiver whose time runs ahead cannot keep a pair busy for nothing.
pub const RESEND_AFTER_MS: i64 = PACKET_LIFE_MS / 2;

/// How long a lease on a city's effects lasts unless renewed, in group time.
pub const LEASE_MS: i64 = 30_000;

/// A registry file: 400 cities with their nodes and keys take about 1.2 MiB.
pub const REGISTRY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Evidence of fraud kept a group: one is enough to act on; the bound stops a flood.
pub const EVIDENCE_MAX: u64 = 64;

/// Of these, proofs against one sender: one is enough to act on, and no sender's frauds may push out
/// the proof of another's.
pub const EVIDENCE_OF_SENDER_MAX: u64 = 8;

/// Points of the log whose state hash is kept to compare with other replicas' reports.
pub const HASH_POINTS_MAX: usize = 64;

/// Items a group's catalogue may hold: the national list has about 160, with versions.
pub const ITEMS_MAX: u64 = 4_096;

/// Older registries kept in a group's state, and at most so many entered at once: a decade of a new
/// one every two months. A group that missed more is brought up by hand, from an older file.
pub const REGISTRIES_KEPT_MAX: usize = 64;

/// What a backup seals at once. Records and state pass through it piece by piece, so that memory grows with
/// neither; the cipher's 16 bytes a chunk cost nothing.
pub const BACKUP_CHUNK_BYTES: usize = 64 * 1024;

/// The text of one chunk of a backup: full with all but one record, and that record.
pub const BACKUP_TEXT_BYTES_MAX: usize = 2 * BACKUP_CHUNK_BYTES;

// The largest record of a node's own is a command that waits at the desk.
const _: () = assert!(COMMAND_BYTES_MAX + 4 * 1024 <= BACKUP_CHUNK_BYTES);

/// A sealed chunk of a backup: its text, and the cipher's tag.
pub const BACKUP_FRAME_BYTES_MAX: usize = BACKUP_TEXT_BYTES_MAX + 16;

/// Parts of a backup: the states of a large federation's groups, the registries kept, and the tables.
pub const BACKUP_PARTS_MAX: usize = 4_096;

/// A backup's signed manifest: all its parts, each with a name and three hashes.
pub const BACKUP_MANIFEST_BYTES_MAX: usize = 1024 * 1024;
