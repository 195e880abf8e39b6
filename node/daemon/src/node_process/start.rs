//! Putting a node to work out of its configuration, and ending it in good order.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tongban_api::{
    ApiState, Catalogue, FileTokenBook, Line, RatesInForce, RequestMetrics, Said, TokenBookError,
};
use tongban_assembly::{Node, NodeParts, StartError};
use tongban_net::{Libp2pTransport, NetConfig};
use tongban_runtime::seams::WallClock as _;
use tongban_runtime::{Forms, NodeHandle, NodeSettings, Tempo};
use tongban_store::{Bounds, OpenError, Opened, SledStore};
use tongban_types::Code;
use tongban_wal::OpenError as LogError;

use super::adjustable::{Adjustable, certificate_files};
use super::backing_up::Backups;
use super::data_folder::{DataFolder, TOKENS_FILE};
use super::enrolled::check_enrolled;
use super::files::open_files;
use super::links::Links;
use super::measurement::check_measurement;
use super::metrics::{Parts, metrics_text};
use super::operator::leave_token;
use super::peers::{Peers, follow_registry};
use super::ready::{READY_FILE, Ready};
use super::service_manager::say_stopping;
use super::shutdown::Shutdown;
use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::{Coded, Failure};
use crate::files::FileError;
use crate::keys::{KeyFolder, NodeKeys};
use crate::platform::{DaemonPlatform, FileDisk, OsEntropy, SystemClock};
use crate::registry::{Held, hold};
use crate::says;
use crate::tls::{CertificateError, Served};

/// Page cache of applied state: the open cases of a busy city fit.
const STATE_CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// A node at work.
#[derive(Debug)]
pub(crate) struct NodeProcess {
    node: Arc<Node<DaemonPlatform>>,
    transport: Arc<Libp2pTransport>,
    folder: DataFolder,
    ready: Ready,
    adjustable: Adjustable,
    api: JoinHandle<std::io::Result<()>>,
    stop_api: oneshot::Sender<()>,
    follower: JoinHandle<()>,
    /// Takes up a renewed certificate.
    renewals: Option<JoinHandle<()>>,
}

impl Coded for StartError {
    fn code(&self) -> Code {
        Self::code(self)
    }

    fn exit(&self) -> Exit {
        match self {
            // A restart would find the same.
            Self::Log(LogError::Damaged { .. } | LogError::UnknownFormat { .. }) => {
                Exit::BadConfiguration
            }
            _ => Exit::Internal,
        }
    }

    fn says(&self) -> Option<Said> {
        Some(says::of(self))
    }
}

impl Coded for OpenError {
    fn code(&self) -> Code {
        Self::code(self)
    }

    fn exit(&self) -> Exit {
        match self {
            Self::InUse { .. } => Exit::Conflict,
            _ => Exit::Internal,
        }
    }

    fn says(&self) -> Option<Said> {
        Some(says::of(self))
    }
}

impl Coded for TokenBookError {
    fn code(&self) -> Code {
        Self::code(self)
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NoSuchToken { .. } => Exit::NotFound,
            Self::File { .. } => Exit::Internal,
            _ => Exit::No,
        }
    }

    fn says(&self) -> Option<Said> {
        Some(Self::says(self))
    }
}

/// Opens the applied state in a data folder.
pub(crate) fn open_state(data: &Path) -> Result<(SledStore, Opened), OpenError> {
    SledStore::open(&data.join("state"), Bounds::with_cache(STATE_CACHE_BYTES))
}

/// What is checked before the node touches the network.
struct Grounds {
    keys: NodeKeys,
    held: Held,
}

