-- Pictures that letters show, each with the beginning of the last run that did: who gets one opens it for long.
CREATE TABLE picture_uses (
    image_id TEXT PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
    used_at TEXT NOT NULL
);
