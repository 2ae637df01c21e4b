//! The meters in memory.

use bulle_protocol::Id;
use std::collections::BTreeMap;

use super::Fakes;
use crate::{
    meter::{
        self, Charge, ChargeOutcome, Charged, MeterStore, Settlement, tally::Uncount,
        window::Window,
    },
    ports::{Meters, PortError},
};

impl Meters for Fakes {
    async fn count(
        &self,
        tenant_id: &str,
        subject: &str,
        charge: &Charge,
    ) -> Result<ChargeOutcome, PortError> {
        self.enter("meters")?;
        let mut tallies = self.tallies.borrow_mut();
        let key = format!("{tenant_id}/{subject}");
        Ok(tallies
            .entry(key)
            .or_default()
            .count(self.now.get(), charge)
            .0)
    }

    async fn uncount(
        &self,
        tenant_id: &str,
        subject: &str,
        id: Id,
        how: Uncount,
    ) -> Result<(), PortError> {
        self.enter("meters")?;
        let mut tallies = self.tallies.borrow_mut();
        let key = format!("{tenant_id}/{subject}");
        tallies.entry(key).or_default().uncount(id, how);
        Ok(())
    }

    async fn charge(&self, tenant_id: &str, charge: &Charge) -> Result<ChargeOutcome, PortError> {
        self.enter("meters")?;
        let mut meters = self.meters.borrow_mut();
        Ok(meter::charge(
            meters.entry(tenant_id.into()).or_default(),
            self.now.get(),
            charge,
        )
        .unwrap())
    }

    async fn settle(&self, tenant_id: &str, settlement: &Settlement) -> Result<(), PortError> {
        self.enter("meters")?;
        let mut meters = self.meters.borrow_mut();
        meter::settle(
            meters.entry(tenant_id.into()).or_default(),
            self.now.get(),
            settlement,
        )
        .unwrap();
        Ok(())
    }
}

/// A meter's storage in memory.
#[derive(Default)]
pub struct InMemoryMeter {
    windows: BTreeMap<String, Window>,
    pub(super) totals: BTreeMap<String, u64>,
    charged: BTreeMap<Id, Charged>,
}

impl MeterStore for InMemoryMeter {
    type Error = std::convert::Infallible;

    fn window(&self, key: &str) -> Result<Window, Self::Error> {
        Ok(self.windows.get(key).cloned().unwrap_or_default())
    }

    fn put_window(&mut self, key: &str, window: &Window, _: u64) -> Result<(), Self::Error> {
        self.windows.insert(key.into(), window.clone());
        Ok(())
    }

    fn total(&self, key: &str) -> Result<u64, Self::Error> {
        Ok(self.totals.get(key).copied().unwrap_or_default())
    }

    fn put_total(&mut self, key: &str, total: u64, _: u64) -> Result<(), Self::Error> {
        self.totals.insert(key.into(), total);
        Ok(())
    }

    fn charged(&self, id: Id) -> Result<Option<Charged>, Self::Error> {
        Ok(self.charged.get(&id).cloned())
    }

    fn put_charged(&mut self, id: Id, charged: &Charged, _: u64) -> Result<(), Self::Error> {
        self.charged.insert(id, charged.clone());
        Ok(())
    }

    fn forget_charged(&mut self, id: Id) -> Result<(), Self::Error> {
        self.charged.remove(&id);
        Ok(())
    }
}
