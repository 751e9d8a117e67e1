//! ECR: what an image tag or digest means now.
//!
//! Must not pull or read images.

use serde::Serialize;

use crate::stdx::clock::Wall;

/// An image in ECR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegistryImage {
    /// Repository.
    pub repository: String,
    /// `sha256:…`.
    pub digest: String,
    /// Tags that mean it now.
    pub tags: Vec<String>,
    /// Pushed.
    pub pushed_at: Option<Wall>,
    /// Bytes.
    pub size: Option<u64>,
    /// `ACTIVE`, `ARCHIVED`, `ACTIVATING`.
    pub status: Option<String>,
}

/// How a query names an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum ImageName {
    /// By tag.
    Tag(String),
    /// By digest.
    Digest(String),
}
