//! Files that owners uploaded, in R2.

use bulle_edge_core::ports::PortError;

use super::{Edge, port_error};

/// The bucket, as wrangler.toml names it.
const BINDING: &str = "FILES";

/// The key of a source's file in the bucket.
pub fn key(tenant_id: &str, bot_id: &str, source_id: &str, checksum: &str) -> String {
    format!("{tenant_id}/{bot_id}/{source_id}/{checksum}")
}

impl Edge {
    /// Stores a file.
    ///
    /// # Errors
    /// The bucket failed, or is not bound.
    pub async fn put_file(&self, key: &str, bytes: Vec<u8>) -> Result<(), PortError> {
        let bucket = self.env.bucket(BINDING).map_err(port_error)?;
        let put = bucket.put(key, bytes).execute().await;
        put.map_err(port_error).map(|_| ())
    }

    /// A file; `None` when there is none.
    ///
    /// # Errors
    /// The bucket failed, or is not bound.
    pub async fn file(&self, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        let bucket = self.env.bucket(BINDING).map_err(port_error)?;
        let Some(object) = bucket.get(key).execute().await.map_err(port_error)? else {
            return Ok(None);
        };
        let Some(body) = object.body() else {
            return Ok(None);
        };
        body.bytes().await.map_err(port_error).map(Some)
    }

    /// Deletes all files whose keys have this prefix, except one.
    ///
    /// # Errors
    /// The bucket failed, or is not bound.
    pub async fn delete_files(&self, prefix: &str, but: Option<&str>) -> Result<(), PortError> {
        let bucket = self.env.bucket(BINDING).map_err(port_error)?;
        loop {
            let list = bucket.list().prefix(prefix).execute().await;
            let list = list.map_err(port_error)?;
            let keys: Vec<String> = list.objects().iter().map(worker::Object::key).collect();
            let keys: Vec<String> = keys
                .into_iter()
                .filter(|key| Some(key.as_str()) != but)
                .collect();
            if keys.is_empty() {
                return Ok(());
            }
            bucket.delete_multiple(keys).await.map_err(port_error)?;
        }
    }
}
