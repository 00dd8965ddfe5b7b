//! What people give a sequence reader by mistake, and what to tell them.
//!
//! A message that names the mistake ("this looks like GenBank format") saves the user a search that "found 'L', expected
//! `>`" starts. Everything here is a guess made after the reader has refused a byte: it changes the message, never the
//! outcome.

use memchr::memchr;

use crate::error::quote;
use crate::io::decompress::{is_compressed, refusal};

/// First bytes of files that are given for FASTA by mistake, and the remedy. Of two that fit, the first counts.
const MISTAKEN: [(&[u8], &str); 47] = [
    (b"<?xml", "this looks like XML; download the sequence as FASTA"),
    (b"<", "this looks like a web page (HTML or XML); download the file itself"),
    (b"version https://git-lfs", "this is a Git LFS pointer and not the file; fetch it with `git lfs pull`"),
    (b"##gff", "this looks like GFF, which has annotation and no sequence"),
    (b"##fileformat=VCF", "this looks like VCF, which has variants and no sequence"),
    (b"##maf", "this looks like MAF, a multiple alignment; convert it to FASTA"),
    (b"#NEXUS", "this looks like NEXUS format; convert it to FASTA"),
    (b"# STOCKHOLM", "this looks like Stockholm format; convert it to FASTA"),
    (b"CLUSTAL", "this looks like a Clustal alignment; convert it to FASTA"),
    (b"H\tVN:", "this looks like GFA; convert it to FASTA with `gfatools gfa2fa`"),
    (b"track ", "this looks like a browser track (BED or WIG), which has places and no sequence"),
    (b"browser ", "this looks like a browser track (BED or WIG), which has places and no sequence"),
    (b"LOCUS", "this looks like GenBank format; convert it to FASTA"),
    (b"ID ", "this looks like EMBL format; convert it to FASTA"),
    (b"BAM\x01", "this is a BAM file; use `samtools fasta FILE | genotok ... -`"),
    (b"CRAM", "this is a CRAM file; use `samtools fasta FILE | genotok ... -`"),
    (b"BCF\x02", "this is a BCF file, which has variants and no sequence"),
    (b"BAI\x01", "this is an index (BAI); give the file that it belongs to"),
    (b"CSI\x01", "this is an index (CSI); give the file that it belongs to"),
    (b"TBI\x01", "this is an index (TBI); give the file that it belongs to"),
    (b"NCBI.sra", "this is an SRA file; convert it with `fasterq-dump`"),
    (b"\x43\x27\x41\x1a", "this is a 2bit file; convert it with `twoBitToFa`"),
    (b"\x1a\x41\x27\x43", "this is a 2bit file; convert it with `twoBitToFa`"),
    (b"\x3a\x3d\xe9\x6b", "this is a nib file; convert it with `nibFrag`"),
    (b"\x6b\xe9\x3d\x3a", "this is a nib file; convert it with `nibFrag`"),
    (b"ABIF", "this is an ABI trace file; convert it to FASTQ"),
    (b".scf", "this is an SCF trace file; convert it to FASTQ"),
    (b".sff", "this is an SFF file of 454 reads; convert it to FASTQ"),
    (b"\x89HDF", "this is an HDF5 file (FAST5 or other); basecall or convert it to FASTQ"),
    (b"\x8bPOD", "this is a POD5 file of raw signals; basecall it to FASTQ"),
    (b"GENOTOK\x1a", "this is a packed corpus of genotok and holds no FASTA"),
    (b"PAR1", "this is a Parquet file and no sequence file"),
    (b"ARROW1", "this is an Arrow file and no sequence file"),
    (b"\x93NUMPY", "this is an array of numpy and no sequence file"),
    (b"SQLite format 3\0", "this is an SQLite database"),
    (b"\x7fELF", "this is a program"),
    (b"\x89PNG", "this is a picture"),
    (b"\xff\xd8\xff", "this is a picture"),
    (b"%PDF", "this is a PDF document"),
    (b"%!PS", "this is a PostScript document"),
    (b"{\\rtf", "this is a rich-text document (RTF); save it as plain text"),
    (b"\xd0\xcf\x11\xe0", "this is a document of Word or Excel; save it as plain text"),
    (b"{", "this looks like JSON"),
    (b"[", "this looks like JSON"),
    (b"!<arch>\n", "this is an ar archive; unpack it with `ar x` and give the files inside"),
    (b"070701", "this is a cpio archive; unpack it first and give the files inside"),
    (b"\0", "this is not a text file"),
];

