"""What a trained model gives."""
