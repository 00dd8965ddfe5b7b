"""What pre-training and fine-tuning share: settings, the trainer, its checkpoints and its log."""
