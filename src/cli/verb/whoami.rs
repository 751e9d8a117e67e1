//! `whoami`: whose credentials each scope uses. The one verb that asks STS.

use crate::cli::exit::Exit;
use crate::cli::gather::Work;
use crate::cli::item::shape;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Column, Table};
use crate::cli::verb::End;
use crate::domain::query::{Answer, Query};

shape! {
    /// Who asks, in one scope.
    Identity {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The region.
        region: String = "text",
        /// The twelve-digit account id.
        account_id: String = "text",
        /// The caller's ARN.
        arn: String = "text",
        /// The caller's unique id.
        user_id: String = "text",
    }
}

/// Performs the verb.
///
/// # Errors
/// When stdout cannot be written to.
pub async fn run(session: &Session, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let mut items = Vec::new();
    let ask = session.scopes.iter().map(|scope| Work::Ask(Query::CallerIdentity { scope: scope.clone() }));
    gather
        .run(ask.collect(), |query, answer| {
            if let Answer::Identity(identity) = answer {
                items.push(Identity {
                    account: query.scope().account.to_string(),
                    region: query.scope().region.to_string(),
                    account_id: identity.account_id,
                    arn: identity.arn,
                    user_id: identity.user_id,
                });
            }
            Vec::new()
        })
        .await;
    items.sort_by(|a, b| (&a.account, &a.region).cmp(&(&b.account, &b.region)));
    Ok(printer.report(&gather.report(items), table)?)
}

fn table(items: &[Identity], printer: &Printer) -> Vec<String> {
    let columns = ["ACCOUNT", "REGION", "ACCOUNT ID"].map(Column::fixed);
    let mut table = Table::new(&[&columns[..], &[Column::name("ARN"), Column::name("USER ID")]].concat());
    for item in items {
        let cells = [&item.account, &item.region, &item.account_id, &item.arn, &item.user_id];
        table.row(cells.map(Into::into));
    }
    printer.set(&table)
}
