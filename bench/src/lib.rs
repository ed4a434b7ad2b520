//! Measurements of whole systems, the peer's and ours in turn in one run, and the load generators for them.
