//! Where logins are kept without an editor: the platform's keyring, else a file each that the user alone can read.
//!
//! Invariant: nothing is written to a file before the user has been told so on stderr. A keyring that cannot be asked is
//! no error: a machine without a desktop has none.

use crate::options::{private_folder, write_private};
use bridge::Keeper;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use keyring::v1::{Entry, Error};
use model::Secret;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Under which name the keyring lists what we keep.
const SERVICE: &str = "tta-mcp-code-execution";
/// Bytes of a file.
const BYTES_MAX: u64 = 1 << 20;

/// The platform's keyring, and the folder beside it.
#[derive(Debug)]
pub(crate) struct Platform {
    folder: Arc<Path>,
    keyring: bool,
}

impl Platform {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder: folder.into(), keyring: true }
    }

    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path, bool) -> Result<T, String> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, String>> {
        let (folder, keyring) = (Arc::clone(&self.folder), self.keyring);
        let done = tokio::task::spawn_blocking(move || work(&folder, keyring));
        done.map(|done| done.unwrap_or_else(|e| Err(e.to_string()))).boxed()
    }
}

impl Keeper for Platform {
    fn get(&self, key: String) -> BoxFuture<'static, Result<Option<Secret>, String>> {
        self.blocking(move |folder, keyring| match keyring.then(|| read_keyring(&key)) {
            Some(Ok(Some(value))) => Ok(Some(value)),
            None | Some(Ok(None) | Err(_)) => read_file(&folder.join(&key)),
        })
    }

    fn set(&self, key: String, value: Option<Secret>) -> BoxFuture<'static, Result<(), String>> {
        self.blocking(move |folder, keyring| {
            let file = folder.join(&key);
            let Some(value) = value else {
                if keyring {
                    let _ = Entry::new(SERVICE, &key).and_then(|entry| entry.delete_credential());
                }
                return remove_file(&file);
            };
            let kept = if keyring { write_keyring(&key, &value) } else { Err("it is not to be used".to_owned()) };
            match kept {
                Ok(()) => remove_file(&file),
                Err(why) => {
                    tracing::info!(
                        target: "progress",
                        "no keyring can be used ({why}); the login is kept in {}, which only you can read",
                        file.display()
                    );
                    private_folder(folder).map_err(|e| e.to_string())?;
                    write_private(&file, value.expose().as_bytes()).map_err(|e| format!("{}: {e}", file.display()))
                }
            }
        })
    }
}

fn read_keyring(key: &str) -> Result<Option<Secret>, Error> {
    match Entry::new(SERVICE, key)?.get_password() {
        Ok(value) => Ok(Some(Secret::new(value))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_keyring(key: &str, value: &Secret) -> Result<(), String> {
    Entry::new(SERVICE, key).and_then(|entry| entry.set_password(value.expose())).map_err(|e| e.to_string())
}

fn read_file(file: &Path) -> Result<Option<Secret>, String> {
    let told = |e: std::io::Error| format!("{}: {e}", file.display());
    match std::fs::metadata(file) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(told(e)),
        Ok(meta) if meta.len() > BYTES_MAX => Err(format!("{} is too large", file.display())),
        Ok(_) => std::fs::read_to_string(file).map(|text| Some(Secret::new(text))).map_err(told),
    }
}

fn remove_file(file: &Path) -> Result<(), String> {
    match std::fs::remove_file(file) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(format!("{}: {e}", file.display())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_keyring_a_private_file_keeps_it_until_it_is_forgotten() {
        let root = tempfile::tempdir().expect("a folder");
        let keeper = Platform { folder: root.path().join("logins").into(), keyring: false };
        let get = || keeper.get("oauth-1".to_owned());
        assert_eq!(get().await, Ok(None));
        keeper.set("oauth-1".to_owned(), Some(Secret::new("s3cret"))).await.expect("kept");
        assert_eq!(get().await, Ok(Some(Secret::new("s3cret"))));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
            assert_eq!((mode(&keeper.folder), mode(&keeper.folder.join("oauth-1"))), (0o700, 0o600));
        }
        keeper.set("oauth-1".to_owned(), None).await.expect("forgotten");
        assert_eq!(get().await, Ok(None));
    }
}
