//! Tokens made, found, revoked, and files spoiled by hand.

use std::fs;

use tongban_types::{CityCode, PersonId};

use super::*;

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_478_400_000);

/// Counts up, so that every token differs.
#[derive(Default)]
struct Counting(std::sync::atomic::AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    }
}

fn clerk() -> Actor {
    Actor {
        city: CityCode::new(350_100).unwrap(),
        person: PersonId::new("lin.window1").unwrap(),
        role: Role::Clerk,
    }
}

fn create(book: &FileTokenBook, entropy: &Counting) -> NewToken {
    let expires = NOW.plus_ms(1_000);
    book.create(&clerk(), expires, "窗口 1", NOW, entropy)
        .unwrap()
}

#[test]
fn a_token_made_elsewhere_works_at_once_and_a_revoked_one_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let (running, command_line) = (
        FileTokenBook::open(&path).unwrap(),
        FileTokenBook::open(&path).unwrap(),
    );
    let entropy = Counting::default();
    let first = create(&command_line, &entropy);
    let second = create(&command_line, &entropy);
    let session = running.find(first.token.expose()).unwrap();
    assert_eq!(session.actor, clerk());
    assert_eq!(session.token_hash, first.token.hash());
    command_line.revoke(&first.id).unwrap();
    assert_eq!(running.find(first.token.expose()), None);
    assert!(running.find(second.token.expose()).is_some());
    assert_eq!(running.list().unwrap().len(), 1);
    assert!(matches!(
        command_line.revoke(&first.id),
        Err(TokenBookError::NoSuchToken { .. })
    ));
}

#[test]
fn the_file_holds_no_token_and_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let book = FileTokenBook::open(&path).unwrap();
    let made = create(&book, &Counting::default());
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(made.token.expose()));
    assert!(text.contains(&made.token.hash().to_string()));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!format!("{made:?}").contains(made.token.expose()));
}

#[test]
fn what_was_never_a_token_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let book = FileTokenBook::open(folder.path().join("tokens.json")).unwrap();
    let made = create(&book, &Counting::default());
    let hash = made.token.hash().to_string();
    for text in ["", "x", &hash, &made.token.expose()[1..], "号"] {
        assert_eq!(book.find(text), None, "{text}");
    }
    let other = made.token.expose().replace('A', "B");
    assert_eq!(book.find(&other), None);
}

#[test]
fn a_spoiled_file_keeps_the_tokens_read_before_and_does_not_open_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let book = FileTokenBook::open(&path).unwrap();
    let made = create(&book, &Counting::default());
    for spoiled in ["{", "{\"tokens\":[{\"id\":\"x\"}]}"] {
        fs::write(&path, spoiled).unwrap();
        assert!(book.find(made.token.expose()).is_some());
        assert!(matches!(
            FileTokenBook::open(&path),
            Err(TokenBookError::File { .. })
        ));
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(book.find(made.token.expose()), None);
}

#[test]
fn a_file_cannot_give_anyone_the_role_of_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let book = FileTokenBook::open(&path).unwrap();
    create(&book, &Counting::default());
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"clerk\"", "\"system\"")).unwrap();
    assert!(FileTokenBook::open(&path).is_err());
}

#[test]
fn a_token_is_not_made_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let book = FileTokenBook::open(folder.path().join("tokens.json")).unwrap();
    let entropy = Counting::default();
    let later = NOW.plus_ms(1);
    let system = Actor::system(clerk().city);
    assert!(matches!(
        book.create(&system, later, "", NOW, &entropy),
        Err(TokenBookError::RoleOfTheNode)
    ));
    assert!(matches!(
        book.create(&clerk(), NOW, "", NOW, &entropy),
        Err(TokenBookError::ExpiresInThePast)
    ));
    assert!(matches!(
        book.create(&clerk(), later, "a\nb", NOW, &entropy),
        Err(TokenBookError::Label)
    ));
}
