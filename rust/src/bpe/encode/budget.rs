//! What building an automaton may take.
//!
//! Time can be cubic in the number of tokens when they are made to be: each of ten thousand tokens
//! one symbol longer than the last has all others on its spine. So the steps are counted, and what
//! fills memory, over all threads; a table that needs more is left to the heap encoder.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::no_automaton::NoAutomaton;

/// Steps of building items and states that a vocabulary may need: some seconds, at some nanoseconds
/// each.
const MAX_STEPS: usize = 1 << 27;
/// Moves of items, and runs, likewise: 256 MiB of each.
const MAX_MOVES: usize = 32 << 20;
/// What a thread keeps to itself before it adds it to the sum.
const UNSAID: usize = 1 << 14;

/// What all threads have taken so far.
#[derive(Debug, Default)]
pub struct BuildBudget {
    steps: AtomicUsize,
    moves: AtomicUsize,
}

/// What one thread takes of a budget. Sums are checked now and then, and at the end.
#[derive(Debug)]
pub struct Spending<'a> {
    budget: &'a BuildBudget,
    steps: usize,
    moves: usize,
}

impl BuildBudget {
    /// Nothing spent yet by this thread.
    pub fn spending(&self) -> Spending<'_> {
        Spending { budget: self, steps: 0, moves: 0 }
    }
}

impl Spending<'_> {
    /// Counts steps; fails when there have been too many.
    #[inline]
    pub fn spend(&mut self, steps: usize) -> Result<(), NoAutomaton> {
        self.steps += steps;
        if self.steps > UNSAID { self.end() } else { Ok(()) }
    }

    /// Counts moves, or runs, that take memory; fails when there are too many.
    #[inline]
    pub fn fill(&mut self, moves: usize) -> Result<(), NoAutomaton> {
        self.moves += moves;
        if self.moves > UNSAID { self.end() } else { Ok(()) }
    }

    /// Adds what is left to the sum, and fails if that is too much.
    pub fn end(&mut self) -> Result<(), NoAutomaton> {
        let add = |sum: &AtomicUsize, new: &mut usize| {
            let new = std::mem::take(new);
            sum.fetch_add(new, Ordering::Relaxed) + new
        };
        if add(&self.budget.steps, &mut self.steps) > MAX_STEPS {
            return Err(NoAutomaton::TooSlow);
        }
        let count = add(&self.budget.moves, &mut self.moves);
        if count > MAX_MOVES {
            return Err(NoAutomaton::TooMany { what: "moves of open starts", count });
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_over_all_threads_is_limited() {
        let budget = BuildBudget::default();
        let (mut one, mut other) = (budget.spending(), budget.spending());
        one.spend(MAX_STEPS).unwrap();
        one.fill(MAX_MOVES).unwrap();
        other.spend(0).unwrap();
        other.end().unwrap();
        other.spend(1).unwrap();
        assert_eq!(other.end(), Err(NoAutomaton::TooSlow));

        let budget = BuildBudget::default();
        let (mut one, mut other) = (budget.spending(), budget.spending());
        one.fill(MAX_MOVES).unwrap();
        other.fill(1).unwrap();
        let count = MAX_MOVES + 1;
        assert_eq!(other.end(), Err(NoAutomaton::TooMany { what: "moves of open starts", count }));
    }

    #[test]
    fn a_thread_keeps_little_to_itself() {
        let budget = BuildBudget::default();
        let said = || (budget.steps.load(Ordering::Relaxed), budget.moves.load(Ordering::Relaxed));
        let mut spending = budget.spending();
        spending.spend(UNSAID).unwrap();
        spending.fill(UNSAID).unwrap();
        assert_eq!(said(), (0, 0));
        spending.spend(1).unwrap();
        assert_eq!(said(), (UNSAID + 1, UNSAID));
        spending.fill(UNSAID).unwrap();
        spending.fill(1).unwrap();
        assert_eq!(said(), (UNSAID + 1, 2 * UNSAID + 1));
    }
}
