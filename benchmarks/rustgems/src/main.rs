//! Encodes sequences with the `bpe` crate, once for each line on standard input.
//!
//! `rustgems-bench TOKENS SEQUENCES FIRST_ID`: tokens by rank and sequences are files of one a line. A line on standard
//! output is one JSON object: seconds of encoding, tokens, and the SHA-256 of ids (little endian, 32 bits, counted from
//! FIRST_ID) with a separator after each sequence.

use std::io::{BufRead, Write};
use std::time::Instant;

use bpe::byte_pair_encoding::{BytePairEncoding, find_hash_factor_for_dictionary};
use sha2::{Digest, Sha256};

/// Stands after the ids of each sequence.
const SEPARATOR: u32 = u32::MAX;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, tokens, sequences, first_id] = arguments.as_slice() else {
        return Err("usage: rustgems-bench TOKENS SEQUENCES FIRST_ID".into());
    };
    let tokens: Vec<Vec<u8>> =
        std::fs::read_to_string(tokens)?.lines().map(|line| line.as_bytes().to_vec()).collect();
    let text = std::fs::read(sequences)?;
    let sequences: Vec<&[u8]> =
        text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
    let first_id: u32 = first_id.parse()?;
    let factor = find_hash_factor_for_dictionary(tokens.iter().cloned());
    let start = Instant::now();
    let encoder = BytePairEncoding::from_dictionary(tokens, Some(factor));
    let building = start.elapsed().as_secs_f64();
    for line in std::io::stdin().lock().lines() {
        line?;
        let start = Instant::now();
        let encoded: Vec<Vec<u32>> =
            sequences.iter().map(|sequence| encoder.encode_via_backtracking(sequence)).collect();
        let seconds = start.elapsed().as_secs_f64();
        let mut digest = Sha256::new();
        let mut count = 0;
        for ids in &encoded {
            count += ids.len();
            let bytes: Vec<u8> = ids.iter().flat_map(|id| (id + first_id).to_le_bytes()).collect();
            digest.update(&bytes);
            digest.update(SEPARATOR.to_le_bytes());
        }
        let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "{{\"seconds\": {seconds}, \"tokens\": {count}, \"ids_sha256\": \"{hex}\", \"building\": {building}}}"
        )?;
        out.flush()?;
    }
    Ok(())
}
