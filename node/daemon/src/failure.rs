//! Why a command did not do what it was asked: a code people can look up, an exit code scripts can
//! act on, and one command to run next.

use tongban_types::Code;

use crate::exit::Exit;

/// Why a command ends without success.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The code `tongban explain` describes.
    pub(crate) code: Code,
    /// How the process ends.
    pub(crate) exit: Exit,
    /// The command to run next.
    pub(crate) next: String,
    /// What happened, outermost first.
    pub(crate) cause: anyhow::Error,
}

/// An error with a code.
pub(crate) trait Coded: std::error::Error + Send + Sync + 'static {
    /// The code `tongban explain` describes.
    fn code(&self) -> Code;

    /// How a command ends that meets it.
    fn exit(&self) -> Exit;

    /// The command to run next, if it is another than `tongban explain`.
    fn next(&self) -> Option<String> {
        None
    }
}

impl Failure {
    /// A failure with a message of its own.
    pub(crate) fn new(code: Code, exit: Exit, message: impl Into<String>) -> Self {
        Self {
            code,
            exit,
            next: explain(code),
            cause: anyhow::Error::msg(message.into()),
        }
    }

    /// With another command to run next.
    pub(crate) fn then(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// With another exit code: what an error means depends on the command that meets it.
    pub(crate) fn exiting(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

fn explain(code: Code) -> String {
    format!("tongban explain {code}")
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        let (code, exit) = (error.code(), error.exit());
        let next = error.next().unwrap_or_else(|| explain(code));
        Self {
            code,
            exit,
            next,
            cause: anyhow::Error::new(error),
        }
    }
}

impl From<anyhow::Error> for Failure {
    /// What nobody gave a code to is our bug.
    fn from(cause: anyhow::Error) -> Self {
        let code = Code::INTERNAL;
        Self {
            code,
            exit: Exit::Internal,
            next: explain(code),
            cause,
        }
    }
}
