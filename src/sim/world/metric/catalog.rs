//! Which metrics exist in a region: what `ListMetrics` lists.
//!
//! Must not list what nobody sends: each key can be read as a `Source`.

use super::{BALANCER, CUSTOM, INSIGHTS, Key};
use crate::sim::world::World;
use crate::sim::world::service::{Service, load_balancer_dimension, target_group_dimension};

impl World {
    /// All metrics of a region, in a stable order.
    #[must_use]
    pub fn metrics(&self, region: &str) -> Vec<Key> {
        let mut keys = Vec::new();
        let Some(found) = self.regions.get(region) else { return keys };
        for cluster in found.clusters.values() {
            let insights = cluster.has_insights();
            for service in cluster.services.values().filter_map(|index| self.services.get(*index)) {
                of_service(service, insights, &mut keys);
            }
            if insights && !cluster.services.is_empty() {
                let dimensions = vec![("ClusterName".to_owned(), cluster.name.to_string())];
                keys.extend(
                    INSIGHTS
                        .iter()
                        .map(|(name, _)| Key::new("ECS/ContainerInsights", name, dimensions.clone())),
                );
            }
        }
        self.of_data(region, &mut keys);
        keys.sort();
        keys.dedup();
        keys
    }
}

impl World {
    /// Those of databases and caches, by identifier alone: what RDS adds up per class and per engine is left
    /// out, as is what Aurora sends per cluster.
    fn of_data(&self, region: &str, into: &mut Vec<Key>) {
        for (index, found) in self.databases.iter().enumerate().filter(|(_, found)| *found.region == *region)
        {
            let own = vec![("DBInstanceIdentifier".to_owned(), found.name().to_owned())];
            into.extend(
                self.database_metrics(index).into_iter().map(|name| Key::new("AWS/RDS", name, own.clone())),
            );
        }
        for (index, found) in self.caches.iter().enumerate().filter(|(_, found)| *found.region == *region) {
            for (node, id) in found.members().into_iter().enumerate() {
                let cluster = vec![("CacheClusterId".to_owned(), id)];
                let mut one = cluster.clone();
                one.push(("CacheNodeId".to_owned(), "0001".to_owned()));
                for name in self.cache_metrics((index, node)) {
                    into.extend([&cluster, &one].map(|own| Key::new("AWS/ElastiCache", name, own.clone())));
                }
            }
        }
    }
}

/// The dimensions of a service's own metrics.
#[must_use]
pub fn service_dimensions(service: &Service) -> Vec<(String, String)> {
    vec![
        ("ClusterName".to_owned(), service.cluster.to_string()),
        ("ServiceName".to_owned(), service.name.to_string()),
    ]
}

/// The dimensions of a target group's metrics; without a group, of its load balancer's.
#[must_use]
pub fn balancer_dimensions(balancer: &str, group: Option<&str>) -> Vec<(String, String)> {
    let mut dimensions = vec![("LoadBalancer".to_owned(), load_balancer_dimension(balancer))];
    dimensions.extend(group.map(|group| ("TargetGroup".to_owned(), target_group_dimension(group))));
    dimensions
}

fn of_service(service: &Service, insights: bool, into: &mut Vec<Key>) {
    let own = service_dimensions(service);
    for name in ["CPUUtilization", "MemoryUtilization"] {
        into.push(Key::new("AWS/ECS", name, own.clone()));
    }
    if insights {
        let named = |(name, _): &(&str, _)| Key::new("ECS/ContainerInsights", name, own.clone());
        into.extend(INSIGHTS.iter().map(named));
    }
    let Some(spec) = service.spec() else { return };
    if let Some(bounds) = spec.autoscaling.as_ref().filter(|bounds| is_custom(&bounds.metric)) {
        into.push(Key::new(CUSTOM, &bounds.metric, own));
    }
    for balancer in &spec.load_balancers {
        let group = balancer_dimensions(&balancer.name, Some(&balancer.target_group));
        let whole = balancer_dimensions(&balancer.name, None);
        for (name, _) in BALANCER {
            into.push(Key::new("AWS/ApplicationELB", name, group.clone()));
            if !name.ends_with("HostCount") && name != "RequestCountPerTarget" {
                into.push(Key::new("AWS/ApplicationELB", name, whole.clone()));
            }
        }
        into.push(Key::new("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", whole));
    }
}

/// Whether a target-tracking metric is none of Application Auto Scaling's predefined ones.
#[must_use]
pub fn is_custom(name: &str) -> bool {
    !name.starts_with("ECSService") && !name.starts_with("ALB")
}
