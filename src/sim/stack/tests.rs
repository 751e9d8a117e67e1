use super::*;

fn stack(name: &str) -> Stack {
    Stack::builtin(name).expect(name).unwrap()
}

#[test]
fn every_stack_that_comes_with_the_program_parses() {
    for name in Stack::builtins() {
        let stack = stack(name);
        assert_eq!(stack.name, name);
        assert!(!stack.interpretations.is_empty(), "{name} hides what its document leaves open");
    }
    assert!(Stack::builtin("nosuch").is_none());
}

#[test]
fn every_service_has_a_past_of_ninety_days_and_of_the_last_hour() {
    let hour = Duration::from_secs(3_600);
    for stack in Stack::builtins().map(stack) {
        for service in &stack.services {
            let name = &service.name;
            let family = stack.family(&service.task_definition).unwrap();
            assert!(family.revisions().len() >= 3, "{name}");
            assert!(service.deployments.len() >= 3, "{name}");
            assert!(
                service.deployments.iter().all(|d| d.age.0 <= Duration::from_secs(90 * 86_400)),
                "{name}"
            );
            assert_eq!(service.running().unwrap().revision, family.revision, "{name}");
            let recent =
                service.deployments.iter().map(|d| d.age).chain(service.stopped.iter().map(|s| s.age));
            let recent = recent.chain(service.scalings.iter().map(|s| s.age));
            assert!(recent.min().unwrap().0 < hour, "{name}: nothing in the last hour");
        }
    }
}

