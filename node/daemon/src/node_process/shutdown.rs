//! Being told to end: by a service manager, at a terminal, or because the process that started this
//! one is gone.

use std::io::Read as _;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// What ends the process in good order.
#[derive(Debug)]
pub(crate) struct Shutdown {
    terminate: Signal,
    interrupt: Signal,
    parent_gone: Option<oneshot::Receiver<()>>,
}

impl Shutdown {
    /// Listens from now on. With `until_stdin_closes`, the end of stdin counts too: whoever holds
    /// the other end of that pipe takes this process along, however it ends.
    pub(crate) fn listen(until_stdin_closes: bool) -> std::io::Result<Self> {
        let parent_gone = until_stdin_closes.then(|| {
            let (gone, heard) = oneshot::channel();
            // A thread of its own: it waits in the kernel for as long as the process lives.
            std::thread::spawn(move || {
                drain_stdin();
                let _ = gone.send(());
            });
            heard
        });
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            parent_gone,
        })
    }

    /// Returns when the process is to end, with why.
    pub(crate) async fn asked(&mut self) -> &'static str {
        let gone = async {
            match &mut self.parent_gone {
                // A sender lost counts as the end of the pipe.
                Some(gone) => drop(gone.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            () = gone => "stdin closed",
        }
    }
}

fn drain_stdin() {
    let mut stdin = std::io::stdin().lock();
    let mut bytes = [0; 256];
    while matches!(stdin.read(&mut bytes), Ok(1..)) {}
}
