//! Sequence files to tokens, as a stream of batches: reading, encoding and the consumer work at the same time.
//!
//! ```text
//!  files ──> reading thread ──> one batch ──> encoding thread ──> one batch ──> TokenStream::next
//!            Rows                             all cores
//! ```
//!
//! Between two threads waits at most one batch, so that memory is that of a few batches whatever the files. Order is
//! kept, because each thread is one. Threads start with the first call of [`TokenStream::next`] and end soon after the
//! stream is dropped: a thread notices when it next looks at the monitor or offers a batch. One that the system holds, in
//! reading a pipe that nobody writes to, ends when the system lets it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::alphabet::UnknownPolicy;
use crate::batch::{EncodeOptions, EncodedBatch, Ids, Sequences};
use crate::error::{Error, Result};
use crate::io::memory::Spares;
use crate::monitor::Monitor;
use crate::rows::{RowBatch, RowOptions, RowReport, SequenceRows};
use crate::threads::{Pool, pool};
use crate::tokenizer::Tokenizer;

/// Batches that wait between two threads.
const WAITING: usize = 1;

/// Rows with their tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenBatch {
    /// Names and places, without the sequences.
    pub rows: RowBatch,
    /// The tokens of each row.
    pub encoded: EncodedBatch,
}

/// What a stream gives within the time it is waited for.
#[derive(Debug)]
pub enum StreamStep {
    /// The next rows.
    Batch(Box<TokenBatch>),
    /// Nothing yet.
    Waiting,
    /// All was given.
    End,
}

/// What is encoded, and how.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// Which rows.
    pub rows: RowOptions,
    /// How they become tokens. The policy for unknown symbols and upper-casing are those of the rows.
    pub encode: EncodeOptions,
    /// Threads that encode; all cores if not given.
    pub threads: Option<usize>,
}

/// The tokens of sequence files, batch by batch, in order.
pub struct TokenStream {
    state: State,
    monitor: Arc<Monitor>,
    report: RowReport,
    tokens: u64,
}

enum State {
    Idle(Box<Work>),
    Running(Receiver<Sent<TokenBatch>>),
    Ended,
    /// The message of the error that ended it.
    Failed(String),
    Closed,
}

/// What one thread sends the next: a batch, or none at the end, with what was found since the last; or an error or
/// panic that stopped it.
type Sent<T> = thread::Result<Result<(Option<T>, RowReport)>>;

/// All that the threads need.
struct Work {
    rows: SequenceRows,
    tokenizer: Arc<Tokenizer>,
    options: EncodeOptions,
    reading: Pool,
    encoding: Pool,
}

impl TokenStream {
    /// A stream of the tokens of files. Fails if the options contradict each other; files are opened later.
    ///
    /// If the tokenizer has no token for unknown symbols, such a symbol is an error with its place.
    pub fn open(tokenizer: Arc<Tokenizer>, paths: Vec<PathBuf>, options: StreamOptions) -> Result<Self> {
        let StreamOptions { mut rows, mut encode, threads } = options;
        if rows.unknown == UnknownPolicy::Token && tokenizer.unknown_id().is_none() {
            rows.unknown = UnknownPolicy::Refuse;
        }
        (encode.unknown, encode.upper_case, encode.only_symbols) = (rows.unknown, rows.upper_case, true);
        if encode.add_special_tokens {
            tokenizer.template()?;
        }
        let mut rows = SequenceRows::open(paths, &rows, |byte| tokenizer.symbols().is_known(byte))?;
        let for_cuts = Arc::clone(&tokenizer);
        rows.cut_long_rows(move |symbols| for_cuts.last_cut(symbols, encode));
        let (reading, encoding) = (pool(threads)?, pool(threads)?);
        let work = Work { rows, tokenizer, options: encode, reading, encoding };
        Ok(Self {
            state: State::Idle(Box::new(work)),
            monitor: Arc::new(Monitor::default()),
            report: RowReport::default(),
            tokens: 0,
        })
    }

