//! Credentials and clients: one SDK configuration per account, one set of clients per account and region, each
//! made when first asked for and then shared.
//!
//! Nothing here runs before the first query. Must not print or log key material.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_config::imds;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_sdk_ecs::config::{Credentials, IdentityCache, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::service_config::ServiceConfigKey;

use crate::cloud::http::{Http, Proxy};
use crate::cloud::settings::{AccountSettings, Endpoint, Settings};
use crate::cloud::steered::Steered;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::scope::Region;
use crate::stdx::clock::{Clock, Moment};

/// Until a TCP connection (and TLS) stands.
const CONNECT: Duration = Duration::from_millis(3100);
/// Until one attempt is answered, body included.
const ATTEMPT: Duration = Duration::from_secs(8);
/// Until one attempt is answered, the fetching of credentials included.
const OPERATION: Duration = Duration::from_secs(20);
/// How long the instance's metadata service may take to name a region.
const METADATA: Duration = Duration::from_secs(1);

/// Declares the services in one place: their names, their clients and how those are made.
macro_rules! services {
    ($($service:ident: $action:literal, $name:literal, $id:literal, $sdk_id:literal, $client:ident = $sdk:ident;)+) => {
        /// The AWS services that `Cloud` talks to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(super) enum Service { $($service,)+ }

        impl Service {
            pub const ALL: &'static [Self] = &[$(Self::$service,)+];

            /// The service of an IAM action.
            pub fn of(action: &str) -> Self {
                match action.split_once(':').map(|(service, _)| service) {
                    $(Some($action) => Self::$service,)+
                    _ => Self::Ecs,
                }
            }

            /// As people call it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$service => $name,)+ }
            }

            /// As `AWS_ENDPOINT_URL_…` and `[services]` sections call it.
            pub fn id(self) -> &'static str {
                match self { $(Self::$service => $id,)+ }
            }

            /// As the SDK's service id spells it.
            fn sdk_id(self) -> &'static str {
                match self { $(Self::$service => $sdk_id,)+ }
            }
        }

        /// The clients of one region.
        #[derive(Debug, Default)]
        pub(super) struct Clients { $($client: OnceLock<$sdk::Client>,)+ }

        impl Session {
            $(pub fn $client<'a>(&self, clients: &'a Clients, region: &Region) -> &'a $sdk::Client {
                clients.$client.get_or_init(|| {
                    let config = $sdk::config::Builder::from(&self.sdk).region(sdk_region(region));
                    $sdk::Client::from_conf(config.build())
                })
            })+
        }
    };
}

services! {
    Ecs: "ecs", "ECS", "ecs", "ECS", ecs = aws_sdk_ecs;
    Logs: "logs", "CloudWatch Logs", "cloudwatch_logs", "CloudWatch Logs", logs = aws_sdk_cloudwatchlogs;
    Sts: "sts", "STS", "sts", "STS", sts = aws_sdk_sts;
    CloudWatch: "cloudwatch", "CloudWatch", "cloudwatch", "CloudWatch", cloudwatch = aws_sdk_cloudwatch;
    Rds: "rds", "RDS", "rds", "RDS", rds = aws_sdk_rds;
    ElastiCache: "elasticache", "ElastiCache", "elasticache", "ElastiCache", elasticache = aws_sdk_elasticache;
    Secrets: "secretsmanager", "Secrets Manager", "secrets_manager", "Secrets Manager", secrets = aws_sdk_secretsmanager;
    Ssm: "ssm", "SSM", "ssm", "SSM", ssm = aws_sdk_ssm;
    CloudTrail: "cloudtrail", "CloudTrail", "cloudtrail", "CloudTrail", cloudtrail = aws_sdk_cloudtrail;
    AutoScaling: "application-autoscaling", "Application Auto Scaling", "application_auto_scaling", "Application Auto Scaling", autoscaling = aws_sdk_applicationautoscaling;
    Ecr: "ecr", "ECR", "ecr", "ECR", ecr = aws_sdk_ecr;
    Iam: "iam", "IAM", "iam", "IAM", iam = aws_sdk_iam;
    Elb: "elasticloadbalancing", "Elastic Load Balancing", "elastic_load_balancing_v2", "Elastic Load Balancing v2", elb = aws_sdk_elasticloadbalancingv2;
}

