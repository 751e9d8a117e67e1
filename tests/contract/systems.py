"""The five systems, created in an emulator with boto3: their names, counts, ports and habits of deployment.

Emulators start no containers here; what they make of this is what opsdeck has to show.
"""

ACCOUNT = "123456789012"


def container(name, image, port=None, environment=None, group=None, region=None, essential=True, **more):
    made = {"name": name, "image": image, "essential": essential, "memory": 512, **more}
    if port:
        made["portMappings"] = [{"containerPort": port, "protocol": "tcp"}]
    if environment:
        made["environment"] = [{"name": n, "value": v} for n, v in environment.items()]
    if group:
        made["logConfiguration"] = {
            "logDriver": "awslogs",
            "options": {"awslogs-group": group, "awslogs-region": region, "awslogs-stream-prefix": name},
        }
    return made


def registry(region, name):
    return f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{name}"


def guard(name, port):
    return container(name, registry("us-east-1", "codeguardians-gateway:latest"), port,
                     {"AWS_SECRETS_NAME": "codeguardians-gateway/production"}, "/ecs/codeguardians-gateway",
                     "us-east-1", command=["python", "-m", f"guards.{name}"])


# cluster, region, service → (family, desired, containers, settings of the service)
SYSTEMS = {
    "gov-cluster": ("us-east-1", {
        "gov-backend": ("gov-backend", 2, [
            container("nginx", registry("us-east-1", "gov-nginx:v42"), 8080, None, "/ecs/gov-backend", "us-east-1"),
            container("backend", registry("us-east-1", "gov-backend:v42"), 3000,
                      {"DATABASE_HOST": "gov-db"}, "/ecs/gov-backend", "us-east-1",
                      readonlyRootFilesystem=True, user="1000:1000"),
        ], {}),
        "gov-ai-service": ("gov-ai-service", 1, [
            container("gov-ai-service", registry("us-east-1", "gov-ai-service:v17"), 8001, None,
                      "/ecs/gov-ai-service", "us-east-1"),
        ], {}),
    }),
    "codeguardians-gateway": ("us-east-1", {
        "gateway-service": ("codeguardians-gateway", 2, [
            container("gateway", registry("us-east-1", "codeguardians-gateway:latest"), 8000,
                      {"AWS_SECRETS_NAME": "codeguardians-gateway/production"}, "/ecs/codeguardians-gateway", "us-east-1"),
            guard("tokenguard", 8001), guard("trustguard", 8002), guard("contextguard", 8003),
            guard("biasguard", 8004), guard("securityguard", 8005), guard("healthguard", 8006),
        ], {"tags": [{"key": "team", "value": "guardians"}]}),
    }),
    "cma-production": ("eu-west-2", {
        "cma-frontend-production": ("cma-frontend-production", 2, [
            container("frontend", registry("eu-west-2", "cma-frontend:latest"), 3000, None,
                      "/ecs/cma-frontend", "eu-west-2"),
        ], {"enableExecuteCommand": True}),
        "cma-api-production": ("cma-api-production", 2, [
            container("api", registry("eu-west-2", "cma-api:4f2a9c1"), 5000,
                      {"DB_PASSWORD": "do-not-show-me", "STAGE": "production"}, "/ecs/cma-api", "eu-west-2",
                      healthCheck={"command": ["CMD-SHELL", "curl -f http://localhost:5000/health"],
                                   "interval": 30, "timeout": 5, "retries": 3, "startPeriod": 60}),
        ], {"enableExecuteCommand": True}),
        "cma-workers-production": ("cma-workers-production", 1, [
            container("workers", registry("eu-west-2", "cma-api:4f2a9c1"), None, None,
                      "/ecs/cma-production", "eu-west-2", command=["celery", "worker"]),
        ], {}),
    }),
    "saas": ("me-south-1", {
        "saas-backend": ("saas-backend", 2, [
            container("saas-backend", registry("me-south-1", "saas:2024-11"), 8000, None,
                      "/ecs/saas-backend", "me-south-1"),
        ], {}),
        "saas-worker": ("saas-worker", 2, [
            container("saas-worker", registry("me-south-1", "saas:2024-11"), None, None,
                      "/ecs/saas-worker", "me-south-1", command=["celery", "-A", "app", "worker"]),
        ], {}),
    }),
    "migrate-cluster": ("us-east-1", {
        "migrate-backend-service": ("migrate-backend", 1, [
            container("migrate-backend", registry("us-east-1", "migrate-backend:latest"), 8000, None,
                      "/ecs/migrate-backend", "us-east-1"),
        ], {}),
    }),
}

REGIONS = sorted({region for region, _ in SYSTEMS.values()})


def create(connect):
    """Creates all five; `connect(service, region)` gives a boto3 client."""
    for cluster, (region, services) in SYSTEMS.items():
        ecs = connect("ecs", region)
        ecs.create_cluster(clusterName=cluster, tags=[{"key": "system", "value": cluster}])
        subnets = [s["SubnetId"] for s in connect("ec2", region).describe_subnets()["Subnets"]][:2]
        network = {"awsvpcConfiguration": {"subnets": subnets or ["subnet-1"], "securityGroups": []}}
        for name, (family, desired, containers, settings) in services.items():
            definition = {
                "family": family,
                "containerDefinitions": containers,
                "networkMode": "awsvpc",
                "requiresCompatibilities": ["FARGATE"],
                "cpu": "1024",
                "memory": "4096",
                "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/{family}-execution",
                "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/{family}-task",
            }
            # Three revisions, as after some weeks of work.
            for _ in range(3):
                ecs.register_task_definition(**definition)
            ecs.create_service(
                cluster=cluster, serviceName=name, taskDefinition=family, desiredCount=desired,
                launchType="FARGATE", networkConfiguration=network,
                deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 200,
                                         "deploymentCircuitBreaker": {"enable": True, "rollback": True}},
                **settings,
            )


def each_service():
    for cluster, (region, services) in SYSTEMS.items():
        for name in services:
            yield region, cluster, name
