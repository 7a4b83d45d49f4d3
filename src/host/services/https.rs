//! HTTPS to this machine's own web server. Whose certificate it has is looked at afterwards, not before: the page is asked for, nothing
//! is told.

use super::wire::Wire;
use crate::siteconf::tls::{self, Leaf};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use std::io::{self, Read, Write};
use std::sync::Arc;

/// A connection under TLS.
pub struct Secure(StreamOwned<ClientConnection, Wire>);

impl Secure {
    /// Over a connection, with the name of a site (SNI).
    ///
    /// # Errors
    /// `InvalidInput` for what is no name.
    pub fn over(wire: Wire, name: &str) -> io::Result<Secure> {
        let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidInput, error);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Any(provider)))
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).map_err(|error| invalid(error.to_string()))?;
        let connection = ClientConnection::new(Arc::new(config), name).map_err(|error| invalid(error.to_string()))?;
        Ok(Secure(StreamOwned::new(connection, wire)))
    }
}

impl Secure {
    /// Goes on until the certificate is there.
    ///
    /// # Errors
    /// The connection's or the handshake's.
    pub fn shake_hands(&mut self) -> io::Result<()> {
        while self.0.conn.is_handshaking() {
            self.0.conn.complete_io(&mut self.0.sock)?;
        }
        Ok(())
    }

    /// The certificate that came.
    pub fn leaf(&self) -> Option<Leaf> {
        tls::leaf(self.0.conn.peer_certificates()?.first()?)
    }

    /// Whether the certificate that came names the site.
    pub fn is_named(&self, name: &str) -> bool {
        self.leaf().is_some_and(|leaf| leaf.certificate.names_cover(&name.to_ascii_lowercase()))
    }
}

impl Read for Secure {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            // Servers end without the alert that TLS asks for; whether the answer is whole is told by its length.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            other => other,
        }
    }
}

impl Write for Secure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Takes every certificate: a self-signed or an expired one is no reason not to look at the page behind it.
#[derive(Debug)]
struct Any(Arc<CryptoProvider>);

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
