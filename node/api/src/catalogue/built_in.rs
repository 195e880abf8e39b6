//! The files of `protocol/items` and `protocol/calendar` inside the program, so that a node needs
//! no folder of them. A test holds this list and the folder together.

/// The calendar.
pub(super) const CALENDAR: &str = include_str!("../../../../protocol/calendar/2024-2026.json");

/// Item files, by their path below `protocol/items`.
pub(super) const ITEMS: &[(&str, &str)] = &[
    (
        "national/000109900001/1.json",
        include_str!("../../../../protocol/items/national/000109900001/1.json"),
    ),
    (
        "national/002014900001/1.json",
        include_str!("../../../../protocol/items/national/002014900001/1.json"),
    ),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::catalogue::folder::item_files;

    #[test]
    fn every_item_file_of_the_tree_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocol/items");
        let mut found: Vec<String> = item_files(&folder)
            .unwrap()
            .into_iter()
            .map(|file| file.name)
            .collect();
        found.sort();
        let built_in: Vec<&str> = ITEMS.iter().map(|(name, _)| *name).collect();
        assert_eq!(found, built_in);
    }
}
