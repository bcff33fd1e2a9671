"""The paper's tables, measured: grids of training runs, scored, and set beside what the paper reports."""
