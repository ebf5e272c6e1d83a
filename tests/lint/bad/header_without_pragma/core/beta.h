// BETA: b.
