//! Orders of this city's people and of the node itself on their way into the city's group: whatever
//! waits is signed together and proposed as one entry, a few entries at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use openraft_rt::AsyncRuntime;
use tongban_machine::{Refusal, Reply as MachineReply};
use tongban_types::{
    BatchHead, CaseNumber, Command, CommandBatch, Entry, GroupId, Hash, KeyRole, Purpose,
    ReceiptBody, ReplicatedReceipt, encode, leaf_hash, limits, merkle_paths,
};

use crate::channels::{Awaited, Inlet, Queue, Reply, answer, queue};
use crate::core::Core;
use crate::handle::{NodeError, Oversized};
use crate::seams::{Platform, Signer};
use crate::signal::Signal;
use crate::submit::SubmitError;

/// Orders waiting at once: eight batches of the largest size for each entry under way; beyond it the
/// node says it is busy.
const WAITING_MAX: usize = 8 * BATCHES_MAX * limits::BATCH_COMMANDS_MAX;

/// Entries under way at once: while one syncs and is replicated, the next gathers and is signed. More
/// would only make each of them smaller, and all that an entry costs would be paid for fewer cases.
const BATCHES_MAX: usize = 2;

/// An order with the receipt to sign once it is committed.
pub(crate) struct Order {
    pub(crate) command: Command,
    pub(crate) receipt: Option<ReceiptBody>,
}

/// What became of an order.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) reply: MachineReply,
    pub(crate) receipt: Option<ReplicatedReceipt>,
}

type Outcome = Result<Done, NodeError>;

struct Waiting<R: AsyncRuntime> {
    bytes: Vec<u8>,
    receipt: Option<ReceiptBody>,
    reply: Reply<R, Outcome>,
}

/// Takes orders in.
pub(crate) struct Proposer<P: Platform> {
    core: Arc<Core<P>>,
    queue: Queue<P::Runtime, Waiting<P::Runtime>>,
    waiting: Arc<AtomicUsize>,
    /// The last order that ended got no answer from the group.
    unheard: Arc<AtomicBool>,
}

impl<P: Platform> Proposer<P> {
    /// Starts the task that signs and proposes.
    pub(crate) fn start(core: Arc<Core<P>>) -> Self {
        let (orders, inlet) = queue::<P::Runtime, _>(WAITING_MAX);
        let waiting = Arc::new(AtomicUsize::new(0));
        let unheard = Arc::new(AtomicBool::new(false));
        let task = BatchTask {
            core: core.clone(),
            inlet,
            waiting: waiting.clone(),
            unheard: unheard.clone(),
        };
        core.keep("proposer", task.run());
        Self {
            core,
            queue: orders,
            waiting,
            unheard,
        }
    }

    /// Whether the group has not answered lately: an order given now would likely wait in vain.
    pub(crate) fn is_unheard(&self) -> bool {
        self.unheard.load(Ordering::Acquire)
    }

    /// Submits an order and waits for what becomes of it.
    pub(crate) async fn submit(&self, order: Order) -> Outcome {
        self.submit_within(self.core.tempo().order_timeout, order)
            .await
    }

    /// The same for whoever waits no longer than so: the order may be carried out all the same.
    pub(crate) async fn submit_within(&self, patience: Duration, order: Order) -> Outcome {
        let bytes = encode(&order.command);
        if bytes.len() > limits::COMMAND_BYTES_MAX {
            return Err(NodeError::TooLarge {
                what: Oversized::Order,
                bytes_max: limits::COMMAND_BYTES_MAX,
            });
        }
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(NodeError::Busy);
        }
        let (reply, awaited): (_, Awaited<P::Runtime, Outcome>) = answer();
        let waiting = Waiting {
            bytes,
            receipt: order.receipt,
            reply,
        };
        if !self.queue.put(waiting).await {
            return Err(NodeError::Busy);
        }
        // From the moment the order was given, whatever of it went by in the queue.
        let heard = awaited.within(patience).await;
        heard.unwrap_or(Err(NodeError::TimedOut))
    }
}

struct BatchTask<P: Platform> {
    core: Arc<Core<P>>,
    inlet: Inlet<P::Runtime, Waiting<P::Runtime>>,
    waiting: Arc<AtomicUsize>,
    unheard: Arc<AtomicBool>,
}

