"""From a list of clips to shards and manifests, the same way for every data set.

Each clip is made in a worker process that can be killed, staged under ``<out>/.staging``, and packed when its split is
whole. Kill the command at any moment and run it again: the shards are byte-identical to an unbroken run.
"""

from foleybench.prepare.engine import SplitPlan, parse_options, plan, prepare

__all__ = ["SplitPlan", "parse_options", "plan", "prepare"]
