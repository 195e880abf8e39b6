//! What every handler works on: the draft of the entry and the group's ground record.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use tongban_trust::Registry;
use tongban_types::{
    Actor, Calendar, CaseNumber, CaseState, CivilDay, DueTime, GroupId, ItemTerms, ItemVersion,
    KeyRole, NodeId, OnCase, Packet, Parcel, PublicKey, Role, Sealed, Timestamp, encode,
};

use crate::certificates::Certificates;
use crate::dues::reckon_again;
use crate::keyspace;
use crate::placement::{Placement, placement_of};
use crate::record::{CaseRecord, FormPlace, Ground, Movement, Standpoint};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::view::Draft;

pub(crate) struct Context<'a> {
    pub(crate) group: GroupId,
    pub(crate) index: u64,
    pub(crate) draft: Draft<'a>,
    pub(crate) ground: Ground,
    pub(crate) registry: Option<Arc<Registry>>,
    pub(crate) calendar: Option<Arc<Calendar>>,
    pub(crate) certificates: &'a Certificates,
    /// Of the item asked for last: the cases of an entry are often of one, and under a version they never change.
    pub(crate) terms: RefCell<Option<ItemTerms>>,
}

/// A way back from a refused command.
pub(crate) struct Savepoint {
    ground: Ground,
    registry: Option<Arc<Registry>>,
    calendar: Option<Arc<Calendar>>,
}

