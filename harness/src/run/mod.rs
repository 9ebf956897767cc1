//! The engine: cells run, deadlines hold, evidence is kept, and what was made is cleaned up.
