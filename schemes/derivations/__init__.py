"""How a result came about, as a tree that can be recomputed from itself."""
