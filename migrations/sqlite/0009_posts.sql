-- The blog: posts with every version of them, the pictures they show, and how often they are read.

-- A picture as it is served: re-encoded, without metadata. The rows of its sizes hold the bytes, so
-- that several processes, and a backup, need the database alone.
CREATE TABLE images (
    -- Random, for it is the address.
    id TEXT PRIMARY KEY,
    owner_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    name TEXT NOT NULL,
    alt TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    -- Of all sizes together; what the quota counts.
    bytes INTEGER NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX images_by_owner ON images (owner_id, created_at, id);
CREATE TABLE image_files (
    image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    kind TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (image_id, width)
);

CREATE TABLE posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Who wrote it; the name stays when the user goes.
    author_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    author TEXT NOT NULL,
    lang TEXT NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    summary TEXT NOT NULL,
    body TEXT NOT NULL,
    -- The body as safe HTML, made when it is stored.
    html TEXT NOT NULL,
    -- As written, with commas between.
    tags TEXT NOT NULL,
    cover TEXT REFERENCES images (id),
    cover_alt TEXT NOT NULL,
    search TEXT NOT NULL,
    -- NULL is a draft; later than the clock is scheduled.
    published_at TEXT,
    -- Counts every change; whoever changes the post names the one they have seen.
    version INTEGER NOT NULL,
    views INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX posts_public ON posts (published_at, id) WHERE published_at IS NOT NULL;
CREATE INDEX posts_public_lang ON posts (lang, published_at, id) WHERE published_at IS NOT NULL;
CREATE INDEX posts_cover ON posts (cover) WHERE cover IS NOT NULL;

-- Every slug that a post has or had: old links lead to the new one.
CREATE TABLE post_slugs (
    slug TEXT PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE
);
CREATE INDEX post_slugs_by_post ON post_slugs (post_id);

CREATE TABLE post_tags (
    -- In lower case.
    tag TEXT NOT NULL,
    post_id INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, post_id)
);
CREATE INDEX post_tags_by_post ON post_tags (post_id);

-- Pictures that a body shows; they cannot be deleted.
CREATE TABLE post_images (
    post_id INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    image_id TEXT NOT NULL REFERENCES images (id),
    PRIMARY KEY (post_id, image_id)
);
CREATE INDEX post_images_by_image ON post_images (image_id);

CREATE TABLE post_versions (
    post_id INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    name TEXT NOT NULL,
    -- domain::post::Content as JSON
    content TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (post_id, version)
);

-- What somebody has typed and not saved; post 0 is one that does not exist yet.
CREATE TABLE post_drafts (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    post_id INTEGER NOT NULL,
    -- forms::posts::PostForm as JSON
    form TEXT NOT NULL,
    saved_at TEXT NOT NULL,
    PRIMARY KEY (user_id, post_id)
);
CREATE INDEX post_drafts_by_post ON post_drafts (post_id);

CREATE TABLE post_views (
    post_id INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    -- UTC, 'YYYY-MM-DD'
    day TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (post_id, day)
);
