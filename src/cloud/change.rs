//! The one road of a mutating call: it waits for its turn like a read, is sent once, and is never sent again.
//!
//! Must not retry: an answer that was lost may hide a call that was carried out.

use crate::cloud::fault::Lost;
use crate::cloud::session::Service;
use crate::cloud::{Cloud, autoscaling, cloudwatch, ecs, elasticache, rds, secretsmanager};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mutation::Receipt;
use crate::domain::query::Class;
use crate::domain::secret::SecretValue;
use crate::guard::{CallOutcome, Permit};

impl Cloud {
    /// Makes the call that a permit is for, once. `value` is what a `PutSecretValue` stores. When `leaving` comes to
    /// its end while the call still waits for its turn, it is not made; what was sent is awaited.
    pub async fn change(
        &self,
        permit: Permit,
        value: Option<SecretValue>,
        leaving: impl Future<Output = ()>,
    ) -> CallOutcome {
        let (scope, action) = (permit.mutation().scope().clone(), permit.mutation().action());
        let session = match self.session(&scope).await {
            Ok(session) => session,
            Err(fault) => return CallOutcome::NotSent(fault),
        };
        if let Err(fault) = self.check_pacing(&session, action) {
            return CallOutcome::NotSent(fault);
        }
        let account = match self.account(&scope.account) {
            Ok(account) => account,
            Err(fault) => return CallOutcome::NotSent(fault),
        };
        let ticket = tokio::select! {
            biased;
            ticket = self.inner.gate.enter(&scope, action, Class::Foreground) => ticket,
            () = leaving => {
                let message = "it waited for its turn in the request budget when it was left";
                return CallOutcome::NotSent(Fault::new(FaultKind::Unknown, message).action(action));
            }
        };
        let service = Service::of(action);
        let call = self.call(&session, &scope, account, action);
        let (clients, region) = (session.clients(&scope.region), &scope.region);
        let begun = self.inner.road.clock.now();
        let outcome: Result<Receipt, Lost> = match service {
            Service::Ecs => ecs::write::change(session.ecs(&clients, region), permit, &call).await,
            Service::CloudWatch => {
                cloudwatch::write::change(session.cloudwatch(&clients, region), permit, &call).await
            }
            Service::Rds => rds::write::change(session.rds(&clients, region), permit, &call).await,
            Service::ElastiCache => {
                elasticache::write::change(session.elasticache(&clients, region), permit, &call).await
            }
            Service::Secrets => {
                secretsmanager::write::change(session.secrets(&clients, region), permit, value, &call).await
            }
            Service::AutoScaling => {
                autoscaling::write::change(session.autoscaling(&clients, region), permit, &call).await
            }
            other => {
                let message = format!("{action} changes nothing that opsdeck changes at {}", other.name());
                return CallOutcome::NotSent(Fault::new(FaultKind::Unknown, message));
            }
        };
        let took = self.inner.road.clock.now().since(begun);
        let fault = outcome.as_ref().err().map(|lost| (lost.fault.kind, lost.sent));
        tracing::debug!(action, %scope, took_ms = took.as_millis(), ?fault, "changed");
        match outcome {
            Ok(receipt) => CallOutcome::Accepted(receipt),
            Err(Lost { fault, sent, vague, .. }) => {
                self.inner.gate.failed(&ticket, &fault);
                if fault.kind == FaultKind::Throttled {
                    self.inner.gate.throttled(&ticket);
                }
                if vague && sent { CallOutcome::Lost(fault) } else { CallOutcome::of_fault(fault, sent) }
            }
        }
    }
}
