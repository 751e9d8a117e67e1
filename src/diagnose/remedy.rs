//! The command for what is advised: of the AWS CLI for a fix that opsdeck does not make (a health check's path, a
//! security group's rule, a log group, a role's permission), or opsdeck's own. Ready to be copied; what only a person
//! can know stands in it as it is now.
//!
//! Must not guess what is not known: without the resource's own name there is no command.

use super::Finding;
use super::event::event_text;
use crate::domain::balancer::TargetGroup;
use crate::domain::ecs::Service;
use crate::domain::scope::Arn;
use crate::domain::secret::ValueFrom;
use crate::domain::task_definition::{ContainerDefinition, TaskDefinition};

/// Adds the command to what is wrong with a service, where there is one.
pub(super) fn with_command(
    finding: Finding,
    service: &Service,
    definition: Option<&TaskDefinition>,
    target_group: impl Fn(&str) -> Option<TargetGroup>,
) -> Finding {
    let told = told(&finding, service);
    let says = |words: &[&str]| words.iter().all(|word| told.contains(word));
    let found = if says(&["health checks"]) && says(&["Request timed out"]) {
        balancers_groups(service, &target_group).and_then(|group| allow_balancer(service, &group))
    } else if says(&["health checks"]) && (says(&["failed with these codes"]) || says(&["target group's"])) {
        balancers_groups(service, &target_group).and_then(|group| change_path(service, &group))
    } else if says(&["log group does not exist"]) {
        definition.and_then(|definition| create_log_group(service, definition))
    } else if says(&["execution role may not read a secret"]) {
        definition.and_then(|definition| allow_secrets(service, definition))
    } else if says(&["there is no route to"]) {
        allow_https(service)
    } else {
        None
    };
    match found {
        Some((next, command)) => finding.next(next).command(command),
        None => ours(finding, service),
    }
}

/// The command line of a fix that opsdeck makes itself, for what it advises.
fn ours(finding: Finding, service: &Service) -> Finding {
    let name = format!("{}/{}", service.id.cluster, service.id.name);
    let next = finding.next.as_deref().unwrap_or_default();
    if next.contains("go back to the revision") {
        return finding.command(format!("opsdeck rollback {name} --wait"));
    }
    if next.contains("capacity provider that is not Spot") {
        return finding.command(format!("opsdeck capacity {name} --wait"));
    }
    finding
}

/// All that is said of it, to look for causes in.
fn told(finding: &Finding, service: &Service) -> String {
    let evidence = finding.evidence.iter().map(|evidence| evidence.text.as_str());
    let events = service.events.iter().take(EVENTS).map(|event| event_text(&event.message, &service.id.name));
    std::iter::once(finding.sentence.as_str()).chain(evidence).chain(events).collect::<Vec<_>>().join("\n")
}

/// Events that may be about what is wrong now.
const EVENTS: usize = 8;

/// The service's first target group that is known.
fn balancers_groups(
    service: &Service,
    target_group: &impl Fn(&str) -> Option<TargetGroup>,
) -> Option<TargetGroup> {
    service
        .load_balancers
        .iter()
        .filter_map(|balancer| balancer.target_group_arn.as_deref())
        .find_map(target_group)
}

fn change_path(service: &Service, group: &TargetGroup) -> Option<(String, String)> {
    let path = group.health_path.as_deref()?;
    let expects = group.matcher.as_deref().map_or_else(String::new, |codes| format!(" and expects {codes}"));
    let next =
        format!("The health check asks for {path}{expects}: roll back, or give it the path that answers");
    let command = format!(
        "aws elbv2 modify-target-group --region {} --target-group-arn {} --health-check-path {}",
        service.id.scope.region,
        group.arn,
        quoted(path)
    );
    Some((next, command))
}

fn allow_balancer(service: &Service, group: &TargetGroup) -> Option<(String, String)> {
    let (own, balancer) = (service.security_groups.first()?, group.balancers.first()?);
    let wanted = service.load_balancers.iter().find(|b| b.target_group_arn.as_deref() == Some(&group.arn))?;
    let port = wanted.port?;
    let region = &service.id.scope.region;
    let next = format!(
        "The balancer gets no answer from port {port}: look whether the task listens there, and allow the balancer in {own}"
    );
    let command = format!(
        "aws ec2 authorize-security-group-ingress --region {region} --group-id {own} --protocol tcp --port {port} \
         --source-group \"$(aws elbv2 describe-load-balancers --region {region} --load-balancer-arns {balancer} \
         --query 'LoadBalancers[0].SecurityGroups[0]' --output text)\""
    );
    Some((next, command))
}

fn allow_https(service: &Service) -> Option<(String, String)> {
    let own = service.security_groups.first()?;
    let next = format!(
        "Look whether the subnets have a NAT gateway or endpoints, and allow HTTPS outwards in {own}"
    );
    let command = format!(
        "aws ec2 authorize-security-group-egress --region {} --group-id {own} --ip-permissions \
         'IpProtocol=tcp,FromPort=443,ToPort=443,IpRanges=[{{CidrIp=0.0.0.0/0}}]'",
        service.id.scope.region
    );
    Some((next, command))
}

