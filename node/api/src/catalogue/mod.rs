//! The catalogue a node works with: items with their forms, and the working-day calendar, read from
//! data files. What of them enters a group's log is `ItemTerms` and `Calendar`; forms and texts stay
//! here.

mod built_in;
mod fault;
mod field;
mod folder;
mod item;
mod item_file;
mod says;
#[cfg(test)]
mod tests;
mod wording;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tongban_runtime::DocumentTemplate;
use tongban_trust::read_strict;
use tongban_types::{Calendar, ItemVersion};

use crate::said::Said;

pub use fault::{CatalogueError, FieldFault, FormFault};
pub use item::{CheckedForm, Item};
pub use item_file::{Fee, Guide, Material, MaterialForm, MaterialSource, Names, Reach};
pub(crate) use wording::words;

/// A calendar of 64 years has about 64 KiB.
const CALENDAR_BYTES_MAX: usize = 256 * 1024;

/// Items and calendar.
#[derive(Clone, Debug)]
pub struct Catalogue {
    items: BTreeMap<ItemVersion, Arc<Item>>,
    calendar: Calendar,
}

impl Catalogue {
    /// The catalogue inside the program.
    pub fn built_in() -> Self {
        let files = built_in::ITEMS
            .iter()
            .map(|(name, text)| (*name, text.as_bytes()));
        let calendar = read_calendar("calendar", built_in::CALENDAR.as_bytes());
        calendar
            .and_then(|calendar| Self::of(files, calendar))
            .expect("the files built in are loaded by a test")
    }

    /// A catalogue from a folder with `items/<city or national>/<code>/<version>.json` and
    /// `calendar/*.json`, of which the highest version counts.
    pub fn load(folder: &Path) -> Result<Self, CatalogueError> {
        let items = folder::item_files(&folder.join("items"))?;
        let calendars = folder.join("calendar");
        let mut newest: Option<Calendar> = None;
        for file in folder::calendar_files(&calendars)? {
            let calendar = read_calendar(&file.name, &file.bytes)?;
            if newest
                .as_ref()
                .is_none_or(|known| known.version() < calendar.version())
            {
                newest = Some(calendar);
            }
        }
        let calendar = newest.ok_or_else(|| CatalogueError::NoCalendar {
            folder: calendars.display().to_string(),
        })?;
        let files = items.iter().map(|file| (&*file.name, &*file.bytes));
        Self::of(files, calendar)
    }

    fn of<'f>(
        files: impl Iterator<Item = (&'f str, &'f [u8])>,
        calendar: Calendar,
    ) -> Result<Self, CatalogueError> {
        let mut items = BTreeMap::new();
        for (name, bytes) in files {
            let item = Item::load(name, bytes)?;
            let version = item.terms.item;
            if !name.ends_with(&format!("/{version}.json")) {
                return Err(CatalogueError::Rule {
                    file: name.to_owned(),
                    rule: Said::new(
                        format!("内容是 {version}"),
                        format!("its content is {version}"),
                    ),
                });
            }
            if items.insert(version, Arc::new(item)).is_some() {
                return Err(CatalogueError::Twice(version));
            }
        }
        Ok(Self { items, calendar })
    }

    /// The items, in order of code and version.
    pub fn items(&self) -> impl Iterator<Item = &Arc<Item>> {
        self.items.values()
    }

    /// One version of an item.
    pub fn item(&self, version: ItemVersion) -> Option<&Arc<Item>> {
        self.items.get(&version)
    }

    /// The working-day calendar.
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// What each item's document is made of.
    pub fn documents(&self) -> impl Iterator<Item = &DocumentTemplate> {
        self.items().filter_map(|item| item.document.as_ref())
    }
}

fn read_calendar(name: &str, bytes: &[u8]) -> Result<Calendar, CatalogueError> {
    let file = name.to_owned();
    if let Err(source) = read_strict(bytes, CALENDAR_BYTES_MAX) {
        return Err(CatalogueError::NotStrict { file, source });
    }
    serde_json::from_slice(bytes).map_err(|source| CatalogueError::Shape { file, source })
}
