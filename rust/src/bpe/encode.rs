//! From words to tokens.
//!
//! | module | what it knows |
//! |---|---|
//! | [`heap`] | the rule itself, with a priority queue: the plain reference in this crate, slow, right for every table |
//! | [`rules`] | merges in an order that no training makes, for the heap |
//! | [`no_automaton`] | why a table is left to the heap |
//! | [`budget`] | the steps and the memory that building an automaton may take |
//! | [`compatible`] | which two tokens may stand next to each other |
//! | [`offers`] | the merges that each token offers to its right neighbour |
//! | [`items`] | open starts, as far as the future can tell |
//! | [`local`] | what a change of a text changes in its tokens |
//! | [`machine`] | what runs over bytes: transitions, outputs, a row for each byte |
//! | [`automaton`] | byte-pair encoding as a finite automaton |
//! | `marked` | the automaton over any bytes: N, gaps and ends of sequences have states of their own |
//! | [`neighbours`] | which tokens may stand in place of another one |
//! | [`stream`] | the traits between the lanes and what they read and write |
//! | [`corpus_text`] | the words of corpora as a text |
//! | [`lanes`] | the automaton over long texts: eight at a time, block by block, in bounded memory |
//! | `seams` | where a long text is cut for threads to share |
//! | [`encoder`] | the automaton, or the heap for tables that have none |
//!
//! Each uses those above it only. Two encoders are built from these parts: [`MergeEncoder`] reads
//! the 2-bit words of corpora for training, and [`batch`](crate::batch) reads bytes through
//! `marked`. Both run the same lanes.

pub mod automaton;
pub mod budget;
pub mod compatible;
pub mod corpus_text;
pub mod encoder;
pub mod heap;
pub mod items;
pub mod lanes;
pub mod local;
pub mod machine;
pub(crate) mod marked;
pub mod neighbours;
pub mod no_automaton;
pub mod offers;
pub mod rules;
pub(crate) mod seams;
pub mod stream;

pub use self::corpus_text::{CorpusText, Segment};
pub use self::encoder::MergeEncoder;
pub use self::lanes::LANES;
pub use self::no_automaton::NoAutomaton;
pub use self::stream::{SegmentQueue, TokenSink, WordCursor, WordSource};
