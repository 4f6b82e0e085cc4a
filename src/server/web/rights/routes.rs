//! Routes, streams of events, and pages: what stands for the parts of their paths, and a query.

use super::rule::{
    ALL, No, OWNERS, Row, SHARED, Who, Yes, admins, editors, everyone, managers, read, read_all, seen, users, write,
};

/// What the router serves itself.
pub const ROUTES: &[Row] = &[
    // The address of a server function, read as a page, leads home.
    read("GET /api/{*function}", everyone(ALL), "session"),
    // What is a function stands in their own table.
    read("POST /api/{*function}", everyone([No(400); 3]), "nothing"),
    write("POST /logout", everyone(ALL), ""),
    read("GET /language", everyone(ALL), "?to=ru&next=/blog"),
    read("GET /theme", everyone(ALL), "?to=dark&next=/blog"),
    // Streams of events.
    read("GET /events/mailings/{id}", seen(), "{mailing}"),
    read_all("GET /events/relays", admins(ALL), ""),
    read_all("GET /events/home", everyone(ALL), ""),
    // Files, out and in.
    read("GET /account/data.json", users(ALL), ""),
    read("GET /clients/export", users(ALL), ""),
    read("GET /mailings/{id}/deliveries.csv", seen(), "{mailing}"),
    read("GET /mailings/{id}/deliveries.csv", seen(), "{mailing}?run={run}"),
    read("GET /mailings/{id}/deliveries.csv", users(OWNERS), "{mine.mailing}?run={run}"),
    read("GET /mailings/{id}/attempts.csv", seen(), "{mailing}"),
    read("GET /mailings/{id}/attempts.csv", users(OWNERS), "{mine.mailing}?run={run}"),
    read("GET /reports.csv", users(ALL), ""),
    read_all("GET /audit.csv", managers(ALL), ""),
    read_all("GET /outbox/{id}/source", admins(SHARED), "{letter}"),
    // A form without scripts: who is not logged in is sent to do so.
    write("POST /clients/upload", users(ALL).but(Who::Anonymous, [No(303); 3]), "file"),
    write("POST /posts/images/upload", editors(ALL), "picture"),
    // For everybody.
    read_all("GET /images/{id}", everyone(SHARED), "{image}"),
    read_all("GET /images/{id}/{width}", everyone(SHARED), "{image},1"),
    read_all("GET /blog/feed.atom", everyone(ALL), ""),
    read_all("GET /blog/feed.rss", everyone(ALL), ""),
    read_all("GET /sitemap.xml", everyone(ALL), ""),
    read_all("GET /robots.txt", everyone(ALL), ""),
    read_all("ANY /favicon.svg", everyone(ALL), ""),
    read_all("ANY /pkg/{*file}", everyone([No(404); 3]), "nothing"),
    // The token is the right; these tests have none.
    read_all("GET /u/{token}", everyone([No(404); 3]), "nothing"),
    read("POST /u/{token}", everyone(ALL), "nothing"),
    read("POST /u/{token}/change", everyone([No(404); 3]), "nothing"),
    read_all("GET /healthz", everyone(ALL), ""),
    // No engine runs in these tests.
    read_all("GET /readyz", everyone([No(503); 3]), ""),
    // For this machine, which is not alone here, and for who has the token.
    read_all("GET /metrics", everyone([No(403); 3]), ""),
    // For programs that sign, where there is a secret.
    read_all("POST /hooks/returned", everyone([No(403); 3]), ""),
    read_all("POST /hooks/letter", everyone([No(403); 3]), ""),
];

/// What the app's routes show. A page's status is that of what it could not load.
pub const PAGES: &[Row] = &[
    read_all("GET /", everyone(ALL), ""),
    read_all("GET /blog", everyone(ALL), ""),
    read_all("GET /blog/{slug}", everyone(SHARED), "{slug}"),
    read("GET /login", everyone(ALL), ""),
    read("GET /login/code", everyone(ALL), ""),
    read("GET /signup", everyone(ALL), ""),
    read("GET /signup/sent", everyone(ALL), ""),
    read("GET /setup", everyone(ALL), ""),
    read("GET /confirm", everyone([Yes, Yes, No(409)]), "?token={confirm}"),
    read("GET /resend", everyone(ALL), ""),
    read("GET /forgot", everyone(ALL), ""),
    read("GET /forgot/sent", everyone(ALL), ""),
    read("GET /reset", everyone([Yes, Yes, No(409)]), "?token={reset}"),
    read("GET /account", users(ALL), ""),
    read("GET /account/security", users(ALL), ""),
    read("GET /account/email", everyone([Yes, Yes, No(409)]), "?token={move}"),
    read("GET /account/revoke", everyone([Yes, Yes, No(409)]), "?token={revoke}"),
    read("GET /account/data", users(ALL), ""),
    read_all("GET /invitation", everyone([Yes, Yes, No(409)]), "?token={invited}"),
    read("GET /messages", users(ALL), ""),
    read("GET /messages/new", users(ALL), ""),
    read("GET /messages/{id}", users(OWNERS), "{message}"),
    read("GET /clients", users(ALL), ""),
    read("GET /clients/new", users(ALL), ""),
    read("GET /clients/import", users(ALL), ""),
    read("GET /clients/import/{id}", users(OWNERS), "{import}"),
    read("GET /clients/{id}", users(OWNERS), "{client}"),
    read("GET /mailings", users(ALL), ""),
    read("GET /mailings/new", users(ALL), ""),
    read("GET /mailings/{id}", seen(), "{mailing}"),
    read("GET /mailings/{id}/edit", users(OWNERS), "{mailing}"),
    read("GET /mailings/{id}/deliveries/{delivery}", seen(), "{mailing},{delivery}"),
    read("GET /mailings/{id}/deliveries/{delivery}", users(OWNERS), "{mine.mailing},{delivery}"),
    read("GET /reports", users(ALL), ""),
    read_all("GET /outbox", admins(ALL), ""),
    read_all("GET /outbox/{id}", admins(SHARED), "{letter}"),
    read_all("GET /posts", editors(ALL), ""),
    read_all("GET /posts/new", editors(ALL), ""),
    read("GET /posts/images", editors(ALL), ""),
    read_all("GET /posts/{id}", editors(SHARED), "{post}"),
    read_all("GET /posts/{id}/history", editors(SHARED), "{post}"),
    read_all("GET /posts/{id}/merge", editors(OWNERS), "{post}"),
    read_all("GET /users", managers(ALL), ""),
    read_all("GET /users/{id}", managers(SHARED), "{user}"),
    read_all("GET /all-mailings", managers(ALL), ""),
    read_all("GET /audit", managers(ALL), ""),
    read_all("GET /settings", admins(ALL), ""),
    read_all("GET /invitations", admins(ALL), ""),
    read_all("GET /relays", admins(ALL), ""),
    read_all("GET /relays/new", admins(ALL), ""),
    read_all("GET /relays/{id}", admins(SHARED), "{relay}"),
    read_all("GET /relays/{id}/test", admins(SHARED), "{relay}"),
];
