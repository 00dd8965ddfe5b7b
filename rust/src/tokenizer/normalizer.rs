//! What a file's normalizer does to a text before it is split into words.
//!
//! A normalizer is a list of steps. The last ones that turn each character into one other (upper-casing, `U` into
//! `T`) are *folded* into the table of [`super::symbols`], where they cost nothing; of the ones before, each is carried
//! out as it stands: stripping white space, taking line ends out, putting `-` for ten N and more. Steps whose result is
//! not certain for characters outside ASCII say so, and a text with such characters is refused.
//!
//! Where a character came from is kept as Hugging Face keeps it, since offsets of tokens are those of the original: what
//! a replacement puts in stands where the last character that it took out stood, what is put in front at the first one.
//!
//! # Two ways through
//!
//! `Normalizer` is a head and a tail: the steps that are carried out, and those that are folded. While a text is ASCII only
//! the head is run and the table does the rest; with any other character both are run, and the table is asked for text that
//! is done ([`Normalized::is_folded`] says which). Both must give the same: a step may be folded only if what it makes of
//! each ASCII character does not depend on the others.

use std::borrow::Cow;
use std::ops::Range;

use super::pattern::{CharacterClass, Count, Others, Pattern};

/// One thing that a normalizer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NormalizerStep {
    /// White space at the ends is removed.
    Strip {
        /// At the start.
        left: bool,
        /// At the end.
        right: bool,
    },
    /// What a pattern finds becomes a string.
    Replace {
        /// What is looked for.
        pattern: Pattern,
        /// What comes in its place.
        content: String,
    },
    /// Each character becomes its lower case.
    Lowercase,
    /// A text that is not empty gets a string in front.
    Prepend(String),
    /// ASCII stays as it is; what becomes of other characters is not known here. Holds the step's name.
    AsciiOnly(String),
}

impl NormalizerStep {
    /// Why a text with other characters than ASCII cannot be normalized exactly, if so.
    fn refusal(&self) -> Option<String> {
        match self {
            Self::AsciiOnly(name) => Some(format!("the file's normalizer {name} may change")),
            Self::Replace {
                pattern: Pattern::Class(CharacterClass { others: Others::Unclear, .. }, _),
                ..
            } => Some("a class of characters in the file's normalizer may hold".to_owned()),
            _ => None,
        }
    }

    /// What becomes of one ASCII character, if that can be said of each by itself, and is ASCII again.
    fn of_each(&self, character: char) -> Option<char> {
        match self {
            Self::Lowercase => Some(character.to_ascii_lowercase()),
            Self::AsciiOnly(_) => Some(character),
            Self::Replace { pattern: Pattern::Class(class, Count::One), content } => {
                let mut content = content.chars();
                let single = content.next().filter(|only| only.is_ascii() && content.next().is_none())?;
                Some(if class.holds(character) { single } else { character })
            }
            _ => None,
        }
    }

    /// The text after this step; borrowed exactly if the step changes nothing, which [`Normalizer::leaves`] relies on.
    ///
    /// Where something changes, a [`Rewriter`] writes the new text from left to right; every byte of the old one is kept, put
    /// in another form, or left out, and `trace` hears which.
    fn apply<'t>(&self, text: Cow<'t, str>, trace: &mut Trace) -> Cow<'t, str> {
        match self {
            Self::AsciiOnly(_) => text,
            Self::Lowercase => lowercase(text, trace),
            Self::Strip { left, right } => {
                let kept = if *left { text.trim_start() } else { &text };
                let start = text.len() - kept.len();
                let kept = if *right { kept.trim_end() } else { kept };
                let kept = start..start + kept.len();
                if kept == (0..text.len()) {
                    return text;
                }
                let mut new = Rewriter::of(&text);
                new.keep(kept);
                new.done(trace)
            }
            Self::Prepend(front) if text.is_empty() || front.is_empty() => text,
            Self::Prepend(front) => {
                let mut new = Rewriter::of(&text);
                let first = text.chars().next().map_or(0, char::len_utf8);
                new.put(front, 0..first);
                new.keep(0..text.len());
                new.done(trace)
            }
            Self::Replace { pattern, content } => {
                let found = pattern.find_in(&text);
                if found.is_empty() {
                    return text;
                }
                let mut new = Rewriter::of(&text);
                let mut done = 0;
                for Range { start, end } in found {
                    new.keep(done..start);
                    let last = text[start..end].chars().next_back().map_or(0, char::len_utf8);
                    new.put(content, end - last..end);
                    done = end;
                }
                new.keep(done..text.len());
                new.done(trace)
            }
        }
    }
}

