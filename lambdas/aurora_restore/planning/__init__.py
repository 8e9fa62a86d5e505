"""What SnapshotCheck decides: pure functions and reads, nothing that changes anything."""