fn create_log_group(service: &Service, definition: &TaskDefinition) -> Option<(String, String)> {
    let log = definition.containers.iter().find_map(|container| container.log.as_ref())?;
    let group = log.option("awslogs-group")?;
    let region = log.option("awslogs-region").unwrap_or(service.id.scope.region.as_str());
    let next = "Create the log group again, and set its retention".to_owned();
    Some((next, format!("aws logs create-log-group --region {region} --log-group-name {}", quoted(group))))
}

fn allow_secrets(service: &Service, definition: &TaskDefinition) -> Option<(String, String)> {
    let role = Arn::last(definition.execution_role_arn.as_deref()?).to_owned();
    let mut arns: Vec<String> = definition
        .containers
        .iter()
        .flat_map(ContainerDefinition::references)
        .map(|reference| ValueFrom::parse(reference.value_from))
        .filter(|value| value.secret && value.id.starts_with("arn:"))
        .map(|value| format!("\"{}\"", value.id))
        .collect();
    arns.sort();
    arns.dedup();
    if arns.is_empty() {
        return None;
    }
    let next = format!("Let the execution role {role} read the secrets that the task definition names");
    let command = format!(
        "aws iam put-role-policy --role-name {role} --policy-name {}-secrets --policy-document \
         '{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Action\":\
         \"secretsmanager:GetSecretValue\",\"Resource\":[{}]}}]}}'",
        service.id.name,
        arns.join(",")
    );
    Some((next, command))
}

/// As a word of a shell.
fn quoted(text: &str) -> String {
    shell_words::quote(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::database::fixtures::service;
    use super::super::fixtures::definition;
    use super::super::{Severity, Subject};
    use super::*;
    use crate::domain::ecs::{LoadBalancer, ServiceEvent};
    use crate::domain::task_definition::SecretRef;
    use crate::stdx::clock::Wall;

    const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-2:1:targetgroup/web/1";

    fn web(event: &str) -> Service {
        let balancer = LoadBalancer {
            target_group_arn: Some(GROUP.into()),
            container: Some("app".into()),
            port: Some(8000),
        };
        Service {
            load_balancers: vec![balancer],
            security_groups: vec!["sg-1".into()],
            events: vec![ServiceEvent { id: "1".into(), at: Wall(0), message: event.into() }],
            ..service("web", 2)
        }
    }

    fn command(service: &Service, definition: Option<&TaskDefinition>, sentence: &str) -> Option<String> {
        let finding =
            Finding::new(Subject::Service(service.id.clone()), "service.stops", Severity::Critical, sentence);
        let group = |arn: &str| {
            Some(TargetGroup {
                arn: arn.to_owned(),
                name: "web".into(),
                balancers: vec!["arn:aws:elasticloadbalancing:eu-west-2:1:loadbalancer/app/web/2".into()],
                protocol: Some("HTTP".into()),
                port: Some(8000),
                health_path: Some("/health check".into()),
                matcher: Some("200".into()),
            })
        };
        with_command(finding, service, definition, group).command
    }

    #[test]
    fn a_balancer_that_gets_the_wrong_code_or_no_answer_has_its_own_fix() {
        let failed = "2 tasks stopped in 5 min: its target group's health checks failed";
        let codes = web(
            "(service web) (task 1) (port 8000) is unhealthy in (target-group x) due to (reason Health checks failed with these codes: [404]).",
        );
        let path = command(&codes, None, failed).unwrap();
        assert!(
            path.ends_with(&format!("--target-group-arn {GROUP} --health-check-path '/health check'")),
            "{path}"
        );
        let silent = web(
            "(service web) (task 1) (port 8000) is unhealthy in (target-group x) due to (reason Request timed out).",
        );
        let rule = command(&silent, None, failed).unwrap();
        assert!(
            rule.contains("authorize-security-group-ingress") && rule.contains("--group-id sg-1"),
            "{rule}"
        );
        assert!(rule.contains("--port 8000") && rule.contains("loadbalancer/app/web/2"), "{rule}");
        let unknown = Service { security_groups: vec![], ..silent };
        assert_eq!(command(&unknown, None, failed), None);
    }

    #[test]
    fn what_a_task_lacks_at_its_start_is_made_by_its_own_name() {
        let mut definition = definition("web");
        definition.execution_role_arn = Some("arn:aws:iam::1:role/web-execution".into());
        let arn = "arn:aws:secretsmanager:eu-west-2:1:secret:db-AbCdEf";
        let key = SecretRef { name: "DB".into(), value_from: format!("{arn}:password::") };
        definition.containers[0].secrets = vec![key];
        let still = web("");
        let gone =
            command(&still, Some(&definition), "2 tasks stopped: the log group does not exist").unwrap();
        assert!(gone.contains("create-log-group") && gone.ends_with("--log-group-name /ecs/app"), "{gone}");
        let denied = "2 tasks stopped: the execution role may not read a secret";
        let allow = command(&still, Some(&definition), denied).unwrap();
        assert!(
            allow.contains("--role-name web-execution") && allow.contains(&format!("[\"{arn}\"]")),
            "{allow}"
        );
        assert_eq!(command(&still, None, denied), None);
        let route = command(&still, None, "2 tasks stopped: there is no route to Secrets Manager").unwrap();
        assert!(route.contains("authorize-security-group-egress") && route.contains("sg-1"), "{route}");
        assert_eq!(command(&still, Some(&definition), "2 tasks stopped: exit 1"), None);
    }
}
