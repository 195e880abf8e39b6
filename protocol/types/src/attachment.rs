//! Attachments as a case names them: the list travels sealed with the form, so a log carries no name
//! and no hash of a file, only the salted hash of form and list together. How bytes are kept and
//! carried is `node/blobs`.

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Serialize};

use crate::codec::{DecodeError, Record, decode, encode};
use crate::hash::{Hash, sha256};
use crate::ids::MalformedId;
use crate::{limits, records};

/// The BLAKE3 root hash of a whole file, 32 bytes: its name wherever it lies. A verified range leads to
/// the same root, so that it is also what each piece on a wire is checked against.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlobHash(pub [u8; 32]);

impl std::fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobHash({}…)", &self.to_string()[..12])
    }
}

impl std::fmt::Display for BlobHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl std::str::FromStr for BlobHash {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        let array = bytes.and_then(|bytes| bytes.try_into().ok());
        array.map(Self).ok_or_else(|| MalformedId {
            what: "hash of a file",
            what_zh: "文件的哈希",
            // Whatever it is instead may be long or personal.
            given: format!("{} bytes", text.len()),
            rule: "64 hexadecimal digits, a BLAKE3 hash",
            rule_zh: "64 位十六进制的 BLAKE3 哈希",
        })
    }
}

/// One file of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What people call it; checked by [`Attachment::check`].
    pub name: String,
    /// Its media type (RFC 9110 §8.3.1), `type/subtype` without parameters.
    pub media_type: String,
    /// Its length in bytes.
    pub size: u64,
    /// Which bytes.
    pub blob: BlobHash,
    /// Hash of the [`Manifest`] it was entered with.
    pub manifest: Hash,
}

impl Attachment {
    /// Names a file as a whole.
    pub fn new(
        name: String,
        media_type: String,
        size: u64,
        blob: BlobHash,
    ) -> Result<Self, MalformedId> {
        let attachment = Self {
            name,
            media_type,
            size,
            blob,
            manifest: Manifest::whole(blob, size).id(),
        };
        attachment.check()?;
        Ok(attachment)
    }

    /// Whether name and media type may be shown, and stand in a header, wherever it goes.
    pub fn check(&self) -> Result<(), MalformedId> {
        let refused = |(what, what_zh), (rule, rule_zh)| MalformedId {
            what,
            what_zh,
            given: String::new(),
            rule,
            rule_zh,
        };
        if !is_name(&self.name) {
            let rule = (
                "1 to 200 bytes, no slash, no control character, not a dot alone or in front",
                "1 至 200 字节, 不含斜杠和控制字符, 不以点开头",
            );
            return Err(refused(("name of a file", "文件名"), rule));
        }
        if !is_media_type(&self.media_type) {
            let rule = (
                "type/subtype, at most 100 bytes",
                "类型/子类型, 最多 100 字节",
            );
            return Err(refused(("media type", "媒体类型"), rule));
        }
        if self.size > limits::BLOB_BYTES_MAX {
            let what = ("size of a file", "文件的大小");
            return Err(refused(what, ("at most 64 GiB", "最多 64 GiB")));
        }
        Ok(())
    }

    /// Whether [`Attachment::new`] makes it so.
    fn is_as_made(&self) -> bool {
        self.check().is_ok() && self.manifest == Manifest::whole(self.blob, self.size).id()
    }
}

fn is_name(name: &str) -> bool {
    // Directional marks make a name read as another one.
    let is_bad = |c: char| {
        c.is_control()
            || matches!(c, '/' | '\\' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    (1..=limits::ATTACHMENT_NAME_BYTES_MAX).contains(&name.len())
        && name.trim() == name
        && !name.starts_with('.')
        && !name.contains(is_bad)
}

fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !part.is_empty() && part.bytes().all(allowed)
    };
    text.len() <= limits::MEDIA_TYPE_BYTES_MAX
        && text
            .split_once('/')
            .is_some_and(|(kind, sub)| is_token(kind) && is_token(sub))
}

/// How the bytes of a file are cut. Versions of it may come; the name of the file stays its
/// [`BlobHash`], so that a file cut anew is the same file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The whole file.
    pub blob: BlobHash,
    /// Its length in bytes.
    pub size: u64,
    /// How it is cut.
    pub layout: Layout,
}

/// Ways to cut a file. Tags are permanent; content-defined chunks will be the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// Not cut: one piece, verified in groups of 2^`group_log` chunks of 1,024 bytes.
    Whole {
        /// Binary logarithm of a group's chunks.
        group_log: u8,
    },
}

impl Manifest {
    /// A file in one piece.
    pub const fn whole(blob: BlobHash, size: u64) -> Self {
        Self {
            blob,
            size,
            layout: Layout::Whole {
                group_log: limits::BLOB_GROUP_LOG,
            },
        }
    }

    /// SHA-256 of its record.
    pub fn id(&self) -> Hash {
        sha256(&encode(self))
    }
}

