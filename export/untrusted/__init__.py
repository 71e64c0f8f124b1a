"""What a stranger's file meets: bounds, schemas, seals, and a process of its own."""
