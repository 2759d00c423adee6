"""Differences in what becomes of requirements within each other, and of those that any provider may meet."""


def seen_once(case, finding):
    """jwt_authn takes a token out once a part has verified it, so that the parts behind do not see it."""
    gone = [
        placed
        for number, part in enumerate(case.parts)
        for placed in case.request.placed
        if part.takes(placed) and any(later.sees(placed) for later in case.parts[number + 1 :])
    ]
    return bool(gone) and (finding.what in ("verdict", "error") or is_about_claims(case, finding))


def told_at_once(case, finding):
    """jwt_authn tells claims as soon as a token is verified, whatever becomes of the rest of what is asked for."""
    if not is_about_claims(case, finding) or len(finding.native) <= len(finding.warden):
        return False
    writing = [part for part in case.parts if part.writes(finding.name)]
    grouped = bool(case.requirement.keys() & {"requires_any", "requires_all"})
    return grouped and any(part.verifies(placed) for part in writing for placed in case.looked_at)


def cleared(case, finding):
    """Each part of jwt_authn's begins by removing the headers that it may write, verified claims included."""
    if not is_about_claims(case, finding) or not finding.warden:
        return False
    return sum(part.writes(finding.name) for part in case.parts) > 1


def is_about_claims(case, finding):
    """Whether a header differs that a provider of the requirement writes."""
    return finding.what == "header" and finding.name in case.written


def by_issuer(case, finding):
    """Where any provider will do, jwt_authn asks the first one of the issuer, wherever the token stands."""
    wide = [part for part in case.parts if part.is_wide]
    return any(len(part.candidates(placed)) > 1 for part in wide for placed in case.looked_at)


def last_decides(case, finding):
    """Where tokens may be missing, the last one decides in jwt_authn; here all have to be good."""
    wide = any(part.is_wide and not part.may_fail for part in case.parts)
    return wide and len(case.looked_at) > 1 and finding.what == "verdict" and case.native.passed
