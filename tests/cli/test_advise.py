"""`manometer advise` on a real Prometheus: each piece of advice, and silence where nothing can be known."""

import json

import pytest

from backfilled import backfilled, counting, steady
from manometer.cli import main
from manometer.mixin.advice import table
from manometer.mixin.thresholds import Thresholds

TARGET = 'job="shop",instance="a"'


def cache(name, hits, misses, entries, limit, **more):
    """The series of a cache, whose loads take 20 ms."""
    labels = f'{TARGET},cache_name="{name}"'
    counters = {
        f'cache_requests_total{{{labels},cache_request_type="hit"}}': hits,
        f'cache_requests_total{{{labels},cache_request_type="miss"}}': misses,
        f'cache_load_duration_seconds_sum{{{labels},cache_load_outcome="ok"}}': 0.02 * misses,
        f'cache_load_duration_seconds_count{{{labels},cache_load_outcome="ok"}}': misses,
        f'cache_evictions_total{{{labels},cache_eviction_cause="capacity"}}': more.pop("evicted", 0),
        **{
            f'cache_prefetches_total{{{labels},cache_prefetch_outcome="{outcome}"}}': each
            for outcome, each in more.items()
        },
    }
    gauges = {f"cache_entries{{{labels}}}": entries, f"cache_entry_limit{{{labels}}}": limit}
    return {name: counting(each) for name, each in counters.items()} | {
        name: steady(each) for name, each in gauges.items()
    }


def pool(name, used, limit, waiting):
    """The series of a pool of connections, ten uses of which end in a second."""
    labels = f'{TARGET},pool_name="{name}",pool_kind="connection"'
    return {
        f"pool_use_duration_seconds_sum{{{labels}}}": counting(used),
        f"pool_use_duration_seconds_count{{{labels}}}": counting(10),
        f"pool_wait_duration_seconds_sum{{{labels}}}": counting(waiting),
        f'pool_resources{{{labels},pool_resource_state="used"}}': steady(used),
        f"pool_resource_limit{{{labels}}}": steady(limit),
    }


def stage(name, seconds, runs):
    """The series of a stage."""
    labels = f'{TARGET},engine_name="shop",engine_stage_name="{name}",engine_stage_outcome="ok"'
    return {
        f"engine_stage_duration_seconds_sum{{{labels}}}": counting(seconds),
        f"engine_stage_duration_seconds_count{{{labels}}}": counting(runs),
    }


def collector(pauses):
    """The series of full garbage collections."""
    labels = f'{TARGET},cpython_gc_generation="2"'
    return {
        f"python_gc_pause_seconds_sum{{{labels}}}": counting(pauses),
        f"python_gc_pause_seconds_count{{{labels}}}": counting(0.1),
        f"cpython_gc_collections_total{{{labels}}}": counting(0.1),
        f"cpython_gc_collected_objects_total{{{labels}}}": counting(10),
    }


WELL = cache("well", 95, 5, 800, 1000, used=9, unused=1) | pool("well", 3, 5, 0) | stage("well", 0.01, 100)
ILL = {
    **cache("small", 60, 40, 1000, 1000, evicted=30),
    **cache("large", 95, 5, 100, 15000),
    **cache("useless", 0, 100, 700, 1000),
    **cache("ahead", 60, 10, 800, 1000, used=1, unused=8, failed=1),
    **pool("small", 4, 4, 2.5),
    **pool("large", 1, 40, 0),
    **stage("run", 0.5, 100),
    **stage("price", 0.4, 100),
    **collector(0.1),
}


