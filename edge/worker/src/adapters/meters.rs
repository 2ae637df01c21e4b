//! The tenants' meters, each a Durable Object.

use bulle_edge_core::{
    meter::{
        Charge, ChargeOutcome, Settlement,
        tally::{Uncount, shard},
    },
    ports::{Meters, PortError},
};
use bulle_protocol::Id;

use serde::{Deserialize, Serialize};

use super::{Edge, object::ObjectError, port_error};

/// The request to a meter.
#[derive(Serialize, Deserialize)]
pub enum MeterCommand {
    /// Counts a message of a subject, in all lines or in none.
    Count {
        /// The subject.
        subject: String,
        /// The limits.
        charge: Charge,
    },
    /// Takes a message of a subject back.
    Uncount {
        /// The subject.
        subject: String,
        /// The id of the message's charge.
        id: Id,
        /// How it is taken back.
        how: Uncount,
    },
    /// Charges all lines or none.
    Charge(Charge),
    /// Replaces the charged amounts by the actual ones.
    Settle(Settlement),
}

/// The name of the object that counts a subject's messages.
fn shard_of(tenant_id: &str, subject: &str) -> String {
    format!("{tenant_id}/visitors/{}", shard(subject))
}

impl Meters for Edge {
    async fn count(
        &self,
        tenant_id: &str,
        subject: &str,
        charge: &Charge,
    ) -> Result<ChargeOutcome, PortError> {
        let command = MeterCommand::Count {
            subject: subject.to_owned(),
            charge: charge.clone(),
        };
        let shard = shard_of(tenant_id, subject);
        let counted = self.ask("METERS", &shard, &command).await;
        let mut response = counted.map_err(failed)?;
        response.json().await.map_err(port_error)
    }

    async fn uncount(
        &self,
        tenant_id: &str,
        subject: &str,
        id: Id,
        how: Uncount,
    ) -> Result<(), PortError> {
        let command = MeterCommand::Uncount {
            subject: subject.to_owned(),
            id,
            how,
        };
        let shard = shard_of(tenant_id, subject);
        let taken = self.ask("METERS", &shard, &command).await;
        taken.map(|_| ()).map_err(failed)
    }

    async fn charge(&self, tenant_id: &str, charge: &Charge) -> Result<ChargeOutcome, PortError> {
        let command = MeterCommand::Charge(charge.clone());
        let mut response = self
            .ask("METERS", tenant_id, &command)
            .await
            .map_err(failed)?;
        response.json().await.map_err(port_error)
    }

    async fn settle(&self, tenant_id: &str, settlement: &Settlement) -> Result<(), PortError> {
        let command = MeterCommand::Settle(settlement.clone());
        let settled = self.ask("METERS", tenant_id, &command).await;
        settled.map(|_| ()).map_err(failed)
    }
}

fn failed(refused: ObjectError) -> PortError {
    match refused {
        ObjectError::Unreachable(error) => port_error(error),
        ObjectError::Problem(problem) => PortError(problem.detail),
    }
}
