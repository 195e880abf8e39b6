//! The API as its callers meet it: the router in process, before a node that records what it is
//! asked; and once over a real connection.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may fail like tests; clippy knows only functions marked as tests"
)]

mod acting;
mod backup;
mod case;
mod collecting;
mod describing;
mod documents;
mod federation;
mod files;
mod groups;
mod hostile;
mod links;
mod listing;
mod node;
mod reaching;
mod reading;
mod rejections;
mod rights;
mod serving;
mod streams;
mod uploads;
mod watching;
mod world;