/// The lower case of every character, as Unicode has it: that of one may be several.
fn lowercase<'t>(text: Cow<'t, str>, trace: &mut Trace) -> Cow<'t, str> {
    if !text.chars().any(|character| character.to_lowercase().next() != Some(character)) {
        return text;
    }
    let mut new = Rewriter::of(&text);
    for (at, character) in text.char_indices() {
        let lower: String = character.to_lowercase().collect();
        new.put(&lower, at..at + character.len_utf8());
    }
    new.done(trace)
}

/// The steps of a normalizer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Normalizer {
    /// Those that are carried out.
    head: Vec<NormalizerStep>,
    /// Those that are folded into the table.
    tail: Vec<NormalizerStep>,
}

/// A text after the steps.
#[derive(Debug)]
pub(super) struct Normalized<'t> {
    /// What it is now.
    pub(super) text: Cow<'t, str>,
    /// Whether the folded steps are still to be done, by the table.
    pub(super) is_folded: bool,
    /// Where its bytes came from.
    pub(super) trace: Trace,
}

impl Normalizer {
    /// The steps, the last of them folded where possible: the longest tail of which each step can be.
    pub(super) fn new(mut steps: Vec<NormalizerStep>) -> Self {
        let can_fold = |step: &NormalizerStep| (0..128_u8).all(|code| step.of_each(code.into()).is_some());
        let folded = steps.iter().rev().take_while(|step| can_fold(step)).count();
        let tail = steps.split_off(steps.len() - folded);
        Self { head: steps, tail }
    }

    /// The steps, none of them folded: where tokens are looked for in what the normalizer makes.
    pub(super) fn carried_out(steps: Vec<NormalizerStep>) -> Self {
        Self { head: steps, tail: Vec::new() }
    }

    /// What the folded steps make of an ASCII character: an ASCII character.
    pub(super) fn folded(&self, character: char) -> char {
        self.tail.iter().fold(character, |character, step| step.of_each(character).unwrap_or(character))
    }

    /// Whether an ASCII text is as it was but for what is folded.
    pub(super) fn leaves(&self, text: &str) -> bool {
        let is_left = |step: &NormalizerStep| {
            matches!(step.apply(Cow::Borrowed(text), &mut Trace::default()), Cow::Borrowed(_))
        };
        self.head.iter().all(is_left)
    }

    /// Whether it does nothing to ASCII texts but what is folded.
    pub(super) fn is_folding(&self) -> bool {
        self.head.is_empty()
    }

    /// Whether it leaves all characters outside ASCII as they are.
    pub(super) fn leaves_others(&self) -> bool {
        self.head.iter().chain(&self.tail).all(|step| match step {
            NormalizerStep::Replace { pattern: Pattern::Class(class, _), .. } => class.others == Others::No,
            _ => false,
        })
    }

    /// Whether it leaves every text as it is.
    pub(super) fn is_nothing(&self) -> bool {
        self.head.is_empty() && self.tail.is_empty()
    }

    /// Why a text with other characters than ASCII cannot be normalized exactly, if so.
    pub(super) fn refusal(&self) -> Option<String> {
        self.head.iter().chain(&self.tail).find_map(NormalizerStep::refusal)
    }

    /// Carries out the steps: only the head while the text is ASCII, else all.
    pub(super) fn apply<'t>(&self, text: &'t str) -> Normalized<'t> {
        let mut trace = Trace::default();
        let run = |steps: &[NormalizerStep], text, trace: &mut Trace| {
            steps.iter().fold(text, |text, step| step.apply(text, trace))
        };
        let text = run(&self.head, Cow::Borrowed(text), &mut trace);
        let is_folded = text.is_ascii();
        let text = if is_folded { text } else { run(&self.tail, text, &mut trace) };
        Normalized { text, is_folded, trace }
    }

    /// A part of an ASCII text after the folded steps.
    pub(super) fn fold<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.tail.is_empty() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(text.chars().map(|character| self.folded(character)).collect())
    }

    /// The text after all steps, folded or not.
    pub(super) fn apply_all(&self, text: &str) -> String {
        let Normalized { text, is_folded, .. } = self.apply(text);
        if is_folded { self.fold(&text).into_owned() } else { text.into_owned() }
    }
}

