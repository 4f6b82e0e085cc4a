//! Certificates that a mail server may show.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

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
        let mut own: HashSet<_> = rustls_native_certs::load_native_certs().certs.into_iter().collect();
        roots.add_parsable_certificates(own.iter().cloned());
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        if let Some(root) = &self.root {
            roots.add(root.clone())?;
            own.insert(root.clone());
        }
        // The provider is named: a process-wide default would depend on who else is linked in.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { usual, own }))
            .with_no_client_auth();
        Ok(config)
    }
}

/// Whether a server showed a certificate that may sign others, as self-signed ones mostly may (RFC 5280 4.2.1.9).
pub fn is_authority(error: &CertificateError) -> bool {
    let CertificateError::Other(other) = error else { return false };
    other.0.downcast_ref::<webpki::Error>() == Some(&webpki::Error::CaUsedAsEndEntity)
}

/// Verifies as usual, and takes a certificate that is trusted itself although it may sign others: whoever put a server's
/// self-signed certificate among the machine's means just that server.
#[derive(Debug)]
struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    own: HashSet<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp, now) {
            // Its dates have been found right before that.
            Err(Error::InvalidCertificate(error)) if is_authority(&error) => {
                if !self.own.contains(end_entity) {
                    return Err(CertificateError::UnknownIssuer.into());
                }
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

    struct Made {
        cert: CertificateDer<'static>,
        key: Vec<u8>,
    }

    fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Made {
        let mut params = CertificateParams::new(vec!["mail.example.org".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Made { cert: params.self_signed(&key).unwrap().der().clone(), key: key.serialize_der() }
    }

    fn authority(params: &mut CertificateParams) {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }

    /// What becomes of a handshake with a server that shows this certificate, and is known by that name.
    async fn shake(made: &Made, trust: &Trust, name: &'static str) -> Result<(), CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.clone()], PrivatePkcs8KeyDer::from(made.key.clone()).into())
            .unwrap();
        let (here, there) = tokio::io::duplex(1 << 16);
        let server = TlsAcceptor::from(Arc::new(config)).accept(there);
        let client = trust.connector().unwrap().connect(ServerName::try_from(name).unwrap(), here);
        let (_, client) = tokio::join!(server, client);
        client.map(drop).map_err(|error| match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::InvalidCertificate(error)) => error.clone(),
            other => panic!("{other:?}"),
        })
    }

    #[tokio::test]
    async fn a_self_signed_certificate_is_good_where_it_is_trusted() {
        for made in [self_signed(|_| ()), self_signed(authority)] {
            let trust = Trust::with_root(made.cert.clone());
            assert_eq!(shake(&made, &trust, "mail.example.org").await, Ok(()));
            let other = shake(&made, &trust, "other.example.org").await.unwrap_err();
            assert!(matches!(other, CertificateError::NotValidForNameContext { .. }), "{other:?}");
            assert_eq!(shake(&made, &Trust::default(), "mail.example.org").await, Err(CertificateError::UnknownIssuer));
        }
    }

    /// As `openssl req -x509 -subj /CN=…` makes it: the name in the subject counts for nobody (RFC 9525 6.3).
    #[tokio::test]
    async fn one_without_names_is_told_from_one_for_another_name() {
        let made = self_signed(|params| {
            params.subject_alt_names.clear();
            params.distinguished_name.push(DnType::CommonName, "mail.example.org");
        });
        let refused = shake(&made, &Trust::with_root(made.cert.clone()), "mail.example.org").await.unwrap_err();
        let names = |error: &CertificateError| match error {
            CertificateError::NotValidForNameContext { presented, .. } => presented.len(),
            other => panic!("{other:?}"),
        };
        assert_eq!(names(&refused), 0);
        let other = self_signed(|_| ());
        let refused = shake(&other, &Trust::with_root(other.cert.clone()), "other.example.org").await.unwrap_err();
        assert_eq!(names(&refused), 1);
    }

    #[tokio::test]
    async fn being_trusted_makes_it_no_younger_and_signs_for_no_other() {
        let old = self_signed(|params| {
            authority(params);
            params.not_after = date_time_ymd(2020, 1, 1);
            params.not_before = date_time_ymd(2019, 1, 1);
        });
        let expired = shake(&old, &Trust::with_root(old.cert.clone()), "mail.example.org").await.unwrap_err();
        assert!(matches!(expired, CertificateError::ExpiredContext { .. }), "{expired:?}");
        let (trusted, shown) = (self_signed(authority), self_signed(authority));
        let refused = shake(&shown, &Trust::with_root(trusted.cert), "mail.example.org").await;
        assert_eq!(refused, Err(CertificateError::UnknownIssuer));
    }
}
