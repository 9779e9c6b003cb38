"""What runs on a host: today `doorctl` against a running simulator, and the words that all surfaces speak."""
