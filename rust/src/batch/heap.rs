//! The slow way: the rule itself, a run of letters at a time, for tables without an automaton.

use super::text::{END, Task, Text, symbol};
use crate::bpe::Token;
use crate::bpe::encode::{Cursor, Queue, Sink, Source};
use crate::bpe::heap::HeapEncoder;
use crate::error::Result;
use crate::monitor::Monitor;
use crate::tokenizer::letters::Letters;

/// Encodes the tasks of `queue`, as one of the threads that do. Memory: some 40 bytes a letter of the longest run.
pub(super) fn run(
    encoder: &HeapEncoder,
    letters: &Letters,
    text: &Text<'_>,
    queue: &Queue<Task>,
    sink: &mut impl Sink<Token>,
    monitor: &Monitor,
) -> Result<()> {
    let (mut bytes, mut word) = (Vec::new(), Vec::new());
    while let Some((number, task)) = queue.take() {
        sink.begin(0, number);
        let mut cursor = text.open(number, task);
        loop {
            monitor.check()?;
            bytes.resize(usize::try_from(cursor.left()).unwrap_or(usize::MAX), 0);
            cursor.read(&mut bytes);
            monitor.add_bases(bytes.len() as u64);
            let is_last = !cursor.advance();
            bytes.extend((!is_last).then_some(END));
            for &byte in &bytes {
                match symbol(letters, byte) {
                    Ok(code) => word.push(code),
                    Err(mark) => {
                        end_word(encoder, &mut word, sink);
                        sink.tokens(0, &[encoder.num_tokens() + mark as Token], true);
                    }
                }
            }
            end_word(encoder, &mut word, sink);
            if is_last {
                break;
            }
        }
        sink.end(0);
    }
    Ok(())
}

fn end_word(encoder: &HeapEncoder, word: &mut Vec<u8>, sink: &mut impl Sink<Token>) {
    if !word.is_empty() {
        sink.tokens(0, &encoder.encode(word), true);
        word.clear();
    }
}
