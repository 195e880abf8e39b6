//! One request on its way to a service, and its answer on the way back.

use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use openraft_rt::OneshotSender as _;
use tongban_runtime::seams::Service;
use tongban_types::Code;
use tongban_types::limits::FRAME_BYTES_MAX;

use super::links::Route;
use super::{SimNet, State};
use crate::runtime::{OneshotSender, Owner, World, lock};

/// How a request ended before its time ran out.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The service answered or refused.
    Answered(Result<Bytes, Code>),
    /// The connection was seen to break.
    Lost,
    /// The machine was switched off with the request in its hands.
    Broken,
}

/// Where the first outcome of a request goes; later ones vanish. Whoever asked holds one too, so
/// that silence stays silence.
pub(super) type Reply = Arc<Mutex<Option<OneshotSender<Outcome>>>>;

/// A request under way.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) route: Route,
    pub(super) body: Bytes,
    pub(super) reply: Reply,
}

impl SimNet {
    /// Sends a request on its way: it arrives once, twice or not at all.
    pub(super) fn send(&self, request: &Request) {
        let mut state = lock(&self.0);
        if state.links.is_cut(request.route.from, request.route.to) {
            state.faults.cut += 1;
            return break_off(state, request.route, &request.reply, Outcome::Lost);
        }
        if state.draw_loss() {
            return;
        }
        let first = state.delay(request.route);
        let again = state
            .draw_duplicate()
            .then(|| first + state.distance(request.route));
        drop(state);
        for delay in std::iter::once(first).chain(again) {
            let (net, request) = (self.clone(), request.clone());
            World::after(delay, move || net.arrive(request));
        }
    }

    /// A request reaches the other machine.
    fn arrive(&self, request: Request) {
        let mut state = lock(&self.0);
        let route = request.route;
        if state.links.is_cut(route.from, route.to) {
            state.faults.cut += 1;
            return;
        }
        let Some((owner, service)) = state.serving(route) else {
            state.faults.down += 1;
            return break_off(state, route, &request.reply, Outcome::Lost);
        };
        state.faults.delivered += 1;
        drop(state);
        route.note(&request.body);
        let handler = Handler {
            net: self.clone(),
            route,
            reply: Some(request.reply),
        };
        World::spawn(owner, async move {
            let result = service.call(route.from, route.lane, request.body).await;
            handler.answer(result);
        });
    }

    /// Sends an answer back.
    fn send_answer(&self, route: Route, result: Result<Bytes, Code>, reply: Reply) {
        let result = result.and_then(|body| {
            let fits = body.len() <= FRAME_BYTES_MAX;
            fits.then_some(body).ok_or(Code::ANSWER_TOO_LARGE)
        });
        let mut state = lock(&self.0);
        if state.links.is_cut(route.from, route.to) {
            state.faults.cut += 1;
            return;
        }
        if state.draw_answer_loss() {
            return;
        }
        let delay = state.delay(route);
        drop(state);
        let net = self.clone();
        World::after(delay, move || net.arrive_answer(route, result, &reply));
    }

    /// An answer reaches who asked.
    fn arrive_answer(&self, route: Route, result: Result<Bytes, Code>, reply: &Reply) {
        let mut state = lock(&self.0);
        if state.links.is_cut(route.from, route.to) {
            state.faults.cut += 1;
            return;
        }
        drop(state);
        match &result {
            Ok(body) => route.note(body),
            Err(code) => route.note(&code.number().to_le_bytes()),
        }
        let is_taken = settle(reply, Outcome::Answered(result));
        let mut state = lock(&self.0);
        state.faults.answered += u64::from(is_taken);
        state.faults.answers_vanished += u64::from(!is_taken);
    }
}

/// The other side is not there: who asked sees the connection break, or sees nothing, by the draw.
fn break_off(mut state: MutexGuard<'_, State>, route: Route, reply: &Reply, outcome: Outcome) {
    let delay = state.distance(route);
    let is_seen = state.dice.coin();
    drop(state);
    if is_seen {
        let reply = Arc::clone(reply);
        World::after(delay, move || {
            settle(&reply, outcome);
        });
    }
}

/// Hands an outcome to who asked; false if nobody waits for it any more.
fn settle(reply: &Reply, outcome: Outcome) -> bool {
    let sender = lock(reply).take();
    sender.is_some_and(|sender| sender.send(outcome).is_ok())
}

impl State {
    fn draw_loss(&mut self) -> bool {
        let is_lost = self.dice.happens(self.options.loss);
        self.faults.requests_lost += u64::from(is_lost);
        is_lost
    }

    fn draw_duplicate(&mut self) -> bool {
        let is_twice = self.dice.happens(self.options.duplicate);
        self.faults.duplicated += u64::from(is_twice);
        is_twice
    }

    fn draw_answer_loss(&mut self) -> bool {
        let is_lost = self.dice.happens(self.options.answer_loss);
        self.faults.answers_lost += u64::from(is_lost);
        is_lost
    }

    fn serving(&self, route: Route) -> Option<(Owner, Arc<dyn Service>)> {
        let machine = self.machines.get(&route.to)?;
        let service = machine.service.as_ref()?;
        Some((machine.owner, Arc::clone(service)))
    }
}

/// A request in the hands of a service. Dropped without an answer, its machine was switched off.
struct Handler {
    net: SimNet,
    route: Route,
    reply: Option<Reply>,
}

impl Handler {
    fn answer(mut self, result: Result<Bytes, Code>) {
        if let Some(reply) = self.reply.take() {
            self.net.send_answer(self.route.answer(), result, reply);
        }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        if let Some(reply) = self.reply.take() {
            let mut state = lock(&self.net.0);
            state.faults.handlers_killed += 1;
            break_off(state, self.route.answer(), &reply, Outcome::Broken);
        }
    }
}
