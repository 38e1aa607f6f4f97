"""What a paper says of its runs: works to cite, and the protocol in a sentence."""
