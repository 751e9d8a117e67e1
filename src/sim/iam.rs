//! IAM, as far as it can be asked whether a role exists. Roles are those that task definitions name.
//!
//! Must not evaluate policies.

use std::fmt::Write as _;
use std::time::Duration;

use crate::sim::logs::chance;
use crate::sim::query::{Fields, Xml, unknown_action};
use crate::sim::reply::ApiError;
use crate::sim::stack::ACCOUNT;
use crate::sim::world::World;

/// The role that Application Auto Scaling uses for ECS.
const SCALING_ROLE: &str = "AWSServiceRoleForApplicationAutoScaling_ECSService";

/// Carries out an operation.
///
/// # Errors
/// What AWS answers to a request that it refuses.
pub fn handle(world: &World, operation: &str, fields: &Fields) -> Result<String, ApiError> {
    match operation {
        "GetRole" => get_role(world, fields.need("RoleName")?),
        _ => Err(unknown_action(operation, "2010-05-08")),
    }
}

fn get_role(world: &World, name: &str) -> Result<String, ApiError> {
    let (path, principal) = if name == SCALING_ROLE {
        (
            "/aws-service-role/ecs.application-autoscaling.amazonaws.com/",
            "ecs.application-autoscaling.amazonaws.com",
        )
    } else {
        ("/", "ecs-tasks.amazonaws.com")
    };
    if name != SCALING_ROLE && !world.role_exists(name) {
        let text = format!("The role with name {name} cannot be found.");
        return Err(ApiError::new(404, "NoSuchEntity", text));
    }
    let policy = format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"{principal}\"}},\"Action\":\"sts:AssumeRole\"}}]}}"
    );
    let mut xml = Xml::default();
    xml.inside("Role", |xml| {
        xml.text("Path", path);
        xml.text("RoleName", name);
        xml.text("RoleId", format!("AROA{:016X}X", chance::text(name)));
        xml.text("Arn", format!("arn:aws:iam::{ACCOUNT}:role{path}{name}"));
        xml.time("CreateDate", world.opened.minus(Duration::from_secs(380 * 86_400)));
        xml.text("AssumeRolePolicyDocument", percent(&policy));
        xml.text("MaxSessionDuration", 3600);
    });
    Ok(xml.finish())
}

/// IAM writes policies percent-encoded.
fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut safe, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            let _ = write!(safe, "%{byte:02X}");
        }
        safe
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::stack::Stack;
    use crate::stdx::clock::Wall;

    #[test]
    fn the_roles_of_task_definitions_exist_until_somebody_deletes_one() {
        let stack = Stack::builtin("codeguardians").unwrap().unwrap();
        let mut world = World::new(vec![stack], 1, Wall(1_795_176_000_000));
        let asked = |world: &World, name: &str| {
            handle(world, "GetRole", &Fields::of(format!("RoleName={name}").as_bytes()))
        };
        for name in ["codeguardians-gateway-task-role", "ecsTaskExecutionRole", SCALING_ROLE] {
            let answer = asked(&world, name).unwrap();
            assert!(answer.contains(&format!("{name}</Arn>")), "{answer}");
            assert!(answer.contains("%22sts%3AAssumeRole%22"), "{answer}");
        }
        let error = asked(&world, "nobody").unwrap_err();
        assert_eq!((error.status, error.code.as_str()), (404, "NoSuchEntity"));
        world.delete_role("ecsTaskExecutionRole");
        assert_eq!(asked(&world, "ecsTaskExecutionRole").unwrap_err().code, "NoSuchEntity");
    }
}
