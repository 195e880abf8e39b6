//! Command ids remembered for a day with their replies: the same id gives the same reply.

use tongban_types::{Command, CommandId, Timestamp, limits};

use crate::context::Context;
use crate::keyspace::{self, range_of};
use crate::record::Remembered;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::view::View;

/// The reply an id got before; a refusal if something else was asked under it.
pub(crate) fn recall(context: &Context<'_>, command: &Command) -> Result<Option<Reply>, Refusal> {
    let key = keyspace::remembered(command.id);
    match context.draft.load::<Remembered>(&key) {
        None => Ok(None),
        Some(before) if before.request == command.request => Ok(Some(before.reply)),
        Some(_) => Err(Refusal::IdReused),
    }
}

/// Remembers a reply.
pub(crate) fn remember(context: &mut Context<'_>, command: &Command, reply: Reply) {
    let remembered = Remembered {
        request: command.request,
        reply,
    };
    context
        .draft
        .store(keyspace::remembered(command.id), &remembered);
    context.ground.remembered += 1;
}

/// Notes the ids of this entry under its time, so that they are forgotten together.
pub(crate) fn note_order(context: &mut Context<'_>, ids: &[CommandId]) {
    if !ids.is_empty() {
        let key = keyspace::remembered_at(context.ground.time, context.index);
        context.draft.store(key, &ids.to_vec());
    }
}

/// Forgets what is older than a day, or beyond the bound, a bounded number an entry.
pub(crate) fn forget_old(context: &mut Context<'_>) {
    let (from, until) = range_of(keyspace::REMEMBERED_ORDER);
    let oldest = context.ground.time.plus_ms(-limits::REMEMBERED_MS);
    let mut forgotten = 0;
    while forgotten < limits::FORGOTTEN_PER_ENTRY_MAX {
        let Some((key, value)) = context.draft.scan(&from, &until, 1).pop() else {
            return;
        };
        let at = keyspace::read_remembered_at(&key).unwrap_or(Timestamp::from_unix_ms(i64::MIN));
        if at >= oldest && context.ground.remembered <= limits::REMEMBERED_MAX {
            return;
        }
        let ids: Vec<CommandId> = postcard_ids(&value);
        forgotten += ids.len().max(1);
        for id in &ids {
            context.draft.delete(keyspace::remembered(*id));
        }
        context.ground.remembered = context.ground.remembered.saturating_sub(ids.len() as u64);
        context.draft.delete(key);
    }
}

fn postcard_ids(value: &[u8]) -> Vec<CommandId> {
    postcard::from_bytes(value).unwrap_or_default()
}
