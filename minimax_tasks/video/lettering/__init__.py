"""Words in the picture: typefaces, setting of lines, captions and the looks of titles."""