impl NodeProcess {
    /// Starts the node; it answers when this returns.
    pub(crate) async fn start(
        configuration: &Configuration,
        forms: Forms,
    ) -> Result<Self, Failure> {
        let me = configuration.node;
        let folder = DataFolder::take(&configuration.data, me)?;
        let grounds = check_grounds(configuration)?;
        if forms == Forms::ClearForMeasurement {
            check_measurement(configuration, &grounds.held.registry)?;
        }
        let served = certificate(configuration)?;
        let tokens = FileTokenBook::open(folder.path().join(TOKENS_FILE))?;
        let listener = listen(configuration.http_listen).await?;
        let (store, opened) = open_state(folder.path())?;
        tracing::info!(?opened, "applied state is open");
        let peers = Peers::of(&grounds.held.registry).await;
        let (transport, bound) = Libp2pTransport::start(NetConfig {
            me,
            identity: *grounds.keys.transport,
            listen: vec![configuration.federation_listen],
            quic: configuration.federation_quic,
            peers: peers.directory()?,
        })
        .await?;
        let transport = Arc::new(transport);
        let blobs = Arc::new(open_files(configuration, folder.path()).await?);
        let catalogue = Arc::new(Catalogue::built_in());
        let disk = FileDisk::new(folder.path());
        let started = Node::<DaemonPlatform>::start(NodeParts {
            settings: NodeSettings {
                forms,
                ..settings(configuration, &grounds, &catalogue)
            },
            disk: disk.clone(),
            store: Arc::new(store),
            blobs,
            transport: transport.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            signer: Arc::new(grounds.keys.ring),
            wal: configuration.wal.clone(),
            raft: configuration.raft.clone(),
            witness: None,
        });
        let node = Arc::new(Box::pin(started).await?);
        folder.keep()?;
        let operator = leave_token(folder.path(), me)?;
        let http = address_of(&listener, configuration.http_listen);
        let scheme = if served.is_some() { "https" } else { "http" };
        let ready = Ready {
            url: format!("{scheme}://{http}"),
            http,
            certificate: served.as_ref().map(|served| served.certificate()),
            fingerprint: served
                .as_ref()
                .map(|served| served.fingerprint().to_string()),
            federation: bound.first().map(ToString::to_string).unwrap_or_default(),
            node: me.to_string(),
            pid: std::process::id(),
        };
        let requests = RequestMetrics::default();
        let metrics = metrics_text(
            &requests,
            &disk,
            Parts {
                node: node.clone(),
                transport: transport.clone(),
                data: folder.path().to_owned(),
                served: served.clone(),
            },
        );
        let backups = Backups {
            node: node.clone(),
            data: folder.path().to_owned(),
            recovery: configuration.recovery_key,
            under_way: Arc::default(),
        };
        let rates = RatesInForce::from(configuration.http_rates);
        let adjustable = Adjustable {
            rates: rates.clone(),
            served: served.clone(),
            ready: ready.clone(),
        };
        let state = ApiState {
            node: node.handle(),
            links: Arc::new(Links(transport.clone())),
            catalogue,
            tokens: Arc::new(tokens.with_standing(operator)),
            clock: Arc::new(SystemClock),
            rates: rates.clone(),
            requests,
            backup: Arc::new(move || backups.begin()),
            metrics: Arc::new(metrics),
            #[cfg(feature = "otlp")]
            traces: Arc::new(super::traces::take_up),
            #[cfg(not(feature = "otlp"))]
            traces: Arc::new(|_: &tracing::Span, _: &tongban_api::RequestTrace| false),
        };
        let (stop_api, stopped) = oneshot::channel::<()>();
        let stopped = async move { drop(stopped.await) };
        let line = served
            .as_ref()
            .map_or(Line::Plain, |served| Line::Tls(served.config()));
        let api = tokio::spawn(tongban_api::serve(listener, line, state, stopped));
        let renewals = served.map(|served| tokio::spawn(served.follow()));
        let follower = tokio::spawn(follow_registry(node.handle(), transport.clone(), peers));
        Ok(Self {
            node,
            transport,
            folder,
            ready,
            adjustable,
            api,
            stop_api,
            follower,
            renewals,
        })
    }

    /// Where it answers.
    pub(crate) const fn ready(&self) -> &Ready {
        &self.ready
    }

    /// What of it changes while it works.
    pub(crate) fn adjustable(&self) -> Adjustable {
        self.adjustable.clone()
    }

