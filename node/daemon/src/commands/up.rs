//! `tongban up`: runs a node until it is told to end.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tongban_runtime::Forms;

use crate::configuration::{Configuration, ConfigurationError, Layers};
use crate::exit::Exit;
use crate::failure::Failure;
#[cfg(feature = "otlp")]
use crate::node_process::Traces;
use crate::node_process::{NodeProcess, Reloader, Shutdown, say_ready, start_logging, stay_alive};
use crate::output::Output;

/// What still runs when everything has ended is not waited for longer.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 配置文件 (configuration file)
    #[arg(long, value_name = "FILE", default_value = "/etc/tongban/node.toml")]
    config: PathBuf,
    /// 就绪后把地址写入该文件 (JSON) (write the addresses into this file once ready)
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// 覆盖一项配置, 可多次 (override a setting; may be given several times)
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,
    /// 标准输入关闭时也退出: 启动它的进程不在了 (end with stdin as well: who started it is gone)
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
    /// 不封存表单, 仅供本机测速 (leave forms in the clear, to measure on this machine)
    #[arg(long, hide = true, requires = "until_stdin_closes")]
    clear_forms_for_measurement: bool,
}

/// Runs the node.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let layers = Layers::of_process(&arguments.set).map_err(ConfigurationError::from)?;
    let configuration = Configuration::read_below(&arguments.config, &layers)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the tasks of the process")?;
    #[cfg(feature = "otlp")]
    let traces = Traces::begin(&configuration, runtime.handle());
    #[cfg(feature = "otlp")]
    let beside = traces.as_ref().map(Traces::watching);
    #[cfg(not(feature = "otlp"))]
    let beside = None;
    let (level, format) = (&configuration.log_level, configuration.log_format);
    let log = start_logging(level, format, beside);
    let ended = runtime.block_on(Box::pin(async {
        // Before anything starts, so that an early signal is not the end of the process.
        let reloader =
            Reloader::listen(&configuration, layers, log.level).context("listening for signals")?;
        let counting = tokio::spawn(log.repeats.clone().follow());
        let ended = work(arguments, &configuration, reloader, output).await;
        counting.abort();
        log.repeats.say_left_out();
        ended
    }));
    // While there are tasks that can send them.
    #[cfg(feature = "otlp")]
    if let Some(traces) = traces {
        traces.end();
    }
    runtime.shutdown_timeout(LAST_WAIT);
    ended
}

async fn work(
    arguments: &Arguments,
    configuration: &Configuration,
    reloader: Reloader,
    output: Output,
) -> Result<Exit, Failure> {
    // Before anything starts, so that an early signal ends it in good order too.
    let shutdown =
        Shutdown::listen(arguments.until_stdin_closes).context("listening for signals")?;
    let forms = if arguments.clear_forms_for_measurement {
        Forms::ClearForMeasurement
    } else {
        Forms::Sealed
    };
    let process = Box::pin(NodeProcess::start(configuration, forms)).await?;
    process.announce()?;
    if let Some(file) = &arguments.ready_file {
        process.ready().write(file)?;
    }
    // At a terminal somebody reads it; whoever started it otherwise reads JSON.
    if std::io::stdout().is_terminal() {
        output.answer(process.ready());
    } else {
        output.answer_json(process.ready());
    }
    say_ready();
    let alive = tokio::spawn(stay_alive(process.handle()));
    let (file, data) = (configuration.file.clone(), configuration.data.clone());
    let parts = process.adjustable();
    let reloading = tokio::spawn(async move { reloader.follow(parts, &file, &data).await });
    let ended = process.run(shutdown).await;
    reloading.abort();
    alive.abort();
    ended
}
