//! What is wrong with files of the catalogue and with forms.

use std::error::Error;

use tongban_api::{CatalogueError, FormFault, Said};

pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Said> {
    let file = error.downcast_ref::<CatalogueError>();
    let form = error.downcast_ref::<FormFault>();
    file.map(CatalogueError::says)
        .or_else(|| form.map(FormFault::says))
}

#[cfg(test)]
mod tests {
    use super::super::line;
    use super::super::tests::assert_said;
    use super::*;

    #[test]
    fn an_error_is_said_with_its_cause_in_one_language_a_line() {
        let file = "1.json".to_owned();
        let source = serde_json::from_str::<u8>("{}").unwrap_err();
        let said = line(&CatalogueError::Shape { file, source });
        let zh = "1.json 的结构与其种类不符: 第 1 行第 ";
        assert!(said.zh.starts_with(zh), "{said:?}");
        assert!(said.zh.contains("列: 类型不对 ("), "{said:?}");
        let en = "1.json has not the shape of its kind: invalid type: map";
        assert!(said.en.starts_with(en), "{said:?}");
        assert_said(&FormFault::TooLarge { bytes: 99_999 });
    }
}
