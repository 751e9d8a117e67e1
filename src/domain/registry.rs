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

/// An image of a private registry of ECR, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcrImage<'i> {
    /// The registry: an account's id.
    pub account: &'i str,
    /// The region.
    pub region: &'i str,
    /// Host and repository, as the image begins.
    pub path: &'i str,
    /// The repository.
    pub repository: &'i str,
    /// The tag that it names; `latest` when it names neither tag nor digest.
    pub tag: Option<&'i str>,
    /// The digest that it names.
    pub digest: Option<&'i str>,
}

impl<'i> EcrImage<'i> {
    /// Takes an image's name apart; `None` when it is not in a private registry of ECR.
    #[must_use]
    pub fn parse(image: &'i str) -> Option<Self> {
        let (host, rest) = image.split_once('/')?;
        let (account, end) = host.split_once(".dkr.ecr.")?;
        let (region, _) = end.split_once(".amazonaws.com")?;
        let (name, digest) = rest.split_once('@').map_or((rest, None), |(name, digest)| (name, Some(digest)));
        let (repository, tag) = name.rsplit_once(':').map_or((name, None), |(name, tag)| (name, Some(tag)));
        let tag = tag.or_else(|| digest.is_none().then_some("latest"));
        let path = image.get(..host.len() + 1 + repository.len())?;
        Some(Self { account, region, path, repository, tag, digest })
    }

    /// What the registry is asked for: the digest that a deployment resolved, which the next task pulls whatever the
    /// tag means now; else its own digest or tag.
    #[must_use]
    pub fn name(&self, resolved: Option<&str>) -> ImageName {
        match resolved.or(self.digest) {
            Some(digest) => ImageName::Digest(digest.to_owned()),
            None => ImageName::Tag(self.tag.unwrap_or("latest").to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_taken_apart() {
        let host = "123456789012.dkr.ecr.eu-west-2.amazonaws.com";
        let told = |rest: &str| {
            let name = format!("{host}/{rest}");
            let image = EcrImage::parse(&name).unwrap();
            assert_eq!((image.account, image.region), ("123456789012", "eu-west-2"));
            assert_eq!(image.path, format!("{host}/{}", image.repository));
            (
                image.repository.to_owned(),
                image.tag.map(ToOwned::to_owned),
                image.digest.map(ToOwned::to_owned),
            )
        };
        assert_eq!(told("team/api"), ("team/api".into(), Some("latest".into()), None));
        assert_eq!(told("api:v1"), ("api".into(), Some("v1".into()), None));
        assert_eq!(told("api@sha256:ab"), ("api".into(), None, Some("sha256:ab".into())));
        assert_eq!(told("api:v1@sha256:ab"), ("api".into(), Some("v1".into()), Some("sha256:ab".into())));
        assert_eq!(EcrImage::parse("nginx:1"), None);
    }
}
