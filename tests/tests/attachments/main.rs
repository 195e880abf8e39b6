//! Attachments as clients see them, over real processes: uploads that survive a killed node, files that go
//! from city to city, who gets them and who does not, and clients of the protocol that are not ours.

#![expect(
    clippy::unwrap_used,
    reason = "the lint knows only functions marked as tests, not what they stand on"
)]

mod desk;
mod foreign;
mod memory;
mod travelling;
