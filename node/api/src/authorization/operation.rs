//! The one table of what each role may call.

use tongban_types::Role;

/// What a caller asks for, as far as roles differ in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// 收件.
    Collect,
    /// 转送.
    Transfer,
    /// 一次性告知.
    AskCorrection,
    /// 补正.
    Correct,
    /// 受理.
    Accept,
    /// 不予受理.
    RefuseToAccept,
    /// 审.
    Review,
    /// 核.
    Decide,
    /// 送达.
    Deliver,
    /// 撤回.
    Withdraw,
    /// Cases without their forms.
    ReadCases,
    /// The filled form of a case.
    ReadForm,
    /// The document of a case.
    ReadDocument,
    /// The receipt of a case.
    ReadReceipt,
    /// The catalogue.
    ReadItems,
    /// Cities and registry.
    ReadFederation,
    /// How the node stands.
    ReadStatus,
    /// What the node counts.
    ReadMetrics,
    /// The links to other nodes.
    ReadPeers,
    /// A round trip to another node.
    PingPeer,
    /// A backup of the node, sealed to its recovery key.
    MakeBackup,
    /// How groups stand.
    ReadGroups,
    /// What an order of placement would do.
    PlanPlacement,
    /// Handing a signed order of placement in.
    PlaceGroup,
    /// Handing the lead of a group over.
    HandOverLead,
    /// Taking the node out of service and back into it.
    DrainNode,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::Collect,
        Self::Transfer,
        Self::AskCorrection,
        Self::Correct,
        Self::Accept,
        Self::RefuseToAccept,
        Self::Review,
        Self::Decide,
        Self::Deliver,
        Self::Withdraw,
        Self::ReadCases,
        Self::ReadForm,
        Self::ReadDocument,
        Self::ReadReceipt,
        Self::ReadItems,
        Self::ReadFederation,
        Self::ReadStatus,
        Self::ReadMetrics,
        Self::ReadPeers,
        Self::PingPeer,
        Self::MakeBackup,
        Self::ReadGroups,
        Self::PlanPlacement,
        Self::PlaceGroup,
        Self::HandOverLead,
        Self::DrainNode,
    ];

    /// Whether a token of this role may ask for it. No token has the role of the node itself.
    pub const fn is_open_to(self, role: Role) -> bool {
        match self {
            Self::Collect | Self::Transfer | Self::Correct | Self::Deliver | Self::Withdraw => {
                matches!(role, Role::Clerk)
            }
            Self::AskCorrection
            | Self::Accept
            | Self::RefuseToAccept
            | Self::Review
            | Self::Decide => matches!(role, Role::Officer),
            Self::ReadForm => matches!(role, Role::Clerk | Role::Officer | Role::Supervisor),
            Self::ReadCases | Self::ReadDocument | Self::ReadReceipt => matches!(
                role,
                Role::Clerk | Role::Officer | Role::Supervisor | Role::Auditor
            ),
            Self::ReadItems => matches!(
                role,
                Role::Clerk | Role::Officer | Role::Supervisor | Role::Auditor
            ),
            Self::ReadFederation | Self::ReadStatus => !matches!(role, Role::System),
            Self::ReadMetrics | Self::ReadPeers | Self::ReadGroups => {
                matches!(role, Role::Operator | Role::Supervisor | Role::Auditor)
            }
            Self::PingPeer
            | Self::MakeBackup
            | Self::PlanPlacement
            | Self::PlaceGroup
            | Self::HandOverLead
            | Self::DrainNode => matches!(role, Role::Operator),
        }
    }

    /// The roles that may ask for it.
    pub fn roles(self) -> impl Iterator<Item = Role> {
        let roles = Role::PEOPLE.into_iter();
        roles.filter(move |role| self.is_open_to(*role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clerks_and_officers_act_and_never_both() {
        for operation in &Operation::ALL[..10] {
            let open: Vec<Role> = Role::PEOPLE
                .into_iter()
                .filter(|role| operation.is_open_to(*role))
                .collect();
            assert!(
                open == [Role::Clerk] || open == [Role::Officer],
                "{operation:?}: {open:?}"
            );
        }
    }

    #[test]
    fn an_operator_sees_no_case() {
        for operation in Operation::ALL {
            let expected = matches!(
                operation,
                Operation::ReadFederation
                    | Operation::ReadStatus
                    | Operation::ReadMetrics
                    | Operation::ReadPeers
                    | Operation::PingPeer
                    | Operation::MakeBackup
                    | Operation::ReadGroups
                    | Operation::PlanPlacement
                    | Operation::PlaceGroup
                    | Operation::HandOverLead
                    | Operation::DrainNode
            );
            assert_eq!(operation.is_open_to(Role::Operator), expected);
        }
    }

    #[test]
    fn an_auditor_reads_everything_but_the_form() {
        for operation in &Operation::ALL[10..] {
            let closed = [
                Operation::ReadForm,
                Operation::PingPeer,
                Operation::MakeBackup,
                Operation::PlanPlacement,
                Operation::PlaceGroup,
                Operation::HandOverLead,
                Operation::DrainNode,
            ];
            let expected = !closed.contains(operation);
            assert_eq!(operation.is_open_to(Role::Auditor), expected);
        }
    }

    #[test]
    fn the_role_of_the_node_itself_opens_nothing() {
        assert!(
            Operation::ALL
                .iter()
                .all(|operation| !operation.is_open_to(Role::System))
        );
    }
}
