//! Questions with known answers, to see what a host's verifier is worth. The keys were made for this and thrown away.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Ed25519Key, HmacKey, KeyFamily, P256Key, P384Key, P521Key, RsaKey, SignatureAlgorithm, VerifyingKey};

/// What was signed.
pub(super) const TEXT: &[u8] = b"jwt-warden asks its host a question with a known answer";

/// A key and its signature of [`TEXT`]; `None` for an algorithm that no host is asked for.
pub(super) fn known_answer(algorithm: SignatureAlgorithm) -> Option<(VerifyingKey, Vec<u8>)> {
    use SignatureAlgorithm::{Es256, Es384, Es512, Rs256, Rs384, Rs512};
    let (key, signature) = match algorithm {
        Rs256 => (rsa_key()?, RS256_SIGNATURE),
        Rs384 => (rsa_key()?, RS384_SIGNATURE),
        Rs512 => (rsa_key()?, RS512_SIGNATURE),
        Es256 => (VerifyingKey::P256(point(ES256_POINT, P256Key::new)?), ES256_SIGNATURE),
        Es384 => (VerifyingKey::P384(point(ES384_POINT, P384Key::new)?), ES384_SIGNATURE),
        Es512 => (VerifyingKey::P521(point(ES512_POINT, P521Key::new)?), ES512_SIGNATURE),
        _ => return None,
    };
    Some((key, decode(signature)?))
}

/// A key for the algorithm, and the length of its signatures.
pub(super) fn sample_key(algorithm: SignatureAlgorithm) -> Option<(VerifyingKey, usize)> {
    if let Some((key, signature)) = known_answer(algorithm) {
        return Some((key, signature.len()));
    }
    match algorithm.key_family() {
        KeyFamily::Rsa => Some((rsa_key()?, 256)),
        // RFC 8032 section 7.1, test 1.
        KeyFamily::Ed25519 => Some((VerifyingKey::Ed25519(Ed25519Key::new(&decode(ED25519_POINT)?).ok()?), 64)),
        KeyFamily::Hmac => Some((VerifyingKey::Hmac(HmacKey::new(&[1; 64]).ok()?), 32)),
        _ => None,
    }
}

fn rsa_key() -> Option<VerifyingKey> {
    RsaKey::new(&decode(RSA_MODULUS)?, &[1, 0, 1]).ok().map(VerifyingKey::Rsa)
}

