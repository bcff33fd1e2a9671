"""The paper's tables, measured beside what the paper reports."""
