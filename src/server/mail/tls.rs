//! Certificates that a mail server may show.

use std::sync::{Arc, OnceLock};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore};

/// The trusted certificates: the machine's own, or Mozilla's where it has none, and one that a caller
/// may add. They are read once, when the first connection needs them.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    root: Option<CertificateDer<'static>>,
    config: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl Trust {
    /// The usual certificates and one more.
    pub fn with_root(root: CertificateDer<'static>) -> Self {
        Self { root: Some(root), config: Arc::default() }
    }

    /// A connector that verifies the server's certificate and name.
    ///
    /// # Errors
    /// If the added certificate is not one.
    pub fn connector(&self) -> Result<TlsConnector, Error> {
        if let Some(config) = self.config.get() {
            return Ok(TlsConnector::from(Arc::clone(config)));
        }
        let config = Arc::new(self.build()?);
        Ok(TlsConnector::from(Arc::clone(self.config.get_or_init(|| config))))
    }

    fn build(&self) -> Result<ClientConfig, Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        if let Some(root) = &self.root {
            roots.add(root.clone())?;
        }
        // The provider is named: a process-wide default would depend on who else is linked in.
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(config)
    }
}
