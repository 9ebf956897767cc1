//! Work on many things at once, for those whose number nobody knows before.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};

/// Stack of a program's first thread on Linux, in bytes, so that other threads read values that are
/// nested as deeply.
const STACK: usize = 8 << 20;

/// Does work on each item, on as many at once as the machine can, and returns the results in the
/// order of the items.
///
/// ```
/// let lengths = kuberay_manifest::at_once(vec!["a", "bb", "ccc"], str::len);
/// assert_eq!(lengths, [1, 2, 3]);
/// ```
pub fn at_once<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let others = threads.min(items.len()).saturating_sub(1);
    if others == 0 {
        return items.into_iter().map(work).collect();
    }
    let count = items.len();
    let items = Mutex::new(items.into_iter().enumerate());
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        let mut done = Vec::with_capacity(count / (others + 1));
        while let Some((index, item)) = next() {
            done.push((index, work(item)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        // What can't be started leaves its work to the others.
        let others: Vec<_> = (0..others)
            .filter_map(|_| {
                let thread = Builder::new().stack_size(STACK);
                thread.spawn_scoped(scope, run).ok()
            })
            .collect();
        let mut done = run();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Does work on a thread whose stack is deep enough for what is nested as deeply as is allowed, and
/// returns its result. Threads of tests and of asynchronous runtimes have a quarter of it.
pub(crate) fn on_deep_stack<R: Send>(work: impl Fn() -> R + Sync) -> R {
    thread::scope(|scope| {
        let thread = Builder::new().stack_size(STACK);
        match thread.spawn_scoped(scope, &work) {
            Ok(thread) => match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            },
            // What is not nested deeply can be done here.
            Err(_) => work(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_their_items() {
        let items: Vec<usize> = (0..1_000).collect();
        let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
        assert_eq!(at_once(items, |item| item * 2), doubled);
        assert!(at_once(Vec::<usize>::new(), |item| item).is_empty());
    }

    #[test]
    #[should_panic(expected = "the item 7")]
    fn a_panic_reaches_the_caller() {
        at_once((0..100).collect(), |item| assert!(item != 7, "the item 7"));
    }
}
