//! The command line: headless verbs with their printers and exit codes, documentation, and the ways into
//! the console.
//!
//! Floor 8, the top. Must hold no rule about AWS: it asks, arranges and prints.

mod envelope;
mod environment;
mod exit;
mod gather;
mod item;
mod name;
mod parser;
mod printer;
mod table;