/// What all sessions share.
#[derive(Clone, Debug)]
pub(super) struct Road {
    /// The clock of signatures, timeouts and expiry.
    pub clock: Clock,
    /// The connections.
    pub http: SharedHttpClient,
}

impl Road {
    pub fn new(settings: &Settings, clock: Clock) -> Self {
        let proxy = if settings.is_simulator() { Proxy::Never } else { Proxy::FromEnvironment };
        Self { clock, http: SharedHttpClient::new(Http::new(proxy)) }
    }
}

/// An account's credentials and clients.
#[derive(Debug)]
pub(super) struct Session {
    sdk: SdkConfig,
    overrides: HashMap<Service, String>,
    clients: Mutex<HashMap<Region, Arc<Clients>>>,
    /// When it was made: one that has just been made is not made again for a fault of credentials.
    pub made: Moment,
}

impl Session {
    /// Reads the configuration of an account. Touches files for `FromEnvironment`, never the network.
    pub async fn load(
        settings: &Settings,
        account: &AccountSettings,
        asked: &Region,
        road: &Road,
    ) -> Result<Self, Fault> {
        let sdk = match &settings.endpoint {
            Endpoint::Simulator { url } => simulator(url, road),
            Endpoint::FromEnvironment => from_environment(settings, account, asked, road).await?,
        };
        let overrides =
            Service::ALL.iter().filter_map(|s| endpoint_url(&sdk, *s).map(|url| (*s, url))).collect();
        Ok(Self { sdk, overrides, clients: Mutex::default(), made: road.clock.now() })
    }

    /// Where requests to a service go instead of AWS.
    pub fn endpoint(&self, service: Service) -> Option<&str> {
        self.overrides.get(&service).map(String::as_str)
    }

    /// The clients of a region.
    pub fn clients(&self, region: &Region) -> Arc<Clients> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(region.clone()).or_default().clone()
    }
}

fn sdk_region(region: &Region) -> aws_config::Region {
    aws_config::Region::new(region.as_str().to_owned())
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

/// All of it fixed: the environment of whoever runs a demo must not reach it, nor it anybody else.
fn simulator(url: &str, road: &Road) -> SdkConfig {
    let credentials = Credentials::new("opsdeck", "simulator", None, None, "opsdeck simulator");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .identity_cache(IdentityCache::no_cache())
        .endpoint_url(url)
        .region(aws_config::Region::from_static("us-east-1"))
        .http_client(road.http.clone())
        .time_source(Steered(road.clock.clone()))
        .sleep_impl(Steered(road.clock.clone()))
        .timeout_config(timeouts())
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

async fn from_environment(
    settings: &Settings,
    account: &AccountSettings,
    asked: &Region,
    road: &Road,
) -> Result<SdkConfig, Fault> {
    let profiles = profiles(settings, account).await?;
    // The region of credential providers. Given, so that the SDK does not ask the metadata service for one.
    let region = settings.region().or_else(|| profile_region(&profiles)).unwrap_or_else(|| asked.clone());
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(sdk_region(&region))
        .http_client(road.http.clone())
        .time_source(Steered(road.clock.clone()))
        .sleep_impl(Steered(road.clock.clone()))
        .timeout_config(timeouts())
        .retry_config(RetryConfig::disabled())
        // An attempt's own timeout covers the reading of its body.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(profile) = &account.profile {
        // Said outright, since the SDK's chain would prefer AWS_ACCESS_KEY_ID even to a profile that was
        // chosen by name: rows of one account would be asked for, and acted on, with the keys of another.
        let config = ProviderConfig::without_region()
            .with_region(Some(sdk_region(&region)))
            .with_http_client(road.http.clone())
            .with_time_source(Steered(road.clock.clone()))
            .with_sleep_impl(Steered(road.clock.clone()))
            .with_timeout_config(timeouts());
        let provider = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile);
        loader = loader.profile_name(profile).credentials_provider(provider.build());
    }
    // Seen in CloudTrail's user agent. One that the environment or the profile names comes first.
    if settings.variable("AWS_SDK_UA_APP_ID").is_none()
        && profiles.get("sdk_ua_app_id").is_none()
        && let Ok(name) = AppName::new("opsdeck")
    {
        loader = loader.app_name(name);
    }
    Ok(loader.load().await)
}

