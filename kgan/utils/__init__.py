"""What every room uses, and knows of none."""