    /// The next batch, waited for as long as `patience`.
    ///
    /// After the end it is at its end for ever. After an error, and once it is closed, every call fails.
    pub fn next(&mut self, patience: Duration) -> Result<StreamStep> {
        let sent: Sent<TokenBatch> = match &mut self.state {
            State::Idle(_) => return self.start().and_then(|()| self.next(patience)),
            State::Running(tokens) => match tokens.recv_timeout(patience) {
                Ok(sent) => sent,
                Err(RecvTimeoutError::Timeout) => return Ok(StreamStep::Waiting),
                Err(RecvTimeoutError::Disconnected) => {
                    Err(Box::new("the encoding thread vanished") as Box<_>)
                }
            },
            State::Ended => return Ok(StreamStep::End),
            State::Failed(why) => {
                let rule = format!("an error ended it: {why}; start again");
                return Err(Error::argument("reader", "stopped", rule));
            }
            State::Closed => return Err(Error::argument("reader", "closed", "start again")),
        };
        self.take(sent)
    }

    fn take(&mut self, sent: Sent<TokenBatch>) -> Result<StreamStep> {
        self.state = match (&sent, std::mem::replace(&mut self.state, State::Closed)) {
            (Ok(Ok((Some(_), _))), running) => running,
            (Ok(Ok((None, _))), _) => State::Ended,
            (Ok(Err(error)), _) => State::Failed(error.to_string()),
            (Err(_), _) => State::Failed("internal error".to_owned()),
        };
        let (batch, report) = sent.unwrap_or_else(|panic| resume_unwind(panic))?;
        self.report.add(report);
        let Some(batch) = batch else { return Ok(StreamStep::End) };
        self.tokens += batch.encoded.ids.len() as u64;
        Ok(StreamStep::Batch(Box::new(batch)))
    }

    /// What was found in the rows that were given so far; at the end, in all files.
    pub fn report(&self) -> &RowReport {
        &self.report
    }

    /// Tokens that were given so far.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Where the work is, and how to stop it.
    pub fn monitor(&self) -> &Arc<Monitor> {
        &self.monitor
    }

    /// Stops the work and lets go of files and memory.
    pub fn close(&mut self) {
        self.monitor.cancel();
        if !matches!(self.state, State::Ended | State::Failed(_)) {
            self.state = State::Closed;
        }
    }

    fn start(&mut self) -> Result<()> {
        let State::Idle(work) = std::mem::replace(&mut self.state, State::Closed) else { return Ok(()) };
        let Work { mut rows, tokenizer, options, reading, encoding } = *work;
        let spares = rows.spares();
        let (to_encoding, read) = sync_channel(WAITING);
        let (to_consumer, tokens) = sync_channel(WAITING);
        let (reader, encoder) = (Arc::clone(&self.monitor), Arc::clone(&self.monitor));
        spawn("genotok-read", move || {
            reading.install(|| {
                each(&to_encoding, || {
                    let batch = rows.next_batch(&reader)?;
                    Ok((batch, rows.take_report()))
                });
            });
        })?;
        spawn("genotok-encode", move || {
            let mut long_rows = LongRows::default();
            each(&to_consumer, || {
                let mut found = RowReport::default();
                loop {
                    let sent = read.recv().map_err(|_| Error::Interrupted)?;
                    let (rows, report) = sent.unwrap_or_else(|panic| resume_unwind(panic))?;
                    found.add(report);
                    let Some(rows) = rows else { return Ok((None, found)) };
                    let parts = rows.parts;
                    let options = EncodeOptions { parts, ..options };
                    let batch = encoding.install(|| encode(&tokenizer, rows, options, &spares, &encoder))?;
                    if let Some(batch) = long_rows.join(batch, parts) {
                        return Ok((Some(batch), found));
                    }
                }
            });
        })?;
        self.state = State::Running(tokens);
        Ok(())
    }
}

impl Drop for TokenStream {
    fn drop(&mut self) {
        self.close();
    }
}

