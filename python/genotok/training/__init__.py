"""What pre-training and fine-tuning share: settings, batches, the trainer, its checkpoints and its log."""
