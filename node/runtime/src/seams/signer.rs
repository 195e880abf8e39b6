//! The private keys of this node. Keys never leave it: callers name a role and hand over bytes.

use tongban_types::{KeyRole, PublicKey, SealingPublicKey, Signature};

/// Holds this node's private keys, one role a key.
pub trait Signer: Send + Sync + 'static {
    /// The public key of a role, if this node holds one of that role.
    fn public(&self, role: KeyRole) -> Option<PublicKey>;

    /// Signs exactly these bytes with the key of a role; `None` if this node holds no such key.
    fn sign(&self, role: KeyRole, message: &[u8]) -> Option<Signature>;

    /// This node's X25519 key, to which other cities wrap case keys.
    fn sealing_public(&self) -> SealingPublicKey;

    /// Recovers the pairwise key (32 bytes) another node set up by HPKE (RFC 9180, base mode,
    /// DHKEM X25519 with HKDF-SHA256) to our sealing key: `encapped` is its encapsulated key,
    /// `info` names the two ends. `None` when the encapsulation is malformed.
    fn open_pairwise(&self, encapped: &[u8; 32], info: &[u8]) -> Option<[u8; 32]>;
}