fn point<K, E>((x, y): (&str, &str), key: impl FnOnce(&[u8], &[u8]) -> Result<K, E>) -> Option<K> {
    key(&decode(x)?, &decode(y)?).ok()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

const RSA_MODULUS: &str = "uk4LbleCnzN54No9J6k_GNcdv9Xj3tuHc7whBSoA88Q1zi84w1jJ8F3DnoYcfw_HJP1g3kNt_l2aYhDXJVkm5zsoRJurKrSuWI5W0rPfcW\
         k7yJOTv5OmJklhV3drEhLSykIPdMr65wQYcPB8ajjq4caLPNkQ8jplGJHNxglF95bXU2ZONWZQ8DphS0hfZPo_yj__4HwPY6tiAaooNkis\
         tw1hJzNxlzAcRavl0_bFOpWLps3KybXJqrsReFOS01wojLGuk8RTBy3iqrc9wsssDsud896XMRRBLOjwQQKoWLsjrP01zIWk91HBQo4Li6\
         VFBZp0A4JeCaqpL3Ax_cKB4Q";

const ED25519_POINT: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

const ES256_POINT: (&str, &str) =
    ("3MmmLUU5T6X-8ILaxNemLZ2r8CG-ODxGic6qq-OwbyU", "97vZ28qkwgslBtVuljI1Y4dahR4KSk72mMh-OZm71O0");

const ES384_POINT: (&str, &str) = (
    "N8SQYswk7lx88ySrmIPA_Q8BHqEFLP6wdXMQhuse1HCy-9gCEhKNDyx3ex4GrivE",
    "oN8IyRKpL0ZGxf70JPR4KMruY1kgorUad6Pq7sVOhvNOANh5IRsSMqF3NEEVOsjp",
);

const ES512_POINT: (&str, &str) = (
    "ABMWaizObDtrRTiDDaIL1-0pjuODBh39yU8J_Q6QBZLHrzUP4L3JFgbU72rxYEx1Crr72aNSWHbVUNX3bITgcZbp",
    "AITIMqnrlja41OrQYHVA9XX6WxV3IXi0YaiSkzOhb92UN6fAsK1IfF0LlK9OncPb-DJ2gBZ8Kynm1NZWShW3mSxb",
);

const RS256_SIGNATURE: &str = "rJg0PfONV-MbWU0uMbzliBsTEyVOGDaaYZLo1BEd-cHtzbBayIZDQfC9yXrfj-CJFDdudTl1x20iT8IFKAZd4p6e9J-JCeOL7WTPHwuVrR\
         K3ficvdBE4R9mosMBI-xMZR9eL7cD69qBBCBfS92vUubYyYSnCgu0L70Fm2YxObbUfEz44U4NyoT9_aJ_X_5fAw-Cqk-6MCKLl9mSAi_ez\
         yxOf1g_wxlqHzDbCbjXMugaMfP1LJg6Pdk1AEnBe23R6Y2iZHGbfs_rgxUJEBNKAEPeQWHib5KATPORgFfhzAO1Z0UQn_X4z0ak0viBmGa\
         _gBScbWHva1AhWx7hdK2Q1Mg";

const RS384_SIGNATURE: &str = "a0zjLP5AG1X_nfynmM7MlSUISwbDcVJ6kjCB40Ckb6mMlNdR3YgabmO2gOMg1CFYgMHAk-d_xfxwQn-c7EecFCK7M_Cx1dM9ruXkMoCl-g\
         wlW8c7OkVnYV2pw5Iv_fAM-9c5V58ie-OebE8Q6482PRxGdcmZEYlZ57Dq-0JMQCvKZokM69LQB7HyO_k-g0-uDFPeSCDi4F55qU8puXWR\
         Cgp07VXcLElMuBSHt9KFuXW7cV7s-VlhMefUC_6TPevD3VrmkXbw2QsL_ECD-Wr2SdVfPz8RCyWaVMpCaEHKIJoV4vA5AD35_plpDGTX67\
         w9zMUrny1vG0jR2rEeZyU9gg";

const RS512_SIGNATURE: &str = "Q2ODkAywgMFffVWiaadXsVW4SAsNHFSc9F7nKqvqCPJWtcl_3iOIzXBBI8rrE1ys5LmLlan-iovg6guQVzNCaHE9W7Z4kviftQnyz1K8PD\
         lHN3eI-P3opPaGmOjYch_WJqCZefYnrV9X6Vo6Z2u14pBZRGZuVgqebPg_l2PtTuDtB2tvpCPpUMsB_OHL9o-aqBzMNk8gWXkwyhQCapxP\
         eKsuaoCfcuEbphaxsoedvc2BC36EJYXMXKog1n7kcjdVkbp7eOSF_c4UUYpfiWNN1bRNP9B6tFkGFAWwcEpAj9-py5u9vJj_UBqYN6b8SM\
         ZogxyTHkOXLPi_ScFS8YSj2g";

const ES256_SIGNATURE: &str = "-k4L2Bo_mbLQtOYQY3fwNiIVZcKkdy58sAK0AaeDE8_GLfdzP3a-LyMHsPDFdu-0vGa4N7-g3Iv8CtHoF40wUw";

const ES384_SIGNATURE: &str = "Dvgt4xpbUhHDWr_PnIDHIYcx97W0x3xgh-TguGULmFyVQS24I9wrONiIv8L1rQDu6eaDki94Pczl2GEBo2K_WVg8uHKfXGEUIp00fVk1so\
         ktC9l7SIxWQslk2NcdygUd";

const ES512_SIGNATURE: &str = "AfpVK8Rs8cOvR_2tYbHF1XtB6bEER9Fv6uOuUQGaf30hG_YdKjkV_Gs3i6B9siDoWXBn0iN42qnoV1oDBcTJggb9AKxIVEkkPMdaHyaSkb\
         6qYcLH170dCrGXBS0SKv07rwQzGr3OB1McWWrhoIQpPe29pbM1A-d6qg-0hPFEe80Ea7Oh";
