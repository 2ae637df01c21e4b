//! Stored data of visitors, and their time zones, in memory.

use bulle_protocol::Id;

use super::Fakes;
use crate::{
    model::{Material, Owner},
    ports::{PortError, Profiles, Zones},
};

/// Summer time in Paris from the last Sunday of March to that of October of 2026 and no other year.
impl Zones for Fakes {
    fn offset_minutes(&self, zone: &str, at_ms: u64) -> Option<i32> {
        const SUMMER_2026: std::ops::Range<u64> = 1_774_746_000_000..1_792_890_000_000;
        match zone {
            "UTC" => Some(0),
            "Europe/Paris" if SUMMER_2026.contains(&at_ms) => Some(120),
            "Europe/Paris" => Some(60),
            "America/St_Johns" => Some(-210),
            _ => None,
        }
    }
}

impl Profiles for Fakes {
    async fn has_filled(&self, owner: &Owner) -> Result<bool, PortError> {
        self.enter("profiles")?;
        Ok(self.filled.borrow().contains(owner))
    }

    async fn is_erased(&self, _: &str, visitor_id: Id) -> Result<bool, PortError> {
        self.enter("profiles")?;
        Ok(self.erased.borrow().contains(&visitor_id))
    }

    async fn attach(
        &self,
        _: &Owner,
        _: Id,
        _: Id,
        ids: &[Id],
    ) -> Result<Vec<Material>, PortError> {
        self.enter("profiles")?;
        let files = self.files.borrow();
        let wanted = files.iter().filter(|file| ids.contains(&file.id));
        Ok(wanted.cloned().collect())
    }
}
