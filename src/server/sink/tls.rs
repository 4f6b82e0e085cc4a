//! The certificate that the server makes for itself at each start.

use super::SinkError;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What the certificate is for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A TLS acceptor with a fresh self-signed certificate, and that certificate as PEM for clients that
/// are to trust it.
pub(super) fn self_signed() -> Result<(TlsAcceptor, String), SinkError> {
    let made = rcgen::generate_simple_self_signed(NAMES.map(String::from))
        .map_err(|error| SinkError::Certificate(error.to_string()))?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key))
        .map_err(|error| SinkError::Certificate(error.to_string()))?;
    Ok((TlsAcceptor::from(Arc::new(config)), made.cert.pem()))
}
