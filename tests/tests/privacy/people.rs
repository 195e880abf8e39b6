//! People with data that stands out, and what is said of them on the way of their cases.

use tongban_tests::forms::{Applicant, resident_number};

/// What is said of the person on the way of each case, a mark in each.
pub(crate) const NOTICE: &str = "请补正翠屏里门牌, 记号甲";
pub(crate) const OPINION: &str = "欧阳靖雯的材料齐全，同意迁入";
pub(crate) const REFUSAL: &str = "上官婉云不属于本机关职权范围, 记号乙";
pub(crate) const WITHDRAWAL: &str = "申屠慧敏改去厦门投靠子女, 记号丙";

/// Three people, and one of them twice: the first form and the corrected one.
pub(crate) struct People {
    pub(crate) granted: Applicant,
    pub(crate) corrected: Applicant,
    pub(crate) refused: Applicant,
    pub(crate) withdrawn: Applicant,
}

fn person(name: &str, digits: &str, phone: &str, street: &str) -> Applicant {
    Applicant {
        name: name.to_owned(),
        id_number: resident_number(digits),
        phone: phone.to_owned(),
        street: street.to_owned(),
    }
}

impl People {
    pub(crate) fn new() -> Self {
        let granted = person(
            "欧阳靖雯",
            "35010319870315000",
            "13905917788",
            "鼓浪翠屏里七十七号楼",
        );
        Self {
            corrected: Applicant {
                phone: "13959118866".to_owned(),
                street: "鼓浪翠屏里七十八号楼乙座".to_owned(),
                ..granted.clone()
            },
            granted,
            refused: person(
                "上官婉云",
                "35010219760809000",
                "13706019922",
                "乌山晴岚巷十九号",
            ),
            withdrawn: person(
                "申屠慧敏",
                "35010419651212000",
                "13606023344",
                "于山听雨坊三十一号",
            ),
        }
    }

    /// Everything that is about them, by the case that shows it at its end.
    pub(crate) fn texts(&self) -> [Vec<&str>; 3] {
        let mut granted = told(&self.corrected);
        granted.extend([NOTICE, OPINION]);
        let mut refused = told(&self.refused);
        refused.push(REFUSAL);
        let mut withdrawn = told(&self.withdrawn);
        withdrawn.push(WITHDRAWAL);
        [granted, refused, withdrawn]
    }

    /// Everything that is looked for: what a correction replaced too.
    pub(crate) fn all_texts(&self) -> Vec<&str> {
        let mut all = self.texts().concat();
        all.extend([self.granted.phone.as_str(), self.granted.street.as_str()]);
        all
    }
}

fn told(person: &Applicant) -> Vec<&str> {
    vec![
        &person.name,
        &person.id_number,
        &person.phone,
        &person.street,
    ]
}
