"""What runs inside the sandbox: nothing here is trusted once it has met a submission."""
