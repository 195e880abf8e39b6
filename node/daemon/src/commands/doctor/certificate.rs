//! The certificate of the API: whether it can be served, and for how long.

use tongban_runtime::seams::WallClock as _;
use tongban_types::{DAY_MS, Timestamp};

use super::Finding;
use crate::configuration::{Configuration, HttpLine};
use crate::instant::beijing;
use crate::platform::SystemClock;
use crate::tls::{CertificateFiles, WARNING_DAYS, end_of_file, own_files};

const ID: &str = "certificate";

pub(super) fn examine(configuration: &Configuration) -> Finding {
    let own = own_files(&configuration.data);
    let (files, cure) = match &configuration.http_line {
        HttpLine::Plain => return Finding::skipped(ID, ("没有启用 TLS", "TLS is off")),
        HttpLine::Given(files) => (files, renew(files)),
        HttpLine::Own { .. } if !own.certificate.exists() => {
            return Finding::skipped(ID, ("首次启动时自制", "made at the first start"));
        }
        // It is made once, and made anew where it is missing.
        HttpLine::Own { .. } => {
            let folder = configuration.data.join("tls");
            (&own, format!("rm -r {}", folder.display()))
        }
    };
    // It must be a pair with its key first.
    let read = files.load().and_then(|_| end_of_file(&files.certificate));
    match read {
        Ok(end) => expiry(end, SystemClock.now(), cure),
        Err(error) => Finding::failed(ID, &error.into()),
    }
}

fn renew(files: &CertificateFiles) -> String {
    format!(
        "openssl x509 -noout -enddate -in {}",
        files.certificate.display()
    )
}

fn expiry(end: Timestamp, now: Timestamp, cure: String) -> Finding {
    let left = end.unix_ms() - now.unix_ms();
    let end = beijing(end);
    let seen = (format!("有效期至 {end}"), format!("valid until {end}"));
    if left <= 0 {
        Finding::failure(ID, seen, cure)
    } else if left < WARNING_DAYS * DAY_MS {
        Finding::warning(ID, seen, cure)
    } else {
        Finding::success(ID, seen)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn a_certificate_is_warned_of_two_weeks_before_it_ends() {
        let now = Timestamp::from_unix_ms(1_000 * DAY_MS);
        let level = |days: i64| expiry(now.plus_ms(days * DAY_MS), now, String::new()).level;
        assert_eq!(level(15), Level::Success);
        assert_eq!(level(13), Level::Warning);
        assert_eq!(level(0), Level::Failure);
    }
}
