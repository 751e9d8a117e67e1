//! The one integration-test binary: what needs more than one module, or the outside.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod cloud;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod program;
#[cfg(test)]
mod pty;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tidy;
