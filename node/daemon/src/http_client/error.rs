//! Why a node gave no answer, or another one than was expected, and how a command ends for it.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::Method;
use thiserror::Error;
use tongban_api::Said;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::Coded;

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum ClientError {
    /// Nobody answers there, or no longer.
    #[error("{address} 没有应答: {}", reason.zh)]
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// What was seen.
        reason: Said,
    },
    /// It took the request and did not answer in time.
    #[error("{address} 在 {} 秒内没有答复, 请求可能仍会生效", patience.as_secs())]
    TimedOut {
        /// Where.
        address: SocketAddr,
        /// How long was waited.
        patience: Duration,
    },
    /// Whoever answers there is not who is trusted; nothing was sent.
    #[error("{address} 的证书不可信: {reason}")]
    NotTrusted {
        /// Where.
        address: SocketAddr,
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is not what was expected.
    #[error("{method} {path} 答复 {status}: {body}")]
    Unexpected {
        /// The method.
        method: Method,
        /// The path.
        path: String,
        /// Its status.
        status: u16,
        /// What it said.
        body: String,
    },
}

/// Why an answer was not read to its end.
#[derive(Debug, Error)]
pub(crate) enum PieceError {
    /// There is none, or it broke off.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Whoever takes the pieces took no more.
    #[error("写不下去")]
    NotTaken(#[source] std::io::Error),
}

impl Coded for ClientError {
    fn code(&self) -> Code {
        match self {
            Self::Unreachable { .. } => Code::NODE_UNREACHABLE,
            Self::NotTrusted { .. } => Code::NODE_NOT_TRUSTED,
            Self::TimedOut { .. } => Code::NODE_TIMED_OUT,
            Self::Unexpected { .. } => Code::NODE_ANSWERED_OTHERWISE,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::NotTrusted { .. } => Exit::NotAllowed,
            Self::TimedOut { .. } => Exit::TimedOut,
            Self::Unexpected { status, body, .. } => exit_of(*status, body),
        }
    }

    fn says(&self) -> Option<Said> {
        let en = match self {
            Self::Unreachable { address, reason } => {
                format!("{address} does not answer: {}", reason.en)
            }
            Self::TimedOut { address, patience } => format!(
                "{address} gave no answer within {} s; the request may still take effect",
                patience.as_secs()
            ),
            Self::NotTrusted { address, reason } => {
                format!("the certificate of {address} is not to be trusted: {reason}")
            }
            Self::Unexpected {
                method,
                path,
                status,
                body,
            } => format!("{method} {path} was answered with {status}: {body}"),
        };
        Some(Said::new(self.to_string(), en))
    }
}

fn exit_of(status: u16, body: &str) -> Exit {
    match status {
        401 | 403 => Exit::NotAllowed,
        404 => Exit::NotFound,
        409 | 412 => Exit::Conflict,
        408 | 504 => Exit::TimedOut,
        // Its answer did not come in time either, and the order may still be carried out.
        503 if body.contains(&Code::GROUP_TIMED_OUT.to_string()) => Exit::TimedOut,
        429 | 502 | 503 => Exit::Unreachable,
        // What was asked breaks a rule: the same again is refused again.
        400 | 413 | 415 | 422 | 428 => Exit::No,
        _ => Exit::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    #[test]
    fn why_there_is_no_answer_is_told_in_both_languages() {
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let failure = Failure::from(ClientError::TimedOut {
            address,
            patience: Duration::from_secs(5),
        });
        let said = failure.causes().next().unwrap();
        assert!(
            said.zh.starts_with("127.0.0.1:9 在 5 秒内没有答复"),
            "{said:?}"
        );
        assert!(
            said.en.starts_with("127.0.0.1:9 gave no answer within 5 s"),
            "{said:?}"
        );
    }

    #[test]
    fn a_refusal_ends_with_the_exit_code_of_its_kind() {
        for (status, body, exit) in [
            (401, "", Exit::NotAllowed),
            (403, "", Exit::NotAllowed),
            (404, "", Exit::NotFound),
            (409, "", Exit::Conflict),
            (412, "", Exit::Conflict),
            (429, "", Exit::Unreachable),
            (503, "{\"code\":\"TB4003\"}", Exit::Unreachable),
            (503, "{\"code\":\"TB4002\"}", Exit::TimedOut),
            (503, "{\"code\":\"TB4019\"}", Exit::Unreachable),
            (504, "", Exit::TimedOut),
            (400, "", Exit::No),
            (422, "", Exit::No),
            (500, "", Exit::Internal),
            (418, "", Exit::Internal),
        ] {
            assert_eq!(exit_of(status, body), exit, "{status} {body}");
        }
    }
}
