"""Forward and backward pass measured against other people's work; see README.md."""
