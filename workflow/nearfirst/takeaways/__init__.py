"""Does the paper hold here? Each of its claims with a test that was chosen before any result."""
