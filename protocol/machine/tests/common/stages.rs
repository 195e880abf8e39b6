//! Shortcuts to a stage of a case, each through every step before it.

use tongban_machine::Reply;
use tongban_types::{CaseNumber, CaseState, Collect, CommandBody, Decision};

use super::acts::{
    CHECKER, REVIEWER, accept, application, clerk, decide, officer, review, system, take_lease,
};
use super::city::City;
use super::road::carry_all;

/// Collects an application at a window and returns its number.
pub(crate) fn collect(city: &mut City, order: Collect) -> CaseNumber {
    let number = order.envelope.number;
    let body = CommandBody::Collect(Box::new(order));
    let clerk = clerk(city.code);
    city.act(&clerk, body)
        .expect("the application is collected");
    number
}

/// A case in transit: the intake city handed it over, nothing was carried yet.
pub(crate) fn in_transit(intake: &mut City, authority: &City) -> CaseNumber {
    let order = application(intake, authority.code);
    let number = collect(intake, order);
    assert_eq!(intake.state(number), CaseState::InTransit);
    number
}

/// A case received by its authority, both cities knowing it.
pub(crate) fn received(intake: &mut City, authority: &mut City) -> CaseNumber {
    let number = in_transit(intake, authority);
    carry_all(intake, authority);
    assert_eq!(authority.state(number), CaseState::Received);
    number
}

/// An accepted and reviewed case.
pub(crate) fn in_review(intake: &mut City, authority: &mut City) -> CaseNumber {
    let number = received(intake, authority);
    let reviewer = officer(authority.code, REVIEWER);
    authority.act(&reviewer, accept(authority, number)).unwrap();
    authority.act(&reviewer, review(authority, number)).unwrap();
    carry_all(intake, authority);
    number
}

/// A granted case, its document owed, both cities knowing it.
pub(crate) fn granted(intake: &mut City, authority: &mut City) -> CaseNumber {
    let number = in_review(intake, authority);
    let checker = officer(authority.code, CHECKER);
    let body = decide(authority, number, Decision::Grant);
    authority.act(&checker, body).unwrap();
    carry_all(intake, authority);
    assert_eq!(authority.state(number), CaseState::Granted);
    number
}

/// The first node of a city takes the lease; its number.
pub(crate) fn leased(city: &mut City) -> u64 {
    let node = system(city.code);
    match city.act(&node, take_lease(city.code)) {
        Ok(Reply::Lease { number, .. }) => number,
        other => panic!("no lease: {other:?}"),
    }
}