/// A batch under way holds a permit; giving it back, however the batch ends, wakes the next.
struct Permit<R: AsyncRuntime>(Arc<Permits<R>>);

struct Permits<R: AsyncRuntime> {
    free: AtomicUsize,
    given_back: Signal<R>,
}

impl<R: AsyncRuntime> Drop for Permit<R> {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::AcqRel);
        self.0.given_back.ring();
    }
}

impl<R: AsyncRuntime> Permits<R> {
    fn new(count: usize) -> Arc<Self> {
        Arc::new(Self {
            free: AtomicUsize::new(count),
            given_back: Signal::new(),
        })
    }

    /// Takes one as soon as there is one; asked by one task only.
    async fn take(self: &Arc<Self>, look_every: Duration) -> Permit<R> {
        let mut given_back = self.given_back.listen();
        loop {
            given_back.mark();
            if self.free.load(Ordering::Acquire) > 0 {
                self.free.fetch_sub(1, Ordering::AcqRel);
                return Permit(self.clone());
            }
            given_back.heard(look_every).await;
        }
    }
}

impl<P: Platform> BatchTask<P> {
    async fn run(mut self) {
        let permits = Permits::<P::Runtime>::new(BATCHES_MAX);
        while let Some(first) = self.inlet.take().await {
            let permit = permits.take(self.core.tempo().look_every).await;
            let batch = self.fill(first);
            self.waiting.fetch_sub(batch.len(), Ordering::AcqRel);
            let (core, unheard) = (self.core.clone(), self.unheard.clone());
            self.core.spawn("proposal", async move {
                let answered = propose_batch(&core, batch).await;
                unheard.store(!answered, Ordering::Release);
                drop(permit);
            });
        }
    }

    /// Takes what waits, up to the bounds of a batch.
    fn fill(&mut self, first: Waiting<P::Runtime>) -> Vec<Waiting<P::Runtime>> {
        let mut bytes = first.bytes.len();
        let mut batch = vec![first];
        while batch.len() < limits::BATCH_COMMANDS_MAX
            && bytes + limits::COMMAND_BYTES_MAX <= limits::BATCH_BYTES_MAX
        {
            let Some(next) = self.inlet.take_ready() else {
                break;
            };
            bytes += next.bytes.len();
            batch.push(next);
        }
        batch
    }
}

/// Whether the group answered.
async fn propose_batch<P: Platform>(core: &Core<P>, batch: Vec<Waiting<P::Runtime>>) -> bool {
    let (mut commands, mut rest) = (Vec::with_capacity(batch.len()), Vec::new());
    for waiting in batch {
        commands.push(waiting.bytes);
        rest.push((waiting.receipt, waiting.reply));
    }
    let group = GroupId(core.city());
    let Some(entry) = sign_batch(core, group, commands) else {
        for (_, reply) in rest {
            reply.give(Err(NodeError::Failed(
                "this node holds no command key".to_owned(),
            )));
        }
        return true;
    };
    let submitted = core
        .submit(
            group,
            Bytes::from(encode(&entry)),
            core.tempo().order_timeout,
        )
        .await;
    let answered = !matches!(
        submitted,
        Err(SubmitError::NoLeader | SubmitError::TimedOut)
    );
    match submitted {
        Ok(reply) if reply.results.len() == rest.len() => {
            let receipts = sign_receipts(core, &rest, &reply.results);
            for (((_, reply), result), receipt) in rest.into_iter().zip(reply.results).zip(receipts)
            {
                reply.give(
                    result
                        .map(|reply| Done { reply, receipt })
                        .map_err(NodeError::from),
                );
            }
        }
        Ok(reply) => {
            // The entry as a whole was refused.
            let refusal = reply
                .results
                .into_iter()
                .next()
                .and_then(Result::err)
                .unwrap_or(Refusal::Malformed);
            for (_, reply) in rest {
                reply.give(Err(refusal.clone().into()));
            }
        }
        Err(error) => {
            let told = match error {
                SubmitError::NoLeader => NodeError::NoQuorum,
                SubmitError::TimedOut => NodeError::TimedOut,
                SubmitError::Refused(code) => {
                    NodeError::Failed(format!("the leader refused the entry: {code}"))
                }
            };
            for (_, reply) in rest {
                reply.give(Err(told.clone()));
            }
        }
    }
    answered
}

