//! What operators declare about databases, since AWS cannot know it: the recovery point objective, and which
//! services use them with how many connections.
//!
//! Must not look up whether such a database or service exists.

use super::Config;
use super::value::span_of;
use crate::diagnose::database::Pool;
use crate::stdx::document::{Item, Mistake};

impl Config {
    pub(super) fn lay_database(&mut self, item: &Item<'_>) -> Result<(), Mistake> {
        let table = item.table()?;
        table.only(&["rpo", "pools"])?;
        let mut declared = self.databases.remove(&item.key).unwrap_or_default();
        for part in table.entries() {
            match part.key.as_str() {
                "rpo" => declared.rpo = Some(span_of(&part, std::time::Duration::from_secs(1))?),
                _ => declared.pools = part.list()?.iter().map(pool).collect::<Result<_, _>>()?,
            }
            self.made(&part);
        }
        self.databases.insert(item.key.clone(), declared);
        Ok(())
    }
}

fn pool(item: &Item<'_>) -> Result<Pool, Mistake> {
    let table = item.table()?;
    table.only(&["service", "connections", "max_tasks"])?;
    let named = table.need("service")?;
    let service = named.text()?;
    let parts: Vec<&str> = service.split('/').collect();
    if parts.len() > 2 || parts.iter().any(|part| part.is_empty()) {
        return Err(named.mistake(format!("`{service}` is not SERVICE or CLUSTER/SERVICE")));
    }
    Ok(Pool {
        service: service.to_owned(),
        connections: table.need("connections")?.number(1)?,
        max_tasks: table.get("max_tasks").map(|most| most.number(1)).transpose()?,
    })
}
