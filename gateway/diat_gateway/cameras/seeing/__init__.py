"""From pictures to objects: background, blobs, tracks, and whether the camera can see at all."""