/// Reads the profile files and checks that the profile which was named is there.
async fn profiles(settings: &Settings, account: &AccountSettings) -> Result<ProfileSet, Fault> {
    let chosen = account.profile.clone().map(Into::into);
    let (env, fs, files) = Default::default();
    let loaded = aws_config::profile::load(&fs, &env, &files, chosen);
    let profiles = loaded.await.map_err(|error| {
        let cause = std::error::Error::source(&error).map(|c| format!(": {c}")).unwrap_or_default();
        Fault::new(FaultKind::Config, format!("{error}{cause}"))
            .hint("check ~/.aws/config and ~/.aws/credentials")
    })?;
    if let Some(name) = settings.profile(account)
        && profiles.get_profile(name).is_none()
    {
        return Err(unknown_profile(name, profiles.profiles()));
    }
    Ok(profiles)
}

fn unknown_profile<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Fault {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    let hint = if known.is_empty() {
        "~/.aws/config and ~/.aws/credentials name no profile".to_owned()
    } else {
        format!("known profiles: {}", known.join(", "))
    };
    Fault::new(FaultKind::Config, format!("there is no profile {name}")).hint(hint)
}

fn profile_region(profiles: &ProfileSet) -> Option<Region> {
    profiles.get("region").filter(|r| !r.is_empty()).map(Region::new)
}

/// The endpoint override that the SDK will use for a service: asked of the SDK's own configuration, so that
/// the order of variables, profile and `[services]` is its own.
fn endpoint_url(sdk: &SdkConfig, service: Service) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service.sdk_id())
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    sdk.service_config()
        .and_then(|config| config.load_config(key))
        .or_else(|| sdk.endpoint_url().map(ToOwned::to_owned))
        .filter(|url| !url.is_empty())
}

/// The region to start in: the environment's, the profile's, the instance's.
pub(super) async fn default_region(
    settings: &Settings,
    account: &AccountSettings,
    clock: &Clock,
) -> Result<Region, Fault> {
    if let Some(region) = settings.region() {
        return Ok(region);
    }
    let none = || {
        Fault::new(FaultKind::Config, "no region is known")
            .hint("name one: `--region`, AWS_REGION, or `region` in the profile")
    };
    if settings.endpoint != Endpoint::FromEnvironment {
        return Err(none());
    }
    if let Some(region) = profile_region(&profiles(settings, account).await?) {
        return Ok(region);
    }
    let config = ProviderConfig::without_region()
        .with_http_client(Http::new(Proxy::Never))
        .with_time_source(Steered(clock.clone()))
        .with_sleep_impl(Steered(clock.clone()));
    let client = imds::Client::builder()
        .configure(&config)
        .max_attempts(1)
        .connect_timeout(METADATA)
        .read_timeout(METADATA)
        .build();
    let provider = ImdsRegionProvider::builder().configure(&config).imds_client(client).build();
    let region = tokio::select! {
        region = ProvideRegion::region(&provider) => region,
        () = clock.sleep(METADATA) => None,
    };
    region.map(|r| Region::new(r.as_ref())).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_has_its_service() {
        for (action, id) in [
            ("ecs:ListClusters", "ecs"),
            ("cloudwatch:GetMetricData", "cloudwatch"),
            ("rds:DescribeEvents", "rds"),
            ("elasticache:DescribeEvents", "elasticache"),
            ("secretsmanager:ListSecrets", "secrets_manager"),
            ("ssm:DescribeParameters", "ssm"),
            ("cloudtrail:LookupEvents", "cloudtrail"),
            ("application-autoscaling:DescribeScalableTargets", "application_auto_scaling"),
            ("ecr:DescribeImages", "ecr"),
            ("iam:GetRole", "iam"),
            ("elasticloadbalancing:DescribeTargetHealth", "elastic_load_balancing_v2"),
        ] {
            assert_eq!(Service::of(action).id(), id);
        }
        // The SDK reads its variables by this rule, so a name that breaks it would be shown and not heard.
        for service in Service::ALL {
            assert_eq!(service.sdk_id().to_lowercase().replace(' ', "_"), service.id());
        }
    }

    #[test]
    fn an_unknown_profile_lists_the_known_ones() {
        let fault = unknown_profile("prd", ["staging", "prod"].into_iter());
        assert_eq!(fault.to_string(), "there is no profile prd (known profiles: prod, staging)");
        assert!(unknown_profile("x", std::iter::empty()).hint.unwrap().contains("name no profile"));
    }
}
