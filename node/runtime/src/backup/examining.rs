//! Whether what was restored is of use: do the case keys open the forms they were drawn for.

use tongban_machine::{form_of, list_cases};
use tongban_types::CaseNumber;

use super::fault::BackupFault;
use crate::ports::{LocalLog, LocalTable};
use crate::replica::Replica;
use crate::sealing;
use crate::seams::Platform;
use crate::signal::give_way;

/// Cases looked at together.
const PAGE_CASES: usize = 256;

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// Cases in the state.
    pub cases: u64,
    /// Those whose form is here and opens under the key that is here.
    pub opened: u64,
    /// Those whose form is here and whose key is not.
    pub without_key: u64,
    /// Those whose key is here and does not open their form.
    pub broken: u64,
}

/// Opens the form of every case of a group with the keys of a vault. No text of them is kept.
pub async fn examine<P: Platform>(
    log: &dyn LocalLog,
    replica: &Replica<P>,
) -> Result<Examination, BackupFault> {
    let mut found = Examination::default();
    let mut from: Option<CaseNumber> = None;
    loop {
        let page = replica.read(|view| {
            let listing = list_cases(view, from, PAGE_CASES);
            let cases = listing.cases.into_iter();
            let forms = cases.map(|case| {
                let number = case.envelope.number;
                (number, form_of(view, number))
            });
            (forms.collect::<Vec<_>>(), listing.next)
        })?;
        let (forms, next) = page;
        for (number, form) in forms {
            found.cases += 1;
            let Some(form) = form else {
                continue;
            };
            let key = log.get(LocalTable::Vault, number.to_string().as_bytes());
            match key.and_then(|key| key.try_into().ok()) {
                None => found.without_key += 1,
                Some(key) => {
                    let key = zeroize::Zeroizing::new(key);
                    match sealing::open(&key, number, &form) {
                        Some(_) => found.opened += 1,
                        None => found.broken += 1,
                    }
                }
            }
        }
        match next {
            Some(next) => from = Some(next),
            None => return Ok(found),
        }
        give_way().await;
    }
}
