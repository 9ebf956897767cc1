//! TLS of servers that tests start: a certificate for one name, by an authority of its own.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

/// A server's certificate and key, with the authority that signed it.
pub struct Signed {
    /// The authority's certificate, PEM.
    pub authority: String,
    certificate: rcgen::Certificate,
    key: KeyPair,
}

/// Signs a certificate for a host name or an address.
pub fn signed(name: &str) -> Signed {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = own.signed_by(&key, &issuer).unwrap();
    Signed {
        authority: authority_pem,
        certificate,
        key,
    }
}

impl Signed {
    /// Certificate and key, PEM.
    pub fn pem(&self) -> (String, String) {
        (self.certificate.pem(), self.key.serialize_pem())
    }

    /// What makes connections of TLS.
    pub fn acceptor(&self) -> TlsAcceptor {
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}