#[test]
fn the_first_minute_over_all_five_is_worth_looking_at() {
    let minute = 60_000;
    let kinds: Vec<IncidentKind> = Stack::builtins()
        .map(stack)
        .flat_map(|stack| stack.timeline)
        .filter(|incident| incident.at.millis < minute)
        .map(|incident| incident.kind)
        .collect();
    for kind in
        [IncidentKind::BadDeploy, IncidentKind::SpotReclaim, IncidentKind::ErrorBurst, IncidentKind::Crash]
    {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

#[test]
fn gov_is_as_its_document_says() {
    let gov = stack("gov");
    assert_eq!(gov.region, "us-east-1");
    assert_eq!(gov.clusters[0].name, "gov-cluster");
    let backend = gov.service("gov-backend").unwrap();
    assert_eq!(backend.habit, DeployHabit::NewTag);
    assert!((2..=4).contains(&backend.desired));
    let family = gov.family("gov-backend").unwrap();
    let names: Vec<&str> = family.containers.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["nginx", "backend"]);
    let secrets: Vec<&String> = family.containers[1].secrets.keys().collect();
    assert_eq!(secrets, ["BLOCKCHAIN_PRIVATE_KEY", "DB_PASS", "JWT_SECRET"]);
    let tags: std::collections::BTreeSet<String> =
        family.revisions().iter().map(|r| r.containers[1].tag.clone()).collect();
    assert_eq!(tags.len(), family.revisions().len(), "each revision brings its own tag");
    assert!(gov.service("gov-ai-service").is_some());
}

#[test]
fn codeguardians_is_as_its_document_says() {
    let stack = stack("codeguardians");
    let service = stack.service("gateway-service").unwrap();
    assert_eq!(service.cluster, "codeguardians-gateway");
    assert_eq!(service.habit, DeployHabit::LatestByForce);
    let family = stack.family("codeguardians-gateway").unwrap();
    assert_eq!((family.cpu, family.memory), (2048, 4096));
    assert_eq!(family.task_role.as_deref(), Some("codeguardians-gateway-task-role"));
    assert_eq!(family.execution_role, "ecsTaskExecutionRole");
    let ports: Vec<u16> = family.containers.iter().flat_map(|c| c.ports.clone()).collect();
    assert_eq!(ports, [8000, 8001, 8002, 8003, 8004, 8005, 8006]);
    assert!(stack.interpretations.iter().any(|text| text.contains("8005")));
    let gateway = &family.containers[0];
    assert_eq!(gateway.environment["AWS_SECRETS_NAME"], "codeguardians-gateway/production");
    assert_eq!(
        stack.value_from(&gateway.secrets["DATABASE_URL"]),
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:codeguardians-gateway/production:DATABASE_URL::"
    );
    assert_eq!(
        stack.image(gateway),
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/codeguardians-gateway:latest"
    );
    let check = gateway.health_check.as_ref().unwrap();
    assert_eq!((check.interval, check.timeout, check.retries, check.start_period), (30, 5, 3, Some(60)));
    assert_eq!(gateway.log.group, "/ecs/codeguardians-gateway");
    assert_eq!(gateway.log.prefix, "ecs");
}

#[test]
fn cma_is_as_its_document_says() {
    let cma = stack("cma");
    assert_eq!(cma.region, "eu-west-2");
    let cluster = &cma.clusters[0];
    assert_eq!(cluster.name, "cma-production");
    assert_eq!(cluster.container_insights.as_str(), "enabled");
    assert_eq!(cluster.exec_log_group.as_deref(), Some("/ecs/cma-production"));
    assert_eq!(cma.log_groups[0].retention_days, Some(30));
    assert_eq!(cma.tags["ManagedBy"], "Terraform");
    let frontend = cma.service("cma-frontend-production").unwrap();
    assert_eq!((frontend.desired, frontend.launch_type.as_deref()), (2, Some("FARGATE")));
    assert_eq!(frontend.load_balancers[0].port, 3000);
    assert_eq!(frontend.habit, DeployHabit::LatestAndSha);
    let family = cma.family("cma-frontend-production").unwrap();
    assert_eq!((family.cpu, family.memory), (512, 1024));
    assert_eq!(family.containers[0].log.prefix, "frontend");
    let api = cma.service("cma-api-production").unwrap();
    let bounds = api.autoscaling.as_ref().unwrap();
    assert_eq!((bounds.min, bounds.max, bounds.target), (2, 10, Some(70.0)));
    assert_eq!((api.load_balancers[0].port, api.load_balancers[0].health_path.as_str()), (5000, "/health"));
    let workers = cma.service("cma-workers-production").unwrap();
    assert_eq!(workers.capacity[0].provider, "FARGATE_SPOT");
    assert_eq!(workers.capacity[0].weight, 100);
    assert_eq!((workers.rollout.min_percent, workers.rollout.max_percent), (70, 200));
}

#[test]
fn saas_is_as_its_document_says() {
    let saas = stack("saas");
    assert_eq!(saas.region, "me-south-1");
    let backend = saas.service("saas-backend").unwrap();
    assert_eq!((backend.cluster.as_str(), backend.desired), ("saas", 2));
    let bounds = backend.autoscaling.as_ref().unwrap();
    assert_eq!((bounds.min, bounds.max, bounds.target), (2, 6, Some(70.0)));
    assert_eq!(backend.load_balancers[0].health_path, "/api/v1/health");
    assert_eq!(backend.load_balancers[0].port, 8000);
    assert_eq!((backend.rollout.min_percent, backend.rollout.max_percent), (100, 200));
    let worker = saas.service("saas-worker").unwrap();
    assert_eq!((worker.desired, worker.autoscaling.as_ref().unwrap().max), (1, 2));
    let (back, work) = (saas.family("saas-backend").unwrap(), saas.family("saas-worker").unwrap());
    assert_eq!((back.cpu, back.memory, work.cpu, work.memory), (512, 1024, 512, 1024));
    assert_eq!(saas.image(&back.containers[0]), saas.image(&work.containers[0]));
    assert_eq!(back.task_role, work.task_role);
    assert_eq!(work.containers[0].command, ["celery", "-A", "app.workers.celery_app", "worker"]);
    assert_eq!(
        saas.value_from("ssm:/saas/production/ai-soft-limit"),
        "arn:aws:ssm:me-south-1:123456789012:parameter/saas/production/ai-soft-limit"
    );
}

#[test]
fn migrate_is_as_its_document_says() {
    let migrate = stack("migrate");
    assert_eq!(migrate.region, "us-east-1");
    let service = migrate.service("migrate-backend-service").unwrap();
    assert_eq!(service.cluster, "migrate-cluster");
    assert_eq!(service.habit, DeployHabit::LatestByForce);
    let family = migrate.family(&service.task_definition).unwrap();
    assert_eq!(
        migrate.image(&family.containers[0]),
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/migrate-backend:latest"
    );
}

#[test]
fn earlier_revisions_are_rebuilt_from_their_differences() {
    let migrate = stack("migrate");
    let revisions = migrate.family("migrate-backend").unwrap().revisions();
    let numbers: Vec<u32> = revisions.iter().map(|r| r.number).collect();
    assert_eq!(numbers, [9, 8, 7, 6]);
    assert_eq!(revisions[0].containers[0].environment["WEB_CONCURRENCY"], "2");
    assert_eq!(
        revisions[2].containers[0].environment["WEB_CONCURRENCY"], "1",
        "a difference holds further back"
    );
    assert!(!revisions[2].containers[0].secrets.contains_key("OPENAI_API_KEY"));
    assert_eq!((revisions[3].cpu, revisions[3].memory, revisions[3].active), (256, 512, false));
}

#[test]
fn a_fleet_has_the_asked_size_unique_names_and_some_sick_services() {
    let fleet = Stack::fleet(600, 7).unwrap();
    assert_eq!(fleet.services.len(), 600);
    assert_eq!(fleet, Stack::fleet(600, 7).unwrap(), "the seed decides everything");
    assert_ne!(fleet, Stack::fleet(600, 8).unwrap());
    check::check(&fleet).unwrap();
    let sick = fleet.services.iter().filter(|s| s.condition.is_some()).count();
    assert!((6..60).contains(&sick), "{sick} of 600 are sick");
    check::check(&Stack::fleet(0, 7).unwrap()).unwrap();
    assert!(Stack::fleet(0, 7).unwrap().services.is_empty());
}

#[test]
fn a_fleet_of_300_services_has_all_that_must_be_paged_through() {
    let fleet = Stack::fleet(300, 7).unwrap();
    check::check(&fleet).unwrap();
    let alone = fleet.databases.iter().filter(|database| database.cluster.is_none()).count();
    assert_eq!((alone, fleet.caches.len(), fleet.alarms.len(), fleet.secrets.len()), (50, 25, 200, 300));
    assert!(fleet.databases.iter().all(|database| !database.used_by.is_empty()), "{:?}", fleet.databases);
    let more = Stack::fleet(2_000, 7).unwrap();
    assert_eq!((more.databases.len(), more.alarms.len(), more.secrets.len()), (52, 200, 300));
}

fn refused(change: impl Fn(&str) -> String) -> String {
    let text = change(include_str!("../stacks/migrate.toml"));
    Stack::parse("mine.toml", &text).unwrap_err().to_string()
}

#[test]
fn a_slip_is_named_with_file_place_and_remedy() {
    let error = refused(|text| text.replacen("desired = 2", "desird = 2", 1));
    assert!(error.starts_with("mine.toml: line ") && error.contains("`desird`"), "{error}");
    let error = refused(|text| text.replacen("age = \"12d\"", "age = \"12\"", 1));
    assert!(error.contains("`12` is not a span of time"), "{error}");
    let error = refused(|text| text.replacen("cluster = \"migrate-cluster\"", "cluster = \"other\"", 1));
    assert_eq!(
        error,
        "mine.toml: services.migrate-backend-service.cluster: there is no cluster `other` in this stack"
    );
    let error = refused(|text| text.replacen("memory = 1024", "memory = 1000", 1));
    assert!(error.contains("Fargate has no size of 512 CPU units with 1000 MiB"), "{error}");
    let error = refused(|text| text.replacen("port = 8000", "port = 80", 1));
    assert!(error.contains("does not listen on port 80"), "{error}");
    let error = refused(|text| text.replacen("build = \"6e5f918\"", "", 1));
    assert_eq!(error, "mine.toml: timeline.0: an incident of this kind needs `build`");
    let error = refused(|text| text.replacen("kind = \"deploy\"", "kind = \"spot-reclaim\"", 1));
    assert!(error.contains("runs no Spot tasks"), "{error}");
}

#[test]
fn two_containers_cannot_share_a_port() {
    let text = include_str!("../stacks/codeguardians.toml").replacen("ports = [8006]", "ports = [8005]", 1);
    let error = Stack::parse("cg.toml", &text).unwrap_err();
    assert_eq!(error.place, "task_definitions.codeguardians-gateway.containers.healthguard.ports");
    assert!(error.problem.contains("8005"));
}

#[test]
fn databases_and_caches_are_as_the_documents_say() {
    let gov = stack("gov");
    assert!(gov.databases[0].multi_az && gov.databases[0].retention > 0);
    let cma = stack("cma");
    let [main, replica] = cma.databases.as_slice() else { panic!("{:?}", cma.databases) };
    assert_eq!(
        (main.class.as_str(), main.retention, main.backup_window.as_str()),
        ("db.r6g.large", 30, "03:00-04:00")
    );
    assert_eq!((replica.class.as_str(), replica.retention), ("db.t4g.medium", 0));
    assert_eq!(replica.replica_of.as_deref(), Some("cma-production"));
    assert_eq!(cma.caches[0].node_type, "cache.r6g.large");
    let saas = stack("saas");
    let database = &saas.databases[0];
    assert_eq!((database.major(), database.class.as_str(), database.storage), ("16", "db.t4g.medium", 20));
    assert_eq!((database.multi_az, database.retention, database.max_storage), (true, 7, Some(100)));
    assert_eq!(database.parameters["rds.force_ssl"], "1");
    assert!(database.used_by.iter().all(|used| used.pool == 15));
    assert!(saas.caches[0].automatic_failover && saas.caches[0].node_type == "cache.t4g.micro");
}

#[test]
fn alarms_are_as_the_documents_say_and_two_systems_have_none() {
    let alarms = |name: &str| -> Vec<(String, f64)> {
        stack(name).alarms.into_iter().map(|alarm| (alarm.name, alarm.threshold)).collect()
    };
    let saas = alarms("saas");
    // "CPU > 80%, RDS connections > 80%, 5xx error rate > 1%"
    for (name, threshold) in [
        ("saas-backend-cpu-high", 80.0),
        ("saas-worker-cpu-high", 80.0),
        ("saas-db-connections-high", 80.0),
        ("saas-backend-5xx-rate", 1.0),
    ] {
        assert!(saas.contains(&(name.to_owned(), threshold)), "{saas:?}");
    }
    assert_eq!((saas.len(), alarms("gov").len(), alarms("codeguardians").len()), (4, 5, 2));
    assert_eq!((alarms("cma").len(), alarms("migrate").len()), (0, 0));
}

#[test]
fn hosts_in_task_definitions_are_endpoints_of_databases_and_caches() {
    let mut seen = 0;
    for stack in Stack::builtins().map(stack) {
        let mut known: Vec<&str> =
            stack.databases.iter().map(|database| database.endpoint.as_str()).collect();
        known.extend(stack.caches.iter().map(|cache| cache.endpoint.as_str()));
        for (_, value) in stack
            .task_definitions
            .iter()
            .flat_map(TaskDefinition::revisions)
            .flat_map(|revision| revision.containers)
            .flat_map(|container| container.environment)
            .filter(|(_, value)| value.contains(".rds.amazonaws") || value.contains(".cache.amazonaws"))
        {
            assert!(known.iter().any(|known| value.contains(known)), "{}: {value}", stack.name);
            seen += 1;
        }
    }
    assert!(seen > 6, "{seen}");
}

#[test]
fn a_slip_in_a_database_is_refused_with_its_place() {
    let text = include_str!("../stacks/cma.toml");
    for (from, to, place) in [
        (
            "replica_of = \"cma-production\"",
            "replica_of = \"nobody\"",
            "databases.cma-read-replica-production.replica_of",
        ),
        ("class = \"db.r6g.large\"", "class = \"db.r6g.huge\"", "databases.cma-production.class"),
        ("used = 61.7", "used = 161.7", "databases.cma-production.used"),
        ("secondary_zone = \"eu-west-2b\"\n", "", "databases.cma-production.secondary_zone"),
        (
            "service = \"cma-api-production\", pool = 5",
            "service = \"nobody\", pool = 5",
            "caches.cma-production.used_by",
        ),
        ("zones = [\"eu-west-2a\"]", "zones = []", "caches.cma-production.zones"),
        (
            "backup_window = \"03:00-04:00\"",
            "backup_window = \"three\"",
            "databases.cma-production.backup_window",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let error = Stack::parse("cma.toml", &text.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.place, place, "{error}");
    }
}
