"""Does the paper hold here? Each of its claims, with a test chosen before any result."""