/// Signs commands as late as they are proposed, so that a rotation of the key strands none.
pub(crate) fn sign_batch<P: Platform>(
    core: &Core<P>,
    group: GroupId,
    commands: Vec<Vec<u8>>,
) -> Option<Entry> {
    let head = BatchHead::of(group, &commands);
    let message = Purpose::CommandBatch.message(&head.signed_bytes());
    let signature = core.signer.sign(KeyRole::Command, &message)?;
    let signer = core.signer.public(KeyRole::Command)?;
    Some(Entry::Commands(CommandBatch {
        signer,
        signature,
        commands,
    }))
}

/// The case a reply speaks of: of an id that the group knows already, the one it was given first.
pub(crate) fn known_as(reply: &MachineReply) -> Option<CaseNumber> {
    match reply {
        MachineReply::Case { number, .. } => Some(*number),
        _ => None,
    }
}

/// The receipt to sign for what was committed; none for a number the group does not have: the same id
/// got another one before.
fn owed_receipt<'a>(
    receipt: Option<&'a ReceiptBody>,
    result: &Result<MachineReply, Refusal>,
) -> Option<&'a ReceiptBody> {
    let known = known_as(result.as_ref().ok()?)?;
    receipt.filter(|receipt| receipt.case == known)
}

/// Signs the receipts of what was committed, one signature for all of them.
fn sign_receipts<P: Platform, T>(
    core: &Core<P>,
    orders: &[(Option<ReceiptBody>, T)],
    results: &[Result<MachineReply, Refusal>],
) -> Vec<Option<ReplicatedReceipt>> {
    let owed = orders
        .iter()
        .zip(results)
        .map(|((receipt, _), result)| owed_receipt(receipt.as_ref(), result));
    let bodies: Vec<Option<Vec<u8>>> = owed.map(|body| body.map(encode)).collect();
    let signed = sign_leaves(core, bodies.iter().flatten().cloned().collect());
    let mut signed = signed.into_iter();
    bodies
        .iter()
        .map(|body| body.as_ref().and_then(|_| signed.next()))
        .collect()
}

/// Signs encoded receipts as the leaves of one tree.
pub(crate) fn sign_leaves<P: Platform>(
    core: &Core<P>,
    bodies: Vec<Vec<u8>>,
) -> Vec<ReplicatedReceipt> {
    if bodies.is_empty() {
        return Vec::new();
    }
    let leaves: Vec<Hash> = bodies.iter().map(|body| leaf_hash(body)).collect();
    let (root, paths) = merkle_paths(&leaves);
    let message = Purpose::ReceiptReplicated.message(&root.0);
    let key = core
        .signer
        .public(KeyRole::Receipt)
        .zip(core.signer.sign(KeyRole::Receipt, &message));
    let Some((signer, signature)) = key else {
        return Vec::new();
    };
    let count = u32::try_from(bodies.len()).unwrap_or(u32::MAX);
    (0_u32..)
        .zip(bodies)
        .zip(paths)
        .map(|((index, body), path)| ReplicatedReceipt {
            signer,
            signature,
            body,
            index,
            count,
            path,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use tongban_types::{CaseState, CaseVersion, ItemVersion, NodeId, Timestamp};

    use super::*;

    #[test]
    fn a_receipt_is_owed_for_the_number_the_group_knows_and_for_no_other() {
        let [first, second]: [CaseNumber; 2] = NUMBERS.map(|number| number.parse().unwrap());
        let node: NodeId = "350100-01".parse().unwrap();
        let receipt = |case| ReceiptBody {
            case,
            item: ItemVersion {
                code: "000109900001".parse().unwrap(),
                version: 1,
            },
            authority: node.city(),
            collected_at: Timestamp::default(),
            form: Hash([7; 32]),
            node,
        };
        let known = Ok(MachineReply::Case {
            number: first,
            version: CaseVersion(1),
            state: CaseState::Collected,
        });
        let (of_first, of_second) = (receipt(first), receipt(second));
        assert_eq!(owed_receipt(Some(&of_first), &known), Some(&of_first));
        assert_eq!(owed_receipt(Some(&of_second), &known), None);
        assert_eq!(owed_receipt(None, &known), None);
        let refused = Err(Refusal::Malformed);
        assert_eq!(owed_receipt(Some(&of_first), &refused), None);
    }

    /// Two of one day.
    const NUMBERS: [&str; 2] = ["3501002026030201000005M", "3501002026030201000006K"];
}
