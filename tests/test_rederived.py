"""Every committed claim is judged again, in one process, from its own figures."""

import pytest

from helpers import market, notebooks
from helpers.claims import judging, measuring, registry, rules

PAYLOADS = {payload["id"]: payload for payload in notebooks.verdicts(notebooks.FOLDER)}
KEYS = ("verdict", "by_rule", "because", "capped", "decides", "tally", "parts", "flip")


def test_every_claim_has_its_verdict():
    assert list(PAYLOADS) == list(registry.load())


@pytest.mark.parametrize("key", PAYLOADS)
def test_a_verdict_follows_from_its_figures(key):
    claim, payload = registry.claim(key), PAYLOADS[key]
    again = judging.rederived(claim, payload)
    assert {name: again[name] for name in KEYS} == {name: payload[name] for name in KEYS}
    assert judging.entry_hash(claim) == payload["claim"]["entry"]
    for row in payload["specifications"]:
        found = {**payload["figures"], **row["figures"]}
        assert measuring.outcome(claim, found, payload["spread"])[0] == row["verdict"], row["value"]


@pytest.mark.parametrize("key", [key for key, payload in PAYLOADS.items() if payload["figures"]])
def test_the_figures_alone_give_the_verdict_of_the_rule(key, monkeypatch):
    monkeypatch.setattr(market, "_current", None)
    claim, payload = registry.claim(key), PAYLOADS[key]
    assert measuring.figures(claim, payload["figures"]) == payload["figures"]
    assert measuring.outcome(claim, payload["figures"], payload["spread"])[0] == payload["by_rule"]
    unknown = dict.fromkeys(payload["figures"])
    assert rules.ORDER.index(measuring.outcome(claim, unknown, {})[0]) <= rules.ORDER.index(rules.CAVEAT)


@pytest.mark.parametrize("key", [key for key, payload in PAYLOADS.items() if payload["flip"]])
def test_a_figure_moved_over_its_bound_turns_its_condition(key):
    """The printed distance is the true one: a little more turns the condition, a little less does not."""
    claim, payload = registry.claim(key), PAYLOADS[key]

    def parts(**moved):
        return measuring.outcome(claim, {**payload["figures"], **moved}, payload["spread"])[1]

    wide = 3 * max(payload["spread"].values(), default=0)
    for place, part in enumerate(parts()):
        if part.margin is None or part.outcome is None or not part.keys:
            continue
        name, away = part.keys[0], abs(part.margin)
        value = payload["figures"][name]
        turned = [
            way
            for way in (1, -1)
            for beyond in (1e-3, wide)
            if parts(**{name: value + way * (away + beyond)})[place].outcome is not part.outcome
        ]
        assert turned, f"{name} is {away} from its bound, and beyond it nothing changes"
        near = parts(**{name: value + turned[0] * away * 0.999})[place]
        assert near.outcome in (part.outcome, None)
