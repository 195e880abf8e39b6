//! Another machine of a city in the place of one that is lost, as operators bring it in: configured as that one
//! was, under a number of its own, and enrolled by the next registry.

use std::fs;
use std::net::Ipv4Addr;

use anyhow::{Context, Result, ensure};

use super::setup::{free_ports, sign_by_cities, text};
use super::{Federation, Place};
use crate::process::tongban;

impl Federation {
    /// Where another machine of a city is to stand, configured as its first in all but its number, its folder
    /// and its addresses. Its data folder is not there yet.
    pub fn another_machine(&self, index: usize, number: u8) -> Result<Place> {
        let first = &self.places[index];
        let node = format!("{}-{number:02}", first.code);
        let own = self.root().join(&node);
        fs::create_dir(&own)?;
        let ports = free_ports(2)?;
        let place = Place {
            node,
            data: own.join("data"),
            log: own.join("node.log"),
            http: (Ipv4Addr::LOCALHOST, ports[0]).into(),
            federation: (Ipv4Addr::LOCALHOST, ports[1]).into(),
            config: own.join("node.toml"),
            ..first.clone()
        };
        let changes = [
            ("number = 1".to_owned(), format!("number = {number}")),
            (text(&first.data)?.to_owned(), text(&place.data)?.to_owned()),
            (first.http.to_string(), place.http.to_string()),
            (first.federation.to_string(), place.federation.to_string()),
        ];
        let mut configuration = fs::read_to_string(&first.config)?;
        for (from, to) in changes {
            ensure!(
                configuration.contains(&from),
                "{from} is not in {configuration}"
            );
            configuration = configuration.replace(&from, &to);
        }
        fs::write(&place.config, configuration)?;
        Ok(place)
    }

    /// Brings the next registry out, in which the newcomer is enrolled and the lost node retired. It takes the
    /// place of the one before, which stands beside it as nodes look for it; they read it when they start.
    pub fn succeed(&self, lost: &Place, newcomer: &Place) -> Result<()> {
        let root = self.root();
        let (data, node) = (text(&newcomer.data)?, &newcomer.node);
        let enrolment = tongban(&["key", "show", "--data", data, "--node", node])?;
        fs::write(root.join(format!("{node}.json")), enrolment.to_string())?;
        let before = format!("enrolment = \"{}.json\"\n", lost.node);
        let after = format!(
            "{before}retired = true\n[[city.node]]\nid = \"{node}\"\naddresses = [\"{address}\"]\n\
             enrolment = \"{node}.json\"\n",
            address = newcomer.federation,
        );
        let file = root.join("plan.toml");
        let plan = fs::read_to_string(&file)?;
        ensure!(plan.contains(&before), "{before} is not in {plan}");
        fs::write(&file, plan.replace(&before, &after))?;

        let (plan, current) = (text(&file)?, text(&self.registry)?);
        let next = root.join("next.json");
        let out = text(&next)?;
        let words = ["registry", "make", "--plan", plan, "--after", current];
        let made = tongban(&[&words[..], &["--out", out]].concat())?;
        sign_by_cities(root, &self.places, out)?;
        let checked = tongban(&["registry", "check", out, "--after", current])?;
        ensure!(checked["verdict"] == "valid", "{checked}");
        let version = made["version"].as_u64().context("a version")?;
        let beside = format!("{}.json", version - 1);
        fs::rename(&self.registry, self.registry.with_extension(beside))?;
        fs::rename(&next, &self.registry).context("the next registry")
    }
}
