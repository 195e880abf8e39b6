//! The lease on the city's effects: one of its own nodes at a time signs, unseals and pushes, whoever
//! leads the group. A new holder gets a new fencing number.

use tongban_types::{NodeId, PublicKey, limits};

use crate::context::Context;
use crate::record::Lease;
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_take_lease(
    context: &mut Context<'_>,
    signer: PublicKey,
    node: NodeId,
) -> Result<Reply, Refusal> {
    if context.commander(signer)? != node {
        return Err(Refusal::KeyWithoutRight);
    }
    let now = context.ground.time;
    let renews = match context.ground.lease {
        Some(lease) if lease.until >= now && lease.holder != node => {
            return Err(Refusal::LeaseHeld);
        }
        Some(lease) => lease.holder == node && lease.until >= now,
        None => false,
    };
    if !renews {
        context.ground.lease_number += 1;
    }
    let until = now.plus_ms(limits::LEASE_MS);
    context.ground.lease = Some(Lease {
        holder: node,
        until,
    });
    Ok(Reply::Lease {
        number: context.ground.lease_number,
        until,
    })
}

/// An act under a lease must be signed by its holder and name the last one given, and it must not
/// be over.
pub(super) fn require_lease(
    context: &Context<'_>,
    signer: PublicKey,
    number: u64,
) -> Result<(), Refusal> {
    let holder = context.commander(signer)?;
    let in_force = context
        .ground
        .lease
        .is_some_and(|lease| lease.until >= context.ground.time && lease.holder == holder);
    if in_force && number == context.ground.lease_number {
        Ok(())
    } else {
        Err(Refusal::LeaseOver)
    }
}