fn encode(
    tokenizer: &Tokenizer,
    mut rows: RowBatch,
    options: EncodeOptions,
    spares: &Spares,
    monitor: &Monitor,
) -> Result<TokenBatch> {
    let sequences = Sequences { bytes: &rows.bytes, offsets: &rows.offsets };
    let encoded = tokenizer.encode_batch(sequences, &options, monitor)?;
    spares.give(std::mem::take(&mut rows.bytes));
    Ok(TokenBatch { rows, encoded })
}

/// Rows that come in parts, put together.
#[derive(Default)]
struct LongRows {
    /// The row that goes on: where it starts, and its tokens so far.
    open: Option<(i64, EncodedBatch)>,
}

impl LongRows {
    /// Puts the parts of the batch to those before; `parts` as in [`RowBatch::parts`]. None while no row is complete.
    ///
    /// Cost: one copy of the tokens of a long row. All of them are kept until its end.
    fn join(&mut self, mut batch: TokenBatch, parts: [bool; 2]) -> Option<TokenBatch> {
        let TokenBatch { rows, encoded } = &mut batch;
        if let Some((start, mut before)) = self.open.take_if(|_| parts[0]) {
            let shift = before.offsets.last().copied().unwrap_or(0);
            before.ids.append(std::mem::replace(&mut encoded.ids, Ids::Narrow(Vec::new())));
            encoded.ids = before.ids;
            encoded.offsets.iter_mut().skip(1).for_each(|offset| *offset += shift);
            encoded.unknown += before.unknown;
            encoded.lower_case += before.lower_case;
            rows.starts[0] = start;
        }
        if parts[1] {
            let row = rows.len() - 1;
            let at = encoded.offsets[row];
            let length = encoded.offsets[row + 1] - at;
            let ids = encoded.ids.split_off(usize::try_from(at).unwrap_or(usize::MAX));
            // A batch of rows keeps its counts; those of a mere part stay with the part.
            let [unknown, lower_case] = if row > 0 { [0; 2] } else { [encoded.unknown, encoded.lower_case] };
            let part = EncodedBatch { ids, offsets: vec![0, length], spans: None, unknown, lower_case };
            self.open = Some((rows.starts[row], part));
            encoded.offsets.pop();
            rows.pop();
        }
        rows.parts = [false; 2];
        (rows.len() > 0).then_some(batch)
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map(drop).map_err(|error| Error::io("thread", error))
}

/// Sends what `work` gives until it is at its end or the receiver is gone.
fn each<T: Send>(sender: &SyncSender<Sent<T>>, mut work: impl FnMut() -> Result<(Option<T>, RowReport)>) {
    loop {
        let sent = catch_unwind(AssertUnwindSafe(&mut work));
        let continues = matches!(sent, Ok(Ok((Some(_), _))));
        if sender.send(sent).is_err() || !continues {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bpe::MergeTable;
    use crate::testing::RandomGenome;

    const PATIENCE: Duration = Duration::from_mins(1);

    fn stream(text: &str, rows: RowOptions, specials: &[&str]) -> (tempfile::TempDir, TokenStream) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.fa");
        std::fs::write(&path, text).unwrap();
        let specials: Vec<String> = specials.iter().map(|&token| token.to_owned()).collect();
        let tokenizer = Arc::new(Tokenizer::new(MergeTable::new(), &specials).unwrap());
        let options = StreamOptions { rows, encode: EncodeOptions::default(), threads: Some(2) };
        (folder, TokenStream::open(tokenizer, vec![path], options).unwrap())
    }

    fn all(stream: &mut TokenStream) -> Result<Vec<(String, i64, usize)>> {
        let mut found = Vec::new();
        while let StreamStep::Batch(batch) = stream.next(PATIENCE)? {
            for row in 0..batch.rows.len() {
                let tokens = batch.encoded.offsets[row + 1] - batch.encoded.offsets[row];
                found.push((
                    batch.rows.name(row).to_owned(),
                    batch.rows.starts[row],
                    usize::try_from(tokens).unwrap(),
                ));
            }
        }
        Ok(found)
    }

    #[test]
    fn batches_come_in_order_and_then_the_end_for_ever() {
        let record = |number: usize| [">r", &number.to_string(), "\n", &"AC".repeat(number), "N\n"].concat();
        let text: String = (1..200).map(record).collect();
        let rows = RowOptions { batch_symbols: 100, ..RowOptions::default() };
        let (_folder, mut stream) = stream(&text, rows, &["[UNK]"]);
        let expected: Vec<_> = (1..200).map(|number| (format!("r{number}"), 0, 2 * number + 1)).collect();
        assert_eq!(all(&mut stream).unwrap(), expected);
        assert!(matches!(stream.next(PATIENCE), Ok(StreamStep::End)));
        let report = stream.report();
        assert_eq!((report.records, report.unknown[1], stream.tokens()), (199, 199, report.symbols));
        stream.close();
        assert!(matches!(stream.next(PATIENCE), Ok(StreamStep::End)));
    }

    #[test]
    fn long_rows_in_parts_are_encoded_as_wholes() {
        let mut genome = RandomGenome::new(7);
        let mut bases = |length| {
            let mut bases = Vec::new();
            genome.bases(&mut bases, length);
            String::from_utf8(bases).unwrap()
        };
        let record = |name: &str, bases: &str| format!(">{name}\n{bases}\n");
        let lengths = [3_000_000, 10, 0, 600_000, 1_000_000];
        let mut sequences: Vec<String> = lengths.into_iter().map(&mut bases).collect();
        sequences[3].replace_range(200_000..400_000, &"N".repeat(200_000));
        sequences.push("A".repeat(2_000_000));
        let text: String = sequences.iter().map(|bases| record("r", bases)).collect();
        let rows = |batch_symbols| RowOptions { batch_symbols, ..RowOptions::default() };
        let encoded = |batch_symbols| {
            let (_folder, mut stream) = stream(&text, rows(batch_symbols), &["[UNK]"]);
            let mut found = Vec::new();
            while let StreamStep::Batch(batch) = stream.next(PATIENCE).unwrap() {
                let (ids, offsets) = (batch.encoded.ids.to_vec(), &batch.encoded.offsets);
                for row in 0..batch.rows.len() {
                    let range =
                        [offsets[row], offsets[row + 1]].map(|offset| usize::try_from(offset).unwrap());
                    found.push((
                        batch.rows.starts[row],
                        batch.rows.ends[row],
                        ids[range[0]..range[1]].to_vec(),
                    ));
                }
            }
            (found, stream.report().clone())
        };
        let whole = encoded(1 << 30);
        assert_eq!(whole.0.len(), 6);
        assert_eq!(encoded(300_000), whole);
        assert_eq!(encoded(1_000), whole);
    }

    #[test]
    fn an_error_is_told_once_and_remembered() {
        let (_folder, mut stream) = stream(">a\nACGT\n>b\nAC4\n", RowOptions::default(), &["[UNK]"]);
        assert!(all(&mut stream).unwrap_err().to_string().contains("line 4"));
        let again = stream.next(PATIENCE).unwrap_err().to_string();
        assert!(
            again.starts_with("reader=stopped: an error ended it:") && again.contains("line 4"),
            "{again}"
        );
    }

    #[test]
    fn without_an_unknown_token_the_place_of_the_symbol_is_told() {
        let (_folder, mut stream) = stream(">a\nACGT\n>b\nACN\n", RowOptions::default(), &[]);
        let error = all(&mut stream).unwrap_err().to_string();
        assert!(error.contains(r#"record "b", position 2: 'N'"#), "{error}");
    }

    #[test]
    fn a_closed_stream_says_so() {
        let (_folder, mut stream) = stream(">a\nACGT\n", RowOptions::default(), &["[UNK]"]);
        stream.close();
        assert_eq!(stream.next(PATIENCE).unwrap_err().to_string(), "reader=closed: start again");
    }
}
