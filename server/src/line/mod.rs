//! A connection of the line protocol to its end.
//!
//! ```text
//! bytes --read--> requests, in order --answer--> batches of work --pool--> bytes --write-->
//! ```
//!
//! Reading goes on while requests are answered, so that `CANCEL` takes effect at once; it stops when
//! [`PIPELINE_MAX`] requests wait, so that nobody can make the server keep more.
//!
//! # Invariants
//!
//! 1. Requests are answered in their order, each with exactly one last line.
//! 2. A client that does not read holds no thread and one answer at most.
//! 3. What the token allowed ends when the token does, in the middle of a request too.

mod answer;
mod batch;
mod mark;
mod read;
mod render;
mod waiting;
mod write;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::context::Context;
use crate::counter::one;
use answer::Answerer;
pub(crate) use read::BODY_RATE;
use read::Reader;
use waiting::Waiting;

/// Most requests of a connection that wait.
const PIPELINE_MAX: usize = 1_024;
/// How long what a client still sends is read after the last reply: a connection that is closed over
/// bytes that nobody read would take the reply with it.
const LINGER_TIME: Duration = Duration::from_millis(500);
/// Bytes that are read at once for nobody.
const LINGER_BYTES: usize = 4 << 10;

/// Speaks the protocol with a client until either ends it. `is_owner` is said of a client that comes
/// by the socket file, which its owner alone can use.
pub(crate) async fn serve<S>(context: Arc<Context>, stream: S, is_owner: bool)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    one(&context.counters.line_connections);
    let (mut read_half, mut write_half) = tokio::io::split(stream);
    let waiting = Arc::new(Waiting::default());
    let is_answered = {
        let (give, inbox) = mpsc::channel(PIPELINE_MAX);
        let reader = Reader::new(Arc::clone(&context), give, Arc::clone(&waiting));
        let answerer = Answerer::new(context, inbox, Arc::clone(&waiting), is_owner);
        let mut cut = pin!(answerer.cut().wait());
        let mut answering = pin!(answerer.run(&mut write_half));
        let mut reading = pin!(reader.run(&mut read_half));
        let mut is_reading = true;
        loop {
            tokio::select! {
                () = &mut answering => break true,
                () = &mut cut => break false,
                () = &mut reading, if is_reading => is_reading = false,
            }
        }
    };
    // Whatever is still being done for this client is done for nobody.
    waiting.leave();
    if is_answered {
        // A client that does not close in time is closed on.
        let _ = timeout(LINGER_TIME, async {
            write_half.shutdown().await?;
            // Not an array: every connection would have it from the beginning.
            let mut bytes = vec![0; LINGER_BYTES];
            while read_half.read(&mut bytes).await? > 0 {}
            std::io::Result::Ok(())
        })
        .await;
    }
}
