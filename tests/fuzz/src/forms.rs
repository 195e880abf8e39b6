//! A filled form, against each item of the built-in catalogue.

use std::cell::LazyCell;

use crate::catalogue::Catalogue;

thread_local! {
    static CATALOGUE: LazyCell<Catalogue> = LazyCell::new(Catalogue::built_in);
}

/// Reads a form as every item's; what is kept of it is a form of that item.
pub fn read_as_every_item(input: &[u8]) {
    CATALOGUE.with(|catalogue| {
        for item in catalogue.items() {
            if let Ok(form) = item.read_form(input) {
                let again = item.read_form(&form.bytes).expect("what is kept is a form");
                assert_eq!(again.bytes, form.bytes, "its one spelling is stable");
            }
        }
    });
}
