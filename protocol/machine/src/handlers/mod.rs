//! One handler a file: what each order may do, to a case in which state, by whom.

mod accept;
mod ask_correction;
mod collect;
mod correct;
mod decide;
mod deliver;
mod install;
mod issue_document;
mod placement;
mod prepare_document;
mod receive;
mod refuse_to_accept;
mod review;
mod settle;
mod take_lease;
mod tell;
mod transfer;
mod withdraw;

pub(crate) use install::on_registries;
pub(crate) use placement::{on_placement, require_enrolled, require_next, require_shape};
pub(crate) use receive::{check_proof, on_parcels};
pub(crate) use tell::tell_intake;

use tongban_types::{Command, CommandBody, PublicKey, Role, limits};

use crate::context::{Context, require_role};
use crate::memory;
use crate::refusal::Refusal;
use crate::reply::Reply;

const CLERKS: &[Role] = &[Role::Clerk];
const OFFICERS: &[Role] = &[Role::Officer];
const NODE: &[Role] = &[Role::System];
const OPERATORS: &[Role] = &[Role::Operator, Role::System];

/// Carries out one command of a batch whose signature by `signer` holds.
pub(crate) fn on_command(
    context: &mut Context<'_>,
    signer: PublicKey,
    command: &Command,
) -> Result<Reply, Refusal> {
    check_right(context, signer, command)?;
    if let Some(reply) = memory::recall(context, command)? {
        return Ok(reply);
    }
    check_time(context, command)?;
    let reply = dispatch(context, signer, command)?;
    memory::remember(context, command, reply);
    Ok(reply)
}

/// A city's own command key, in its time, for its own group, for its own people.
fn check_right(context: &Context<'_>, signer: PublicKey, command: &Command) -> Result<(), Refusal> {
    check_commander(context, signer)?;
    if command.group != context.group {
        return Err(Refusal::OtherGroup(command.group));
    }
    if command.actor.city != context.group.city() {
        return Err(Refusal::OtherCity);
    }
    Ok(())
}

/// A command key of the group's own city, in its time.
pub(crate) fn check_commander(context: &Context<'_>, signer: PublicKey) -> Result<(), Refusal> {
    if context.commander(signer)?.city() == context.group.city() {
        Ok(())
    } else {
        Err(Refusal::KeyWithoutRight)
    }
}

/// The act's time is near group time; what a desk kept while it was cut off may be older, so that
/// the citizen keeps the day, but not for ever. Before
/// the first reports only the catalogue may be set up.
fn check_time(context: &Context<'_>, command: &Command) -> Result<(), Refusal> {
    let is_setup = matches!(
        command.body,
        CommandBody::InstallItem(_) | CommandBody::InstallCalendar(_)
    );
    if is_setup {
        return Ok(());
    }
    let group_time = context.ground.time;
    if group_time.unix_ms() == 0 {
        return Err(Refusal::NoTime);
    }
    let ahead = command.at.ms_since(group_time);
    let is_desk_record = matches!(command.body, CommandBody::Collect(_));
    let at = command.at;
    if ahead > limits::SKEW_MS_MAX || (ahead < -limits::SKEW_MS_MAX && !is_desk_record) {
        return Err(Refusal::Skewed { at, group_time });
    }
    if ahead < -limits::DESK_RECORD_MS_MAX {
        return Err(Refusal::CollectedTooLongAgo { at, group_time });
    }
    Ok(())
}

fn dispatch(
    context: &mut Context<'_>,
    signer: PublicKey,
    command: &Command,
) -> Result<Reply, Refusal> {
    let (actor, at) = (&command.actor, command.at);
    let allowed = match &command.body {
        CommandBody::Collect(_)
        | CommandBody::Correct(_)
        | CommandBody::Deliver(_)
        | CommandBody::Withdraw(_) => CLERKS,
        CommandBody::Transfer(_) => &[Role::Clerk, Role::System],
        CommandBody::AskCorrection(_)
        | CommandBody::Accept(_)
        | CommandBody::RefuseToAccept(_)
        | CommandBody::Review(_)
        | CommandBody::Decide(_) => OFFICERS,
        CommandBody::InstallItem(_) | CommandBody::InstallCalendar(_) => OPERATORS,
        CommandBody::TakeLease(_)
        | CommandBody::PrepareDocument(_)
        | CommandBody::IssueDocument(_) => NODE,
    };
    require_role(actor, allowed)?;
    match &command.body {
        CommandBody::Collect(order) => collect::on_collect(context, order, actor, at),
        CommandBody::Transfer(order) => transfer::on_transfer(context, *order, actor, at),
        CommandBody::AskCorrection(order) => {
            ask_correction::on_ask_correction(context, order, actor, at)
        }
        CommandBody::Correct(order) => correct::on_correct(context, order, actor, at),
        CommandBody::Accept(order) => accept::on_accept(context, *order, actor, at),
        CommandBody::RefuseToAccept(order) => {
            refuse_to_accept::on_refuse_to_accept(context, order, actor, at)
        }
        CommandBody::Review(order) => review::on_review(context, order, actor, at),
        CommandBody::Decide(order) => decide::on_decide(context, order, actor, at),
        CommandBody::Deliver(order) => deliver::on_deliver(context, *order, actor, at),
        CommandBody::Withdraw(order) => withdraw::on_withdraw(context, order, actor, at),
        CommandBody::InstallItem(terms) => install::on_item(context, terms),
        CommandBody::InstallCalendar(calendar) => install::on_calendar(context, calendar),
        CommandBody::TakeLease(node) => take_lease::on_take_lease(context, signer, *node),
        CommandBody::PrepareDocument(order) => {
            prepare_document::on_prepare_document(context, signer, order)
        }
        CommandBody::IssueDocument(order) => {
            issue_document::on_issue_document(context, signer, order)
        }
    }
}
