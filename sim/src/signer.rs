//! The private keys of a machine, drawn from the seed. Signatures are the real ones: what a forger
//! could not do outside he cannot do here.

use tongban_runtime::{KeyRing, Seeds};
use tongban_types::KeyRole;
use zeroize::Zeroizing;

use crate::runtime::{Dice, Owner, World};

/// The signer of a simulated machine.
pub type SimSigner = KeyRing;

/// The keys of a machine for these roles and for sealing: the same at every start of the machine.
pub fn drawn_keys(owner: Owner, roles: &[KeyRole]) -> SimSigner {
    let mut dice = World::dice("keys", u64::from(owner.number()));
    let sealing = draw(&mut dice);
    // Every role is drawn, so that one role more does not change the keys of the others.
    let seeds = KeyRole::ALL.map(|role| (role, draw(&mut dice)));
    let held = seeds.into_iter().filter(|(role, _)| roles.contains(role));
    KeyRing::new(&held.collect::<Seeds>(), &sealing)
}

fn draw(dice: &mut Dice) -> Zeroizing<[u8; 32]> {
    let mut seed = Zeroizing::new([0; 32]);
    dice.fill(seed.as_mut_slice());
    seed
}

#[cfg(test)]
mod tests {
    use tongban_runtime::seams::Signer;
    use tongban_trust::verify_strict;

    use super::*;

    fn keys(seed: u64, owner: u16, roles: &[KeyRole]) -> SimSigner {
        World::reset(seed);
        drawn_keys(Owner::new(owner), roles)
    }

    #[test]
    fn keys_repeat_with_the_seed_and_the_machine_whatever_roles_are_held() {
        let all = keys(1, 1, &KeyRole::ALL);
        let one = keys(1, 1, &[KeyRole::Voter]);
        let public = all.public(KeyRole::Voter);
        assert!(public.is_some());
        assert_eq!(one.public(KeyRole::Voter), public);
        assert_eq!(one.public(KeyRole::Command), None);
        assert_eq!(one.sign(KeyRole::Command, b"x"), None);
        for other in [keys(2, 1, &KeyRole::ALL), keys(1, 2, &KeyRole::ALL)] {
            assert_ne!(other.public(KeyRole::Voter), public);
            assert_ne!(other.sealing_public(), all.sealing_public());
        }
        assert_ne!(all.public(KeyRole::Command), public);
    }

    #[test]
    fn signatures_are_real_ones() {
        let keys = keys(1, 1, &KeyRole::ALL);
        let public = keys.public(KeyRole::Command).unwrap();
        let signature = keys.sign(KeyRole::Command, b"message").unwrap();
        assert!(verify_strict(public, b"message", signature).is_ok());
        assert!(verify_strict(public, b"massage", signature).is_err());
    }
}
