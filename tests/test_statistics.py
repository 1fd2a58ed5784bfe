"""Each test of ``measures`` on some hundred markets without any effect: it rejects as often as it says.

At 50, 20, 10 and 5 percent the number of rejections must lie in the binomial band of 99.9 percent. The markets are
drawn from fixed seeds, so that a red test means a changed formula and never bad luck.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers import calendar
from helpers.measures import events, forecasts, names, rates, records, resample, spread, valuation

LEVELS = np.array([0.5, 0.2, 0.1, 0.05])
ENDS = calendar.week_ends("2019-01-04", "2025-12-05")
DAYS = calendar.sessions("2023-01-03", "2024-12-31")
QUARTERS = [pd.Period(name, "Q") for name in ("2024Q2", "2024Q3", "2025Q2", "2025Q3")]


def two_sided(t):
    return 2 * stats.norm.sf(np.abs(t))


def weeks(rng, count=156):
    """A spread that moves with the market, a yield, the market: weekly, and no link from yield to spread."""
    frame = pd.DataFrame(rng.normal(size=(count, 3)), ENDS[1 : count + 1], ["pair", "rate", "market"])
    return frame.assign(pair=frame["pair"] + frame["market"])


def study(rng):
    """An event study of five days on which nothing happens, by the market model."""
    market = pd.Series(rng.normal(size=400), DAYS[:400])
    asset = 0.02 + 1.3 * market + pd.Series(rng.normal(size=400), DAYS[:400])
    return events.event_study(asset, market, DAYS[[300, 320, 340, 360, 380]], 1, 1)


def slow(rng, count=120, rho=0.9):
    """A return and a slow predictor with shocks of its own."""
    shocks = rng.normal(size=count)
    for row in range(1, count):
        shocks[row] += rho * shocks[row - 1]
    return pd.Series(rng.normal(size=count)), pd.Series(shocks)


def by_weeks(rng):
    """With nothing held fixed, and with the market."""
    found = weeks(rng)
    return [rates.slope(found, "pair", "rate", (ENDS[0], ENDS[-1]), held).p for held in ((), ("market",))]


def by_holm(rng):
    """The smallest of five corrected p-values, of tests that are independent: 1 - (1 - p)^5 is uniform."""
    smallest = rates.holm(pd.Series(rng.uniform(size=5))).min()
    return 1 - (1 - smallest / 5) ** 5


def by_shuffled_weeks(rng):
    found = weeks(rng, 100)
    pair, rate = found["pair"], found["rate"]
    real = rates.hac_slope(pair, rate, lags=2)
    drawn = rates.shuffled_t(pair, rate, 2, draws=99, seed=int(rng.integers(1e9)))
    return spread.chance(real.t, drawn)


def by_rolling_band(rng):
    """The smallest level at which the band leaves zero out."""
    found, seed = weeks(rng, 60), int(rng.integers(1e9))
    for level in LEVELS[::-1]:
        band = rates.rolling_slope(found["pair"], found["rate"], 60, found["market"], 99, 1, seed, 1 - level)
        if not band["low"].iloc[0] <= 0 <= band["high"].iloc[0]:
            return level
    return 1.0


def by_signs(rng):
    """A count has few p-values: chance spreads each over the step to the next smaller one."""
    found = rates.out_of_sample(weeks(rng, 200), "pair", "rate", (ENDS[0], ENDS[90]), (ENDS[90], ENDS[-1]))
    spread_out = []
    for hits, p in (("right", "p"), ("falling", "p_falling")):
        away = abs(found[hits] - found["weeks"] / 2)
        smaller = 2 * stats.binom.sf(found["weeks"] / 2 + away, found["weeks"], 0.5)
        spread_out.append(smaller + rng.uniform() * (found[p] - smaller))
    return spread_out


def by_events(rng):
    """One event, the mean of three by the model and by their own spread, and their distance from two others."""
    found = study(rng)
    three, two = events.mean_effect(found.iloc[:3]), events.mean_effect(found.iloc[3:])
    t = [found["t"].iloc[0], three["t_model"], events.difference(three, two)["t"]]
    return [*two_sided(t), 2 * stats.t(2).sf(abs(three["t_cross"]))]


def by_permutation(rng):
    """All choices counted, by both sides and by one, and with an end of its own."""
    pool, ends = rng.standard_t(4, size=(2, 12))
    seen = rng.choice(12, 3, replace=False)
    whole = events.permutation_p(pool[seen].mean(), pool, 3)
    cut = events.permutation_p((pool[seen[:2]].sum() + ends[seen[2]]) / 3, pool, 3, last=ends)
    return [whole["two_sided"], whole["greater"], cut["two_sided"]]


def by_chance_around_days(rng):
    market = pd.Series(rng.normal(size=130), DAYS[:130])
    asset = market + pd.Series(rng.normal(size=130), DAYS[:130])
    others = DAYS[75:115]
    dates = [*rng.choice(others[:-1], 2, replace=False), others[-1]]
    return events.chance(asset, market, dates, others, 1, 1, until=others[-1], estimation=60)["greater"]


def by_hodrick(rng):
    return spread.hodrick(*slow(rng), 3).p


def by_starts(rng):
    found = spread.non_overlapping(*slow(rng), 3).iloc[1]
    return 2 * stats.t(found["n"] - 2).sf(abs(found["t"]))


def by_drawn_slopes(rng):
    """Against predictors drawn anew (a long sample, for its persistence is known too low), and shuffled ones."""
    y, x = slow(rng, 240, 0.7)
    real, seed = float(spread.ols_slopes(y.to_numpy(), x.to_numpy())), int(rng.integers(1e9))
    drawn = (draw(y, x, 99, seed) for draw in (spread.null_slopes, spread.shuffled_slopes))
    return [spread.chance(real, slopes) for slopes in drawn]


def by_paired_shares(rng):
    table = pd.DataFrame(rng.normal(size=(300, 4)), columns=QUARTERS)
    weights = (None, pd.Series(rng.uniform(1, 2, 300)))
    return two_sided([valuation.share_up_change(table, *QUARTERS[:1:-1], weight)[1] for weight in weights])


def by_random_baskets(rng):
    returns = pd.Series(rng.normal(size=60))
    sectors = pd.Series(np.repeat(["a", "b", "c"], 20))
    wanted = pd.Series({"a": 3, "b": 1})
    chosen = [*rng.choice(20, 3, replace=False), 20 + rng.integers(20)]
    drawn = names.random_baskets(returns, sectors, wanted, 199, int(rng.integers(1e9)))
    return (1 + (drawn >= returns[chosen].mean() - 1e-12).sum()) / 200


def by_drawn_windows(rng):
    """The next window of a market against windows drawn from its past, its stocks together and apart."""
    returns = pd.DataFrame(rng.normal(size=(2010, 2)))
    later, seed = ((1 + returns.iloc[-10:] / 100).prod() - 1).mean() * 100, int(rng.integers(1e9))
    drawn = [
        names.drawn_windows(returns.iloc[:-10], 10, 1, 1, seed, both).mean(axis=1) for both in (True, False)
    ]
    return [(1 + (one >= later).sum()) / (len(one) + 1) for one in drawn]


def by_paths(rng):
    """The records that a market set against those of paths drawn from its past; ties are spread out."""
    past, own = np.split(rng.normal(0.02, 1, 1250), [1000])
    drawn = resample.stationary_paths(pd.Series(past), 250, 99, 100.0, int(rng.integers(1e9)), block=1)
    own = 100 * (1 + own[None] / 100).cumprod(axis=1)
    many, here = records.count_records(drawn, 100.0), records.count_records(own, 100.0)[0]
    return ((many > here).sum() + rng.uniform() * (1 + (many == here).sum())) / 100


NULLS = [
    by_weeks,
    by_holm,
    by_shuffled_weeks,
    by_rolling_band,
    by_signs,
    by_events,
    by_permutation,
    by_chance_around_days,
    by_hodrick,
    by_starts,
    by_drawn_slopes,
    by_paired_shares,
    by_random_baskets,
    by_drawn_windows,
    by_paths,
]
MARKETS = 200


@pytest.mark.parametrize("p_of", NULLS, ids=lambda p_of: p_of.__name__)
def test_without_an_effect_it_rejects_as_often_as_it_says(p_of):
    p = [np.atleast_1d(p_of(np.random.default_rng([5, market]))) for market in range(MARKETS)]
    rejected = (np.array(p)[:, None] <= LEVELS[:, None] + 1e-9).sum(axis=0)
    low, high = stats.binom.ppf([[0.0005], [0.9995]], MARKETS, LEVELS)[:, :, None]
    assert ((low <= rejected) & (rejected <= high)).all(), f"rejected at {LEVELS}:\n{rejected.T}"


@pytest.mark.parametrize("level", 1 - LEVELS)
def test_the_interval_of_a_share_covers_it_at_least_as_often_as_it_says(level):
    """Exactly, without a draw: over every number of hits that may come."""
    covered = []
    for share in np.linspace(0.05, 0.95, 19):
        ends = np.array([forecasts.hit_interval(hits, 20, level) for hits in range(21)]) / 100
        inside = (ends[:, 0] <= share) & (share <= ends[:, 1])
        covered.append(stats.binom.pmf(np.arange(21), 20, share)[inside].sum())
    assert level <= min(covered) <= level + 0.1
