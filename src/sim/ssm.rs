//! The SSM Parameter Store, as far as an operator sees it without values.
//!
//! Must not hand out values: none exists, so that nothing can come to rely on one.

use serde_json::{Value, json};

use crate::sim::ecs::input::{flag, number, text, texts};
use crate::sim::ecs::json::{time, with};
use crate::sim::reply::ApiError;
use crate::sim::secretsmanager::no_value;
use crate::sim::stack::{ACCOUNT, Parameter as Spec, ParameterKind, Span};
use crate::sim::world::World;
use crate::sim::world::vault::Parameter;

/// Carries out an operation. The world has been advanced to the present.
///
/// # Errors
/// What AWS answers to a request that it refuses.
pub fn handle(world: &mut World, region: &str, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "DescribeParameters" => describe(world, region, input),
        "PutParameter" => put(world, region, input),
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

/// A value is measured and forgotten.
fn put(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name")?.unwrap_or_default();
    let refuse = |code: &str, message: &str| Err(ApiError::new(400, code, message));
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_.-".contains(c);
    if name.is_empty() || name.len() > 1_011 || !name.chars().all(allowed) {
        return Err(validation(
            "Parameter name must be a fully qualified name. Only a mix of letters, numbers and the following 4 symbols .-_/ are allowed.",
        ));
    }
    let plain = name.trim_start_matches('/').to_ascii_lowercase();
    if plain.starts_with("aws") || plain.starts_with("ssm") {
        return Err(validation(format!("No access to reserved parameter name: {name}.")));
    }
    if name.split('/').filter(|part| !part.is_empty()).count() > 15 {
        return refuse(
            "HierarchyLevelLimitExceededException",
            "A hierarchy can have a maximum of 15 levels.",
        );
    }
    let value = text(input, "Value")?.unwrap_or_default();
    if value.is_empty() {
        return Err(validation(
            "Value at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ));
    }
    if value.len() > 4_096 {
        return Err(validation(
            "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.",
        ));
    }
    let kind = match text(input, "Type")? {
        None => None,
        Some(word) => Some(
            [ParameterKind::String, ParameterKind::StringList, ParameterKind::SecureString]
                .into_iter()
                .find(|kind| kind.as_str() == word)
                .ok_or_else(|| validation(format!("{word} is no type of a parameter")))?,
        ),
    };
    let overwrite = flag(input, "Overwrite")?.unwrap_or(false);
    let tagged = input.get("Tags").and_then(Value::as_array).is_some_and(|tags| !tags.is_empty());
    if tagged && overwrite {
        return Err(validation(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag.",
        ));
    }
    let known = world.vault.parameter(region, name).map(|known| known.spec.clone());
    let kind = match (&known, kind) {
        (Some(_), _) if !overwrite => {
            return refuse(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
            );
        }
        (Some(known), Some(kind)) if known.kind != kind => {
            return refuse(
                "HierarchyTypeMismatchException",
                "Parameter Store doesn't support changing a parameter type in a hierarchy. You must create a new, unique parameter.",
            );
        }
        (Some(known), _) => known.kind,
        (None, Some(kind)) => kind,
        (None, None) => return Err(validation("A parameter type is required when you create a parameter.")),
    };
    let own = |key: &str, before: Option<String>| -> Result<Option<String>, ApiError> {
        Ok(text(input, key)?.map(str::to_owned).or(before))
    };
    let spec = Spec {
        name: name.to_owned(),
        kind,
        description: own("Description", known.as_ref().and_then(|known| known.description.clone()))?,
        kms: own("KeyId", known.and_then(|known| known.kms))?,
        changed: Span::default(),
        version: 0,
        by: Some("on-call".to_owned()),
    };
    let version = world.put_parameter(region, spec);
    Ok(json!({ "Version": version, "Tier": "Standard" }))
}

fn one(parameter: &Parameter) -> Value {
    let (spec, region) = (&parameter.spec, &parameter.region);
    let slash = if spec.name.starts_with('/') { "" } else { "/" };
    let encrypted = spec.kind == ParameterKind::SecureString;
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
