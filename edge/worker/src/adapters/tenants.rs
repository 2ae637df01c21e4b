//! Sites and bots in D1.

use bulle_edge_core::{
    model::Site,
    ports::{PortError, Tenants},
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
    environment: String,
    active: u8,
    bot: String,
    bot_since: f64,
    bot_version: u32,
    knowledge: u32,
    tenant: String,
    identity_secrets: String,
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

    async fn bot(&self, tenant_id: &str, bot_id: &str) -> Result<Option<Site>, PortError> {
        let found = self.load_bot(tenant_id, bot_id).await;
        if let Err(error) = &found {
            let error = error.to_string();
            console_error!("{}", serde_json::json!({ "bot": bot_id, "error": error }));
        }
        found
    }
}

impl Edge {
    async fn load_site(&self, key: &str) -> Result<Option<Site>, PortError> {
        // The one look-up that starts from a public key and finds the tenant.
        let statement = self.db()?.prepare(
            "SELECT site.key, site.tenant_id, site.bot_id, site.origins, site.environment, \
             site.status = 'active' AND bot.status = 'active' AND tenant.status = 'active' AS active, \
             bot.settings AS bot, bot.created_at AS bot_since, \
             bot.version AS bot_version, bot.knowledge AS knowledge, tenant.settings AS tenant, \
             (SELECT json_group_array(identity_secret.id) FROM identity_secret \
              WHERE identity_secret.tenant_id = site.tenant_id) AS identity_secrets \
             FROM site \
             JOIN bot ON bot.tenant_id = site.tenant_id AND bot.id = site.bot_id \
             JOIN tenant ON tenant.id = site.tenant_id \
             WHERE site.key = ?1",
        );
        let statement = statement.bind(&[key.into()]).map_err(port_error)?;
        let row: Option<Row> = statement.first(None).await.map_err(port_error)?;
        row.map(Row::into_site).transpose()
    }

    async fn load_bot(&self, tenant_id: &str, bot_id: &str) -> Result<Option<Site>, PortError> {
        let statement = self.db()?.prepare(
            "SELECT '' AS key, bot.tenant_id, bot.id AS bot_id, '[]' AS origins, 'production' AS environment, \
             bot.status = 'active' AND tenant.status = 'active' AS active, \
             bot.settings AS bot, bot.created_at AS bot_since, \
             bot.version AS bot_version, bot.knowledge AS knowledge, tenant.settings AS tenant, \
             '[]' AS identity_secrets \
             FROM bot JOIN tenant ON tenant.id = bot.tenant_id \
             WHERE bot.tenant_id = ?1 AND bot.id = ?2",
        );
        let values = [tenant_id.into(), bot_id.into()];
        let statement = statement.bind(&values).map_err(port_error)?;
        let row: Option<Row> = statement.first(None).await.map_err(port_error)?;
        row.map(Row::into_site).transpose()
    }

    /// The tenant's bots that serve visitors, in the order of their ids: each with its Unix milliseconds of creation.
    ///
    /// # Errors
    /// The database failed.
    pub async fn active_bots(&self, tenant_id: &str) -> Result<Vec<(String, u64)>, PortError> {
        let statement = self.db()?.prepare(
            "SELECT bot.id AS bot_id, bot.created_at AS bot_since \
             FROM bot JOIN tenant ON tenant.id = bot.tenant_id \
             WHERE bot.tenant_id = ?1 AND bot.status = 'active' AND tenant.status = 'active' ORDER BY bot.id",
        );
        let statement = statement.bind(&[tenant_id.into()]).map_err(port_error)?;
        let result = statement.all().await.map_err(port_error)?;
        let rows: Vec<Active> = result.results().map_err(port_error)?;
        let bots = rows.into_iter();
        Ok(bots.map(|bot| (bot.bot_id, bot.bot_since as u64)).collect())
    }
}

#[derive(Deserialize)]
struct Active {
    bot_id: String,
    bot_since: f64,
}

impl Row {
    fn into_site(self) -> Result<Site, PortError> {
        let row = self;
        let broken = |what: &str, error: serde_json::Error| {
            let Row {
                key,
                tenant_id,
                bot_id,
                ..
            } = &row;
            PortError(format!(
                "{what} of {tenant_id}/{bot_id} (site {key:?}): {error}"
            ))
        };
        Ok(Site {
            origins: serde_json::from_str(&row.origins).map_err(|e| broken("origins", e))?,
            environment: serde_json::from_str(&format!("\"{}\"", row.environment))
                .map_err(|e| broken("environment", e))?,
            active: row.active == 1,
            bot: serde_json::from_str(&row.bot).map_err(|e| broken("settings", e))?,
            tenant: serde_json::from_str(&row.tenant)
                .map_err(|e| broken("tenant's settings", e))?,
            identity_secrets: serde_json::from_str(&row.identity_secrets)
                .map_err(|e| broken("identity secrets", e))?,
            key: row.key,
            tenant_id: row.tenant_id,
            bot_id: row.bot_id,
            bot_since: row.bot_since as u64,
            bot_version: row.bot_version,
            knowledge: row.knowledge,
        })
    }
}
