//! The thumbprint of a client certificate (RFC 8705 section 3.1).

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::hashed;
use crate::{Stop, input};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The SHA-256 thumbprint of the first certificate of a file in PEM, in base64url: what `x5t#S256` is.
///
/// # Errors
///
/// It holds none.
pub(crate) fn thumbprint(path: &Path) -> Result<String, Stop> {
    of_pem(&input::read(path)?).ok_or_else(|| {
        let name = path.display();
        format!("{name}: holds no certificate in PEM (`openssl x509 -inform der -in {name}` makes one of DER)")
    })
}

fn of_pem(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    let body: String = body.split_ascii_whitespace().collect();
    let certificate = STANDARD.decode(body).ok()?;
    // Every certificate is a SEQUENCE.
    (certificate.first() == Some(&0x30)).then(|| hashed(&certificate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_certificate_counts() {
        let pem = |body: &str| format!("text\n{BEGIN}\n{body}\n{END}\n");
        let first = of_pem(&(pem("MAA=") + &pem("MAE="))).unwrap();
        assert_eq!(first, hashed(&[0x30, 0]));
        for text in ["", BEGIN, &pem(""), &pem("AAAA"), &pem("MAA"), &pem("M\u{e9}A=")] {
            assert_eq!(of_pem(text), None, "{text}");
        }
    }
}
