"""The collapse monitor: what it looks at, and the rules it judges by."""
