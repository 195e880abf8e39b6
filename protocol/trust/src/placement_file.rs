//! An order of placement as a file: JSON that people read, and that a governance key signs where it is
//! kept. The signature covers the order as it enters a log, so that the file's spacing is of no account.

use data_encoding::HEXLOWER;
use thiserror::Error;
use tongban_types::{
    Code, GroupId, NodeId, PlacementOrder, PublicKey, Purpose, Signature, Signed, encode, limits,
};

use crate::json::{Fields, Json, JsonError, ShapeError, ShapeProblem, indented, read_strict};
use crate::signing::SigningKey;

/// What the file says it is.
pub const PLACEMENT_SCHEMA: &str = "tongban.placement-order/v1";

/// The longest file: 13 nodes and a reason of 512 bytes are far shorter.
const FILE_BYTES_MAX: usize = 16 * 1024;

/// Why a file is no order of placement.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PlacementFileError {
    /// It is not strict JSON.
    #[error("the placement order is not strict JSON")]
    Json(#[from] JsonError),
    /// It is JSON of another form.
    #[error("the placement order has another form")]
    Shape(#[from] ShapeError),
}

impl PlacementFileError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::Json(error) => error.code(),
            Self::Shape(_) => Code::PLACEMENT_MALFORMED,
        }
    }
}

/// An order, signed or not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementFile {
    order: PlacementOrder,
    signature: Option<(PublicKey, Signature)>,
}

impl PlacementFile {
    /// An order nobody signed yet.
    pub const fn new(order: PlacementOrder) -> Self {
        Self {
            order,
            signature: None,
        }
    }

    /// What it says.
    pub const fn order(&self) -> &PlacementOrder {
        &self.order
    }

    /// Signs it, in place of whoever signed it before: one key places a group.
    pub fn sign(&mut self, key: &SigningKey) {
        let signed = key.sign(Purpose::PlacementOrder, encode(&self.order));
        self.signature = Some((signed.signer, signed.signature));
    }

    /// As it enters a log; whether the signature holds is judged there. `None` before it is signed.
    pub fn signed(&self) -> Option<Signed> {
        let (signer, signature) = self.signature?;
        Some(Signed {
            signer,
            signature,
            bytes: encode(&self.order),
        })
    }

    /// Reads a file.
    pub fn decode(bytes: &[u8]) -> Result<Self, PlacementFileError> {
        Ok(Self::of_json(read_strict(bytes, FILE_BYTES_MAX)?)?)
    }

    /// Reads what was read as JSON already.
    pub fn of_json(value: Json) -> Result<Self, ShapeError> {
        let mut fields = Fields::of(value, "order")?;
        let schema = fields.text("schema")?;
        if schema != PLACEMENT_SCHEMA {
            let problem = ShapeProblem::OtherText {
                expected: PLACEMENT_SCHEMA,
            };
            return Err(ShapeError::new(fields.place_of("schema"), problem));
        }
        let group = parsed(&fields.text("group")?, || fields.place_of("group"))?;
        let version = u64::try_from(fields.integer("version")?)
            .map_err(|_| ShapeError::new(fields.place_of("version"), ShapeProblem::Negative))?;
        let voters = nodes(&mut fields, "voters", limits::VOTERS_MAX)?;
        let learners = nodes(&mut fields, "learners", limits::LEARNERS_MAX)?;
        let reason = fields.text("reason")?;
        let signature = match fields.take("signature")? {
            Json::Null => None,
            value => Some(signature_of(Fields::of(value, "order.signature")?)?),
        };
        fields.end()?;
        Ok(Self {
            order: PlacementOrder {
                group: GroupId(group),
                version,
                voters,
                learners,
                reason,
            },
            signature,
        })
    }

    /// The file as JSON.
    pub fn to_json(&self) -> Json {
        let names = |nodes: &[NodeId]| {
            let names = nodes.iter().map(|node| Json::text(node.to_string()));
            Json::List(names.collect())
        };
        let version = i64::try_from(self.order.version).unwrap_or(i64::MAX);
        let signature = self
            .signature
            .as_ref()
            .map_or(Json::Null, |(signer, signature)| {
                Json::object([
                    ("signer", Json::text(HEXLOWER.encode(&signer.0))),
                    ("sig", Json::text(HEXLOWER.encode(&signature.0))),
                ])
            });
        Json::object([
            ("schema", Json::text(PLACEMENT_SCHEMA)),
            ("group", Json::text(self.order.group.to_string())),
            ("version", Json::Integer(version)),
            ("voters", names(&self.order.voters)),
            ("learners", names(&self.order.learners)),
            ("reason", Json::text(&*self.order.reason)),
            ("signature", signature),
        ])
    }

