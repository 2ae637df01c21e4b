//! KV. All values are JSON text of `serde_json`.

use bulle_edge_core::ports::{Kv, PortError};

use super::{Edge, port_error};
use crate::log;

impl Kv for Edge {
    async fn get(&self, key: &str) -> Result<Option<String>, PortError> {
        let kv = self.env.kv("KV").map_err(port_error)?;
        let value = kv.get(key).text().await;
        value.map_err(|e| PortError(format!("KV: {e}")))
    }

    async fn put(&self, key: &str, value: &str, ttl_seconds: u64) -> Result<(), PortError> {
        let kv = self.env.kv("KV").map_err(port_error)?;
        let put = kv
            .put(key, value)
            .map(|put| put.expiration_ttl(ttl_seconds));
        let put = put.map_err(|e| PortError(format!("KV: {e}")))?;
        put.execute()
            .await
            .map_err(|e| PortError(format!("KV: {e}")))
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        let kv = self.env.kv("KV").map_err(port_error)?;
        let deleted = kv.delete(key).await;
        deleted.map_err(|e| PortError(format!("KV: {e}")))
    }

    fn put_later(&self, key: String, value: Option<String>, ttl_seconds: u64) {
        let edge = self.clone();
        self.later(async move {
            let written = match value {
                Some(value) => edge.put(&key, &value, ttl_seconds).await,
                None => edge.delete(&key).await,
            };
            if let Err(error) = written {
                log::error("kv", &error);
            }
        });
    }
}
