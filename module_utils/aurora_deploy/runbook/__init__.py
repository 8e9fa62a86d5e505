"""The logic behind the runbooks: requests, the live follower, the timeline, abort. Nothing here knows Ansible."""
