//! Bytes to a client, as long as it takes some now and then.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use crate::unread::{LOOK_EVERY, Unread};

/// Writes all, and fails when the client takes nothing for `usual`, or for less while too much is unread.
pub(super) async fn write_all<W: AsyncWrite + Unpin>(
    out: &mut W,
    mut bytes: &[u8],
    (usual, unread): (Duration, &Unread),
) -> io::Result<()> {
    let mut since = Instant::now();
    while !bytes.is_empty() {
        match timeout(LOOK_EVERY.min(usual), out.write(bytes)).await {
            Ok(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = bytes.get(written?..).unwrap_or_default();
                since = Instant::now();
            }
            Err(_) if since.elapsed() >= unread.patience(usual) => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(_) => {}
        }
    }
    Ok(())
}
