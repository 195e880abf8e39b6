//! No node gives up: it starts after every crash, its log works, and none of its groups stops.

use tongban_runtime::NodeReport;
use tongban_types::NodeId;

use super::Violation;

const NAME: &str = "no node gives up";

/// Judges a node that is up.
pub fn check(report: &NodeReport) -> Result<(), Violation> {
    if report.failed {
        return broken(report.node, "has failed");
    }
    for group in &report.groups {
        if group.status.stopped {
            return broken(report.node, &format!("has stopped group {}", group.group));
        }
        if group.evidence > 0 {
            let what = format!("holds proof of fraud in {}, and nobody cheats", group.group);
            return broken(report.node, &what);
        }
    }
    Ok(())
}

/// Judges a start.
pub fn check_start(node: NodeId, failure: Option<String>) -> Result<(), Violation> {
    match failure {
        None => Ok(()),
        Some(reason) => broken(node, &format!("does not start: {reason}")),
    }
}

fn broken(node: NodeId, what: &str) -> Result<(), Violation> {
    Err(Violation::new(NAME, format!("{node} {what}")))
}
