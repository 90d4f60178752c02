//! Bytes to a client, as long as it takes some now and then.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Writes all, and fails when the client takes nothing for `patience`.
pub(super) async fn write_all<W: AsyncWrite + Unpin>(
    out: &mut W,
    mut bytes: &[u8],
    patience: Duration,
) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = timeout(patience, out.write(bytes)).await;
        let len = written.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        if len == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(len..).unwrap_or_default();
    }
    Ok(())
}
