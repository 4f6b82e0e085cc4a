//! The files for browsers: those that are built into the program, or a folder that the settings name.

use super::state::AppState;
use crate::server::config::Config;
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use std::future::{Ready, ready};
use std::io::{Cursor, ErrorKind, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{borrow::Cow, io};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::ServeDir;
use tower_http::services::fs::{Backend, DefaultServeDirFallback, Metadata};
use tower_http::set_header::SetResponseHeaderLayer;

/// What the program brought along: the built site with the feature `site`, otherwise nothing.
static BUILT_IN: OnceLock<Vec<File>> = OnceLock::new();

/// A file that is built into the program.
#[derive(Debug)]
pub struct File {
    /// Its path below the site's folder.
    pub name: &'static str,
    pub bytes: &'static [u8],
    /// When it was built, in seconds since 1970.
    pub modified: u64,
}

/// Says which files are built into the program: once, before it serves. They are not this library's own, so that it
/// compiles while they are built.
pub fn build_in(files: Vec<File>) {
    let _ = BUILT_IN.set(files);
}

fn built_in() -> &'static [File] {
    BUILT_IN.get().map_or(&[], Vec::as_slice)
}

/// Where the files for browsers are.
#[derive(Clone, Debug)]
pub enum Site {
    Folder(PathBuf),
    BuiltIn,
}

impl Site {
    /// The folder of the settings, or what is built in.
    pub fn new(config: &Config) -> Self {
        config.site_dir.clone().map_or(Self::BuiltIn, Self::Folder)
    }

    /// A file's content.
    ///
    /// # Errors
    /// A sentence for whoever starts the service.
    pub fn read(&self, name: &str) -> Result<Cow<'static, [u8]>, String> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                let bytes = std::fs::read(&path);
                bytes.map(Cow::Owned).map_err(|error| format!("VESTNIK_SITE_DIR: {}: {error}", path.display()))
            }
            Self::BuiltIn => match find(built_in(), Path::new(name)) {
                Some(file) => Ok(Cow::Borrowed(file.bytes)),
                None => {
                    Err("this program was built without the files for browsers: `make build` builds it with them, \
                             or VESTNIK_SITE_DIR names their folder"
                        .to_owned())
                }
            },
        }
    }
}

/// Files whose names hold their hash never change; the others are small.
pub fn routes(state: &AppState) -> Router<AppState> {
    let dev = state.config.dev_reload.is_some();
    match Site::new(&state.config) {
        Site::Folder(folder) => files(ServeDir::new(folder), dev),
        Site::BuiltIn => files(ServeDir::with_backend("", BuiltIn(built_in())), dev),
    }
}

fn files<B: Backend>(site: ServeDir<DefaultServeDirFallback, B>, dev: bool) -> Router<AppState>
where
    ServeDir<DefaultServeDirFallback, B>: Clone,
{
    let site = site.append_index_html_on_directories(false).precompressed_br().precompressed_gzip();
    let kept = |how| SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static(how));
    let hashed =
        Router::new().route_service("/pkg/{*file}", site.clone()).layer(kept("public, max-age=31536000, immutable"));
    let mut named = Router::new().route_service("/favicon.svg", site.clone());
    if dev {
        named = named.route_service("/dev-reload.js", site);
    }
    named.layer(kept("public, max-age=3600")).merge(hashed)
}

/// What is built in, as tower-http asks for files.
#[derive(Clone, Copy, Debug)]
struct BuiltIn(&'static [File]);

fn find(files: &'static [File], path: &Path) -> Option<&'static File> {
    let mut name = String::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => {
                if !name.is_empty() {
                    name.push('/');
                }
                name.push_str(part.to_str()?);
            }
            _ => return None,
        }
    }
    files.iter().find(|file| file.name == name)
}