/// Where a tar archive has its magic bytes, and which.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// Bytes at the start of a file among which a zero byte shows that it is no text.
const HEAD_BYTES: usize = 512;

/// The remedy for a file that starts with `head`, if it is certain that it is no sequence file.
pub(crate) fn recognise(head: &[u8]) -> Option<&'static str> {
    let is_tar = head.get(TAR.0..).is_some_and(|at| at.starts_with(TAR.1));
    if is_tar {
        return Some("this is a tar archive; unpack it first with `tar -xf` and give the files inside");
    }
    let known = MISTAKEN.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, hint)| *hint);
    let twice = || is_compressed(head).then_some("it is compressed twice; unpack it once");
    let head_bytes = &head[..head.len().min(HEAD_BYTES)];
    let binary = || memchr(0, head_bytes).map(|_| "this is not a text file");
    known.or_else(twice).or_else(|| refusal(head)).or_else(binary)
}

/// Whether a line that starts with `byte` is meant as a comment.
pub(crate) fn is_comment(byte: u8) -> bool {
    matches!(byte, b';' | b'#')
}

pub(crate) const COMMENT: &str = "comment lines are not part of FASTA, remove them";

/// The most probable remedy for a file that starts with `head` and is no sequence file.
pub(crate) fn hint_for_file(head: &[u8]) -> &'static str {
    recognise(head).unwrap_or_else(|| {
        let line = first_line(head);
        match line {
            [byte, ..] if is_comment(*byte) => COMMENT,
            _ if line.iter().all(u8::is_ascii_alphabetic) => {
                "a line `>name` has to stand before the sequence"
            }
            _ => "is this a sequence file?",
        }
    })
}

/// The first line, which CR or LF ends.
fn first_line(head: &[u8]) -> &[u8] {
    head.split(|&byte| byte == b'\n' || byte == b'\r').next().unwrap_or(head)
}

/// The cause of CR or LF where none may be, and the remedy.
pub(crate) const MIXED: &str = "the file mixes line ends, perhaps because files of two systems were joined; make them \
                                all LF: `mac2unix` for CR, `dos2unix` for CR LF";

/// The most probable cause of `byte` where a FASTQ title is due.
pub(crate) fn hint_for_title(byte: u8) -> &'static str {
    match byte {
        b'@' => "remove the white space before it",
        b'\n' => MIXED,
        DOS_END => DOS,
        _ => "perhaps the quality above is longer than its sequence",
    }
}

/// The most probable cause of `byte` in a sequence, as the end of a message; empty if there is none. `first` says that it
/// is the first byte of its line, `fastq` that the format is FASTQ.
pub(crate) fn hint_for_symbol(byte: u8, first: bool, fastq: bool) -> &'static str {
    match byte {
        b'>' if !fastq => "a line end is missing before it",
        b'@' if fastq && first => "the record above has no `+` line and no quality",
        b';' | b'#' if first => "comment lines are not part of FASTA, remove them",
        b'\r' | b'\n' => MIXED,
        b' ' | b'\t' => "FASTQ allows no white space in a sequence",
        b'0'..=b'9' => {
            "numbers beside a sequence belong to GenBank or EMBL format, convert the file to FASTA"
        }
        0 => "this is not a text file",
        DOS_END => DOS,
        0xef if first => {
            "this may be a byte-order mark of UTF-8, of a file that was joined to another; remove it"
        }
        0x80.. => "this is not plain ASCII text",
        _ => "",
    }
}

/// Whether the title of a first record is a header line of SAM: two capitals, a tab, and fields.
pub(crate) fn looks_like_sam(title: &[u8]) -> bool {
    matches!(title, [a, b, b'\t', ..] if a.is_ascii_uppercase() && b.is_ascii_uppercase())
}

pub(crate) const SAM: &str = "this looks like SAM; use `samtools fasta FILE | genotok ... -`";

/// Ctrl-Z, which ends a text in CP/M and DOS.
const DOS_END: u8 = 0x1a;
const DOS: &str = "this is the end-of-file mark of DOS, remove it";

/// At most 60 bytes of `text`, quoted, for a message of one line.
pub(crate) fn show_text(text: &[u8]) -> String {
    const SHOWN_BYTES: usize = 60;
    let mut end = text.len().min(SHOWN_BYTES);
    while end < text.len() && end > 0 && text[end] & 0xc0 == 0x80 {
        end -= 1; // inside a character
    }
    let shown = quote(&String::from_utf8_lossy(&text[..end]));
    format!("{shown}{}", if text.len() > end { "..." } else { "" })
}
