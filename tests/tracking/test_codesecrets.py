from __future__ import annotations

import ast

import pytest

from keepsake._tracking.codesecrets import mask_code

MASKED = [
    ('api_key = "abc123"', 'api_key = "***"'),
    ("token: str = 'abc'", "token: str = '***'"),
    ("token: str | None = 'abc'", "token: str | None = '***'"),
    ('if (token := "abc"): pass', 'if (token := "***"): pass'),
    ('os.environ["HF_TOKEN"] = "abc"', 'os.environ["HF_TOKEN"] = "***"'),
    ('os.environ.setdefault("WANDB_API_KEY", "abc")', 'os.environ.setdefault("WANDB_API_KEY", "***")'),
    ('{"password": "abc", "lr": 0.1}', '{"password": "***", "lr": 0.1}'),
    ('dict(secret=b"abc")', 'dict(secret=b"***")'),
    ('wandb.login(key="abc")', 'wandb.login(key="***")'),
    ('run(["train", "--api-key", "abc"])', 'run(["train", "--api-key", "***"])'),
    ('x = "hf_abcdefghijklmnopqrstuvwx"', 'x = "***"'),
    ('h = {"X": "Bearer abcdefgh12345"}', 'h = {"X": "Bearer ***"}'),
    ('u = "https://me:abc@host/x?sig=abc&y=1"', 'u = "https://me:***@host/x?sig=***&y=1"'),
    ('connect("host=x password=abc")', 'connect("host=x password=***")'),
    ("c = '''{\"secret\": \"abc\", \"a\": 1}'''", "c = '''{\"secret\": \"***\", \"a\": 1}'''"),
    ('private_key = """-----BEGIN\nabc\n"""', 'private_key = """***"""'),
    (r'password = "a\"bc"', 'password = "***"'),
    ("%env HF_TOKEN abc", "%env HF_TOKEN ***"),
    ("%env HF_TOKEN=abc", "%env HF_TOKEN=***"),
    ("x = 1\n!train --token abc --lr 1", "x = 1\n!train --token *** --lr 1"),
    ("%run train.py --db-password=abc --lr=1", "%run train.py --db-password=*** --lr=1"),
    ("%%bash\ntrain --password 'a b' --token  -x", "%%bash\ntrain --password *** --token  -x"),
    ('  !train --password="a b" --use-auth-token -x', "  !train --password=*** --use-auth-token -x"),
    ("  !export A_TOKEN=abc; ls", "  !export A_TOKEN=***; ls"),
    ("%%bash\nexport A_TOKEN=abc", "%%bash\nexport A_TOKEN=***"),
    ("%%writefile .env\nPASSWORD=abc", "%%writefile .env\nPASSWORD=***"),
]


@pytest.mark.parametrize(("source", "masked"), MASKED, ids=[source for source, _ in MASKED])
def test_a_secret_that_is_written_in_code_is_masked(source: str, masked: str) -> None:
    assert mask_code(source) == masked


LEFT = [
    "key = jax.random.key(0); f(key=key, token=token)",
    'password = getpass("Password, please: ")',
    'token = os.environ["HF_TOKEN"]',
    'tokenizer = "bert"; pad_token = "[PAD]"; sort_key = "loss"',
    'if key == "a" or token != "b": pass',
    'print(f"token={token} %s" % token)',
    "x = 5 % token\ny = a\n",
    'columns = ["key", "value"]',
    "# don't\nx = 'y'",
    'token = ""',
    "%%time\nf(key=key)",
    "def f(token: str) -> str: ...",
]


@pytest.mark.parametrize("source", LEFT)
def test_code_without_a_secret_is_left_as_it_is(source: str) -> None:
    assert mask_code(source) == source


def test_what_was_masked_is_still_python() -> None:
    source = "\n".join(source for source, _ in MASKED if not source.startswith(("%", " ", "x = 1")))
    ast.parse(mask_code(source))


@pytest.mark.parametrize(
    "piece", ['a="', 'token = """', "'", '("a",', "a.b-", "a: b ", "a:b[", "\n \t", "%env ", "://"]
)
def test_odd_text_of_any_length_is_gone_through_in_no_time(piece: str) -> None:
    source = piece * (130_000 // len(piece))
    assert len(mask_code(source)) <= len(source) + 10  # the test's time limit is what is tested
