//! Why a command did not do what it was asked: a code people can look up, an exit code scripts can
//! act on, and one command to run next.

use std::error::Error;
use std::fmt;

use tongban_api::Said;
use tongban_types::Code;

use crate::exit::Exit;
use crate::says;

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

/// What happened, where it is told in both languages. Who does not ask for one gets the Chinese.
#[derive(Debug)]
struct Told {
    says: Said,
    /// The error that is told, which would say itself in one language.
    of: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says.zh)
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.of.as_ref()?.source()
    }
}

/// An error with a code.
pub(crate) trait Coded: Error + Send + Sync + 'static {
    /// The code `tongban explain` describes.
    fn code(&self) -> Code;

    /// How a command ends that meets it.
    fn exit(&self) -> Exit;

    /// What happened in both languages, where the error does not say itself alike in both.
    fn says(&self) -> Option<Said> {
        None
    }

    /// The command to run next, if it is another than `tongban explain`.
    fn next(&self) -> Option<String> {
        None
    }
}

impl Failure {
    /// A failure with a message that is alike in both languages: a path, or what the system said.
    pub(crate) fn new(code: Code, exit: Exit, message: impl Into<String>) -> Self {
        Self {
            code,
            exit,
            next: explain(code),
            cause: anyhow::Error::msg(message.into()),
        }
    }

    /// A failure with a message in both languages.
    pub(crate) fn told(code: Code, exit: Exit, says: Said) -> Self {
        Self {
            code,
            exit,
            next: explain(code),
            cause: anyhow::Error::new(Told { says, of: None }),
        }
    }

    /// What happened, outermost first. What the system said stands for both languages.
    pub(crate) fn causes(&self) -> impl Iterator<Item = Said> {
        self.cause.chain().map(|cause| match cause.downcast_ref() {
            Some(Told { says, .. }) => says.clone(),
            None => says::of(cause),
        })
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
        let cause = match error.says() {
            Some(says) => anyhow::Error::new(Told {
                says,
                of: Some(Box::new(error)),
            }),
            None => anyhow::Error::new(error),
        };
        Self {
            code,
            exit,
            next,
            cause,
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

/// What an error says, and behind it what caused it, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said.extend([": ", &cause.to_string()]);
        source = cause.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use std::io;

    use tongban_runtime::ports::LogFailed;

    use super::*;
    use crate::keys::KeyError;

    #[test]
    fn an_error_told_in_both_languages_keeps_what_caused_it() {
        let failure = Failure::from(KeyError::Unusable {
            path: "node.key".into(),
            source: io::Error::other("the disk is gone"),
        });
        let causes: Vec<Said> = failure.causes().collect();
        let told = Said::new("node.key 无法读写", "node.key cannot be read or written");
        assert_eq!(causes, [told, Said::alike("the disk is gone")]);
    }

    #[test]
    fn what_another_room_says_in_english_is_told_in_both_languages_where_it_is_a_cause() {
        let reason = "the disk is gone".to_owned();
        let failed = anyhow::Error::new(LogFailed { reason });
        let failure = Failure::from(failed.context("node.key"));
        let causes: Vec<Said> = failure.causes().collect();
        assert_eq!(causes[0], Said::alike("node.key"));
        assert!(causes[1].zh.starts_with("本节点的日志故障"), "{causes:?}");
        assert!(causes[1].en.starts_with("the log of this"), "{causes:?}");
    }
}
