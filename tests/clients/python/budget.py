"""What the openai Python client makes of a budget and a key. Usage: budget.py BASE_URL KEY

The server's budget is for one answer; the client repeats what it may, as it does by default."""

import sys

import httpx2
import openai

hello = [{"role": "user", "content": "count to 200"}]
url, key = sys.argv[1:]

try:
    openai.OpenAI(base_url=url, api_key="any").models.list()
    raise SystemExit("a call without a key of the server's was answered")
except openai.AuthenticationError as error:
    assert error.code == "invalid_api_key", error

sent = []
counting = httpx2.Client(event_hooks={"request": [sent.append]})
client = openai.OpenAI(base_url=url, api_key=key, http_client=counting)
raw = client.chat.completions.with_raw_response.create(model="nova-micro", messages=hello, max_tokens=200)
assert float(raw.headers["x-chatrix-budget-remaining-usd"]) > 0
assert raw.parse().usage.model_extra["cost"] == float(raw.headers["x-chatrix-cost-usd"]) > 0

for stream in (False, True):
    sent.clear()
    try:
        client.chat.completions.create(model="nova-micro", messages=hello, max_tokens=200, stream=stream)
        raise SystemExit("a budget was overshot")
    except openai.APIStatusError as error:
        assert error.status_code == 402, error
        assert (error.code, error.type) == ("insufficient_quota", "insufficient_quota"), error
        assert "is left of the day budget" in error.message, error
    # Told not to, it does not try again.
    assert len(sent) == 1, "the refusal was repeated"

print("openai-python", openai.__version__, "budget ok")
