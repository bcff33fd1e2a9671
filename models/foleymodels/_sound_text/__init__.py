"""Sound and text in one space; a flow on its vectors.

None of it sees video. No evaluator of the benchmark is used here, and none of this scores anything.
"""
