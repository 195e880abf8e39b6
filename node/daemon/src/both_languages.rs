//! What tests ask of a text that is told in Chinese and in English.

use tongban_api::Said;

/// Claims that both are there, and each in its language.
pub(crate) fn assert_said(said: &Said) {
    assert!(said.zh.contains(is_han), "{said:?}");
    assert!(!said.en.trim().is_empty(), "{said:?}");
    assert!(said.en.is_ascii(), "{said:?}");
}

/// Whether it is a letter of Chinese.
pub(crate) fn is_han(letter: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&letter)
}

/// Whether it stands in no English: a letter or a mark of Chinese.
pub(crate) fn is_chinese(letter: char) -> bool {
    ('\u{2e80}'..='\u{9fff}').contains(&letter) || ('\u{ff00}'..='\u{ffef}').contains(&letter)
}

#[test]
fn chinese_is_told_by_its_letters_and_by_its_marks() {
    assert!(is_han('福') && !is_han('。') && !is_han('é'));
    assert!(is_chinese('福') && is_chinese('。') && is_chinese('，') && !is_chinese('é'));
}
