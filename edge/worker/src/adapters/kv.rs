//! KV. All values are JSON text of `serde_json`.

use bulle_edge_core::ports::{Kv, PortError};

use super::{Edge, port_error};

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
}
