"""Training a model on demonstrations and preferences: LoRA on trl, peft, transformers and accelerate, resumable at the step."""