/// What is sealed as the form of a case: the filled form, and the files handed in with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The filled form, JSON text.
    #[serde(with = "crate::run")]
    pub form: Vec<u8>,
    /// The files, in the order they were named.
    pub attachments: Vec<Attachment>,
}

/// No JSON text begins with it: behind it stands an encoded [`Package`].
const PACKAGE_MARK: u8 = 0;

impl Package {
    /// The text that is salted, hashed and sealed. Without files it is the form itself, as it
    /// was before there were any.
    pub fn to_text(&self) -> Vec<u8> {
        if self.attachments.is_empty() {
            return self.form.clone();
        }
        let mut text = vec![PACKAGE_MARK];
        text.extend(encode(self));
        text
    }

    /// Reads a text back. Another city may have sealed it, so every file it lists is looked at: a list
    /// in which one may not be shown is none.
    pub fn of_text(text: &[u8]) -> Result<Self, DecodeError> {
        match text.split_first() {
            Some((&PACKAGE_MARK, record)) => {
                let package: Self = decode(record)?;
                let may_be_shown = package.attachments.len() <= limits::ATTACHMENTS_MAX
                    && package.attachments.iter().all(Attachment::is_as_made);
                let name = <Self as Record>::NAME;
                may_be_shown
                    .then_some(package)
                    .ok_or(DecodeError::Body { name })
            }
            _ => Ok(Self {
                form: text.to_vec(),
                attachments: Vec::new(),
            }),
        }
    }
}

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (bytes, files) = (self.form.len(), self.attachments.len());
        write!(f, "Package({bytes} bytes, {files} files)")
    }
}

records! {
    Package = 208 v 1 "package of a case";
    Manifest = 209 v 1 "manifest";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, media_type: &str) -> Result<Attachment, MalformedId> {
        Attachment::new(name.to_owned(), media_type.to_owned(), 5, BlobHash([7; 32]))
    }

    #[test]
    fn a_name_can_be_shown_and_is_no_path() {
        for good in [
            "营业执照.pdf",
            "a",
            "drawing v2 (final).dwg",
            &"x".repeat(200),
        ] {
            assert!(named(good, "application/pdf").is_ok(), "{good}");
        }
        let long = "x".repeat(201);
        let bad = [
            "",
            " a",
            "a ",
            ".",
            "..",
            ".profile",
            "a/b",
            "a\\b",
            "a\nb",
            "a\0",
            "\u{202e}fdp.exe",
            &long,
        ];
        for bad in bad {
            assert!(named(bad, "application/pdf").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_media_type_is_two_tokens() {
        for good in ["image/png", "application/vnd.ofd+zip", "a/b"] {
            assert!(named("a", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "png",
            "image/",
            "/png",
            "text/html; charset=utf-8",
            "a/b/c",
            "a/b\r\nx",
        ] {
            assert!(named("a", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_package_without_files_is_the_form_as_it_always_was() {
        let form = br#"{"a":1}"#.to_vec();
        let mut package = Package {
            form: form.clone(),
            attachments: Vec::new(),
        };
        assert_eq!(package.to_text(), form);
        assert_eq!(Package::of_text(&form).unwrap(), package);
        package.attachments = vec![named("营业执照.pdf", "application/pdf").unwrap()];
        let text = package.to_text();
        assert_eq!(text[0], 0);
        assert_eq!(Package::of_text(&text).unwrap(), package);
        assert!(Package::of_text(&text[..text.len() - 1]).is_err());
    }

    #[test]
    fn a_list_of_another_city_is_looked_at_before_it_is_shown() {
        type Spoil = fn(&mut Vec<Attachment>);
        let spoils: [Spoil; 8] = [
            |files| files[1].name = "\u{202e}fdp.exe".to_owned(),
            |files| files[1].name = "../passwd".to_owned(),
            |files| files[1].name = "a\nb".to_owned(),
            |files| files[1].media_type = "text/html\r\nx: y".to_owned(),
            |files| files[1].size = u64::MAX,
            |files| files[1].size += 1,
            |files| files[1].manifest = Hash([0; 32]),
            |files| files.resize(limits::ATTACHMENTS_MAX + 1, files[0].clone()),
        ];
        let file = named("a.pdf", "application/pdf").unwrap();
        let good = vec![file.clone(), file];
        let read = |attachments: Vec<Attachment>| {
            let form = b"{}".to_vec();
            Package::of_text(&Package { form, attachments }.to_text())
        };
        assert!(read(good.clone()).is_ok());
        for (number, spoil) in spoils.into_iter().enumerate() {
            let mut files = good.clone();
            spoil(&mut files);
            assert!(read(files).is_err(), "{number}");
        }
    }

    #[test]
    fn a_hash_is_read_as_it_is_shown() {
        let hash = BlobHash([0xab; 32]);
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().to_uppercase().parse(), Ok(hash));
        for bad in [
            "",
            "ab",
            &"ab".repeat(31),
            &"ab".repeat(33),
            &"gg".repeat(32),
        ] {
            assert!(bad.parse::<BlobHash>().is_err(), "{bad}");
        }
    }
}
