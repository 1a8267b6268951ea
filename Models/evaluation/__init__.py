"""What a model finds: precision on classes of photos, recall on edited copies (`Models/evaluate`)."""
