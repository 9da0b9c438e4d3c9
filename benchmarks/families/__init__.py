"""What the shipped families and codes find: in photos, in drawings and in pictures of clothes."""
