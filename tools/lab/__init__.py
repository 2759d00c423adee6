"""What the demo and the end-to-end tests share: keys, tokens, processes and small HTTP servers."""
