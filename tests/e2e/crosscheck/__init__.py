"""Random tokens, and another library's judgement of them."""