impl BuiltIn {
    fn find(self, path: &Path) -> io::Result<&'static File> {
        find(self.0, path).ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl Backend for BuiltIn {
    type File = Opened;
    type Metadata = &'static File;
    type OpenFuture = Ready<io::Result<Opened>>;
    type MetadataFuture = Ready<io::Result<&'static File>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        ready(self.find(&path).map(|file| Opened { file, content: Cursor::new(file.bytes) }))
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        ready(self.find(&path))
    }
}

impl Metadata for &'static File {
    fn is_dir(&self) -> bool {
        false
    }

    fn modified(&self) -> io::Result<SystemTime> {
        Ok(UNIX_EPOCH + Duration::from_secs(self.modified))
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

struct Opened {
    file: &'static File,
    content: Cursor<&'static [u8]>,
}

impl tower_http::services::fs::File for Opened {
    type Metadata = &'static File;
    type MetadataFuture<'a> = Ready<io::Result<&'static File>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(self.file))
    }
}

impl AsyncRead for Opened {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.content).poll_read(cx, buf)
    }
}

impl AsyncSeek for Opened {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.content).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.content).poll_complete(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
    use axum::http::{Request, Response};
    use tower::{Service, ServiceExt};

    static FILES: &[File] = &[
        File { name: "assets.json", bytes: b"{}", modified: 1 },
        File { name: "favicon.svg", bytes: b"<svg/>", modified: 1_700_000_000 },
        File { name: "pkg/0a/x.wasm", bytes: b"whole", modified: 1 },
        File { name: "pkg/0a/x.wasm.br", bytes: b"brotli", modified: 1 },
        File { name: "pkg/0a/x.wasm.gz", bytes: b"gzip", modified: 1 },
    ];

    async fn ask(path: &str, headers: &[(axum::http::HeaderName, &str)]) -> Response<Body> {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let state = super::super::testing::Served::start(crate::server::db::testing::sqlite().await.0).await.state;
        let mut router = files(ServeDir::with_backend("", BuiltIn(FILES)), false).with_state(state);
        router.as_service().ready().await.unwrap().call(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn body(answer: Response<Body>) -> Vec<u8> {
        to_bytes(answer.into_body(), 1000).await.unwrap().to_vec()
    }

    #[tokio::test]
    async fn built_in_files_leave_as_the_browser_takes_them() {
        for (takes, encoding, content) in [
            ("gzip, br", "br", "brotli"),
            ("gzip", "gzip", "gzip"),
            ("br;q=0, gzip;q=0", "", "whole"),
            ("", "", "whole"),
        ] {
            let answer = ask("/pkg/0a/x.wasm", &[(ACCEPT_ENCODING, takes)]).await;
            assert_eq!(answer.status(), 200, "{takes}");
            assert_eq!(answer.headers().get(CONTENT_ENCODING).map_or("", |value| value.to_str().unwrap()), encoding);
            assert_eq!(answer.headers()[CONTENT_TYPE], "application/wasm");
            assert!(answer.headers()[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
            assert_eq!(body(answer).await, content.as_bytes(), "{takes}");
        }
    }

    #[tokio::test]
    async fn a_browser_that_has_it_is_told_so() {
        let answer = ask("/favicon.svg", &[(ACCEPT_ENCODING, "br")]).await;
        let tag = answer.headers()[ETAG].to_str().unwrap().to_owned();
        assert_eq!(body(answer).await, b"<svg/>");
        assert_eq!(ask("/favicon.svg", &[(IF_NONE_MATCH, &tag)]).await.status(), 304);
    }

    #[tokio::test]
    async fn nothing_else_is_handed_out() {
        for path in [
            "/assets.json",
            "/pkg/",
            "/pkg/0a",
            "/pkg/0a/",
            "/pkg/0a/y",
            "/pkg/../assets.json",
            "/pkg/%2e%2e/assets.json",
        ] {
            assert_eq!(ask(path, &[]).await.status(), 404, "{path}");
        }
    }
}
