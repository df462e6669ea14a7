"""The bench does its work: every number is measured on real processes. How good they are is nobody's test."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from troth.faces.cli.bench import goods, processes, purchases, table
from troth.faces.cli.bench.command import bench


@pytest.mark.processes
def test_the_bench_measures_everything_it_shows():
    done = CliRunner().invoke(bench, ["--quick", "--json"])
    assert done.exit_code == 0, done.output
    numbers = json.loads(done.stdout)["numbers"]
    measured = {(number["name"], number["unit"]): number["measured"] for number in numbers}
    assert measured["bare Django view, default middlewares", "ms CPU"] >= 0
    assert measured["product page, uncached", "ms CPU"] > 0
    for name in ("purchase with PayPal", "purchase with Skrill"):
        assert (name, "ms CPU") in measured
        assert measured[name, "SQL"] > measured["product page", "SQL"] > 0
    assert measured["start to first product page", "s"] > 0
    assert measured["packages.json, kept", "ms CPU"] >= 0 and measured["a check of a licence", "ms CPU"] >= 0
    assert measured["a request counted at its door", "ms"] > 0
    assert measured["the card guard on a usual form", "µs"] > 0 and measured["  of a core, at their cadence", "%"] > 0
    assert measured["100 MB of files searched for what must not be there", "ms CPU"] > 0
    assert measured["init to first page", "s"] > 0 and measured["200 keys imported", "s"] > 0
    assert all(measured[name, "ms"] > 0 for name, unit in measured if name.startswith("keeper: ") and unit == "ms")
    assert measured["seal a checkout: key set checked, three records", "ms CPU"] > 0
    assert measured["keyring, 500 people, each", "bytes"] > 300
    assert measured["keeper, RSS at start", "MiB"] > 10
    assert any(name.startswith("memory") and value > 40 for (name, _), value in measured.items())


def test_a_long_catalogue_keeps_bundles_together(tmp_path: Path):
    products = ['slug = "a"\nmembers = []\n', 'slug = "b"\nmembers = ["a"]\n']
    text = "\n[[product]]\n".join(["# [[product]]\n# is how each begins\n", *products])
    (tmp_path / "catalogue.toml").write_text(text)
    goods.multiply(tmp_path, 5)
    slugs = [
        line for line in (tmp_path / "catalogue.toml").read_text().splitlines() if line.startswith(("slug", "mem"))
    ]
    assert slugs == [
        'slug = "a"', "members = []", 'slug = "b"', 'members = ["a"]', 'slug = "a-1"', "members = []",
        'slug = "b-1"', 'members = ["a-1"]', 'slug = "a-2"', "members = []",
    ]  # fmt: skip


def test_what_is_spent_at_rest_is_taken_off():
    spent = processes.Spent({"web": 100.0, "worker": 50.0}, 10.0)
    at_rest = processes.Spent({"web": 2.0, "worker": 10.0}, 5.0)
    assert spent.without(at_rest) == processes.Spent({"web": 96.0, "worker": 30.0}, 10.0)


def test_statements_are_told_apart():
    notes = [
        "web\t\tBEGIN IMMEDIATE", "web\t\tSELECT 1", "worker\tdeliver\tUPDATE x", "worker\tblanks\tSELECT 2",
        "keeper\t\tINSERT INTO leaf VALUES", "keeper\t\tCOMMIT", "web\t\tRELEASE SAVEPOINT a",
    ]  # fmt: skip
    assert purchases._read("\n".join(notes)) == purchases.Statements(main=2, control=2, keyring=1)


def test_a_missed_target_is_called_so():
    shown = table.lines(
        [table.Row("slow", "ms", 5.0, 3), table.Row("quick", "ms", 2.0, 3), table.Row("other", "", 7.0)]
    )
    assert ["missed" in line for line in shown[2:]] == [True, False, False]
