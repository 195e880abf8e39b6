//! Filled forms for the story's item, 户口迁移: invented people with numbers that are well formed and
//! given to nobody.

use anyhow::Result;
use serde_json::{Value, json};

/// The item of the story, collected in one city for another.
const MIGRATION: &str = "000109900001";
const EXAMPLE: &str = include_str!("../../protocol/items/national/000109900001/1.example.json");

/// A person who applies.
#[derive(Clone, Debug)]
pub struct Applicant {
    /// Name.
    pub name: String,
    /// Resident identity number.
    pub id_number: String,
    /// Mobile phone.
    pub phone: String,
    /// Where they live.
    pub street: String,
}

impl Applicant {
    /// A different person for every number: a birthday of 1990, sequence 000.
    pub fn numbered(number: usize) -> Self {
        let birthday = 1 + number % 28;
        Self {
            name: "王远山".to_owned(),
            id_number: resident_number(&format!("350102199001{birthday:02}000")),
            phone: format!("138{:08}", number % 100_000_000),
            street: "示例街道示例路1号2幢301室".to_owned(),
        }
    }
}

/// An application for a move of household registration into a division, as it is handed in.
pub fn migration(applicant: &Applicant, move_in: &str) -> Result<Value> {
    let mut form: Value = serde_json::from_str(EXAMPLE)?;
    form["applicant"]["name"] = json!(applicant.name);
    form["applicant"]["id_number"] = json!(applicant.id_number);
    form["applicant"]["phone"] = json!(applicant.phone);
    form["applicant"]["address"]["street"] = json!(applicant.street);
    form["move_in"]["division"] = json!(move_in);
    Ok(json!({ "item": { "code": MIGRATION, "version": 1 }, "form": form }))
}

/// Seventeen digits with their check character (GB 11643).
pub fn resident_number(digits: &str) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    let figures = digits.chars().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = figures
        .zip(WEIGHTS)
        .map(|(figure, weight)| figure * weight)
        .sum();
    format!("{digits}{}", CHECKS[(sum % 11) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_character_is_that_of_the_examples() {
        assert_eq!(resident_number("61050219900101000"), "610502199001010003");
        assert_eq!(resident_number("62110219900101000"), "621102199001010004");
    }
}
