//! A form of a wanted size that the catalogue accepts: an item's example with the place that decides its
//! authority, its free texts filled up.

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// What a measurement hands in: an item, its example, and where the example leaves room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    /// The item's code.
    pub(super) item: &'static str,
    example: &'static str,
    /// A member whose value decides the authority (JSON Pointer, RFC 6901), and that value.
    authority: (&'static str, &'static str),
    /// Free texts and how many characters each may have, by the item's form.
    free_texts: &'static [(&'static str, usize)],
}

/// 失业登记, decided by the city that takes it in.
pub(super) const OWN_CITY: Subject = Subject {
    item: "002014900001",
    example: include_str!("../../../../protocol/items/national/002014900001/1.example.json"),
    authority: ("/residence/division", "350102"),
    free_texts: &[
        ("/household/street", 120),
        ("/residence/street", 120),
        ("/education/school", 100),
        ("/unemployment/former_employer", 100),
        ("/wish/occupation", 50),
    ],
};

/// 户口迁移 from Fuzhou to Weinan, decided there.
pub(super) const OTHER_CITY: Subject = Subject {
    item: "000109900001",
    example: include_str!("../../../../protocol/items/national/000109900001/1.example.json"),
    authority: ("/move_in/division", "610502"),
    free_texts: &[
        ("/move_out/street", 120),
        ("/move_in/street", 120),
        ("/remark", 500),
    ],
};

/// A character of three bytes and one of one byte.
const WIDE: char = '号';
const NARROW: char = '1';

/// The form as compact JSON of exactly `bytes` bytes.
pub(super) fn form_of_size(subject: Subject, bytes: usize) -> anyhow::Result<String> {
    let mut form: Value = serde_json::from_str(subject.example).context("the example is JSON")?;
    let (place, division) = subject.authority;
    *form.pointer_mut(place).context("a place of the example")? = division.into();
    let least = form.to_string().len();
    let room: usize = subject
        .free_texts
        .iter()
        .map(|(_, chars_max)| chars_max)
        .sum();
    for &(place, chars_max) in subject.free_texts {
        if bytes > form.to_string().len() + MEMBER_BYTES {
            begin_text(&mut form, place);
        }
        let wanted = bytes.saturating_sub(form.to_string().len());
        let Some(text) = form.pointer_mut(place) else {
            continue;
        };
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

/// More than a member of an example costs beside its text.
const MEMBER_BYTES: usize = 32;

/// Adds a member at the top that the example lacks, with the shortest text.
fn begin_text(form: &mut Value, place: &str) {
    if form.pointer(place).is_none()
        && let (Some(members), Some(name)) = (form.as_object_mut(), place.strip_prefix('/'))
    {
        members.insert(name.to_owned(), NARROW.to_string().into());
    }
}

#[cfg(test)]
mod tests {
    use tongban_api::Catalogue;
    use tongban_types::{ItemCode, ItemVersion};

    use super::*;

    #[test]
    fn a_form_of_the_wanted_size_passes_its_schema() {
        let catalogue = Catalogue::built_in();
        for (subject, authority, sizes) in [
            (OWN_CITY, 350_102, [800, 1_000, 1_024, 1_500]),
            (OTHER_CITY, 610_502, [900, 1_024, 1_500, 2_048]),
        ] {
            let version = ItemVersion {
                code: ItemCode::new(subject.item).unwrap(),
                version: 1,
            };
            let item = catalogue.item(version).unwrap();
            for bytes in sizes {
                let form = form_of_size(subject, bytes).unwrap();
                assert_eq!(form.len(), bytes);
                let checked = item.read_form(form.as_bytes()).unwrap();
                assert_eq!(checked.authority.number(), authority);
            }
            assert!(form_of_size(subject, 10).is_err());
            assert!(form_of_size(subject, 100_000).is_err());
        }
    }
}
