//! From a plan to the registry it describes.

use std::collections::BTreeMap;
use std::path::Path;

use tongban_trust::{NodeEnrolment, Registry, RegistryDraft};
use tongban_types::{KeyRole, PublicKey, SealingPublicKey};

use super::super::plan_error::{KeysRule, PlanError};
use super::{CityPlan, NodePlan, PLAN_BYTES_MAX, Plan};
use crate::files::read_bounded;
use crate::keys::Enrolment;

impl Plan {
    /// The registry it describes: the first, or the one after `current`, whose keys stay. Enrolment
    /// files are looked for beside `folder`.
    pub(crate) fn to_registry(
        &self,
        folder: &Path,
        current: Option<&Registry>,
    ) -> Result<Registry, PlanError> {
        let mut draft = match current {
            Some(current) => RegistryDraft::after(current, self.expires),
            None => RegistryDraft::first(self.expires),
        };
        for city in &self.cities {
            self.add_city(&mut draft, city, folder)?;
        }
        // Voters may be other cities' nodes, so they come when all are there.
        for city in &self.cities {
            let mut voters = city.voters.clone();
            voters.sort_unstable();
            draft.voters(city.code, &voters)?;
        }
        Ok(draft.check()?)
    }

    fn add_city(
        &self,
        draft: &mut RegistryDraft,
        city: &CityPlan,
        folder: &Path,
    ) -> Result<(), PlanError> {
        draft.city(city.code, &city.name, &city.issuer);
        if let Some(divisions) = &city.divisions
            && let Some(entry) = draft.cities.get_mut(&city.code)
        {
            entry.divisions.clone_from(divisions);
        }
        if let Some(key) = city.governance {
            draft.governance(city.code, PublicKey(key.0));
        }
        for node in &city.nodes {
            if node.retired {
                draft.retire(node.id)?;
                continue;
            }
            let (keys, sealing) = node.public_keys(folder)?;
            draft.enrol(&NodeEnrolment {
                node: node.id,
                addresses: node.addresses.clone(),
                keys,
                sealing,
                not_before: self.keys_from,
                not_after: self.keys_until,
            })?;
        }
        Ok(())
    }
}

type PublicKeys = (BTreeMap<KeyRole, PublicKey>, SealingPublicKey);

impl NodePlan {
    fn public_keys(&self, folder: &Path) -> Result<PublicKeys, PlanError> {
        let refused = |rule| {
            Err(PlanError::Keys {
                node: self.id,
                rule,
            })
        };
        match (&self.enrolment, &self.keys, self.sealing) {
            (Some(file), None, None) => {
                let file = folder.join(file);
                let bytes = read_bounded(&file, PLAN_BYTES_MAX)?;
                let enrolment: Enrolment = serde_json::from_slice(&bytes)
                    .map_err(|source| PlanError::Enrolment { file, source })?;
                if enrolment.node() != self.id {
                    return refused(KeysRule::OfAnotherNode);
                }
                Ok((enrolment.keys(), enrolment.sealing()))
            }
            (None, Some(keys), Some(sealing)) => {
                let keys = keys
                    .iter()
                    .map(|(role, key)| (*role, PublicKey(key.0)))
                    .collect();
                Ok((keys, SealingPublicKey(sealing.0)))
            }
            _ => refused(KeysRule::NotOnce),
        }
    }
}

#[cfg(test)]
mod tests {
    use tongban_types::{CityCode, GroupId, NodeId};

    use super::super::tests::plan_text;
    use super::*;

    #[test]
    fn a_plan_makes_a_registry_and_the_one_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let text = plan_text(folder.path());
        let plan = Plan::parse(Path::new("plan.toml"), &text).unwrap();
        let first = plan.to_registry(folder.path(), None).unwrap();
        assert_eq!((first.version(), first.cities().count()), (1, 3));
        let fuzhou = CityCode::new(350_100).unwrap();
        assert_eq!(first.voters(GroupId(fuzhou)).len(), 3);
        let renamed = text.replace("350300 市", "莆田市");
        let plan = Plan::parse(Path::new("plan.toml"), &renamed).unwrap();
        let next = plan.to_registry(folder.path(), Some(&first)).unwrap();
        assert_eq!(next.version(), 2);
        assert_eq!(next.nodes().count(), 3);
    }

    #[test]
    fn a_machine_that_is_given_up_is_retired_by_one_line_and_stays_so() {
        let folder = tempfile::tempdir().unwrap();
        let text = plan_text(folder.path());
        let read = |text: &str, after: Option<&Registry>| {
            let plan = Plan::parse(Path::new("plan.toml"), text).unwrap();
            plan.to_registry(folder.path(), after)
        };
        let first = read(&text, None).unwrap();
        let enrolment = "enrolment = \"350300.json\"";
        let retired = text.replace(enrolment, &format!("{enrolment}\nretired = true"));
        let lost: NodeId = "350300-01".parse().unwrap();
        let next = read(&retired, Some(&first)).unwrap();
        assert_eq!(next.key_of(KeyRole::Transport, lost), None);
        let kept = first.key_of(KeyRole::Receipt, lost).unwrap();
        assert_eq!(next.key(kept).unwrap().node, lost);
        assert!(next.check_follows(&first).is_ok());
        let later = read(&retired, Some(&next)).unwrap();
        assert_eq!(later.key_of(KeyRole::Command, lost), None);
        // The line taken away brings nobody back, and whoever was never there cannot be retired.
        let refused = |text: &str, after| matches!(read(text, after), Err(PlanError::Rule(_)));
        assert!(refused(&text, Some(&next)));
        assert!(refused(&retired, None));
    }
}