/// Where the bytes of a text came from: runs of them, however many steps changed it; none if no step did.
///
/// The runs cover the text, in order, none of them empty. Memory grows with the number of changes, not with the length of
/// the text or the number of steps.
///
/// Of `A\nCNNNNG`, where the line end is taken out and four N become `-`, the new text is `AC-G`:
///
/// ```text
/// bytes   0..1      1..2      2..3              3..4
/// text    A         C         -                 G
/// origin  0..1      2..3      6..7, the last N  7..8
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trace {
    runs: Vec<Run>,
}

/// Neighbouring bytes with one kind of origin; they end where the next run starts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    /// The first of them.
    at: usize,
    /// The bytes of the original that they came from.
    origin: Range<usize>,
    /// Whether each came from one, in order; else each came from all.
    is_each: bool,
}

impl Run {
    /// Where its bytes from `from` up to `to` came from.
    fn origin(&self, from: usize, to: usize) -> Range<usize> {
        if self.is_each {
            self.origin.start + (from - self.at)..self.origin.start + (to - self.at)
        } else {
            self.origin.clone()
        }
    }
}

impl Trace {
    /// Where bytes of the last text stood in the first one; `range` must not be empty.
    pub(super) fn origin(&self, range: Range<usize>) -> Range<usize> {
        let Range { start, end } = range;
        match (self.run_of(start), self.run_of(end - 1)) {
            (Some(first), Some(last)) => {
                self.runs[first].origin(start, start + 1).start..self.runs[last].origin(end - 1, end).end
            }
            _ => start..end,
        }
    }

    /// The number of the run that a byte is in.
    fn run_of(&self, byte: usize) -> Option<usize> {
        let after = self.runs.partition_point(|run| run.at <= byte);
        (!self.runs.is_empty()).then(|| after.saturating_sub(1))
    }

    /// One more step, whose runs say where its bytes stood in the text before it. Steps are not kept apart: a hundred
    /// of them would take a hundred times the memory.
    ///
    /// A run of copied bytes may span several of the old runs: it is split at their borders, and each part takes over the
    /// origin of the old run it lies in. A run of other bytes has one origin, which is looked up as a whole.
    fn then(&mut self, step: Vec<Run>) {
        if self.runs.is_empty() {
            self.runs = step;
            return;
        }
        let mut runs = Vec::with_capacity(step.len());
        for run in step {
            if !run.is_each {
                runs.push(Run { origin: self.origin(run.origin), ..run });
                continue;
            }
            let mut at = run.origin.start;
            let first = self.run_of(at).unwrap_or(0);
            for (number, old) in self.runs.iter().enumerate().skip(first) {
                if at >= run.origin.end {
                    break;
                }
                let end =
                    self.runs.get(number + 1).map_or(run.origin.end, |next| next.at.min(run.origin.end));
                let origin = old.origin(at, end);
                runs.push(Run { at: run.at + (at - run.origin.start), origin, is_each: old.is_each });
                at = end;
            }
        }
        self.runs = runs;
    }
}

/// Writes a new text from pieces of an old one, from left to right.
struct Rewriter<'a> {
    old: &'a str,
    new: String,
    runs: Vec<Run>,
}

impl<'a> Rewriter<'a> {
    fn of(old: &'a str) -> Self {
        Self { old, new: String::with_capacity(old.len()), runs: Vec::new() }
    }

    /// A piece as it was; joins the run before it if it stood right behind that one.
    fn keep(&mut self, piece: Range<usize>) {
        if piece.is_empty() {
            return;
        }
        let at = self.new.len();
        self.new.push_str(&self.old[piece.clone()]);
        match self.runs.last_mut().filter(|run| run.is_each && run.origin.end == piece.start) {
            Some(run) => run.origin.end = piece.end,
            None => self.runs.push(Run { at, origin: piece, is_each: true }),
        }
    }

