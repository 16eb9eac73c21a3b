"""What several engines share out among them: leases, handed-over tasks, and slots of quotas."""
