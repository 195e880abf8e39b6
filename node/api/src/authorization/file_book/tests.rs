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
fn a_spoiled_file_keeps_the_tokens_read_before_for_a_minute_and_does_not_open_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let book = FileTokenBook::open(&path).unwrap();
    let made = create(&book, &Counting::default());
    let whole = fs::read(&path).unwrap();
    let begun = Instant::now();
    let is_found = |after_s| {
        let now = begun + Duration::from_secs(after_s);
        book.find_at(made.token.expose(), now).is_some()
    };
    for spoiled in ["{", "{\"tokens\":[{\"id\":\"x\"}]}"] {
        fs::write(&path, spoiled).unwrap();
        assert!(is_found(0) && is_found(59));
        assert!(!is_found(60) && !is_found(0));
        assert!(matches!(
            FileTokenBook::open(&path),
            Err(TokenBookError::File { .. })
        ));
        fs::write(&path, &whole).unwrap();
        assert!(is_found(61));
    }
    fs::remove_file(&path).unwrap();
    assert!(!is_found(62));
}

#[test]
fn the_token_of_the_process_stands_in_no_file_and_needs_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let token = AccessToken::make(&Counting::default());
    let session = Session {
        actor: clerk(),
        token_hash: token.hash(),
        expires: NOW,
    };
    let book = FileTokenBook::open(&path)
        .unwrap()
        .with_standing(session.clone());
    assert!(!path.exists());
    assert_eq!(book.find(token.expose()), Some(session.clone()));
    fs::write(&path, "{").unwrap();
    let later = Instant::now() + 2 * UNREADABLE_TIME_MAX;
    assert_eq!(book.find_at(token.expose(), later), Some(session));
}

/// Only root may give a file away; for anybody else the owner is the same before and after.
#[test]
fn a_change_leaves_the_file_its_owner_and_mode() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let other = Some(54_321);
    let may_give = chown(folder.path(), other, other).is_ok();
    let seen = |path: &std::path::Path| {
        let found = fs::metadata(path).unwrap();
        (found.uid(), found.gid(), found.mode() & 0o777)
    };
    let entropy = Counting::default();
    let book = FileTokenBook::open(&path).unwrap();
    create(&book, &entropy);
    let first = seen(&path);
    assert_eq!(first.0 == 54_321, may_give);
    assert_eq!(seen(&folder.path().join("tokens.json.lock")), first);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    create(&book, &entropy);
    assert_eq!(seen(&path), (first.0, first.1, 0o640));
}

/// The mount point of a container's volume may be root's while the node runs as another.
#[test]
fn the_file_is_of_whoever_has_the_keys() {
    use std::os::unix::fs::{MetadataExt, chown};
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    fs::create_dir(&keys).unwrap();
    let other = Some(54_321);
    let may_give = chown(&keys, other, other).is_ok();
    let path = folder.path().join("tokens.json");
    let book = FileTokenBook::open(&path).unwrap();
    create(&book, &Counting::default());
    let owner = fs::metadata(&path).unwrap().uid();
    assert_eq!(owner == 54_321, may_give);
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
