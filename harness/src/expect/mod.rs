//! Expectations: what was found is normalised and compared with a snapshot; pending ones are reviewed and accepted.
