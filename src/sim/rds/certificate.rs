//! What has a date: certificates of the authority, and pending maintenance.
//!
//! Must not change anything.

use super::{PAGE, passes};
use crate::sim::query::{Fields, Xml};
use crate::sim::reply::ApiError;
use crate::sim::stack::ACCOUNT;
use crate::sim::stack::data::Maintenance;
use crate::sim::world::World;
use crate::sim::world::database::Database;

/// The authority's certificates: identifier, from, till.
const AUTHORITY: [(&str, &str, &str); 3] = [
    ("rds-ca-rsa2048-g1", "2021-05-21T21:00:00Z", "2061-05-21T22:00:00Z"),
    ("rds-ca-rsa4096-g1", "2021-05-21T21:00:00Z", "2121-05-21T22:00:00Z"),
    ("rds-ca-ecc384-g1", "2021-05-21T21:00:00Z", "2121-05-21T22:00:00Z"),
];

pub(super) fn describe(region: &str, fields: &Fields) -> Result<String, ApiError> {
    let mut found = AUTHORITY.to_vec();
    if let Some(wanted) = fields.text("CertificateIdentifier") {
        found.retain(|(id, ..)| *id == wanted);
        if found.is_empty() {
            let text = format!("Certificate not found: {wanted}");
            return Err(ApiError::new(404, "CertificateNotFound", text));
        }
    }
    let (page, marker) = fields.page(found, |(id, ..)| (*id).to_owned(), PAGE)?;
    let mut xml = Xml::default();
    xml.text("DefaultCertificateForNewLaunches", "rds-ca-rsa2048-g1");
    xml.list("Certificates", "Certificate", page, |xml, (id, from, till)| {
        xml.text("CertificateIdentifier", id);
        xml.text("CertificateType", "CA");
        xml.text("ValidFrom", from);
        xml.text("ValidTill", till);
        xml.text("CertificateArn", format!("arn:aws:rds:{region}::cert:{id}"));
        xml.text("CustomerOverride", false);
    });
    xml.maybe("Marker", marker);
    Ok(xml.finish())
}

pub(super) fn maintenance(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let wanted = fields.text("ResourceIdentifier");
    let own = format!("arn:aws:rds:{region}:{ACCOUNT}:");
    if let Some(arn) = wanted
        && !world.databases.iter().any(|found| found.arn() == arn)
        && !world.database_clusters.iter().any(|found| found.arn() == arn)
    {
        let text = format!("The specified resource {arn} was not found in {own}*");
        return Err(ApiError::new(404, "ResourceNotFoundFault", text));
    }
    let mut found: Vec<(&Database, &[Maintenance])> = Vec::new();
    for database in world.databases.iter().filter(|found| *found.region == *region) {
        let Some(spec) = database.spec().filter(|spec| !spec.maintenance.is_empty()) else { continue };
        let cluster = spec.cluster.as_deref().unwrap_or_default();
        let known = [("db-instance-id", spec.name.as_str()), ("db-cluster-id", cluster)];
        if wanted.is_none_or(|arn| arn == database.arn()) && passes(fields, &known)? {
            found.push((database, &spec.maintenance));
        }
    }
    let (page, marker) = fields.page(found, |(database, _)| database.arn(), PAGE)?;
    let mut xml = Xml::default();
    xml.list(
        "PendingMaintenanceActions",
        "ResourcePendingMaintenanceActions",
        page,
        |xml, (database, pending)| {
            xml.text("ResourceIdentifier", database.arn());
            xml.list("PendingMaintenanceActionDetails", "PendingMaintenanceAction", pending, |xml, one| {
                xml.text("Action", &one.action);
                if let Some(span) = one.auto_applied_in {
                    xml.time("AutoAppliedAfterDate", world.opened.plus(span.0));
                }
                if let Some(span) = one.forced_in {
                    xml.time("ForcedApplyDate", world.opened.plus(span.0));
                }
                if let Some(span) = one.auto_applied_in.or(one.forced_in) {
                    xml.time("CurrentApplyDate", world.opened.plus(span.0));
                }
                xml.text("Description", &one.description);
            });
        },
    );
    xml.maybe("Marker", marker);
    Ok(xml.finish())
}
