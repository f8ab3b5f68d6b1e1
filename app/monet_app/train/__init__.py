"""Teaching a model: pre-training, joint fine-tuning, U-Nets."""
