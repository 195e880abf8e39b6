//! Reading the configuration again while the node works, when SIGHUP comes: all of it is judged before
//! any of it counts. What cannot change under way waits for the next start, and is named.

use std::path::Path;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::adjustable::Adjustable;
use super::running::Running;
use super::service_manager::{say_ready, say_reloading};
use super::telemetry::LogLevel;
use crate::configuration::{Configuration, Layers, Setting, changes};
use crate::failure::Failure;

/// What a process reads its configuration with.
#[derive(Debug)]
pub(crate) struct Reloader {
    hangup: Signal,
    layers: Layers,
    current: Vec<Setting>,
    running: Running,
    log_level: LogLevel,
}

impl Reloader {
    /// Listens from now on, for a process that began with this.
    pub(crate) fn listen(
        configuration: &Configuration,
        layers: Layers,
        log_level: LogLevel,
    ) -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            layers,
            current: configuration.settings.clone(),
            running: Running::begin(configuration),
            log_level,
        })
    }

    /// Follows the signal until the task is ended.
    pub(crate) async fn follow(mut self, mut parts: Adjustable, file: &Path, data: &Path) {
        self.leave_word(data);
        while self.hangup.recv().await.is_some() {
            say_reloading();
            self.reload(&mut parts, file);
            say_ready();
            self.leave_word(data);
        }
    }

    fn reload(&mut self, parts: &mut Adjustable, file: &Path) {
        self.running.reloads += 1;
        let read = Configuration::read_below(file, &self.layers).map_err(Failure::from);
        let prepared = read.and_then(|read| {
            let prepared = parts.prepare(&read)?;
            Ok((read, prepared))
        });
        let (read, prepared) = match prepared {
            Ok(prepared) => prepared,
            Err(Failure { code, cause, .. }) => {
                let error = format!("{cause:#}");
                tracing::warn!(%code, error, "the configuration is refused; nothing changes");
                self.running.refused = Some(error);
                self.running.refused_code = Some(code);
                return;
            }
        };
        self.running.refused = None;
        self.running.refused_code = None;
        let changed = changes(&self.current, &read.settings);
        self.log_level.set(&read.log_level);
        if let Err(error) = parts.change(&read, prepared) {
            tracing::warn!(%error, "commands of this machine do not see the certificate that is served");
        }
        self.running.pending.clear();
        for change in changed {
            if change.needs_restart {
                tracing::warn!(key = change.key, "the change waits for a restart");
                self.running.pending.push(change.key);
                continue;
            }
            tracing::info!(key = change.key, after = %change.after, "the configuration changed");
            let setting = self.current.iter_mut().find(|one| one.key == change.key);
            if let Some(setting) = setting {
                setting.value = change.after.clone();
            }
            let shown = self
                .running
                .settings
                .iter_mut()
                .find(|one| one.0 == change.key);
            if let Some(shown) = shown {
                shown.1 = change.after;
            }
        }
    }

    fn leave_word(&self, data: &Path) {
        if let Err(error) = self.running.write(data) {
            tracing::warn!(%error, "nobody can see what this process runs with");
        }
    }
}