impl Context<'_> {
    pub(crate) fn savepoint(&mut self) -> Savepoint {
        self.draft.keep();
        Savepoint {
            ground: self.ground.clone(),
            registry: self.registry.clone(),
            calendar: self.calendar.clone(),
        }
    }

    pub(crate) fn take_back(&mut self, savepoint: Savepoint) {
        self.draft.take_back();
        self.ground = savepoint.ground;
        self.registry = savepoint.registry;
        self.calendar = savepoint.calendar;
    }

    pub(crate) fn registry(&self) -> Result<&Registry, Refusal> {
        self.registry.as_deref().ok_or(Refusal::NoRegistry)
    }

    /// Where the replicas of a group stand, by what this log was told last.
    pub(crate) fn placement(&self, group: GroupId) -> Result<Placement, Refusal> {
        Ok(placement_of(&self.draft, self.registry()?, group))
    }

    /// Group time; `None` before the first reports.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        (self.ground.time.unix_ms() != 0).then_some(self.ground.time)
    }

    /// The node whose active key of a role this is, if the key may sign at that time. Before the first
    /// group time there is nothing to judge by: then it is enough that the key is active.
    pub(crate) fn signer_at(
        &self,
        role: KeyRole,
        key: PublicKey,
        at: Option<Timestamp>,
    ) -> Result<NodeId, Refusal> {
        let registry = self.registry()?;
        let node = registry.key_holder(role, key);
        let node = node.ok_or(Refusal::KeyWithoutRight)?;
        match at {
            Some(at) if registry.key_holder_at(role, key, at).is_none() => {
                Err(Refusal::KeyOutOfTime { at })
            }
            _ => Ok(node),
        }
    }

    /// The node whose command key this is, if it may sign now.
    pub(crate) fn commander(&self, key: PublicKey) -> Result<NodeId, Refusal> {
        self.signer_at(KeyRole::Command, key, self.time())
    }

    /// A case this group owns, at the version the actor saw.
    pub(crate) fn owned_case(&self, on: OnCase) -> Result<CaseRecord, Refusal> {
        let record = self.case_at(on)?;
        match record.standpoint {
            Standpoint::Owner => Ok(record),
            Standpoint::Mirror => Err(Refusal::NotOwner),
        }
    }

    /// A case this group owns and is the authority of.
    pub(crate) fn case_to_decide(&self, on: OnCase) -> Result<CaseRecord, Refusal> {
        let record = self.case_at(on)?;
        if record.envelope.authority != self.group.city() {
            return Err(Refusal::NotTheAuthority);
        }
        match record.standpoint {
            Standpoint::Owner => Ok(record),
            Standpoint::Mirror => Err(Refusal::NotOwner),
        }
    }

    /// Checks that the law has not accepted the case already: past its notice's day it counts as
    /// accepted even while its turn to be written so has not come. The calendar in force says which
    /// day that is; a provisional day accepts nothing.
    pub(crate) fn require_in_time(&mut self, record: &mut CaseRecord) -> Result<(), Refusal> {
        reckon_again(self, record);
        match record.notice_due {
            Some(due) if !due.provisional && self.ground.time > due.at => {
                Err(Refusal::NoticeTooLate)
            }
            _ => Ok(()),
        }
    }

    /// A case this group keeps, at the version the actor saw.
    pub(crate) fn case_at(&self, on: OnCase) -> Result<CaseRecord, Refusal> {
        let record = self.case(on.case).ok_or(Refusal::NoSuchCase)?;
        if record.version != on.expected {
            return Err(Refusal::StaleVersion {
                expected: on.expected,
                actual: record.version,
            });
        }
        Ok(record)
    }

    pub(crate) fn case(&self, number: CaseNumber) -> Option<CaseRecord> {
        self.draft.load(&keyspace::case(number))
    }

    /// Brings a case to a state: new version, its step in the history, its place in the lists.
    pub(crate) fn move_case(
        &mut self,
        record: &mut CaseRecord,
        state: CaseState,
        at: Timestamp,
        actor: &Actor,
        words: Option<Sealed>,
    ) {
        let number = record.envelope.number;
        if record.state != state {
            self.draft.delete(keyspace::by_state(record.state, number));
        }
        self.draft
            .put(keyspace::by_state(state, number), Vec::new());
        record.state = state;
        record.since = at;
        record.version = record.version.next();
        let movement = Movement {
            state,
            at,
            committed_at: self.ground.time,
            actor: actor.clone(),
            words,
        };
        self.draft
            .store(keyspace::movement(number, record.version), &movement);
        self.draft.store(keyspace::case(number), record);
    }

    /// Writes a record that changed without coming to another state.
    pub(crate) fn touch_case(&mut self, record: &mut CaseRecord) {
        record.version = record.version.next();
        self.draft
            .store(keyspace::case(record.envelope.number), record);
    }

    /// Keeps the sealed form of a case as it is now.
    pub(crate) fn keep_form(&mut self, case: CaseNumber, form: &Sealed) {
        let here = FormPlace::Here(Cow::Borrowed(form));
        self.draft.store(keyspace::form(case), &here);
    }

    /// Makes the form that a packet brings that of its case. The packet comes from the case's intake city and is
    /// entered, or it would not be kept.
    pub(crate) fn keep_form_of(&mut self, packet: &Packet) {
        let place = FormPlace::InPacket(packet.sequence);
        self.draft.store(keyspace::form(packet.case), &place);
    }

    pub(crate) fn terms(&self, item: ItemVersion) -> Result<ItemTerms, Refusal> {
        if self.ground.items == 0 {
            return Err(Refusal::NoCatalogue);
        }
        if let Some(terms) = &*self.terms.borrow()
            && terms.item == item
        {
            return Ok(terms.clone());
        }
        let terms: ItemTerms = self
            .draft
            .load(&keyspace::item(item))
            .ok_or(Refusal::UnknownItem)?;
        self.terms.replace(Some(terms.clone()));
        Ok(terms)
    }

    /// The end of the `days`-th working day after a day. A case with a provisional day is marked, so
    /// that the next calendar finds it.
    pub(crate) fn due(
        &mut self,
        number: CaseNumber,
        from: CivilDay,
        days: u16,
    ) -> Result<DueTime, Refusal> {
        let calendar = self.calendar.as_deref().ok_or(Refusal::NoCalendar)?;
        let due = calendar.add_working_days(from, days);
        if due.provisional {
            let mark = keyspace::provisional(self.ground.calendar, number);
            self.draft.put(mark, Vec::new());
        }
        Ok(DueTime {
            at: due.day.last_ms(),
            provisional: due.provisional,
            calendar: self.ground.calendar,
        })
    }

    /// Puts a parcel into the outbox and returns its position.
    pub(crate) fn send(&mut self, parcel: &Parcel) -> u64 {
        let position = self.ground.outbox_next;
        self.draft.put(keyspace::parcel(position), encode(parcel));
        self.ground.outbox_next += 1;
        position
    }
}

/// The reply that says how a case stands.
pub(crate) fn standing(record: &CaseRecord) -> Reply {
    Reply::Case {
        number: record.envelope.number,
        version: record.version,
        state: record.state,
    }
}

/// Checks that a case is in one of the states an act starts from.
pub(crate) fn require_state(record: &CaseRecord, allowed: &[CaseState]) -> Result<(), Refusal> {
    if allowed.contains(&record.state) {
        Ok(())
    } else {
        Err(Refusal::WrongState(record.state))
    }
}

/// Checks that an actor's role is one of those an act is for.
pub(crate) fn require_role(actor: &Actor, allowed: &[Role]) -> Result<(), Refusal> {
    if allowed.contains(&actor.role) {
        Ok(())
    } else {
        Err(Refusal::RoleWithoutRight(actor.role))
    }
}
