//! The shapes of answers, for whoever gives them on under a name and version of their own. Each stands in for
//! a view that stays private: it has its schema and no values.

use std::borrow::Cow;

use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::operations::{
    ActedView, CollectedView, DrainView, GroupView, ListedDocument, MembersView, OpenedCaseView,
    OrderBody, PeerView, PeersView, PingView, PlacedView, PlanView, StatusView,
};
use crate::problem::ProblemBody;
use crate::rendering::{CaseView, StoredView};

macro_rules! shapes {
    ($($(#[doc = $says:literal])+ $shape:ident of $view:ty;)+) => {$(
        $(#[doc = $says])+
        #[derive(Debug)]
        pub enum $shape {}

        impl PartialSchema for $shape {
            fn schema() -> RefOr<Schema> {
                <$view>::schema()
            }
        }

        impl ToSchema for $shape {
            fn name() -> Cow<'static, str> {
                <$view>::name()
            }

            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                <$view>::schemas(schemas);
            }
        }
    )+};
}

shapes! {
    /// What an act answers.
    ActedShape of ActedView;
    /// A case of a list.
    CaseShape of CaseView<'static>;
    /// What collecting answers.
    CollectedShape of CollectedView;
    /// How a node stands that is drained.
    DrainShape of DrainView;
    /// A group that a node keeps a replica of.
    GroupShape of GroupView;
    /// The members a group has by its log.
    MembersShape of MembersView;
    /// A document of a list.
    DocumentShape of ListedDocument;
    /// A case with its history.
    OpenedCaseShape of OpenedCaseView<'static>;
    /// An order that places a group, in its file.
    OrderShape of OrderBody;
    /// A peer.
    PeerShape of PeerView;
    /// Every peer.
    PeersShape of PeersView;
    /// A round trip to a peer.
    PingShape of PingView;
    /// An order that was entered.
    PlacedShape of PlacedView;
    /// What an order would do.
    PlanShape of PlanView;
    /// Every answer that is not a success (RFC 9457).
    ProblemShape of ProblemBody<'static>;
    /// How the node stands.
    StatusShape of StatusView;
    /// A case that only this desk has.
    StoredCaseShape of StoredView<'static>;
}
