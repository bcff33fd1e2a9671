"""foleybench.leaderboard."""
