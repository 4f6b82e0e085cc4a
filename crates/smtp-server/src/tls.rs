//! Certificates for STARTTLS: one that a server makes for itself.

use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate for STARTTLS cannot be made: {0}")]
pub struct CertificateError(String);

/// A TLS acceptor with a fresh self-signed certificate for some names, and that certificate as PEM for clients that are
/// to trust it. Mail servers encrypt with any certificate.
///
/// # Errors
/// If a name cannot stand in a certificate.
pub fn self_signed(names: &[String]) -> Result<(TlsAcceptor, String), CertificateError> {
    let failed = |error: &dyn std::fmt::Display| CertificateError(error.to_string());
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| failed(&error))?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key))
        .map_err(|error| failed(&error))?;
    Ok((TlsAcceptor::from(Arc::new(config)), made.cert.pem()))
}
