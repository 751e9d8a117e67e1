//! The one integration-test binary: what needs more than one module, or the outside.

#[cfg(test)]
mod cloud;
#[cfg(test)]
mod pty;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tidy;
