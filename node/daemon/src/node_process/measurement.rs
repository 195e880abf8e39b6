//! Measuring without sealing leaves forms in the clear in every voter's log. It is refused to any node
//! that could have a partner on another machine, so that no configuration makes a city do it.

use std::net::SocketAddr;

use tongban_api::Said;
use tongban_trust::Registry;
use tongban_types::Code;

use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::Failure;

/// Refuses unless every node of the registry, this one included, is on this very machine.
pub(super) fn check_measurement(
    configuration: &Configuration,
    registry: &Registry,
) -> Result<(), Failure> {
    let is_here = |address: &str| {
        let address: Result<SocketAddr, _> = address.parse();
        address.is_ok_and(|address| address.ip().is_loopback())
    };
    let mut addresses = registry.nodes().flat_map(|(_, node)| &node.addresses);
    if configuration.federation_listen.ip().is_loopback() && addresses.all(|at| is_here(at)) {
        tracing::warn!("forms are left in the clear, to measure what sealing costs");
        return Ok(());
    }
    let says = Said::new(
        "名册中有不在本机的节点",
        "the registry has nodes that are not on this machine",
    );
    let (code, exit) = (Code::MEASUREMENT_REFUSED, Exit::BadConfiguration);
    Err(Failure::told(code, exit, says))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tongban_trust::testing::sample_draft;

    use super::*;

    /// The sample configuration of Fuzhou, listening at `address`.
    fn configuration(address: &str) -> Configuration {
        let text = include_str!("../../../../deploy/six-cities/350100-fuzhou/node.toml");
        let mut read = Configuration::parse(Path::new("node.toml"), text).unwrap();
        read.federation_listen = address.parse().unwrap();
        read
    }

    fn code_of(listen: &str, peers: &str) -> Option<Code> {
        let mut draft = sample_draft();
        for city in draft.cities.values_mut() {
            for node in city.nodes.values_mut() {
                node.addresses = vec![peers.to_owned()];
            }
        }
        let registry = draft.check().unwrap();
        check_measurement(&configuration(listen), &registry)
            .err()
            .map(|refused| refused.code)
    }

    #[test]
    fn only_a_federation_on_one_machine_may_leave_forms_in_the_clear() {
        let refused = Some(Code::MEASUREMENT_REFUSED);
        assert_eq!(code_of("127.0.0.1:7400", "127.0.0.1:7401"), None);
        assert_eq!(code_of("0.0.0.0:7400", "127.0.0.1:7401"), refused);
        assert_eq!(code_of("127.0.0.1:7400", "10.0.0.2:7401"), refused);
        assert_eq!(code_of("127.0.0.1:7400", "localhost:7401"), refused);
    }
}
