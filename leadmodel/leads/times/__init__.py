"""Read dates and times in every usual form, and find the column that says when a lead came in."""
