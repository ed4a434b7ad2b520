//! Work on many files at once: most of the time that a removal takes, one waits for the disk.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many files are worked on at once.
const WORKERS: usize = 8;
/// So many files are worked on between two looks at whether the work was interrupted.
pub const BATCH: usize = 256;

/// Does the work on each item, some at the same time; gives the results in the order of the items.
pub fn for_each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if items.len() < 2 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    let result = work(item);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        let items: Vec<usize> = (0..1000).collect();
        let doubled = for_each(&items, |item| item * 2);
        assert!(
            doubled
                .iter()
                .enumerate()
                .all(|(at, result)| *result == at * 2)
        );
        assert_eq!(for_each(&[7], |item| item + 1), [8]);
        assert!(for_each(&[0; 0], |item| *item).is_empty());
    }
}
