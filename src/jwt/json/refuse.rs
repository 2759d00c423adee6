//! What a visitor does not take.

/// The methods of a `Visitor` that takes objects alone, or lists alone, so far as they refuse. Those of serde would quote
/// the value, which may be a secret, and bring in how to write a floating-point number, which is much code.
macro_rules! refuse {
    (all but objects) => {
        refuse!(scalars);

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(serde::de::Error::custom("a value of another type"))
        }
    };
    (all but lists) => {
        refuse!(scalars);

        fn visit_map<A: serde::de::MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(serde::de::Error::custom("a value of another type"))
        }
    };
    (scalars) => {
        refuse!(visit_bool, bool);
        refuse!(visit_u64, u64);
        refuse!(visit_i64, i64);
        refuse!(visit_f64, f64);
        refuse!(visit_str, &str);

        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Err(E::custom("a value of another type"))
        }
    };
    ($method:ident, $kind:ty) => {
        fn $method<E: serde::de::Error>(self, _: $kind) -> Result<Self::Value, E> {
            Err(E::custom("a value of another type"))
        }
    };
}
pub(crate) use refuse;
