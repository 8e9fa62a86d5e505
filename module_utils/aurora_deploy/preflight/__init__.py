"""What is checked before a deployment starts: the variables' shapes, how they fit together, who the caller is."""
