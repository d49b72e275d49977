"""Zone 3: cohorts, from definition to a snapshot that can be cited and re-opened."""