    /// Something else in the place of a piece.
    fn put(&mut self, text: &str, origin: Range<usize>) {
        if text.len() == 1 && origin.len() == 1 {
            // One byte for one byte: the origin is as if it had been kept.
            let is_next = self.runs.last().is_some_and(|run| run.is_each && run.origin.end == origin.start);
            if is_next {
                self.new.push_str(text);
                self.runs.last_mut().into_iter().for_each(|run| run.origin.end = origin.end);
                return;
            }
        }
        if !text.is_empty() {
            self.runs.push(Run { at: self.new.len(), is_each: text.len() == 1 && origin.len() == 1, origin });
            self.new.push_str(text);
        }
    }

    fn done<'t>(self, trace: &mut Trace) -> Cow<'t, str> {
        trace.then(self.runs);
        Cow::Owned(self.new)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::tokenizer) fn replace(source: &str, content: &str) -> NormalizerStep {
        NormalizerStep::Replace { pattern: Pattern::regex(source).unwrap(), content: content.to_owned() }
    }

    #[test]
    fn steps_of_characters_are_folded_and_others_are_carried_out() {
        let upper = Normalizer::new(vec![replace("a", "A"), replace("[^ACGTN]", "N")]);
        assert!(upper.head.is_empty() && upper.folded('a') == 'A' && upper.folded('x') == 'N');
        assert!(matches!(upper.apply("acx").text, Cow::Borrowed("acx")));
        assert_eq!(upper.apply("aé").text, "AN");
        let gena = Normalizer::new(vec![
            NormalizerStep::Strip { left: true, right: true },
            replace("N{10,}", "-"),
            replace("U", "T"),
        ]);
        assert!(gena.leaves("ACGTU") && !gena.leaves("ACGTU\n"));
        assert!(matches!(gena.apply("ACGTU").text, Cow::Borrowed("ACGTU")));
        assert_eq!(gena.apply_all(" ANNNNNNNNNNNU "), "A-T");
    }

    #[test]
    fn what_becomes_of_a_text_knows_where_it_came_from() {
        let steps = vec![
            NormalizerStep::Strip { left: true, right: true },
            replace("N{3,}", "-"),
            replace("\n", ""),
            NormalizerStep::Prepend("__".to_owned()),
        ];
        let normalized = Normalizer::new(steps).apply("  A\nCNNNNG\n");
        assert_eq!(normalized.text, "__AC-G");
        let origins: Vec<_> = (0..6).map(|byte| normalized.trace.origin(byte..byte + 1)).collect();
        assert_eq!(origins, [2..3, 2..3, 2..3, 4..5, 8..9, 9..10]);
        assert_eq!(normalized.trace.origin(2..6), 2..10);
    }

    #[test]
    fn steps_add_up_to_one_trace() {
        let chain =
            |steps: Vec<NormalizerStep>| Normalizer::carried_out(steps).apply("xABCy").trace.runs.len();
        let double = || NormalizerStep::Replace { pattern: Pattern::text("BC"), content: "CBC".to_owned() };
        assert!(chain(vec![double(); 3]) < 12, "not a list for each step");
        let steps = vec![
            replace("B", "CC"),
            NormalizerStep::Replace { pattern: Pattern::text("CC"), content: "D".into() },
        ];
        let normalized = Normalizer::carried_out(steps).apply("xABCy");
        assert_eq!(normalized.text, "xADCy");
        assert_eq!(
            (0..5).map(|at| normalized.trace.origin(at..at + 1).start).collect::<Vec<_>>(),
            [0, 1, 2, 3, 4]
        );
    }

    #[test]
    fn an_empty_text_stays_empty() {
        let normalizer = Normalizer::new(vec![
            NormalizerStep::Strip { left: true, right: true },
            NormalizerStep::Prepend("_".to_owned()),
        ]);
        assert_eq!(normalizer.apply("").text, "");
        assert_eq!(normalizer.apply(" \n").text, "");
    }

    #[test]
    fn lower_case_is_exact_outside_ascii() {
        let normalizer = Normalizer::new(vec![NormalizerStep::Lowercase]);
        assert!(normalizer.head.is_empty());
        assert_eq!(normalizer.apply("K\u{212a}İ").text, "kki\u{307}");
    }
}
