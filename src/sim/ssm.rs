//! The SSM Parameter Store, as far as an operator sees it without values.
//!
//! Must not hand out values: none exists, so that nothing can come to rely on one.

use serde_json::{Value, json};

use crate::sim::ecs::input::{number, text, texts};
use crate::sim::ecs::json::{time, with};
use crate::sim::reply::ApiError;
use crate::sim::secretsmanager::no_value;
use crate::sim::stack::ACCOUNT;
use crate::sim::world::World;
use crate::sim::world::vault::Parameter;

/// Carries out an operation. The world has been advanced to the present.
///
/// # Errors
/// What AWS answers to a request that it refuses.
pub fn handle(world: &mut World, region: &str, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "DescribeParameters" => describe(world, region, input),
        "GetParameter" | "GetParameters" | "GetParametersByPath" | "GetParameterHistory" => {
            Err(no_value("ssm", operation))
        }
        _ => Err(ApiError::unknown_operation(format!("The simulator does not play ssm:{operation}"))),
    }
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "ValidationException", message)
}

fn describe(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let size = match number(input, "MaxResults")? {
        None => 50,
        Some(size) => usize::try_from(size)
            .ok()
            .filter(|size| (1..=50).contains(size))
            .ok_or_else(|| validation("MaxResults must be between 1 and 50"))?,
    };
    let filters = filters(input)?;
    let mut found: Vec<&Parameter> =
        world.vault.parameters.iter().filter(|parameter| parameter.region == region).collect();
    found.retain(|parameter| filters.iter().all(|filter| filter.takes(parameter)));
    found.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
    let bad = || ApiError::new(400, "InvalidNextToken", "The specified token isn't valid.");
    let start: usize = match text(input, "NextToken")? {
        None => 0,
        Some(token) => {
            let last = token.strip_prefix("after:").ok_or_else(bad)?;
            found.iter().filter(|parameter| parameter.spec.name.as_str() <= last).count()
        }
    };
    let total = found.len();
    let page: Vec<&Parameter> = found.into_iter().skip(start).take(size).collect();
    let token = page
        .last()
        .filter(|_| start + page.len() < total)
        .map(|last| Value::from(format!("after:{}", last.spec.name)));
    let listed: Vec<Value> = page.into_iter().map(one).collect();
    Ok(with(json!({ "Parameters": listed }), [("NextToken", token)]))
}

fn one(parameter: &Parameter) -> Value {
    let (spec, region) = (&parameter.spec, &parameter.region);
    let slash = if spec.name.starts_with('/') { "" } else { "/" };
    let encrypted = spec.kind == crate::sim::stack::ParameterKind::SecureString;
    with(
        json!({
            "Name": spec.name,
            "ARN": format!("arn:aws:ssm:{region}:{ACCOUNT}:parameter{slash}{}", spec.name),
            "Type": spec.kind.as_str(),
            "LastModifiedDate": time(parameter.changed_at),
            "LastModifiedUser": format!(
                "arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Operators_8d1f6a2c40b97e35/{}",
                spec.by.as_deref().unwrap_or("maria.k")
            ),
            "Version": spec.version,
            "Tier": "Standard",
            "Policies": [],
            "DataType": "text",
        }),
        [
            ("Description", spec.description.clone().map(Value::from)),
            (
                "KeyId",
                encrypted.then(|| spec.kms.clone().unwrap_or_else(|| "alias/aws/ssm".to_owned()).into()),
            ),
        ],
    )
}

/// One filter, of the older or the newer list.
struct Filter {
    key: String,
    option: String,
    values: Vec<String>,
}

impl Filter {
    fn takes(&self, parameter: &Parameter) -> bool {
        let spec = &parameter.spec;
        let under = |path: &str| {
            let rest =
                spec.name.strip_prefix(path.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
            rest.is_some_and(|rest| self.option == "Recursive" || !rest.contains('/'))
        };
        let holds = |value: &String| match (self.key.as_str(), self.option.as_str()) {
            ("Name", "BeginsWith") => spec.name.starts_with(value),
            ("Name", "Contains") => spec.name.contains(value),
            ("Name", _) => spec.name == *value,
            ("Type", _) => spec.kind.as_str() == value,
            ("Path", _) => under(value),
            ("Tier", _) => value == "Standard",
            ("DataType", _) => value == "text",
            _ => spec.kms.as_ref() == Some(value),
        };
        self.values.iter().any(holds)
    }
}

fn filters(input: &Value) -> Result<Vec<Filter>, ApiError> {
    const KEYS: [&str; 6] = ["Name", "Type", "KeyId", "Path", "Tier", "DataType"];
    let mut filters = Vec::new();
    // The older list matches the beginnings of names.
    for (list, usual) in [("ParameterFilters", "Equals"), ("Filters", "BeginsWith")] {
        for filter in input.get(list).and_then(Value::as_array).into_iter().flatten() {
            let key = text(filter, "Key")?.unwrap_or_default().to_owned();
            if !KEYS.contains(&key.as_str()) {
                return Err(ApiError::new(
                    400,
                    "InvalidFilterKey",
                    format!("The following filter key is not valid: {key}."),
                ));
            }
            let usual = if key == "Path" { "OneLevel" } else { usual };
            let option = text(filter, "Option")?.unwrap_or(usual).to_owned();
            let values = texts(filter, "Values")?.into_iter().map(str::to_owned).collect();
            filters.push(Filter { key, option, values });
        }
    }
    Ok(filters)
}

#[cfg(test)]
mod tests;
