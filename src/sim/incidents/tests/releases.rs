//! A bad release in each system, in its own habit, and the way back from it by AWS's own operations.

use super::*;
use crate::sim::ecs;
use crate::sim::stack::Incident;

/// Stack, service, container that is released.
const SYSTEMS: [(&str, &str); 5] = [
    ("gov", "gov-backend"),
    ("codeguardians", "gateway-service"),
    ("cma", "cma-api-production"),
    ("saas", "saas-backend"),
    ("migrate", "migrate-backend-service"),
];

struct Drill {
    world: World,
    region: String,
    cluster: String,
    service: &'static str,
}

impl Drill {
    fn new((stack, service): (&str, &'static str)) -> Self {
        let mut stack = Stack::builtin(stack).unwrap().unwrap();
        stack.timeline.clear();
        let region = stack.region.clone();
        let cluster = stack.service(service).unwrap().cluster.clone();
        Self { world: World::new(vec![stack], 7, NOON), region, cluster, service }
    }

    fn call(&mut self, operation: &str, mut input: Value) -> Value {
        input["cluster"] = json!(self.cluster);
        ecs::handle(&mut self.world, &self.region, operation, &input).unwrap()
    }

    fn update(&mut self, mut input: Value) -> Value {
        input["service"] = json!(self.service);
        self.call("UpdateService", input)["service"].take()
    }

    fn read(&mut self) -> Value {
        let input = json!({ "services": [self.service] });
        self.call("DescribeServices", input)["services"][0].take()
    }

    fn revision(&mut self, service: &Value) -> Value {
        let input = json!({ "serviceRevisionArns": [service["currentServiceRevisions"][0]["arn"]] });
        self.call("DescribeServiceRevisions", input)["serviceRevisions"][0].take()
    }

    fn pass(&mut self, seconds: u64) {
        let now = self.world.now;
        self.world.advance(now.plus(Duration::from_secs(seconds)));
    }

    fn release(&mut self, more: &str) {
        let text = format!(
            "at = \"0s\"\nkind = \"bad-deploy\"\nbuild = \"badbad0\"\nservice = \"{}\"\nexit_code = 3\ntext = \"it breaks\"\n{more}",
            self.service
        );
        let incident: Incident = toml::from_str(&text).unwrap();
        self.world.occur(&incident).unwrap();
    }

    /// Crashes of the last minutes.
    fn crashes(&mut self, seconds: u64) -> usize {
        let since = self.world.now.minus(Duration::from_secs(seconds)).as_secs_f64();
        let input = json!({ "serviceName": self.service, "desiredStatus": "STOPPED" });
        let arns = self.call("ListTasks", input)["taskArns"].take();
        if arns.as_array().unwrap().is_empty() {
            return 0;
        }
        let tasks = self.call("DescribeTasks", json!({ "tasks": arns }))["tasks"].take();
        let crashed = |task: &&Value| {
            task["stopCode"] == "EssentialContainerExited" && task["stoppingAt"].as_f64().unwrap() > since
        };
        tasks.as_array().unwrap().iter().filter(crashed).count()
    }

    fn assert_well(&mut self) {
        self.pass(1_200);
        let service = self.read();
        let name = self.service;
        assert_eq!(service["runningCount"], service["desiredCount"], "{name}");
        assert_eq!(service["deployments"].as_array().unwrap().len(), 1, "{name}");
        assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED", "{name}");
        assert_eq!(self.crashes(900), 0, "{name}");
    }
}

#[test]
fn a_bad_release_under_way_is_stopped_and_the_service_gets_well() {
    for system in SYSTEMS {
        let mut drill = Drill::new(system);
        let before = drill.read();
        let good = drill.revision(&before);
        drill.release("");
        drill.pass(45);
        let sick = drill.read();
        let bad = drill.revision(&sick);
        assert_ne!(sick["deployments"][0]["id"], before["deployments"][0]["id"], "{}", system.1);
        assert_ne!(bad["containerImages"], good["containerImages"], "{}", system.1);
        let stop =
            json!({ "serviceDeploymentArn": sick["currentServiceDeployment"], "stopType": "ROLLBACK" });
        drill.call("StopServiceDeployment", stop);
        drill.assert_well();
        let after = drill.read();
        assert_eq!(after["deployments"][0]["id"], before["deployments"][0]["id"], "{}", system.1);
        assert_eq!(drill.revision(&after)["containerImages"], good["containerImages"], "{}", system.1);
    }
}

#[test]
fn a_bad_release_that_completed_is_left_by_its_digests() {
    for system in SYSTEMS {
        let mut drill = Drill::new(system);
        let before = drill.read();
        let good = drill.revision(&before);
        drill.release("after = \"6m\"");
        drill.pass(340);
        let done = drill.read();
        assert_eq!(done["deployments"][0]["rolloutState"], "COMPLETED", "{}: it passes its checks", system.1);
        drill.pass(500);
        assert!(drill.crashes(400) > 0, "{} crashes", system.1);
        // The same definition again, by the digests that ran before: whatever its tags mean by now.
        let asked = json!({ "taskDefinition": good["taskDefinition"] });
        let mut definition = drill.call("DescribeTaskDefinition", asked)["taskDefinition"].take();
        for container in definition["containerDefinitions"].as_array_mut().unwrap() {
            let images = good["containerImages"].as_array().unwrap();
            let own = images.iter().find(|image| image["containerName"] == container["name"]).unwrap();
            let repository = crate::sim::world::image::repository(own["image"].as_str().unwrap()).to_owned();
            container["image"] = json!(format!("{repository}@{}", own["imageDigest"].as_str().unwrap()));
        }
        let pinned =
            drill.call("RegisterTaskDefinition", definition)["taskDefinition"]["taskDefinitionArn"].take();
        let after = drill.update(json!({ "taskDefinition": pinned }));
        let digests = |revision: &Value| -> Vec<Value> {
            revision["containerImages"]
                .as_array()
                .unwrap()
                .iter()
                .map(|image| image["imageDigest"].clone())
                .collect()
        };
        let revision = drill.revision(&after);
        assert_eq!(digests(&revision), digests(&good), "{}", system.1);
        drill.assert_well();
    }
}

#[test]
fn a_tag_that_moved_brings_the_bad_release_back() {
    let mut drill = Drill::new(("migrate", "migrate-backend-service"));
    let before = drill.read();
    drill.release("after = \"6m\"");
    drill.pass(340);
    drill.update(json!({ "taskDefinition": before["taskDefinition"], "forceNewDeployment": true }));
    drill.pass(1_200);
    assert!(drill.crashes(900) > 0, "the tag means the bad image");
}

#[test]
fn what_breaks_a_cache_happens_on_demand_and_is_over_on_demand() {
    let mut world = World::new(vec![Stack::builtin("saas").unwrap().unwrap()], 7, NOON);
    let mut occur = |text: &str| {
        world.occur(&toml::from_str(&format!("at = \"0s\"\n{text}")).unwrap())?;
        Ok::<_, String>((world.caches[0].troubles.clone(), world.caches[0].status))
    };
    assert!(occur("kind = \"cache-busy\"\ntarget = \"saas-redis\"").unwrap_err().contains("factor"));
    assert!(occur("kind = \"cache-memory-full\"\ntarget = \"nobody\"").unwrap_err().contains("nobody"));
    let (troubles, _) =
        occur("kind = \"cache-memory-full\"\ntarget = \"saas-redis\"\nlasts = \"10m\"").unwrap();
    assert_eq!((troubles.len(), troubles[0].to), (1, None));
    let (troubles, _) = occur("kind = \"recovers\"\ntarget = \"saas-redis\"").unwrap();
    assert_eq!(troubles[0].to, Some(NOON));
    let (_, status) = occur("kind = \"cache-failover\"\ntarget = \"saas-redis\"\nlasts = \"1m\"").unwrap();
    assert_eq!(status, "modifying");
}

#[test]
fn what_no_system_has_does_not_happen() {
    let mut drill = Drill::new(SYSTEMS[0]);
    let text = "at = \"0s\"\nkind = \"bad-deploy\"\nservice = \"nobody\"\nexit_code = 1\ntext = \"x\"";
    let error = drill.world.occur(&toml::from_str(text).unwrap()).unwrap_err();
    assert!(error.contains("nobody"), "{error}");
}
