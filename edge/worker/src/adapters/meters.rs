//! The tenants' meters, each a Durable Object.

use bulle_edge_core::{
    meter::{Charge, ChargeOutcome, Settlement},
    ports::{Meters, PortError},
};

use serde::{Deserialize, Serialize};

use super::{Edge, object::ObjectError, port_error};

/// The request to a meter.
#[derive(Serialize, Deserialize)]
pub enum MeterCommand {
    /// Charges all lines or none.
    Charge(Charge),
    /// Replaces the charged amounts by the actual ones.
    Settle(Settlement),
}

impl Meters for Edge {
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
