//! The log as its users see it: what it promises, what it refuses, and what a power cut may leave of it.

mod claims;
mod common;
mod damage;
mod power_cut;
mod queue;
mod space;
mod support;
