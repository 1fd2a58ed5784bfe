"""Plain functions: frames in, numbers out. They know nothing of claims, charts or where data came from."""
