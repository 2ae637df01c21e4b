//! Sites and bots as visitors' requests need them: the look-ups at the beginning of every request.

use bulle_edge_core::{model::Site, ports::PortError};
use serde::{Deserialize, de::DeserializeOwned};

use crate::d1::{Database, Statement, from_json, values};

/// Sites and bots as they are served.
pub struct Directory<D>(pub D);

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

impl<D: Database> Directory<D> {
    /// The site with this public key, with its bot.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn site(&self, key: &str) -> Result<Option<Site>, PortError> {
        // The only look-up that begins with a public key and finds the tenant.
        let statement = Statement::new(
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
            values![key],
        );
        let row: Option<Row> = self.0.first(statement).await?;
        row.map(Row::into_site).transpose()
    }

    /// A bot of a tenant, as a site that no page shows: without key and origins.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn bot(&self, tenant_id: &str, bot_id: &str) -> Result<Option<Site>, PortError> {
        let statement = Statement::new(
            "SELECT '' AS key, bot.tenant_id, bot.id AS bot_id, '[]' AS origins, 'production' AS environment, \
             bot.status = 'active' AND tenant.status = 'active' AS active, \
             bot.settings AS bot, bot.created_at AS bot_since, \
             bot.version AS bot_version, bot.knowledge AS knowledge, tenant.settings AS tenant, \
             '[]' AS identity_secrets \
             FROM bot JOIN tenant ON tenant.id = bot.tenant_id \
             WHERE bot.tenant_id = ?1 AND bot.id = ?2",
            values![tenant_id, bot_id],
        );
        let row: Option<Row> = self.0.first(statement).await?;
        row.map(Row::into_site).transpose()
    }

    /// The tenant's bots that serve visitors, ordered by id: each with its Unix milliseconds of creation.
    ///
    /// # Errors
    /// The database failed.
    pub async fn active_bots(&self, tenant_id: &str) -> Result<Vec<(String, u64)>, PortError> {
        let statement = Statement::new(
            "SELECT bot.id AS bot_id, bot.created_at AS bot_since \
             FROM bot JOIN tenant ON tenant.id = bot.tenant_id \
             WHERE bot.tenant_id = ?1 AND bot.status = 'active' AND tenant.status = 'active' ORDER BY bot.id",
            values![tenant_id],
        );
        let bots: Vec<ActiveBot> = self.0.rows(statement).await?;
        Ok(bots
            .into_iter()
            .map(|bot| (bot.bot_id, bot.bot_since as u64))
            .collect())
    }

    /// Whether the database answers and has been migrated.
    ///
    /// # Errors
    /// The database failed, or has no tables.
    pub async fn answers(&self) -> Result<(), PortError> {
        let statement = Statement::new("SELECT 1 FROM tenant LIMIT 1", values![]);
        self.0.execute(statement).await
    }
}

#[derive(Deserialize)]
struct ActiveBot {
    bot_id: String,
    bot_since: f64,
}

impl Row {
    fn into_site(self) -> Result<Site, PortError> {
        Ok(Site {
            origins: self.read("origins", &self.origins)?,
            environment: self.read("environment", &format!("\"{}\"", self.environment))?,
            active: self.active == 1,
            bot: self.read("settings", &self.bot)?,
            tenant: self.read("tenant's settings", &self.tenant)?,
            identity_secrets: self.read("identity secrets", &self.identity_secrets)?,
            key: self.key,
            tenant_id: self.tenant_id,
            bot_id: self.bot_id,
            bot_since: self.bot_since as u64,
            bot_version: self.bot_version,
            knowledge: self.knowledge,
        })
    }

    /// A column of JSON; the error names the site or bot.
    fn read<T: DeserializeOwned>(&self, what: &str, json: &str) -> Result<T, PortError> {
        from_json(json).map_err(|error| {
            let Self {
                key,
                tenant_id,
                bot_id,
                ..
            } = self;
            PortError(format!(
                "{what} of {tenant_id}/{bot_id} (site {key:?}): {error}"
            ))
        })
    }
}
