"""One module per output format. Each reads formulas or documents and writes text; none knows any mathematics."""