@pytest.fixture
def advise(capsys):
    """Runs the command: its status, its output, and its errors."""

    def run(prometheus, *options):
        status = main(["advise", "--prometheus", prometheus, *options])
        return (status, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def ill(tmp_path_factory):
    """A Prometheus that has seen all that advice is given of."""
    with backfilled(tmp_path_factory.mktemp("ill"), WELL | ILL) as url:
        yield url


@pytest.mark.servers
def test_each_piece_of_advice_is_given_with_gain_size_and_query(ill, advise):
    """Of what is ill, and of nothing else."""
    status, text, errors = advise(ill, "--json")
    assert (status, errors) == (1, "")
    document = json.loads(text)
    told = {each["name"]: each for each in document["advice"]}
    assert len(told) == len(document["advice"]) == len(table(Thresholds()))
    gains = {name: (each["gain"]["value"], each.get("size")) for name, each in told.items()}
    assert gains == {
        "CacheTooSmall": (pytest.approx(0.6), 2000),
        "CacheTooLarge": (14800, 200),
        "CacheUseless": (700, None),
        "PrefetchUseless": (pytest.approx(0.18), None),
        "PoolTooSmall": (pytest.approx(2.5), 7),
        "PoolTooLarge": (35, 5),
        "StageWorthCaching": (pytest.approx(0.32), None),
        "GcPolicyCostly": (pytest.approx(0.09), None),
    }
    assert told["CacheTooSmall"]["labels"] == {"job": "shop", "instance": "a", "cache_name": "small"}
    assert told["StageWorthCaching"]["labels"]["engine_stage_name"] == "price"
    assert told["PoolTooSmall"]["gain"]["text"] == "2.5 s of waiting a second, where the new limit lets nobody wait"
    assert told["PoolTooSmall"]["found"] == "the connection pool small keeps its callers waiting"
    assert all("[1h]" in each["query"] for each in told.values())


@pytest.mark.servers
def test_advice_is_told_in_words(ill, advise):
    """A paragraph each, and a line that sums up."""
    _, text, _ = advise(ill)
    assert text.startswith(
        "CacheTooSmall: shop at a\n"
        "    found   cache small lets go of entries that it then has to load again\n"
        "    gain    0.6 s of loading a second, at most: each entry that made room may be one of those that were"
        " loaded again\n"
        "    change  raise its limit to twice what it is, where memory allows, and look again in a while (to 2,000)\n"
        "    query   (sum by (job, instance, cache_name) (rate(cache_evictions_total"
    )
    assert text.endswith("\n8 pieces of advice, by the last 1h\n")


@pytest.mark.servers
def test_a_pool_is_to_grow_by_no_more_than_its_limit_in_one_step(tmp_path, advise):
    """However many wait, and by nothing where they waited for a part of the window."""
    fault = pool("fault", 4, 4, 0)
    (waits,) = (each for each in fault if each.startswith("pool_wait"))
    fault[waits] = lambda seconds: 40_000 * min(max(seconds - 1800, 0), 1200)
    with backfilled(tmp_path, pool("crowd", 4, 4, 11_227) | fault) as url:
        _, text, _ = advise(url, "--json")
    told = [(each["name"], each["labels"]["pool_name"], each["size"]) for each in json.loads(text)["advice"]]
    assert told == [("PoolTooSmall", "crowd", 8)]


@pytest.mark.servers
def test_nothing_is_said_where_all_is_well(tmp_path, advise):
    """And what could not be judged is named: there was no garbage collector to look at."""
    with backfilled(tmp_path, WELL) as url:
        status, text, _ = advise(url)
    assert (status, text) == (
        0,
        "0 pieces of advice, by the last 1h; too few samples or too little traffic for GcPolicyCostly\n",
    )


@pytest.mark.servers
def test_nothing_is_said_of_what_has_just_begun(tmp_path, advise):
    """Half an hour is warming up, whatever it looks like; for a shorter window it is enough."""
    with backfilled(tmp_path, ILL, seconds=1800) as url:
        status, text, _ = advise(url)
        assert status == 0
        assert text.endswith(f"too little traffic for {', '.join(each.name for each in table(Thresholds()))}\n")
        status, text, _ = advise(url, "--window", "15m", "--json")
    assert status == 1
    assert len(json.loads(text)["advice"]) == 8


@pytest.mark.servers
def test_nothing_is_said_of_too_little_traffic(tmp_path, advise):
    """A hundredth of it: fewer than a thousand events in the hour."""
    few = {name: (lambda at, value=value: value(at) / 500) for name, value in ILL.items() if "_gc_" not in name}
    with backfilled(tmp_path, few) as url:
        assert advise(url)[0] == 0


@pytest.mark.servers
def test_advice_goes_by_the_thresholds_of_a_file(ill, tmp_path, advise):
    """The file of `manometer mixin`: a stage that acts gets no advice, and the window is the file's."""
    config = tmp_path / "mixin.yaml"
    config.write_text("advice: {acting_stages: [price], window: 45m}\n")
    _, text, _ = advise(ill, "--config", str(config), "--json")
    document = json.loads(text)
    assert document["window"] == "45m"
    assert "StageWorthCaching" not in {each["name"] for each in document["advice"]}
    _, text, _ = advise(ill, "--config", str(config), "--window", "30m", "--json")
    assert json.loads(text)["window"] == "30m"


def test_a_file_of_thresholds_that_is_wrong_is_refused(tmp_path, advise):
    """Before anything is asked of a Prometheus."""
    config = tmp_path / "mixin.yaml"
    config.write_text("advice: {acting: [price]}\n")
    status, _, errors = advise("http://127.0.0.1:9", "--config", str(config))
    assert status == 2
    assert "unknown key 'advice.acting'" in errors


@pytest.mark.parametrize(
    ("window", "reason"),
    [("soon", "duration 'soon' is not understood; write one number"), ("0s", "a window of no time holds nothing")],
)
def test_a_window_that_is_none_is_refused(window, reason, capsys):
    """In the words of thresholds."""
    with pytest.raises(SystemExit) as ended:
        main(["advise", "--prometheus", "x", "--window", window])
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err
