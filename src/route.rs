//! What the proxy says about the route that it has chosen, and what that makes of a request.

/// A route of the proxy's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// Its name; `None` if it has none, or nobody asks for it.
    pub name: Option<Vec<u8>>,
    /// The metadata under the namespace `jwt_warden` of the most specific of route, virtual host and listener that has any:
    /// names, and values in the host's form (strings as they are, booleans as one byte). `None` if there are none.
    pub metadata: Option<Vec<(Vec<u8>, Vec<u8>)>>,
}

/// What decides about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy<'m> {
    /// The rules of the configuration.
    Rules,
    /// Nothing: no verification is asked for.
    Disabled,
    /// The requirement of this name.
    Requirement(&'m str),
}

impl Route {
    /// What the metadata say: `requirement_name` or `disabled`.
    ///
    /// # Errors
    ///
    /// What cannot be understood: the name of a member, for the proxy's log.
    pub fn policy(&self) -> Result<Policy<'_>, &str> {
        let mut policy = Policy::Rules;
        for (name, value) in self.metadata.iter().flatten() {
            let said = match name.as_slice() {
                b"requirement_name" => Policy::Requirement(std::str::from_utf8(value).map_err(|_| "requirement_name")?),
                b"disabled" if value == &[0] => continue,
                b"disabled" if value == &[1] => Policy::Disabled,
                other => return Err(std::str::from_utf8(other).unwrap_or_default()),
            };
            if policy != Policy::Rules {
                return Err("disabled contradicts requirement_name");
            }
            policy = said;
        }
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(metadata: &[(&str, &[u8])]) -> Result<String, String> {
        let members = metadata.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()));
        let route = Route { metadata: Some(members.collect()), ..Route::default() };
        route.policy().map(|policy| format!("{policy:?}")).map_err(str::to_owned)
    }

    #[test]
    fn metadata_name_a_requirement_or_ask_for_nothing() {
        assert_eq!(Route::default().policy(), Ok(Policy::Rules));
        assert_eq!(policy(&[]).unwrap(), "Rules");
        assert_eq!(policy(&[("disabled", &[0])]).unwrap(), "Rules");
        assert_eq!(policy(&[("disabled", &[1])]).unwrap(), "Disabled");
        assert_eq!(policy(&[("requirement_name", b"a")]).unwrap(), r#"Requirement("a")"#);
        assert_eq!(policy(&[("disabled", &[0]), ("requirement_name", b"a")]).unwrap(), r#"Requirement("a")"#);
    }

    #[test]
    fn what_is_not_understood_is_no_permission() {
        for bad in [&b"true"[..], b"1", b"", &[2], &[1, 0], &[0, 0, 0, 0, 0, 0, 0xf0, 0x3f]] {
            assert_eq!(policy(&[("disabled", bad)]).unwrap_err(), "disabled", "{bad:?}");
        }
        assert_eq!(policy(&[("requirement_name", b"\xff")]).unwrap_err(), "requirement_name");
        assert_eq!(policy(&[("Disabled", &[1])]).unwrap_err(), "Disabled");
        assert!(policy(&[("disabled", &[1]), ("requirement_name", b"a")]).is_err());
        assert!(policy(&[("requirement_name", b"a"), ("disabled", &[1])]).is_err());
    }
}
