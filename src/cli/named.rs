//! NAME of the verbs that list resources other than services: a name as AWS has it, or an ARN.
//!
//! Must not guess: a name that nothing has is not found, one that several have is ambiguous.

use crate::cli::exit::{Exit, Problem};
use crate::cli::gather::Gather;
use crate::cli::name::nearest;
use crate::cli::session::Session;
use crate::domain::scope::Arn;

/// What an item is known by.
pub trait Named {
    /// Name, region and ARN.
    fn known_by(&self) -> (&str, &str, &str);
}

/// The services of AWS, as ARNs write them, in which a kind of thing lives.
fn home(noun: &str) -> &'static [&'static str] {
    match noun {
        "alarm" => &["cloudwatch"],
        "database" => &["rds"],
        "cache" => &["elasticache"],
        _ => &["secretsmanager", "ssm"],
    }
}

/// The items that were meant: all without a name, or the one of that name or ARN. When not everything could be
/// asked, an empty list is no proof and the report tells what is missing.
///
/// # Errors
/// When there is certainly none, or when several have the name.
pub fn only<T: Named>(
    items: Vec<T>,
    wanted: Option<&str>,
    noun: &str,
    session: &Session,
    gather: &mut Gather,
) -> Result<Vec<T>, Problem> {
    let Some(wanted) = wanted else { return Ok(items) };
    if let Some(arn) = Arn::parse(wanted).filter(|arn| !home(noun).contains(&arn.service)) {
        let what = format!("`{wanted}` is not the ARN of a {noun} (it names: {})", arn.service);
        return Err(Problem::usage(what).hint("the verb without NAME lists what there is"));
    }
    let is_meant = |item: &T| {
        let (name, _, arn) = item.known_by();
        name == wanted || arn == wanted
    };
    if !items.iter().any(is_meant) {
        if !gather.is_complete() {
            gather.remark(format!("there is no {noun} `{wanted}` in what could be read"));
            return Ok(Vec::new());
        }
        let regions: Vec<&str> = session.scopes.iter().map(|scope| scope.region.as_str()).collect();
        let near = nearest(wanted, items.iter().map(|item| item.known_by().0));
        let what = format!("there is no {noun} `{wanted}` in {}", regions.join(", "));
        let problem = Problem::new(Exit::NotFound, what);
        return Err(match near.as_slice() {
            [] => problem.hint("the verb without NAME lists what there is"),
            near => problem.hint(format!("did you mean {}?", near.join(", "))),
        });
    }
    let found: Vec<T> = items.into_iter().filter(is_meant).collect();
    if found.len() > 1 {
        let mut candidates: Vec<String> = found
            .iter()
            .map(|item| {
                let (name, region, arn) = item.known_by();
                format!("{name}  {region}  {arn}")
            })
            .collect();
        candidates.sort();
        return Err(Problem::usage(format!("`{wanted}` is ambiguous: {} have this name", found.len()))
            .details(candidates)
            .hint("name one with --region, or by its ARN"));
    }
    Ok(found)
}
