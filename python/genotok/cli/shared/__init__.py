"""What commands share: options, consoles and messages, progress, help pages, summaries of what was done."""