    /// The node, to be asked how it is.
    pub(crate) fn handle(&self) -> Arc<dyn NodeHandle> {
        self.node.handle()
    }

    /// Leaves word in the data folder where it answers.
    pub(crate) fn announce(&self) -> Result<(), FileError> {
        self.ready.write(&self.folder.path().join(READY_FILE))
    }

    /// Works until it is told to end or cannot go on, and ends in good order.
    pub(crate) async fn run(mut self, mut shutdown: Shutdown) -> Result<Exit, Failure> {
        let handle = self.node.handle();
        let outcome = tokio::select! {
            why = shutdown.asked() => {
                tracing::info!(why, "the node ends");
                Ok(Exit::Yes)
            }
            why = handle.until_failed() => {
                let node = handle.node();
                let says = Said::new(
                    format!("节点 {node} 故障: {why}"),
                    format!("node {node} has failed: {why}"),
                );
                Err(Failure::told(Code::NODE_FAILED, Exit::Internal, says))
            }
            why = self.transport.until_failed() => {
                let node = handle.node();
                let says = Said::new(
                    format!("节点 {node} 的连接故障: {why}"),
                    format!("the links of node {node} have failed: {why}"),
                );
                Err(Failure::told(Code::NODE_FAILED, Exit::Internal, says))
            }
            ended = &mut self.api => {
                let node = handle.node();
                let says = Said::new(
                    format!("节点 {node} 的接口停了: {ended:?}"),
                    format!("the API of node {node} has stopped: {ended:?}"),
                );
                Err(Failure::told(Code::NODE_FAILED, Exit::Internal, says))
            }
        };
        self.end().await;
        outcome
    }

    async fn end(self) {
        say_stopping();
        // Gone before the answers stop, so that nobody is sent to a closed door.
        self.folder.withdraw_word();
        self.follower.abort();
        if let Some(renewals) = &self.renewals {
            renewals.abort();
        }
        let _ = self.stop_api.send(());
        // One that ended by itself was heard already.
        if !self.api.is_finished()
            && let Ok(Err(error)) = self.api.await
        {
            tracing::warn!(%error, "the API ended with an error");
        }
        self.node.shut_down().await;
        self.transport.shut_down().await;
    }
}

fn check_grounds(configuration: &Configuration) -> Result<Grounds, Failure> {
    let bad = |failure: Failure| failure.exiting(Exit::BadConfiguration);
    let keys = KeyFolder::of(&configuration.data)
        .load()
        .map_err(|error| bad(error.into()))?;
    let held = hold(
        &configuration.data,
        &configuration.registry_file,
        configuration.governance,
        SystemClock.now(),
    );
    let held = held.map_err(bad)?;
    check_enrolled(&held.registry, configuration.node, &keys.ring)?;
    Ok(Grounds { keys, held })
}

/// The certificate of the API.
fn certificate(configuration: &Configuration) -> Result<Option<Arc<Served>>, CertificateError> {
    certificate_files(configuration)?
        .map(Served::open)
        .transpose()
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let message = format!("{address}: {error}");
        Failure::new(Code::HTTP_CANNOT_LISTEN, Exit::Conflict, message)
    })
}

fn address_of(listener: &TcpListener, asked: SocketAddr) -> String {
    listener.local_addr().unwrap_or(asked).to_string()
}

fn settings(
    configuration: &Configuration,
    grounds: &Grounds,
    catalogue: &Catalogue,
) -> NodeSettings {
    NodeSettings {
        me: configuration.node,
        registry_file: grounds.held.file.clone(),
        registry: Arc::new(grounds.held.registry.clone()),
        older_registries: grounds.held.older.clone(),
        items: catalogue.items().map(|item| item.terms.clone()).collect(),
        templates: catalogue
            .documents()
            .map(|template| (template.item, template.clone()))
            .collect(),
        calendar: catalogue.calendar().clone(),
        tempo: Tempo::default(),
        forms: Forms::Sealed,
    }
}
