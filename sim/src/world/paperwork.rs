//! What people write: forms, reasons, their names.

use tongban_runtime::Application;
use tongban_types::{Actor, Channel, CommandId, Division, HandlingMode, PersonId, Role};

use super::federation::{self, CITIES};
use super::scene::Scene;
use crate::runtime::Dice;

/// One person at work in the city at a place.
pub(crate) fn actor(place: usize, name: &str, role: Role) -> Actor {
    let person = PersonId::new(name).expect("staff numbers of the simulator are well formed");
    Actor {
        city: federation::city(place),
        person,
        role,
    }
}

/// A fresh command id.
pub(crate) fn fresh_id(dice: &mut Dice) -> CommandId {
    let mut key = [0; 16];
    dice.fill(&mut key);
    CommandId::derive(b"simulated person", &key)
}

/// An application to the city at a place.
pub(crate) fn application(scene: &Scene, authority: usize, dice: &mut Dice) -> Application {
    let subject = format!("35010219900101{:04}", dice.below(10_000));
    let channels = [Channel::Window, Channel::Online, Channel::Terminal];
    Application {
        attachments: Vec::new(),
        item: scene.federation.item.item,
        item_file: scene.federation.item.file,
        mode: HandlingMode::CollectedElsewhere,
        authority_division: Division::new(CITIES[authority].0).expect("a city is a division"),
        form: form(&subject, dice),
        subject,
        channel: channels[dice.index(channels.len())],
        hand_over: dice.below(5) > 0,
    }
}

/// A filled form; a corrected one is a new one.
pub(crate) fn form(subject: &str, dice: &mut Dice) -> Vec<u8> {
    let notes = "投靠".repeat(dice.index(60));
    let number = dice.below(1_000_000);
    format!(
        "{{\"applicant\":{{\"name\":\"王{number}\",\"id_number\":\"{subject}\"}},\
         \"reason\":\"join-husband\",\"notes\":\"{notes}\"}}"
    )
    .into_bytes()
}
