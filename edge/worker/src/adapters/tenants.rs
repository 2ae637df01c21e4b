//! Sites and bots in D1.

use bulle_edge_core::{
    ports::{PortError, Tenants},
    settings::Site,
};
use serde::Deserialize;
use worker::console_error;

use super::{Edge, port_error};

#[derive(Deserialize)]
struct Row {
    key: String,
    tenant_id: String,
    bot_id: String,
    origins: String,
    settings: String,
}

impl Tenants for Edge {
    async fn site(&self, key: &str) -> Result<Option<Site>, PortError> {
        let found = self.load_site(key).await;
        if let Err(error) = &found {
            console_error!(
                "{}",
                serde_json::json!({ "site": key, "error": error.to_string() })
            );
        }
        found
    }
}

impl Edge {
    async fn load_site(&self, key: &str) -> Result<Option<Site>, PortError> {
        // The one look-up that starts from a public key and finds the tenant.
        let statement = self.db()?.prepare(
            "SELECT site.key, site.tenant_id, site.bot_id, site.origins, bot.settings \
             FROM site \
             JOIN bot ON bot.tenant_id = site.tenant_id AND bot.id = site.bot_id \
             JOIN tenant ON tenant.id = site.tenant_id \
             WHERE site.key = ?1 AND site.status = 'active' AND bot.status = 'active' AND tenant.status = 'active'",
        );
        let statement = statement.bind(&[key.into()]).map_err(port_error)?;
        let row: Option<Row> = statement.first(None).await.map_err(port_error)?;
        let Some(row) = row else { return Ok(None) };
        let broken = |what: &str, error: serde_json::Error| {
            PortError(format!("{what} of site {}: {error}", row.key))
        };
        Ok(Some(Site {
            origins: serde_json::from_str(&row.origins).map_err(|e| broken("origins", e))?,
            bot: serde_json::from_str(&row.settings).map_err(|e| broken("settings", e))?,
            key: row.key,
            tenant_id: row.tenant_id,
            bot_id: row.bot_id,
        }))
    }
}
