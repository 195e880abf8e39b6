//! A form of a wanted size that the catalogue accepts: the example of 失业登记 with the residence in
//! the measured city, its free texts filled up.

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// 失业登记.
pub(super) const ITEM: &str = "002014900001";

const EXAMPLE: &str =
    include_str!("../../../../protocol/items/national/002014900001/1.example.json");

/// Free texts and how many characters each may have, by the item's form.
const FREE_TEXTS: [(&str, &str, usize); 5] = [
    ("household", "street", 120),
    ("residence", "street", 120),
    ("education", "school", 100),
    ("unemployment", "former_employer", 100),
    ("wish", "occupation", 50),
];

/// A character of three bytes and one of one byte.
const WIDE: char = '号';
const NARROW: char = '1';

/// The form as compact JSON of exactly `bytes` bytes.
pub(super) fn form_of_size(bytes: usize) -> anyhow::Result<String> {
    let mut form: Value = serde_json::from_str(EXAMPLE).context("the example is JSON")?;
    form["residence"]["division"] = "350102".into();
    let least = form.to_string().len();
    let room: usize = FREE_TEXTS.iter().map(|(_, _, chars_max)| chars_max).sum();
    for (section, name, chars_max) in FREE_TEXTS {
        let wanted = bytes.saturating_sub(form.to_string().len());
        let text = &mut form[section][name];
        let mut filled = text.as_str().context("a free text")?.to_owned();
        let chars_left = chars_max.saturating_sub(filled.chars().count());
        // Three bytes a place where one would not do.
        let wide = if wanted > chars_left {
            (wanted / 3).min(chars_left)
        } else {
            0
        };
        let narrow = (wanted - 3 * wide).min(chars_left - wide);
        filled.extend(std::iter::repeat_n(WIDE, wide));
        filled.extend(std::iter::repeat_n(NARROW, narrow));
        *text = filled.into();
    }
    let form = form.to_string();
    ensure!(
        form.len() == bytes,
        "表单可以有 {least} 到约 {} 字节, 不能是 {bytes} 字节",
        least + 2 * room,
    );
    Ok(form)
}

#[cfg(test)]
mod tests {
    use tongban_api::Catalogue;
    use tongban_types::{ItemCode, ItemVersion};

    use super::*;

    #[test]
    fn a_form_of_the_wanted_size_passes_its_schema() {
        let catalogue = Catalogue::built_in();
        let version = ItemVersion {
            code: ItemCode::new(ITEM).unwrap(),
            version: 1,
        };
        let item = catalogue.item(version).unwrap();
        for bytes in [800, 1_000, 1_024, 1_500] {
            let form = form_of_size(bytes).unwrap();
            assert_eq!(form.len(), bytes);
            let checked = item.read_form(form.as_bytes()).unwrap();
            assert_eq!(checked.authority.number(), 350_102);
        }
        assert!(form_of_size(10).is_err());
        assert!(form_of_size(100_000).is_err());
    }
}