    /// The file as people read it.
    pub fn encode_indented(&self) -> String {
        indented(&self.to_json())
    }
}

fn parsed<T: std::str::FromStr>(
    text: &str,
    place: impl FnOnce() -> String,
) -> Result<T, ShapeError> {
    text.parse()
        .map_err(|_| ShapeError::new(place(), ShapeProblem::MalformedCode))
}

fn nodes(fields: &mut Fields, name: &str, max: usize) -> Result<Vec<NodeId>, ShapeError> {
    let place = fields.place_of(name);
    let texts = fields.texts(name, max)?;
    let parsed = texts.iter().map(|text| parsed(text, || place.clone()));
    let mut nodes: Vec<NodeId> = parsed.collect::<Result<_, _>>()?;
    // An order lists them sorted; people need not.
    nodes.sort_unstable();
    Ok(nodes)
}

fn signature_of(mut fields: Fields) -> Result<(PublicKey, Signature), ShapeError> {
    let signer = hex(&mut fields, "signer")?;
    let signature = hex(&mut fields, "sig")?;
    fields.end()?;
    Ok((PublicKey(signer), Signature(signature)))
}

fn hex<const BYTES: usize>(fields: &mut Fields, name: &str) -> Result<[u8; BYTES], ShapeError> {
    let text = fields.text(name)?;
    let bytes = HEXLOWER.decode(text.as_bytes()).ok();
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| {
        let problem = ShapeProblem::NotHexadecimal { digits: BYTES * 2 };
        ShapeError::new(fields.place_of(name), problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::verify_signed;

    fn node(number: u8) -> NodeId {
        NodeId::new("350100".parse().unwrap(), number).unwrap()
    }

    fn file() -> PlacementFile {
        PlacementFile::new(PlacementOrder {
            group: GroupId("350100".parse().unwrap()),
            version: 3,
            voters: [1, 2, 3].map(node).to_vec(),
            learners: vec![node(4)],
            reason: "换机".to_owned(),
        })
    }

    #[test]
    fn a_file_reads_back_as_it_was_written_signed_or_not() {
        let mut file = file();
        let read = PlacementFile::decode(file.encode_indented().as_bytes()).unwrap();
        assert_eq!((&read, read.signed()), (&file, None));
        let key = SigningKey::from_seed(&[9; 32]);
        file.sign(&key);
        let read = PlacementFile::decode(file.encode_indented().as_bytes()).unwrap();
        assert_eq!(read, file);
        let signed = read.signed().unwrap();
        assert_eq!(signed.signer, key.public());
        assert!(verify_signed(Purpose::PlacementOrder, &signed).is_ok());
    }

    #[test]
    fn a_signature_covers_every_member_of_the_order() {
        let mut file = file();
        file.sign(&SigningKey::from_seed(&[9; 32]));
        let text = file.encode_indented();
        for (was, is) in [
            ("350100-03", "350100-05"),
            ("350100-04", "350100-06"),
            ("\"version\": 3", "\"version\": 4"),
            ("换机", "换人"),
            ("\"350100\"", "\"350300\""),
        ] {
            assert!(text.contains(was), "{was} in {text}");
            let changed = PlacementFile::decode(text.replace(was, is).as_bytes()).unwrap();
            let signed = changed.signed().unwrap();
            assert!(verify_signed(Purpose::PlacementOrder, &signed).is_err());
        }
    }

    #[test]
    fn nodes_may_be_listed_in_any_order() {
        let text = file().encode_indented();
        let turned = text.replacen("350100-01", "350100-09", 1);
        let turned = turned.replacen("350100-03", "350100-01", 1);
        let read = PlacementFile::decode(turned.as_bytes()).unwrap();
        assert_eq!(read.order().voters, [1, 2, 9].map(node));
    }

    #[test]
    fn what_is_no_order_is_told_by_its_place() {
        let text = file().encode_indented();
        for (was, is, place) in [
            ("350100-02", "350100-2x", "order.voters"),
            ("placement-order/v1", "placement-order/v9", "order.schema"),
            ("\"version\": 3", "\"version\": -3", "order.version"),
            ("\"reason\"", "\"raison\"", "order.reason"),
            (
                "\"signature\": null",
                "\"signature\": {\"signer\": \"00\"}",
                "order.signature.signer",
            ),
        ] {
            let error = PlacementFile::decode(text.replace(was, is).as_bytes()).unwrap_err();
            assert_eq!(error.code(), Code::PLACEMENT_MALFORMED);
            let PlacementFileError::Shape(shape) = &error else {
                panic!("{error:?}");
            };
            assert_eq!(shape.place, place);
        }
        let error = PlacementFile::decode(b"{").unwrap_err();
        assert_eq!(error.code(), Code::JSON_NOT_STRICT);
    }
}
