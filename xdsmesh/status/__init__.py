"""What each proxy has been sent, has acknowledged or has rejected: values that the API and the command read."""
