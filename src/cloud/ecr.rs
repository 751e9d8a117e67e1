//! ECR: whether images are still there.
//!
//! Must not read an image or its layers.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{ImageDetail, ImageIdentifier};

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::{all, stray, wall};
use crate::domain::query::{Answer, Query};
use crate::domain::registry::{ImageName, RegistryImage};

/// One request to ECR; it does not retry.
pub(super) async fn ask(client: &Client, query: &Query, call: &Call<'_>) -> Result<Answer, Lost> {
    match query {
        Query::DescribeImages { registry, repository, images, .. } => {
            let request = client
                .describe_images()
                .set_registry_id(registry.clone())
                .repository_name(repository)
                .set_image_ids(Some(images.iter().map(to_sdk).collect()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Answer::Images { found: all(out.image_details, |i| from_sdk(repository, i)) })
        }
        other => Err(stray(other, "ECR")),
    }
}

fn to_sdk(name: &ImageName) -> ImageIdentifier {
    match name {
        ImageName::Tag(tag) => ImageIdentifier::builder().image_tag(tag).build(),
        ImageName::Digest(digest) => ImageIdentifier::builder().image_digest(digest).build(),
    }
}

fn from_sdk(asked: &str, sdk: ImageDetail) -> RegistryImage {
    RegistryImage {
        repository: sdk.repository_name.unwrap_or_else(|| asked.to_owned()),
        digest: sdk.image_digest.unwrap_or_default(),
        tags: sdk.image_tags.unwrap_or_default(),
        pushed_at: sdk.image_pushed_at.and_then(wall),
        size: sdk.image_size_in_bytes.and_then(|s| u64::try_from(s).ok()),
        status: sdk.image_status.map(|s| s.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecr::types::ImageStatus;

    #[test]
    fn an_image_keeps_its_words_and_what_is_left_out_is_empty() {
        let empty = from_sdk("api", ImageDetail::builder().build());
        assert_eq!((empty.repository.as_str(), empty.digest.as_str(), empty.size), ("api", "", None));
        let sdk = ImageDetail::builder().image_status(ImageStatus::from("FROZEN")).image_size_in_bytes(-1);
        let image = from_sdk("api", sdk.build());
        assert_eq!((image.status.as_deref(), image.size), (Some("FROZEN"), None));
        assert_eq!(to_sdk(&ImageName::Tag("v1".into())).image_tag.as_deref(), Some("v1"));
        assert_eq!(to_sdk(&ImageName::Digest("sha256:0".into())).image_tag, None);
    }
}
