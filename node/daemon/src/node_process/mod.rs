//! One node as a process: its data folder, its parts put to work, its API served, and its end.

mod adjustable;
mod backing_up;
mod data_folder;
mod enrolled;
mod files;
mod folder_lock;
mod links;
mod measurement;
mod metrics;
mod operator;
mod peers;
mod ready;
mod reloading;
mod repeats;
mod running;
mod service_manager;
mod shutdown;
mod start;
mod telemetry;
#[cfg(feature = "otlp")]
mod traces;

pub(crate) use data_folder::{
    BACKUP_STAMP, DataFolder, TOKENS_FILE, check_log, check_user, city_of_folder,
};
pub(crate) use enrolled::check_enrolled;
pub(crate) use operator::read_token;
pub(crate) use ready::{ANSWER as READY, READY_FILE, Ready};
pub(crate) use reloading::Reloader;
pub(crate) use running::Running;
pub(crate) use service_manager::{say_ready, stay_alive};
pub(crate) use shutdown::Shutdown;
pub(crate) use start::{NodeProcess, open_state};
pub(crate) use telemetry::start_logging;
#[cfg(feature = "otlp")]
pub(crate) use traces::Traces;
