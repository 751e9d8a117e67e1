//! opsdeck: an operations console for systems on Amazon ECS.
//!
//! The library holds everything; the binary is a door. Modules are floors (`docs/architecture.md`): each
//! imports from lower floors only, and a test holds the table.

pub mod stdx;

pub mod domain;

pub mod command;
pub mod journal;
pub mod logs;
pub mod theme;

pub mod diagnose;
pub mod guard;
pub mod keymap;

pub mod config;

pub mod app;
pub mod cloud;
pub mod sim;

pub mod view;

pub mod runtime;

pub mod cli;
