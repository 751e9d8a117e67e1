//! Reusable pieces of the screen: the canvas, tables, documents.
//!
//! Must not know the model.

pub mod canvas;
pub mod chart;
pub mod document;
pub mod table;
